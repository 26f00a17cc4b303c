"""Spans of time, growth and percentages as people write them in the definitions file."""

import math
import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from calc.calendar import add_months
from warehouse.definitions import Within

Unit = Literal["hour", "day", "week", "month", "quarter", "year"]

_SPAN = re.compile(r"^(\d{1,5}) (hour|day|week|month|quarter|year|working day)s?$", re.ASCII)
_NUMBER = re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?$", re.ASCII)
_PERCENT = re.compile(r"^(?P<number>\S+?)\s?%$")
_GROWTH = re.compile(r"^(?P<number>[-+]?\S+?)\s?(?P<unit>%|points?|% relative)$")
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAYS = {"day": 1, "week": 7}


@dataclass(frozen=True)
class Span:
    """A length of time: `count` of `unit`, calendar-wise for months, quarters and years."""

    count: int
    unit: Unit

    def back_from(self, day: date) -> date:
        """The day that lies this span before `day`."""
        if self.unit in _MONTHS:
            return add_months(day, -self.count * _MONTHS[self.unit])
        if self.unit == "hour":
            raise ValueError("hours do not lead from a day to a day")
        return day - timedelta(days=self.count * _DAYS[self.unit])

    def as_timedelta(self) -> timedelta:
        """ValueError for months, quarters and years, whose length differs."""
        if self.unit == "hour":
            return timedelta(hours=self.count)
        if self.unit in _DAYS:
            return timedelta(days=self.count * _DAYS[self.unit])
        raise ValueError(f"{self.count} {self.unit}s are not a fixed length; write days or weeks")

    def as_within(self) -> Within:
        """As a conversion window; ValueError for hours."""
        if self.unit in _MONTHS:
            return Within(months=self.count * _MONTHS[self.unit])
        if self.unit == "hour":
            raise ValueError("a window is whole days, weeks or months")
        return Within(days=self.count * _DAYS[self.unit])


@dataclass(frozen=True)
class Growth:
    """A target against the base quarter. relative: value = base x (1 + amount); points: value = base + amount
    (a fraction: 2 points are 0.02); hold: value = base."""

    kind: Literal["relative", "points", "hold"]
    amount: float = 0.0

    def of(self, base: float) -> float:
        """The target that this growth makes of the base figure."""
        return base * (1 + self.amount) if self.kind == "relative" else base + self.amount


def parse_span(text: str) -> Span:
    """`3 days`, `1 month`, `4 weeks`; ValueError says what is allowed."""
    match = _SPAN.match(text.strip())
    if not match or match[2] == "working day":
        raise ValueError(f"{text!r} is not a length of time; write it like 3 days, 4 weeks or 1 month")
    return Span(int(match[1]), match[2])  # type: ignore[arg-type]


def parse_working_days(text: str) -> int:
    """The number in `3 working days` or `3 days`; ValueError says what is allowed."""
    match = _SPAN.match(text.strip())
    if not match or match[2] not in ("working day", "day"):
        raise ValueError(f"{text!r} is not a number of days; write it like 3 working days")
    return int(match[1])


def parse_number(text: str) -> float:
    """A finite number, also as a percentage: `4500`, `0.72`, `72%` and `72 %` (both 0.72). ValueError
    else."""
    text = text.strip()
    percent = _PERCENT.match(text)
    plain = percent["number"] if percent else text
    if not _NUMBER.match(plain):
        hint = "; write it without thousands separators" if re.match(r"^[-+]?[\d., ]+$", plain) else ""
        raise ValueError(f"{text!r} is not a number{hint}")
    number = float(plain)
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is too large for a number")
    return float(repr_percent(plain)) if percent else number


def repr_percent(number: str) -> str:
    """The fraction of a percentage with no binary noise: `72` -> `0.72`, `9.3` -> `0.093`."""
    return str(Decimal(number).scaleb(-2))


def parse_growth(text: str) -> Growth:
    """`10%`, `10% relative`, `2 points`, `-1.5 points`, `hold`; ValueError says what is allowed."""
    plain = " ".join(text.split())
    if plain == "hold":
        return Growth("hold")
    match = _GROWTH.match(plain)
    if not match or not _NUMBER.match(match["number"]):
        raise ValueError(f"{text!r} is not a growth; write 10%, 2 points, 10% relative or hold")
    fraction = float(repr_percent(match["number"]))
    return Growth("points" if match["unit"].startswith("point") else "relative", fraction)
