"""Proposed figures of the months for a target: evenly, or as the same months of last year went.

Whoever plans sees them before anything is stored. An additive total is shared out and adds up exactly; the
points of a non-additive total and the heights of a level lead to the target as last year's months led to
last year's end.
"""

import math
from collections.abc import Mapping
from datetime import date

from calc.calendar import Period
from calc.numbers import parse_unit
from calc.plan import GoalKind, months_of, split, split_level

EVEN, SEASON = "even", "season"
_DIGITS = 4  # significant ones, where the unit itself has no smallest part


def split_goal(
    target: float,
    quarter: Period,
    how: str,
    *,
    kind: GoalKind,
    additive: bool,
    unit: str = "count",
    baseline: float | None = None,
    last_year: Mapping[date, float | None] | None = None,
) -> dict[date, float]:
    """The months' figures on the way to `target`, by the first day of the month.

    how: `even` (equal months of a total; equal steps of a level from its baseline, without one the target
    itself) or `season`. last_year: by the first day of this year's month, what the same month was a year
    earlier: amounts of an additive total, the quarter to date of another total, heights of a level.
    ValueError in words for another `how`, and for a season without figures that can be followed.
    """
    months = [month.start for month in months_of(quarter)]
    if how == EVEN:
        return _evenly(target, quarter, months, kind, additive, unit, baseline)
    if how != SEASON:
        raise ValueError("split a target evenly or by last year's season")
    known = last_year or {}
    figures = [known.get(month) for month in months]
    if any(figure is None or not math.isfinite(figure) for figure in figures):
        raise ValueError("last year's months are not all known")
    before = [figure for figure in figures if figure is not None]
    if kind is GoalKind.TOTAL and additive:
        return split(
            target, quarter, "season", dict(zip(months, before, strict=True)), step=step_of(target, unit)
        )
    if min(before) <= 0:
        raise ValueError("last year's months have figures that cannot be followed: they are not above zero")
    marks = [target * figure / before[-1] for figure in before[:-1]]
    if parse_unit(unit).is_share:
        marks = [min(mark, 1.0) for mark in marks]
    return dict(zip(months, [*(_round(mark, target, unit) for mark in marks), target], strict=True))


def _evenly(
    target: float,
    quarter: Period,
    months: list[date],
    kind: GoalKind,
    additive: bool,
    unit: str,
    baseline: float | None,
) -> dict[date, float]:
    if kind is GoalKind.TOTAL and additive:
        return split(target, quarter, "months", step=step_of(target, unit))
    if kind is GoalKind.TOTAL:
        marks = [target * (n + 1) / len(months) for n in range(len(months) - 1)]
    else:
        levels = split_level(target if baseline is None else baseline, target, quarter)
        marks = [levels[month] for month in months[:-1]]
    return dict(zip(months, [*(_round(mark, target, unit) for mark in marks), target], strict=True))


def rescale(
    benchmarks: Mapping[date, float],
    old: float | None,
    new: float,
    quarter: Period,
    *,
    kind: GoalKind,
    additive: bool,
    unit: str = "count",
    baseline: float | None = None,
) -> dict[date, float]:
    """The months' figures of a plan when its target becomes `new`; the shape of the way stays.

    An additive total keeps its months' parts of the whole, a level its parts of the way from the baseline
    (without one, its parts of the target). Months that were not stated stay so. old: the target so far.
    """
    months = [month.start for month in months_of(quarter) if month.start in benchmarks]
    if not months:
        return {}
    if kind is GoalKind.TOTAL and additive and len(months) == len(months_of(quarter)):
        if min(benchmarks.values()) >= 0 and math.fsum(benchmarks.values()) > 0:
            return split(new, quarter, "season", dict(benchmarks), step=step_of(new, unit))
        return split(new, quarter, "months", step=step_of(new, unit))
    last = old if old is not None else benchmarks[months[-1]]
    base = baseline if kind is GoalKind.LEVEL and baseline is not None else 0.0
    if math.isclose(last, base):
        return dict.fromkeys(months, new)
    marks = {month: base + (benchmarks[month] - base) * (new - base) / (last - base) for month in months}
    if parse_unit(unit).is_share:
        marks = {month: min(mark, 1.0) for month, mark in marks.items()}
    return {
        month: new if math.isclose(benchmarks[month], last) else _round(mark, new, unit)
        for month, mark in marks.items()
    }


def step_of(target: float, unit: str) -> float | None:
    """The smallest part in which people plan this target, such that the target is a multiple of it; None
    where there is none."""
    kind = parse_unit(unit).kind
    steps = {"percent": (0.001, 0.0001), "currency": (1.0, 0.01)}.get(kind, (1.0, 0.1, 0.01))
    return next((s for s in steps if math.isclose(target / s, round(target / s), abs_tol=1e-9)), None)


def _round(value: float, target: float, unit: str) -> float:
    """A mark on the way, no finer than the target is planned."""
    step = step_of(target, unit) or 10.0 ** (math.floor(math.log10(abs(target) or 1.0)) - _DIGITS + 1)
    if step == 1.0 and abs(target) < 100:
        step = 0.1  # of few things, whole steps would be no way
    return round(round(value / step) * step, 10)
