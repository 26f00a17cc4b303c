"""Who counts a manual metric, when, from where and how: changed alone, beside the metric's owner."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from metrics.definitions.fields import compact
from metrics.definitions.metric import MetricText
from metrics.models import Metric
from metrics.queries.dump import metric_fields
from metrics.services.defining import settle, token
from owners.models import User
from owners.rules import require
from owners.services.meanwhile import ChangedMeanwhile


def token_of(metric: Metric) -> str:
    """Names the state of a metric's collecting, so that two who edit it see each other."""
    return token(dict(metric.spec.get("collect") or {}))


@transaction.atomic
def collect(metric: Metric, said: Mapping[str, str], *, author: User | None, expected: str) -> bool:
    """Makes the metric's `collect` (by, every, due, from, how, in the file's words) what is `said`; whether
    anything changed. What a figure means stays: no new version.

    Raises PermissionDenied without `metric.set_owner`; ChangedMeanwhile if `expected` is not the token of
    what is stored; ValidationError for a computed metric, and for what the definitions file would refuse.
    """
    require(author, "metric.set_owner", metric)
    held = Metric.objects.select_for_update(of=("self",)).get(pk=metric.pk)
    if held.type != "manual" or held.archived_at is not None:
        raise ValidationError(f"Nobody counts {held.name}: it is computed.")
    if token_of(held) != expected:
        raise ChangedMeanwhile(
            "Somebody else changed who counts this while you were writing. What is stored now is shown "
            "below; change it again where it is needed."
        )
    fields: dict[str, Any] = metric_fields(held)
    fields["spec"] = compact({**held.spec, "collect": compact(dict(said))})
    return bool(settle("metrics", held.key, MetricText(fields=fields), author=author).changes)
