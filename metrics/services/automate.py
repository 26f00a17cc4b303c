"""From counted by hand to computed: another metric's definition takes a manual one's place from a day on."""

from datetime import date

from django.core.exceptions import ValidationError

from metrics.definitions.build import calendar_of, entry_grain
from metrics.definitions.metric import MetricText
from metrics.models import Installation, Metric
from metrics.queries.dump import metric_fields
from metrics.services import defining
from metrics.services.apply import Outcome
from owners.models import User
from owners.rules import require

# What says how a metric is computed; all else stays the manual one's: name, unit, owner, targets.
HOW = ("type", "spec", "by")


def switch(
    by: User, metric: Metric, successor: Metric, start: date, *, expected: str, reason: str = ""
) -> Outcome:
    """From `start` on the metric is computed as its successor is. Earlier figures and all entries stay; the
    chart marks the seam. The successor is left as it is.

    Raises PermissionDenied, ValidationError, DefinitionsError, and ChangedMeanwhile where somebody has edited
    the metric since `expected`.
    """
    require(by, "metric.define")
    grain = entry_grain(metric)
    if grain is None:
        raise ValidationError(f"{metric.name} is computed already.")
    if successor.type == "manual" or successor.archived_at is not None:
        raise ValidationError(f"{successor.name} is not computed.")
    calendar = calendar_of(Installation.objects.filter(id=1).first())
    if calendar.period(grain, start).start != start:
        raise ValidationError(f"{start} opens no {grain}.")
    own, other = metric_fields(metric), metric_fields(successor)
    fields = {name: value for name, value in own.items() if name not in HOW}
    fields |= {name: other[name] for name in HOW if name in other}
    said = MetricText(
        fields=fields,
        reason=reason or f"Computed as {successor.name} is, by hand before",
        effective=start.isoformat(),
    )
    text = defining.text_of("metrics", metric.key, said)
    _, ask = defining.check(text, author=by)
    ask()
    return defining.define(text, "metrics", metric.key, author=by, expected=expected)
