"""Periods in the installation's calendar: half-open local dates, fiscal years, local days of 23 to 25 hours.

A period is `[start, end)` in local dates. Quarters and years follow `fiscal_year_start`; a fiscal year is
named by the calendar year in which it ends, so with `fiscal_year_start=7` 2025-07-01 opens 2026-Q1.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

WEEK = timedelta(days=7)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_QUARTER = re.compile(r"([0-9]{4})-Q([1-4])")


class Grain(StrEnum):
    """The lengths of period that a figure can have; the to-date ones end on a day inside their period."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    MONTH_TO_DATE = "month_to_date"
    QUARTER_TO_DATE = "quarter_to_date"
    YEAR_TO_DATE = "year_to_date"

    @property
    def is_to_date(self) -> bool:
        return self.endswith("_to_date")

    @property
    def whole(self) -> "Grain":
        """The whole period that a to-date grain is part of; a whole grain is its own."""
        return Grain(self.value.removesuffix("_to_date"))

    @property
    def to_date(self) -> "Grain":
        """The to-date grain of month, quarter or year; ValueError for day and week."""
        return self if self.is_to_date else Grain(f"{self.value}_to_date")


PERIODS = (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)
TO_DATE = (Grain.MONTH_TO_DATE, Grain.QUARTER_TO_DATE, Grain.YEAR_TO_DATE)


@dataclass(frozen=True, order=True)
class Period:
    """`[start, end)` in local dates."""

    start: date
    end: date
    grain: Grain

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.start <= day < self.end


@dataclass(frozen=True)
class Calendar:
    """How this installation cuts time.

    timezone: IANA name. week_start: 0 is Monday. fiscal_year_start: the month (1 to 12) that opens the year.
    holidays: a country code of the `holidays` package, or "".
    """

    timezone: str = "UTC"
    week_start: int = 0
    fiscal_year_start: int = 1
    holidays: str = ""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def day_of(self, instant: datetime) -> date:
        """The local day of an aware instant."""
        return instant.astimezone(self.zone).date()

    def opens(self, day: date) -> datetime:
        """The UTC instant at which a local day begins."""
        return datetime.combine(day, time.min, tzinfo=self.zone).astimezone(UTC)

    def period(self, grain: Grain, day: date) -> Period:
        """The period of a grain that contains `day`; a to-date grain ends with `day` itself."""
        whole = grain.whole
        if whole is Grain.DAY:
            start, end = day, day + timedelta(days=1)
        elif whole is Grain.WEEK:
            start = day - timedelta(days=(day.weekday() - self.week_start) % 7)
            end = start + WEEK
        else:
            months = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}[whole]
            into = (day.month - self.fiscal_year_start) % months
            start = add_months(day.replace(day=1), -into)
            end = add_months(start, months)
        if grain.is_to_date:
            end = day + timedelta(days=1)
        return Period(start, end, grain)

    def periods(self, grain: Grain, start: date, end: date) -> Iterator[Period]:
        """All periods of a grain that overlap `[start, end)`, in order; to-date ones once per day."""
        if grain.is_to_date:
            for n in range((end - start).days):
                yield self.period(grain, start + timedelta(days=n))
            return
        day = start
        while day < end:
            period = self.period(grain, day)
            yield period
            day = period.end

    def widen(self, grain: Grain, start: date, end: date) -> tuple[date, date]:
        """`[start, end)` widened to whole periods of a grain."""
        if start >= end:
            return start, start
        return self.period(grain, start).start, self.period(grain, end - timedelta(days=1)).end

    def previous(self, period: Period) -> Period:
        return self.period(period.grain.whole, period.start - timedelta(days=1))

    def next(self, period: Period) -> Period:
        return self.period(period.grain.whole, self.period(period.grain.whole, period.start).end)

    def year_back(self, period: Period) -> Period:
        """The period a year earlier: weeks and days by 364 days, the rest by twelve months."""
        if period.grain in (Grain.DAY, Grain.WEEK):
            back = timedelta(days=364)
            return Period(period.start - back, period.end - back, period.grain)
        start = add_months(period.start, -12)
        if period.grain.is_to_date:
            last = add_months(period.end - timedelta(days=1), -12)
            return Period(start, last + timedelta(days=1), period.grain)
        return self.period(period.grain, start)

    def quarter(self, name: str) -> Period:
        """The quarter called `2011-Q3`; ValueError says what a name looks like."""
        match = _QUARTER.fullmatch(name)
        if not match or not 2 <= int(match[1]) < MAXYEAR:
            raise ValueError(f"{name!r} is not a quarter; write it like 2026-Q3")
        year, number = int(match[1]), int(match[2])
        opens = date(year, self.fiscal_year_start, 1)
        if self.fiscal_year_start > 1:
            opens = add_months(opens, -12)
        return self.period(Grain.QUARTER, add_months(opens, 3 * (number - 1)))

    def quarter_name(self, day: date) -> str:
        """The name of the quarter that contains `day`: `2011-Q3`."""
        year = self.period(Grain.YEAR, day)
        number = (day.year - year.start.year) * 12 + day.month - year.start.month
        return f"{(year.end - timedelta(days=1)).year}-Q{number // 3 + 1}"

    def quarter_label(self, name: str) -> str:
        """For the screen, always with its months: `Q3 2011 (Jul–Sep)`, or `Q1 FY26 (Jul–Sep 2025)`."""
        period = self.quarter(name)
        last = period.end - timedelta(days=1)
        months = f"{period.start:%b}–{last:%b}"
        year, number = name.split("-")
        if self.fiscal_year_start == 1:
            return f"{number} {year} ({months})"
        return f"{number} FY{year[2:]} ({months} {last.year})"


def add_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last day where it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    first_of_next = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    last = (first_of_next - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))
