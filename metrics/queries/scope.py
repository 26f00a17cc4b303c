"""Which metrics somebody may see: the one place through which pages, search, API and exports read metrics."""

from django.db.models import QuerySet

from metrics.definitions.build import PART
from metrics.models import Metric
from owners.models import User
from owners.rules import visibility_filter


def visible_metrics(user: User | None) -> QuerySet[Metric]:
    """Metrics that `user` may see, in the definitions' order; None is the system, which sees all.

    Archived metrics and hidden parts are left out.
    """
    metrics = Metric.objects.filter(archived_at=None).exclude(role=PART)
    return metrics if user is None else metrics.filter(visibility_filter(user))
