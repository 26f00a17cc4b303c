"""What whoever asks the API may see: what their person may, narrowed by their token."""

from typing import cast

from django.db.models import QuerySet
from rest_framework.request import Request

from metrics.models import Metric
from metrics.queries.scope import visible_metrics
from owners.models import ApiToken, User


def visible_to(request: Request) -> QuerySet[Metric]:
    """The metrics that the request may know of."""
    found = visible_metrics(cast(User, request.user))
    if isinstance(request.auth, ApiToken) and request.auth.metric_keys:
        return found.filter(key__in=request.auth.metric_keys)
    return found
