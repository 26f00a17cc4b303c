"""The plan of a quarter: what should have been reached by each day on the way to the target.

A total is spread over the months by their benchmarks and inside a month by a shape; a level climbs from its
baseline through the months' benchmarks and is judged at the end of whole periods.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import accumulate, pairwise

from calc.calendar import Calendar, Grain, Period, add_months
from calc.clock import is_working

DAY = timedelta(days=1)
DECIMALS = 10  # at most, of a step in which months are planned
LAST_YEAR = timedelta(days=364)  # the same weekday a year back, as weeks are compared


class GoalKind(StrEnum):
    """TOTAL: the quarter's own figure, reached bit by bit. LEVEL: a height to stand at when it ends."""

    TOTAL = "total"
    LEVEL = "level"


class Shape(StrEnum):
    """How a plan runs inside a month."""

    FLAT = "flat"
    WORKING_DAYS = "working_days"
    LAST_YEAR = "last_year"


@dataclass(frozen=True)
class Plan:
    """A quarter's goal.

    benchmarks: first day of a month -> figure; of an additive total the month's amount, of a non-additive
    total the quarter to date at the month's end, of a level its height in that month. Months may be left out.
    baseline: the level from which the quarter starts; None is unknown.
    last_year: weights of the days of this quarter for `Shape.LAST_YEAR`; see `weights_of_last_year`.
    grain: of a level, the period whose figure is judged.
    """

    quarter: Period
    kind: GoalKind
    target: float
    benchmarks: Mapping[date, float] = field(default_factory=dict)
    baseline: float | None = None
    shape: Shape = Shape.FLAT
    additive: bool = True
    grain: Grain = Grain.MONTH
    holidays: frozenset[date] = frozenset()
    last_year: Mapping[date, float] = field(default_factory=dict)
    calendar: Calendar = field(default_factory=Calendar)

    @cached_property
    def months(self) -> tuple[Period, ...]:
        return months_of(self.quarter)

    @property
    def hold(self) -> bool:
        """Whether the goal is to stay where it is: a level target equal to its baseline."""
        return (
            self.kind is GoalKind.LEVEL
            and self.baseline is not None
            and math.isclose(self.target, self.baseline, rel_tol=1e-12)
        )

    def weight(self, start: date, end: date) -> float:
        """The shape's weight of `[start, end)` inside the quarter: days, working days or last year's figures.

        A shape that gives the whole quarter no weight (no last year yet) is flat.
        """
        first, last = max(start, self.quarter.start), min(end, self.quarter.end)
        if first >= last:
            return 0.0
        before = self._weights_before
        return before[(last - self.quarter.start).days] - before[(first - self.quarter.start).days]

    def remaining_weight(self, end: date) -> float:
        """The shape's weight of what is left of the quarter after the days before `end`."""
        return self.weight(end, self.quarter.end)

    def remaining_months(self, end: date) -> float:
        """How many months, by the shape, are left from `end` on: 2.0 when the first has ended."""
        return math.fsum(1 - self._within(month.start, month.end, end) for month in self.months)

    def share_to(self, end: date) -> float:
        """The share of the plan, 0 to 1, before `end`: of a total its amount, of a level its time."""
        planned = self.planned_to(end) if self.kind is GoalKind.TOTAL else None
        if planned is not None and self.target > 0:
            return min(max(planned / self.target, 0.0), 1.0)
        return self._within(self.quarter.start, self.quarter.end, end)

    def planned_to(self, end: date) -> float | None:
        """What should have been reached by the days before `end`.

        Totals: whole months' benchmarks and the shape's part of the current one; 0 before the quarter.
        Levels: the height planned for the last whole period that ended by then; None while none has.
        """
        if self.kind is GoalKind.LEVEL:
            period = self.due_period(end)
            return None if period is None else self._level_at(period.end)
        return self._between([(self.quarter.start, 0.0), *self.points()], end)

    def due_period(self, end: date) -> Period | None:
        """The last whole period of a level's grain that began in the quarter and ended by `end`."""
        due = [p for p in self._judged_periods() if p.end <= end]
        return due[-1] if due else None

    def due_periods(self, end: date) -> int:
        """How many whole periods of the grain (of a total: how many days) of the quarter ended by `end`."""
        if self.kind is GoalKind.TOTAL:
            return max((min(end, self.quarter.end) - self.quarter.start).days, 0)
        return sum(p.end <= end for p in self._judged_periods())

    def points(self) -> list[tuple[date, float]]:
        """The plan at the end (exclusive) of each month: totals to date, levels as heights."""
        if self.kind is GoalKind.LEVEL:
            return [(month.end, self._level_of(month)) for month in self.months]
        if not self.additive:
            known = [
                (month.end, self.benchmarks[month.start]) for month in self.months[:-1] if self._has(month)
            ]
            fixed = [(self.quarter.start, 0.0), *known, (self.quarter.end, self._last_point())]
            return [(month.end, self._between(fixed, month.end)) for month in self.months]
        points, reached = [], 0.0
        for month, amount in zip(self.months, self._amounts(), strict=True):
            reached += amount
            points.append((month.end, reached))
        return points

    def benchmark_for(self, day: date) -> float | None:
        """The stated or implied benchmark of the month that contains `day`; None outside the quarter."""
        for index, month in enumerate(self.months):
            if day in month:
                if self.kind is GoalKind.TOTAL and self.additive:
                    return self._amounts()[index]
                return self.points()[index][1]
        return None

    def check_sum(self) -> str:
        """What is wrong with the benchmarks, in words, or "". Those of a total must lead to its target."""
        starts = [month.start for month in self.months]
        strange = sorted(set(self.benchmarks) - set(starts))
        if strange:
            names = ", ".join(f"{day:%Y-%m}" for day in strange)
            return f"{names} is not a month of this quarter ({starts[0]:%Y-%m} to {starts[-1]:%Y-%m})"
        if self.kind is GoalKind.LEVEL or not self.benchmarks:
            return ""
        if not self.additive:
            last = self._last_point()
            return (
                ""
                if _same(last, self.target)
                else (
                    f"the last benchmark is the quarter to date and must be the target: {_say(last)} is "
                    f"{_off(last, self.target)} the target of {_say(self.target)}"
                )
            )
        total = math.fsum(self.benchmarks.values())
        if len(self.benchmarks) == len(starts):
            return (
                ""
                if _same(total, self.target)
                else (
                    f"the benchmarks add up to {_say(total)}, {_off(total, self.target)} the target "
                    f"of {_say(self.target)}"
                )
            )
        if (self.target - total) * (1 if self.target >= 0 else -1) < 0:
            return f"the benchmarks add up to {_say(total)}, already past the target of {_say(self.target)}"
        return ""

    @cached_property
    def _weights_before(self) -> tuple[float, ...]:
        """The shape's weight of all days before each day of the quarter, and of the whole at its end."""
        weights = [self._weight_of(day) for day in _days(self.quarter.start, self.quarter.end)]
        if not any(weights):
            weights = [1.0] * len(weights)
        return tuple(accumulate(weights, initial=0.0))

    def _has(self, month: Period) -> bool:
        return month.start in self.benchmarks

    def _last_point(self) -> float:
        return self.benchmarks.get(self.months[-1].start, self.target)

    def _amounts(self) -> list[float]:
        """Months' amounts of an additive total; months not stated share the rest of it by the shape."""
        rest = self.target - math.fsum(self.benchmarks.get(month.start, 0.0) for month in self.months)
        weights = {m.start: self.weight(m.start, m.end) for m in self.months if not self._has(m)}
        whole = math.fsum(weights.values())
        if weights and not whole:
            weights, whole = dict.fromkeys(weights, 1.0), float(len(weights))
        return [
            self.benchmarks[m.start] if self._has(m) else rest * weights[m.start] / whole for m in self.months
        ]

    def _level_of(self, month: Period) -> float:
        """A month's stated level, else one on the line from the baseline; without one the target itself."""
        return self.benchmarks[month.start] if self._has(month) else self._line(self.months.index(month))

    def _line(self, index: int) -> float:
        """Between the stated months around it, counted in months; the baseline is before the first."""
        known: list[tuple[int, float]] = [(-1, self.baseline)] if self.baseline is not None else []
        known += [
            (n, self.benchmarks[month.start]) for n, month in enumerate(self.months) if self._has(month)
        ]
        last = len(self.months) - 1
        if not known or known[-1][0] < last:
            known.append((last, self.target))
        before = [pair for pair in known if pair[0] < index]
        after = next(pair for pair in known if pair[0] >= index)
        if not before:
            return after[1]
        (left, low), (right, high) = before[-1], after
        return low + (high - low) * (index - left) / (right - left)

    def _level_at(self, end: date) -> float:
        """The height planned for a period that ends on `end` (exclusive): by days between months' ends."""
        points = self.points()
        start = self.baseline if self.baseline is not None else points[0][1]
        line = [(self.quarter.start, start), *points]
        for (left, low), (right, high) in pairwise(line):
            if end <= right:
                return high if end == right else low + (high - low) * (end - left).days / (right - left).days
        return points[-1][1]

    def _judged_periods(self) -> Iterator[Period]:
        for period in self.calendar.periods(self.grain.whole, self.quarter.start, self.quarter.end):
            if period.start >= self.quarter.start and period.end <= self.quarter.end:
                yield period

    def _between(self, points: Sequence[tuple[date, float]], end: date) -> float:
        """On the line through cumulative points, moving between two of them as the shape's weight does."""
        if end <= points[0][0]:
            return points[0][1]
        for (left, low), (right, high) in pairwise(points):
            if end < right:
                return low + (high - low) * self._within(left, right, end)
            if end == right:
                return high
        return points[-1][1]

    def _within(self, start: date, stop: date, end: date) -> float:
        """The part, 0 to 1, of `[start, stop)` before `end`, by the shape; by days where that is empty."""
        if end <= start:
            return 0.0
        if end >= stop:
            return 1.0
        whole = self.weight(start, stop)
        if whole <= 0:
            return (end - start).days / (stop - start).days
        return self.weight(start, end) / whole

    def _weight_of(self, day: date) -> float:
        if self.shape is Shape.WORKING_DAYS:
            return float(is_working(day, self.holidays))
        if self.shape is Shape.LAST_YEAR:
            return max(self.last_year.get(day, 0.0), 0.0)
        return 1.0


def months_of(quarter: Period) -> tuple[Period, ...]:
    """The months of a quarter (or of any period that opens on the first of a month)."""
    months, start = [], quarter.start
    while start < quarter.end:
        end = add_months(start, 1)
        months.append(Period(start, end, Grain.MONTH))
        start = end
    return tuple(months)


def weights_of_last_year(figures: Mapping[date, float], quarter: Period) -> dict[date, float]:
    """Weights of this quarter's days from the daily figures of 364 days earlier; negative figures weigh 0."""
    return {day: max(figures.get(day - LAST_YEAR, 0.0), 0.0) for day in _days(quarter.start, quarter.end)}


def split(
    target: float,
    quarter: Period,
    how: str = "days",
    weights: Mapping[date, float] | Callable[[date], float] | None = None,
    *,
    step: float | None = None,
) -> dict[date, float]:
    """Proposed month amounts of a total that add up to its target exactly.

    how: `months` (thirds), `days` (by length, or by `weights` of days) or `season` (by `weights` of months,
    that is last year's figures by the first day of this year's month). step: round each to a multiple, the
    largest remainders first; the months then add up to the target in decimals, as people write and add them.
    ValueError for an unknown `how` and weights that are missing, negative or all 0.
    """
    months = months_of(quarter)
    weigh = weights if callable(weights) else None if weights is None else lambda day: weights.get(day, 0.0)
    if how == "months":
        sizes = [1.0 for _ in months]
    elif how == "days":
        each = weigh or (lambda day: 1.0)
        sizes = [math.fsum(each(day) for day in _days(month.start, month.end)) for month in months]
    elif how == "season" and weigh:
        sizes = [weigh(month.start) for month in months]
    else:
        raise ValueError("split a target by months, by days, or by season with last year's months")
    whole = math.fsum(sizes)
    if whole <= 0 or min(sizes) < 0:
        raise ValueError("last year's months have no figures to split by")
    parts = [target * size / whole for size in sizes]
    if step and math.isclose(target / step, round(target / step), abs_tol=1e-9):
        counts = [math.floor(part / step) for part in parts]
        short = round(target / step) - sum(counts)
        by_remainder = sorted(range(len(parts)), key=lambda n: (counts[n] - parts[n] / step, n))
        for n in by_remainder[:short]:
            counts[n] += 1
        # as people write it: 33.34, and not the nearest product of floats
        parts = [round(count * step, DECIMALS) for count in counts]
    else:
        last = max(n for n, size in enumerate(sizes) if size)  # a month without weight stays at 0
        parts[last] = target - math.fsum(part for n, part in enumerate(parts) if n != last)
    return {month.start: part for month, part in zip(months, parts, strict=True)}


def split_level(baseline: float, target: float, quarter: Period) -> dict[date, float]:
    """Proposed levels of the months, in equal steps from the baseline to the target."""
    months = months_of(quarter)
    steps = len(months)
    levels = [baseline + (target - baseline) * (n + 1) / steps for n in range(steps - 1)] + [target]
    return {month.start: level for month, level in zip(months, levels, strict=True)}


def _days(start: date, end: date) -> Iterator[date]:
    return (start + DAY * n for n in range((end - start).days))


def _same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def _say(value: float) -> str:
    return f"{value:,.6f}".rstrip("0").rstrip(".")


def _off(value: float, target: float) -> str:
    return f"{_say(abs(value - target))} {'more' if value > target else 'less'} than"
