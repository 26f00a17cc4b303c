"""When an owner's word is due: once a week, or once the period is over in which figures are counted."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from calc import clock
from calc.calendar import Calendar, Grain, Period


@dataclass(frozen=True)
class Due:
    """The check-in that is asked for on a day.

    period: the last one that has ended, which it is about. since: the first day on which a word counts.
    due_date: the last day on which it is in time. said: it is there. late: it is not, and that day is over.
    """

    period: Period
    since: date
    due_date: date
    said: bool
    late: bool


def due_check_in(
    calendar: Calendar,
    rhythm: Grain,
    as_of: date,
    last_said: date | None,
    holidays: Collection[date] = frozenset(),
    *,
    figure: clock.Due | None = None,
    begun: date | None = None,
) -> Due:
    """What is due on `as_of`. Nobody is asked more often than weekly: a daily rhythm counts as the week.

    It is due on the first working day after the period; with `figure`, the due day of the period's entry, not
    before that. begun: since when the owner answers for it; what was due before is not late for them.
    """
    grain = Grain.WEEK if rhythm.whole is Grain.DAY else rhythm.whole
    period = calendar.previous(calendar.period(grain, as_of))
    until = clock.due_date(period, clock.Due(1, working=True), holidays)
    if figure is not None:
        until = max(until, clock.due_date(period, figure, holidays))
    said = last_said is not None and last_said >= period.end
    late = not said and as_of > until and (begun is None or begun <= until)
    return Due(period, period.end, until, said, late)
