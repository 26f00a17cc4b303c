"""Stored values as the contract lists them: for the `values` command and the API."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from calc.calendar import Grain
from metrics.models import Metric, Revision, Value

COLUMNS = (
    "metric",
    "grain",
    "period_start",
    "period_end",
    "dimension",
    "member",
    "value",
    "numerator",
    "denominator",
    "status",
    "version",
    "computed_at",
)
_FIELDS = ("period_start", "period_end", "dimension", "member", "value", "numerator", "denominator")


@dataclass(frozen=True, slots=True)
class ValueLine:
    """One stored figure, unrounded; the fields are those of the contract, in its order."""

    metric: str
    grain: str
    period_start: date
    period_end: date
    dimension: str
    member: str
    value: float | None
    numerator: float | None
    denominator: float | None
    status: str
    version: int
    computed_at: datetime


def stored_values(
    metric: Metric,
    grain: Grain | str,
    *,
    start: date | None = None,
    end: date | None = None,
    dimension: str = "",
    known_at: datetime | None = None,
) -> list[ValueLine]:
    """The figures of one metric and grain whose periods overlap `[start, end)`, by period and member.

    dimension: "" for the whole, else all its members. known_at: as recorded at that instant; empty if nothing
    was. One SQL statement, two with `known_at`.
    """
    wanted = {"metric": metric, "grain": str(grain), "dimension": dimension}
    figures: Iterable[tuple] = _rows(Value.objects.filter(**wanted), start, end, known_at)
    if known_at:
        then = Revision.objects.filter(**wanted, replaced_at__gt=known_at).order_by("replaced_at", "id")
        stood: dict[tuple[date, date, str], tuple] = {}
        # Where only the status has changed since, several are from then: the one replaced first stood.
        for row in (*_rows(then, start, end, known_at), *figures):
            stood.setdefault((row[0], row[1], row[3]), row)
        figures = stood.values()
    lines = [ValueLine(metric.key, str(grain), *row) for row in figures]
    return sorted(lines, key=lambda line: (line.period_start, line.period_end, line.member))


def _rows(
    figures: QuerySet, start: date | None, end: date | None, known_at: datetime | None
) -> QuerySet[Value, tuple]:
    if start:
        figures = figures.filter(period_end__gt=start)
    if end:
        figures = figures.filter(period_start__lt=end)
    if known_at:
        figures = figures.filter(computed_at__lte=known_at)
    return figures.values_list(*_FIELDS, "status", "version", "computed_at")


def first_recorded_at(metric: Metric) -> datetime | None:
    """When the first figure of a metric was recorded."""
    moments = [
        manager.filter(metric=metric).order_by("computed_at").values_list("computed_at", flat=True).first()
        for manager in (Value.objects, Revision.objects)
    ]
    return min((m for m in moments if m), default=None)
