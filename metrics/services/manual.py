"""From what people entered to figures, at the grain of entry and the coarser ones that hold it whole."""

from collections.abc import Collection, Iterator
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from calc.calendar import PERIODS, Calendar, Grain, Period
from calc.rollup import Merge, Part, merge
from metrics.definitions.build import calendar_of, entry_grain, merges_of
from metrics.models import Entry, Installation, Metric, Value
from metrics.services import dependents
from metrics.services.incoming import Draft, Scope
from metrics.services.standing import Standings
from metrics.services.writing import Written, lock_figures, status_of, write

# A week lies in no month: what was counted by week is not rolled up.
COARSER = {
    Grain.DAY: PERIODS[1:],
    Grain.WEEK: (),
    Grain.MONTH: (Grain.QUARTER, Grain.YEAR),
    Grain.QUARTER: (Grain.YEAR,),
    Grain.YEAR: (),
}


@transaction.atomic
def recompute_manual(
    keys: Collection[str], *, now: datetime | None = None, cause: str = "correction", run: int | None = None
) -> Written:
    """Bring the figures of manual metrics, and of all that follows from them, in line with their entries.

    Belongs into the transaction that has written the entries. An amount sums and a share is a ratio of
    sums; where an entry is missing before the last one, their coarser figure is unknown. A level is the
    last one entered."""
    moment = now or timezone.now()
    calendar = calendar_of(Installation.objects.first())
    lock_figures()
    metrics = {m.key: m for m in Metric.objects.filter(archived_at=None)}
    standings = Standings(calendar, metrics)
    drafts: list[Draft] = []
    scopes: list[Scope] = []
    chosen = [metrics[key] for key in keys if key in metrics and entry_grain(metrics[key])]
    for metric in chosen:
        final_before = standings.of(metric.key).final_before
        dimensions = {""}
        dimensions |= set(Value.objects.filter(metric=metric).values_list("dimension", flat=True).distinct())
        for dimension, member, period, part in figures_of(metric, calendar):
            dimensions.add(dimension)
            status = status_of(min(period.end, date.max), final_before)
            drafts.append(
                Draft(
                    metric.pk,
                    period.grain,
                    period.start,
                    period.end,
                    dimension,
                    member,
                    part.value,
                    part.numerator,
                    part.denominator,
                    None,
                    status,
                    metric.version,
                )
            )
        scopes += [Scope(metric.pk, g, d, date.min, date.max) for g in PERIODS for d in sorted(dimensions)]
    written = write(
        drafts,
        scopes,
        now=moment,
        calendar=calendar,
        cause=cause,
        reach={m.pk: standings.of(m.key).reach for m in chosen},
        run=run,
    )
    follow = dependents.update(
        {m.key for m in chosen}, written.touched, standings, now=moment, cause=cause, run=run
    )
    written.rows += follow.rows
    written.changed += follow.changed
    return written


def figures_of(metric: Metric, calendar: Calendar) -> Iterator[tuple[str, str, Period, Part]]:
    """(dimension, member, period, figure) of a manual metric's entries, at their grain and coarser ones."""
    grain = entry_grain(metric)
    assert grain is not None
    how = Merge(merges_of(metric))
    entered: dict[tuple[str, str], dict[date, Part]] = {}
    for entry in Entry.objects.filter(metric=metric).order_by("period_start"):
        segment = entered.setdefault((entry.dimension, entry.member), {})
        start = calendar.period(grain, entry.period_start).start
        segment[start] = _part(entry, how)
    for (dimension, member), parts in entered.items():
        ends = calendar.period(grain, max(parts)).end
        for start, part in parts.items():
            yield dimension, member, calendar.period(grain, start), part
        for coarser in COARSER[grain]:
            for period in calendar.periods(coarser, min(parts), ends):
                yield dimension, member, period, _rolled(calendar, grain, period, parts, ends, how)


def _part(entry: Entry, how: Merge) -> Part:
    if how is not Merge.SHARE:
        return Part(entry.value)
    above, below = entry.numerator, entry.denominator
    return Part(above / below if above is not None and below else None, above, below)


def _rolled(
    calendar: Calendar, grain: Grain, period: Period, parts: dict[date, Part], ends: date, how: Merge
) -> Part:
    due = [parts.get(p.start) for p in calendar.periods(grain, period.start, min(period.end, ends))]
    if how is not Merge.LAST and any(part is None for part in due):
        return Part(None)
    return merge(due, how) or Part(None)
