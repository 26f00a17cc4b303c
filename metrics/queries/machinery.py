"""Is the machinery healthy: sources with their freshness, and what has been recomputed."""

from django.db.models import Q

from metrics.definitions.build import source_keys_of
from metrics.models import Metric, Run, Source
from metrics.queries.hiding import Veil, veil
from metrics.queries.scope import visible_metrics
from metrics.queries.shapes import RunLine, SourceLine
from owners.models import User


def sources(user: User | None) -> tuple[SourceLine, ...]:
    """Every source with its state, and the metrics that `user` may see of it. Two SQL statements."""
    metrics: dict[str, list[tuple[str, str]]] = {}
    for metric in visible_metrics(user):
        for key in source_keys_of(metric):
            metrics.setdefault(key, []).append((metric.key, metric.name))
    found = Source.objects.filter(archived_at=None).select_related("warehouse", "data_owner").order_by("key")
    return tuple(
        SourceLine(
            key=source.key,
            warehouse=source.warehouse.key,
            engine=source.warehouse.engine,
            state=_state(source),
            watermark=source.watermark,
            checked_at=source.checked_at,
            late_since=source.late_since,
            data_owner=source.data_owner.name if source.data_owner else "",
            metrics=tuple(metrics.get(source.key, ())),
            error=source.error,
        )
        for source in found
    )


def runs(user: User | None, limit: int = 50) -> tuple[RunLine, ...]:
    """The newest runs first, open ones among them. At most three SQL statements."""
    hides = veil(user)
    return tuple(run_line(run, hides) for run in Run.objects.select_related("source")[:limit])


def runs_of(metric: Metric, hides: Veil, limit: int = 10) -> tuple[RunLine, ...]:
    """The newest runs that recomputed a metric. One SQL statement."""
    mine = Q(metrics__contains=[metric.key]) | Q(metrics=[], source__key__in=source_keys_of(metric))
    return tuple(run_line(run, hides) for run in Run.objects.filter(mine).select_related("source")[:limit])


def run_line(run: Run, hides: Veil) -> RunLine:
    """A run; of an error that names other metrics only what its reader may know."""
    took = (run.finished_at - run.started_at).total_seconds() if run.finished_at and run.started_at else None
    return RunLine(
        id=run.pk,
        source=run.source.key if run.source else "",
        state=run.state,
        cause=run.cause,
        window_start=run.computed_start or run.window_start,
        window_end=run.computed_end or run.window_end,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        seconds=took,
        rows_written=run.rows_written,
        rows_changed=run.rows_changed,
        attempts=run.attempts,
        step=run.step,
        error=hides.error(run.error),
    )


def _state(source: Source) -> str:
    if source.failed_since:
        return "failed"
    if source.late_since:
        return "late"
    return "fresh" if source.watermark else "unknown"
