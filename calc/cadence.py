"""When an owner's word is due: by a rhythm of their own, or once the period is over that figures are of."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from calc import clock
from calc.calendar import WEEK, Calendar, Grain, Period

DAY = timedelta(days=1)


class Every(StrEnum):
    """How often a word is asked for. WEEKS is every so many weeks, counted from a day."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    WEEKS = "weeks"
    NEVER = "never"


@dataclass(frozen=True)
class Cadence:
    """A rhythm of check-ins.

    weekday: of `week`, the day on which it is due (0 is Monday). working_days: of `month` and `quarter`, on
    which working day after its end. weeks, first: of `weeks`, how many from one to the next, and the first
    day that one is due on; before it nothing is.
    """

    every: Every
    weekday: int = 0
    working_days: int = 1
    weeks: int = 2
    first: date | None = None


@dataclass(frozen=True)
class Due:
    """The check-in that is asked for on a day.

    period: the last one that has ended, which it is about. since: the first day on which a word counts.
    due_date: the last day on which it is in time. said: it is there. late: it is not, and that day is over.
    missed: it is late, or it is not there yet and neither was the one before. before: when that one was due
    (or is on this day, where its due day has moved into the next week), as long as neither is there.
    """

    period: Period
    since: date
    due_date: date
    said: bool
    late: bool
    missed: bool
    before: date | None = None


def due_check_in(
    calendar: Calendar,
    rhythm: Grain,
    as_of: date,
    last_said: date | None,
    holidays: Collection[date] = frozenset(),
    *,
    cadence: Cadence | None = None,
    figure: clock.Due | None = None,
    begun: date | None = None,
) -> Due | None:
    """What is due on `as_of`; None where nothing is asked for.

    Without a cadence it follows the rhythm of the figures, though nobody is asked more often than weekly: a
    daily rhythm counts as the week. It is then due on the first working day after the period. With `figure`,
    the due day of the period's entry, it is not due before that. A due day that is free moves to the next
    working day. begun: since when the owner answers for it; what was due before is not late for them.
    """

    def asked(day: date) -> tuple[Period, date] | None:
        found = _asked(calendar, rhythm, day, holidays, cadence)
        if found is None or figure is None:
            return found
        return found[0], max(found[1], clock.due_date(found[0], figure, holidays))

    def said(period: Period) -> bool:
        return last_said is not None and last_said >= period.end

    def late(period: Period, until: date) -> bool:
        return not said(period) and as_of > until and (begun is None or begun <= until)

    now = asked(as_of)
    if now is None:
        return None
    period, until = now
    before = asked(period.end - DAY)
    open_before = before if before is not None and not said(period) and not said(before[0]) else None
    missed = late(*now) or (open_before is not None and late(*open_before))
    return Due(period, period.end, until, said(period), late(*now), missed, _told(open_before, as_of, begun))


def _told(before: tuple[Period, date] | None, as_of: date, begun: date | None) -> date | None:
    if before is None or before[1] > as_of or (begun is not None and begun > before[1]):
        return None
    return before[1]


def _asked(
    calendar: Calendar, rhythm: Grain, as_of: date, holidays: Collection[date], cadence: Cadence | None
) -> tuple[Period, date] | None:
    """The period that is spoken of, and the last day for it."""
    if cadence is None:
        grain = Grain.WEEK if rhythm.whole is Grain.DAY else rhythm.whole
        return _after(calendar, grain, as_of, 1, holidays)
    if cadence.every is Every.NEVER:
        return None
    if cadence.every is Every.WEEKS:
        length = WEEK * cadence.weeks
        if cadence.first is None or as_of < cadence.first:
            return None
        start = cadence.first + (as_of - cadence.first) // length * length
        return Period(start - length, start, Grain.WEEK), clock.next_working(start, holidays)
    if cadence.every is Every.WEEK:
        period = calendar.previous(calendar.period(Grain.WEEK, as_of))
        into = (cadence.weekday - calendar.week_start) % 7
        return period, clock.next_working(period.end + DAY * into, holidays)
    return _after(calendar, Grain(cadence.every), as_of, cadence.working_days, holidays)


def _after(
    calendar: Calendar, grain: Grain, as_of: date, working_days: int, holidays: Collection[date]
) -> tuple[Period, date]:
    period = calendar.previous(calendar.period(grain, as_of))
    return period, clock.due_date(period, clock.Due(working_days, working=True), holidays)
