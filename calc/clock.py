"""The data's clock: what is final, what is due, and which part of another period is equally old.

A watermark is an exclusive local date: rows of the days before it are complete. `as_of` is always given.
"""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from calc.calendar import Calendar, Grain, Period, add_months

DAY = timedelta(days=1)
SATURDAY_AND_SUNDAY = frozenset({5, 6})


class FreeDays(frozenset[date]):
    """Public holidays of a country, with the days of the week (0 is Monday) on which it rests."""

    weekend: frozenset[int]

    def __new__(cls, days: Iterable[date] = (), weekend: Iterable[int] = SATURDAY_AND_SUNDAY) -> "FreeDays":
        made = super().__new__(cls, days)
        made.weekend = frozenset(weekend)
        return made


@dataclass(frozen=True)
class Due:
    """When a hand-entered figure must be there: so many days, or working days, after its period has ended."""

    days: int = 0
    working: bool = False


def is_final(period: Period, watermark: date, lateness: timedelta = timedelta(0)) -> bool:
    """Whether no row of the period may yet come; a begun day of lateness counts whole."""
    return period.end <= watermark - timedelta(days=math.ceil(lateness / DAY))


def last_due_day(as_of: date, watermark: date | None, manual_end: date | None = None) -> date:
    """The last day (inclusive) that is due: min(as_of, the day before the watermark, the last day of the
    manual metric's last due period, whose exclusive end is `manual_end`)."""
    days = [as_of]
    if watermark is not None:
        days.append(watermark - DAY)
    if manual_end is not None:
        days.append(manual_end - DAY)
    return min(days)


def days_behind(as_of: date, watermark: date, end: date, start: date = date.min) -> int:
    """How many days of `[start, end)`, a quarter's say, that lie before `as_of` should be loaded and are not.

    The day `as_of` itself is still running, so data complete through yesterday are 0 days behind; so is a
    quarter that has not begun (with its `start`), and one that ended before the data did.
    """
    return max((min(as_of, end) - max(watermark, start)).days, 0)


def equal_part(period: Period, through: date, other: Period) -> Period:
    """The part of `other` that is as far along as `period` is after the day `through`.

    Weeks and days by days; months, quarters and years by calendar day (31 Aug of Q3 is 31 May of Q2, and a
    day that a month lacks is its last), and whole against whole. Empty where the period has not begun.
    """
    if through < period.start:
        return Period(other.start, other.start, other.grain)
    if through + DAY >= period.end:
        return other
    if period.grain.whole in (Grain.DAY, Grain.WEEK):
        end = other.start + (through + DAY - period.start)
    else:
        months = (other.start.year - period.start.year) * 12 + other.start.month - period.start.month
        end = add_months(through, months) + DAY
    return Period(other.start, min(end, other.end), other.grain)


def is_working(day: date, holidays: Collection[date] = frozenset()) -> bool:
    """No holiday and no weekend: that of the country whose `FreeDays` these are, else Saturday and Sunday."""
    weekend = holidays.weekend if isinstance(holidays, FreeDays) else SATURDAY_AND_SUNDAY
    return day.weekday() not in weekend and day not in holidays


def next_working(day: date, holidays: Collection[date] = frozenset()) -> date:
    """`day` itself, or the first working day after it."""
    while not is_working(day, holidays):
        day += DAY
    return day


def due_date(period: Period, due: Due, holidays: Collection[date] = frozenset()) -> date:
    """The last day on which a period's figure is still in time.

    Three working days after July 2011 (its end is Monday 1 Aug) is Wednesday 3 Aug; 0 is the first day after.
    """
    if not due.working:
        return period.end + DAY * max(due.days - 1, 0)
    day, left = period.end, max(due.days, 1)
    while True:
        left -= is_working(day, holidays)
        if not left:
            return day
        day += DAY


def last_due_period(
    calendar: Calendar,
    grain: Grain,
    as_of: date,
    due: Due,
    holidays: Collection[date] = frozenset(),
) -> Period:
    """The newest period whose figure must be there, that is whose due date is before `as_of`."""
    period = calendar.previous(calendar.period(grain, as_of))
    while due_date(period, due, holidays) >= as_of:
        period = calendar.previous(period)
    return period
