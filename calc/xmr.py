"""XmR charts (Wheeler, Making Sense of Data): which points are routine variation and which are signals.

mR_i = |x_i - x_(i-1)|; limits = centre +- 2.66 mean(mR), upper range limit 3.268 mean(mR); with the median
range 3.145 and 3.865. Unknown points (None) are left out, as if the series had no such point.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from statistics import median

LIMIT_OF_MEAN = 2.66  # 3 / d2, and d2 = 1.128 for ranges of two
RANGE_OF_MEAN = 3.268  # D4 for ranges of two
LIMIT_OF_MEDIAN = 3.145  # 3 / 0.954, the same from the median range
RANGE_OF_MEDIAN = 3.865
LOCK_AFTER = 20  # points, after which limits change little and are kept
RUN = 8
NEAR, WINDOW = 3, 4


class Rule(StrEnum):
    """Why a point is a signal."""

    BEYOND_LIMIT = "beyond_limit"
    RUN_OF_EIGHT = "run_of_eight"
    THREE_OF_FOUR = "three_of_four"
    RANGE_BEYOND_LIMIT = "range_beyond_limit"


@dataclass(frozen=True)
class Limits:
    """What routine variation looks like. None for a limit means that there is none on that side.

    slope: of a trend, per point; centre, limits and quarter lines are then those of the first point.
    """

    centre: float
    average_moving_range: float
    upper: float | None
    lower: float | None
    upper_range: float
    upper_quarter: float | None = None
    lower_quarter: float | None = None
    slope: float = 0.0

    def centre_at(self, index: int) -> float:
        """The centre line at a point of the series."""
        return self.centre + self.slope * index


@dataclass(frozen=True)
class Chart:
    """Limits of each stretch between dividers (start, end, None below two points); each point's rules."""

    stretches: tuple[tuple[int, int, Limits | None], ...]
    rules: tuple[tuple[Rule, ...], ...]


def moving_ranges(values: Sequence[float | None]) -> list[float]:
    """Sizes of the steps between successive known values: one fewer than those."""
    known = [value for value in values if value is not None]
    return [abs(b - a) for a, b in pairwise(known)]


def limits(
    values: Sequence[float | None],
    baseline: int | None = None,
    centre: str = "mean",
    ranges: str = "mean",
    *,
    floor: float | None = None,
    ceiling: float | None = None,
) -> Limits | None:
    """Limits from the first `baseline` known points (all if None); None for fewer than two.

    centre, ranges: `mean` or `median`, of the values and of their moving ranges. floor, ceiling: bounds that
    a figure cannot pass (0 for counts, 0 and 1 for shares); a bound which the data themselves pass is none.
    """
    known = [value for value in values if value is not None]
    known = known[: baseline or None]
    if len(known) < 2:
        return None
    steps = moving_ranges(known)
    middle, step = _average(known, centre), _average(steps, ranges)
    factor, range_factor = (
        (LIMIT_OF_MEDIAN, RANGE_OF_MEDIAN) if ranges == "median" else (LIMIT_OF_MEAN, RANGE_OF_MEAN)
    )
    return _around(middle, step, factor, range_factor, _bound(floor, known, 1), _bound(ceiling, known, -1))


def bounds(unit: str) -> tuple[float | None, float | None]:
    """Floor and ceiling of a unit's figures: counts and shares are never below 0, shares never above 1."""
    return {"count": (0.0, None), "percent": (0.0, 1.0)}.get(unit, (None, None))


def trend_limits(
    values: Sequence[float | None], baseline: int | None = None, method: str = "least_squares"
) -> Limits | None:
    """Limits around a straight line: line +- 2.66 mean(mR) of what is left of the values without it.

    method: `least_squares`, or `half_average` (Wheeler's by hand, p. 179: from the mean of the first half to
    that of the second, and the ranges of the values as they are). Positions are those of the series, gaps
    included. None for fewer than two known points.
    """
    points = [(n, value) for n, value in enumerate(values) if value is not None][: baseline or None]
    if len(points) < 2:
        return None
    if method == "half_average":
        start, slope = _half_average(points)
        steps = moving_ranges([value for _, value in points])
    else:
        start, slope = _line(points)
        steps = moving_ranges([value - slope * n for n, value in points])
    around = _around(start, _average(steps, "mean"), LIMIT_OF_MEAN, RANGE_OF_MEAN, None, None)
    return Limits(
        start,
        around.average_moving_range,
        around.upper,
        around.lower,
        around.upper_range,
        around.upper_quarter,
        around.lower_quarter,
        slope,
    )


def signals(values: Sequence[float | None], limits: Limits | None) -> list[tuple[Rule, ...]]:
    """The rules that each point breaks, in the order of `Rule`; unknown points break none.

    A point on a limit is no signal. All points of a run of eight or more strictly on one side of the centre
    are marked (one on the centre breaks the run), and all four of a window of which three lie strictly beyond
    the same quarter line.
    """
    rules: list[set[Rule]] = [set() for _ in values]
    if limits is None:
        return [() for _ in values]
    where = [n for n, value in enumerate(values) if value is not None]
    # what a trend adds is taken away, so that all rules look at straight lines
    level = [value - limits.slope * n for n, value in enumerate(values) if value is not None]
    slack = 1e-12 * max((abs(value) for value in (*level, limits.centre)), default=0.0)

    def mark(rule: Rule, positions: range | tuple[int, ...]) -> None:
        for position in positions:
            rules[where[position]].add(rule)

    for n, value in enumerate(level):
        if _above(value, limits.upper, slack) or _below(value, limits.lower, slack):
            mark(Rule.BEYOND_LIMIT, (n,))
    sides = [_above(value, limits.centre, slack) - _below(value, limits.centre, slack) for value in level]
    for start in range(len(level) - RUN + 1):
        if abs(sum(sides[start : start + RUN])) == RUN:
            mark(Rule.RUN_OF_EIGHT, range(start, start + RUN))
    for start in range(len(level) - WINDOW + 1):
        window = level[start : start + WINDOW]
        high = sum(_above(value, limits.upper_quarter, slack) for value in window)
        low = sum(_below(value, limits.lower_quarter, slack) for value in window)
        if max(high, low) >= NEAR:
            mark(Rule.THREE_OF_FOUR, range(start, start + WINDOW))
    for n, step in enumerate(moving_ranges(level), start=1):
        if _above(step, limits.upper_range, slack):
            mark(Rule.RANGE_BEYOND_LIMIT, (n,))
    return [tuple(rule for rule in Rule if rule in broken) for broken in rules]


def chart(
    values: Sequence[float | None],
    dividers: Sequence[int] = (),
    baseline: int | None = None,
    *,
    floor: float | None = None,
    ceiling: float | None = None,
) -> Chart:
    """Limits and signals apart for each stretch; a divider is the index of the first point of a new one."""
    cuts = sorted({0, len(values), *(n for n in dividers if 0 < n < len(values))})
    stretches, rules = [], []
    for start, end in pairwise(cuts):
        part = values[start:end]
        found = limits(part, baseline, floor=floor, ceiling=ceiling)
        stretches.append((start, end, found))
        rules.extend(signals(part, found))
    return Chart(tuple(stretches), tuple(rules))


def season_factors(keys: Sequence[Hashable], values: Sequence[float | None]) -> dict[Hashable, float] | None:
    """Each sub-period's mean over the overall mean (1.2 is a fifth above); None where that is 0 or unknown.

    keys: which sub-period (month, weekday) each value belongs to.
    """
    groups: dict[Hashable, list[float]] = defaultdict(list)
    for key, value in zip(keys, values, strict=True):
        if value is not None:
            groups[key].append(value)
    everything = [value for group in groups.values() for value in group]
    if not everything or not (overall := _average(everything, "mean")):
        return None
    return {key: _average(group, "mean") / overall for key, group in groups.items()}


def deseason(
    keys: Sequence[Hashable], values: Sequence[float | None], factors: Mapping[Hashable, float]
) -> list[float | None]:
    """Values divided by their sub-period's factor; unknown where there is none or it is 0."""
    return [
        value / factors[key] if value is not None and factors.get(key) else None
        for key, value in zip(keys, values, strict=True)
    ]


def _around(
    middle: float,
    step: float,
    factor: float,
    range_factor: float,
    floor: float | None,
    ceiling: float | None,
) -> Limits:
    """Quarter lines stay half-way to the natural limit: a limit cut off at 0 makes no point unusual."""
    upper, lower = middle + factor * step, middle - factor * step
    return Limits(
        centre=middle,
        average_moving_range=step,
        upper=upper if ceiling is None else min(upper, ceiling),
        lower=lower if floor is None else max(lower, floor),
        upper_range=range_factor * step,
        upper_quarter=(middle + upper) / 2,
        lower_quarter=(middle + lower) / 2,
    )


def _average(values: Sequence[float], how: str) -> float:
    if how == "median":
        return float(median(values))
    if how != "mean":
        raise ValueError(f"{how!r} is neither mean nor median")
    return math.fsum(values) / len(values)


def _bound(bound: float | None, values: Sequence[float], direction: int) -> float | None:
    if bound is None or any((value - bound) * direction < 0 for value in values):
        return None
    return bound


def _above(value: float, line: float | None, slack: float) -> bool:
    return line is not None and value > line + slack


def _below(value: float, line: float | None, slack: float) -> bool:
    return line is not None and value < line - slack


def _line(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Least squares: the height at position 0 and the slope."""
    x_mean = math.fsum(n for n, _ in points) / len(points)
    y_mean = math.fsum(value for _, value in points) / len(points)
    spread = math.fsum((n - x_mean) ** 2 for n, _ in points)
    slope = math.fsum((n - x_mean) * (value - y_mean) for n, value in points) / spread
    return y_mean - slope * x_mean, slope


def _half_average(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Through the means of the two halves (the middle point of an odd number is in neither)."""
    half = len(points) // 2
    (x1, y1), (x2, y2) = (
        (math.fsum(n for n, _ in part) / half, math.fsum(value for _, value in part) / half)
        for part in (points[:half], points[-half:])
    )
    slope = (y2 - y1) / (x2 - x1)
    return y1 - slope * x1, slope
