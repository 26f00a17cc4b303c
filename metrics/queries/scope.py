"""Which metrics somebody may see: the one place through which pages, search, API and exports read metrics."""

from django.db.models import Prefetch, QuerySet

from metrics.models import Benchmark, Metric, Target
from owners.models import User
from owners.rules import visibility_filter

PART = "part"  # hidden halves of a ratio whose measures come from two sources


def visible_metrics(user: User | None) -> QuerySet[Metric]:
    """Metrics that `user` may see, in the definitions' order; None is the system, which sees all.

    Archived metrics and hidden parts are left out.
    """
    metrics = Metric.objects.filter(archived_at=None).exclude(role=PART)
    return metrics if user is None else metrics.filter(visibility_filter(user))


def with_targets(metrics: QuerySet[Metric], quarters: tuple[str, ...]) -> QuerySet[Metric]:
    """Adds `quarter_targets`: the whole's targets of these quarters with their benchmarks (two statements)."""
    targets = Target.objects.filter(quarter__in=quarters, dimension="").prefetch_related(
        Prefetch("benchmarks", queryset=Benchmark.objects.order_by("month"))
    )
    return metrics.prefetch_related(Prefetch("targets", queryset=targets, to_attr="quarter_targets"))
