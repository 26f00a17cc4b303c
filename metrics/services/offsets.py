"""Which period of an operand stands in a formula for a period of the metric, and the way back. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta

from calc.calendar import Calendar, Grain, Period, add_months
from calc.clock import equal_part
from metrics.definitions.specs import Operand

DAY = timedelta(days=1)
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_YEAR = 364 * DAY  # of days and weeks, so that weekdays meet


def last_periods(calendar: Calendar, grain: Grain, end: date, count: int) -> list[Period]:
    """The last `count` periods that begin before `end`, oldest first."""
    periods = [calendar.period(grain, end - DAY)]
    while len(periods) < count:
        periods.append(calendar.previous(periods[-1]))
    return periods[::-1]


def period_of(operand: Operand, period: Period, calendar: Calendar) -> Period | None:
    """The operand's period; None where there is none (`to` has no to-date form)."""
    if operand.to is not None:
        if period.grain.is_to_date:
            return None
        return calendar.period(period.grain, calendar.period(operand.to, period.start).start)
    if operand.offset is None:
        return period
    if period.grain.is_to_date:
        # The equally elapsed part of that whole period which stands for the whole one.
        whole = calendar.period(period.grain.whole, period.start)
        other = calendar.period(whole.grain, _back(operand, whole.grain, whole.start))
        return Period(other.start, equal_part(whole, period.end - DAY, other).end, period.grain)
    return calendar.period(period.grain, _back(operand, period.grain, period.start))


def days_of(operand: Operand, grain: Grain, start: date, end: date, calendar: Calendar) -> tuple[date, date]:
    """The days of the operand, `[start, end)`, that figures of this grain may be built on over the metric's
    own `[start, end)`; with `to` as far as the first quarter (or month) of what it goes back to reaches."""
    if operand.to is not None:
        last = calendar.period(operand.to, end - DAY)
        first = calendar.period(Grain.QUARTER, last.start).end
        return calendar.period(operand.to, start).start, min(first, last.end)
    if operand.offset is None:
        return start, end
    return _back(operand, grain.whole, start), _back(operand, grain.whole, end)


def periods_from(operand: Operand, found: Period, calendar: Calendar) -> Iterator[Period]:
    """The metric's periods for which `found` stands as the operand's."""
    if operand.to is not None:
        if found.grain.is_to_date:
            return
        around = calendar.period(operand.to, found.end - DAY)
        if found.grain is Grain.WEEK:
            around = Period(around.start - 7 * DAY, around.end + 7 * DAY, around.grain)
        near = calendar.periods(found.grain, around.start, around.end)
    elif operand.offset is None:
        yield found
        return
    elif found.grain.is_to_date:
        whole = calendar.period(found.grain.whole, found.start)
        for mine in periods_from(operand, whole, calendar):
            first, past = days_from(mine, whole, found.end - DAY)
            days = {first + n * DAY for n in range(min(9, (past - first).days))} | {past - DAY}
            for day in sorted(days):
                period = calendar.period(found.grain, day)
                if period_of(operand, period, calendar) == found:
                    yield period
        return
    else:
        ahead = _ahead(operand, found.grain, found.end - DAY)
        margin = 4 * DAY if found.grain is Grain.DAY else 10 * DAY
        near = calendar.periods(found.grain, ahead - margin, ahead + margin + DAY)
    for period in near:
        if period_of(operand, period, calendar) == found:
            yield period


def days_from(mine: Period, other: Period, day: date) -> tuple[date, date]:
    """The days of `mine` that may be at least as far along as `day` is in `other`: `[first, end)`."""
    months = (mine.start.year - other.start.year) * 12 + mine.start.month - other.start.month
    return max(mine.start, min(add_months(day, months) - 4 * DAY, mine.end - DAY)), mine.end


def _back(operand: Operand, grain: Grain, day: date) -> date:
    assert operand.offset is not None
    if operand.offset.unit == "year" and grain in (Grain.DAY, Grain.WEEK):
        return day - operand.offset.count * _YEAR
    return operand.offset.back_from(day)


def _ahead(operand: Operand, grain: Grain, day: date) -> date:
    assert operand.offset is not None
    count, unit = operand.offset.count, operand.offset.unit
    if unit == "year" and grain in (Grain.DAY, Grain.WEEK):
        return day + count * _YEAR
    if unit in _MONTHS:
        return add_months(day, count * _MONTHS[unit])
    return day + (day - operand.offset.back_from(day))
