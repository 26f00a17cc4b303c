"""What a target or a definition was after one of its changes, so that it can be so again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from metrics.definitions.metric import MetricText
from metrics.models import Benchmark, Metric, Source, Target
from metrics.queries import installation
from metrics.queries.audit.changes import Difference, differences
from metrics.queries.audit.names import read_names
from metrics.queries.dump import metric_fields, source_fields
from metrics.queries.recorded import events, rows


@dataclass(frozen=True)
class EarlierTarget:
    """A target as it was `at`; `value` None and no growth: there was none."""

    metric: Metric
    quarter: str
    dimension: str
    member: str
    at: datetime
    value: float | None
    growth: str
    baseline: float | None
    benchmarks: Mapping[date, float]
    differences: tuple[Difference, ...]  # from what is now to what was then


@dataclass(frozen=True)
class EarlierDefinition:
    """A metric's or source's definition as it was `at`, in the normal form of a definitions file."""

    section: str  # metrics | sources
    key: str
    name: str
    at: datetime
    said: Any
    differences: tuple[Difference, ...]


def earlier_target(event: int, *, plan: bool = False) -> EarlierTarget | None:
    """The target after the change `event` of it, or with `plan` after that of one of its months; None if
    there is no such change, or its metric is gone."""
    if plan:
        month = events(Benchmark).objects.filter(pgh_id=event).first()
        found = None
        if month is not None:
            of = events(Target).objects.filter(pgh_obj_id=month.target_id)
            found = of.filter(pgh_created_at__lte=month.pgh_created_at).order_by("-pgh_id").first()
        at = month.pgh_created_at if month is not None else None
    else:
        found = events(Target).objects.filter(pgh_id=event).first()
        at = found.pgh_created_at if found is not None else None
    if found is None or at is None or found.pgh_label == "delete":
        return None
    metric = Metric.objects.filter(pk=found.metric_id, archived_at=None).first()
    if metric is None:
        return None
    then = {
        row["month"]: row["value"]
        for row in rows(Benchmark, ("month", "value"), at, target_id=found.pgh_obj_id)
    }
    place: dict[str, Any] = {
        "metric": metric,
        "quarter": found.quarter,
        "dimension": found.dimension,
        "member": found.member,
    }
    now = Target.objects.filter(**place).prefetch_related("benchmarks").first()
    before: dict[str, Any] = {}
    if now is not None:
        before = {"value": now.value, "growth": now.growth, "baseline": now.baseline}
        before |= {"benchmarks": {b.month.isoformat(): b.value for b in now.benchmarks.all()}}
    after = {"value": found.value, "growth": found.growth, "baseline": found.baseline}
    after |= {"benchmarks": {month.isoformat(): value for month, value in sorted(then.items())}}
    of_metric = {"metric_id": metric.pk}  # in whose unit the figures are
    return EarlierTarget(
        metric=metric,
        quarter=found.quarter,
        dimension=found.dimension,
        member=found.member,
        at=at,
        value=found.value,
        growth=found.growth if found.value is None else "",
        baseline=found.baseline,
        benchmarks=then,
        differences=differences(
            "metrics.Target", before | of_metric, after | of_metric, read_names(installation.calendar())
        ),
    )


def definition_differences(
    now: Mapping[str, Any], then: Mapping[str, Any], *, model: str = "metrics.Metric"
) -> tuple[Difference, ...]:
    """From one definition of a metric or source to another, both in normal form."""
    return differences(model, now, then, read_names(installation.calendar()))


def earlier_definition(what: str, event: int) -> EarlierDefinition | None:
    """The metric or source (`what`) after the change `event` of it; None if there is no such change."""
    model: type[Metric] | type[Source] = Metric if what == "metric" else Source
    found = events(model).objects.filter(pgh_id=event).first()
    row = model._default_manager.filter(pk=found.pgh_obj_id).first() if found is not None else None
    if found is None or row is None or found.pgh_label == "delete" or getattr(row, "role", "") == "part":
        return None
    if isinstance(row, Metric):
        said: Any = MetricText(fields=metric_fields(found))
        now, then = metric_fields(row), metric_fields(found)
    else:
        said = then = source_fields(found)
        now = source_fields(row)
    name = row.name if isinstance(row, Metric) else row.key
    section = "metrics" if isinstance(row, Metric) else "sources"
    told = definition_differences(now, then, model=model._meta.label)
    return EarlierDefinition(section, row.key, name, found.pgh_created_at, said, told)
