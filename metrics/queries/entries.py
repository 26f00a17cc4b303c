"""The grid of a manual metric: one cell a period, newest first."""

from collections.abc import Mapping, Sequence
from datetime import date

from calc.calendar import Calendar, Grain, Period
from calc.clock import Due, FreeDays, due_date
from metrics.definitions.specs import ManualSpec, spec_of
from metrics.models import Entry, Metric
from metrics.queries.heads import owners
from metrics.queries.shapes import EntryCell
from metrics.services.entries import token_of

CELLS = {Grain.DAY: 31, Grain.WEEK: 26, Grain.MONTH: 24, Grain.QUARTER: 12, Grain.YEAR: 6}
YEARS = 6  # that the cells of a year's figures reach back


def entry_cells(metric: Metric, cal: Calendar, today: date) -> tuple[EntryCell, ...]:
    """The periods that can be entered, the running one first. Three SQL statements; () if not manual."""
    return cells_of([metric], cal, today)[metric.id] if metric.type == "manual" else ()


def cells_of(
    metrics: Sequence[Metric], cal: Calendar, today: date, free: FreeDays | None = None
) -> dict[int, tuple[EntryCell, ...]]:
    """`entry_cells` of many metrics, by id.

    free: when whoever is asked does not work, by default when those do not who count each metric. One SQL
    statement with it, three without.
    """
    stored: dict[int, dict[date, Entry]] = {}
    entered = Entry.objects.filter(metric__in=[m.pk for m in metrics], dimension="")
    for entry in entered.select_related("author"):
        stored.setdefault(entry.metric_id, {})[entry.period_start] = entry
    who = owners([m.key for m in metrics], cal) if free is None else None
    years = range(today.year - YEARS, today.year + 2)
    found = {}
    for metric in metrics:
        rest = who.days_off(metric, cal, today, years) if who else free
        found[metric.pk] = _cells(metric, stored.get(metric.pk, {}), cal, today, rest or FreeDays())
    return found


def _cells(
    metric: Metric, stored: Mapping[date, Entry], cal: Calendar, today: date, free: FreeDays
) -> tuple[EntryCell, ...]:
    spec = spec_of(metric.type, metric.spec)
    if not isinstance(spec, ManualSpec):
        return ()
    due = Due(spec.collect.due_days, spec.collect.due_working)
    period = cal.period(spec.grain, today)
    first = min(stored, default=None)
    cells = []
    for _ in range(CELLS[spec.grain]):
        entry = stored.get(period.start)
        until = due_date(period, due, free)
        expected = first is not None and period.start >= first and spec.collect.every != ""
        cells.append(
            EntryCell(
                start=period.start,
                end=period.end,
                label=label(cal, period),
                value=entry.value if entry else None,
                numerator=entry.numerator if entry else None,
                denominator=entry.denominator if entry else None,
                note=entry.note if entry else "",
                by=str(entry.author or entry.origin) if entry else "",
                entered_at=entry.entered_at if entry else None,
                due_date=until,
                open=period.start <= today,
                late=entry is None and expected and until < today,
                token=token_of(entry),
            )
        )
        period = cal.previous(period)
    return tuple(cells)


def label(cal: Calendar, period: Period) -> str:
    """`Jul 2026`, `week of 4 Aug 2026`, `4 Aug 2026`, `Q3 2026 (Jul–Sep)`, `2026`."""
    start = period.start
    match period.grain:
        case Grain.DAY:
            return f"{start.day} {start:%b %Y}"
        case Grain.WEEK:
            return f"week of {start.day} {start:%b %Y}"
        case Grain.MONTH:
            return f"{start:%b %Y}"
        case Grain.QUARTER:
            return cal.quarter_label(cal.quarter_name(start))
        case _:
            return cal.quarter_name(start)[:4]
