"""Pace: the figure that is due against the plan at that date, and what the rest of the quarter needs.

Totals: progress = x / target, pace = x / planned (better: down: planned / x); never less the baseline.
Levels: progress = (x - baseline) / (target - baseline), pace = 1 +- gap / |target - baseline|; with a hold
(target equal to baseline) the gap is taken against the tolerance. gap = x - planned, in the metric's unit.
A band is no way to go: it has no progress, only a pace.
"""

import math
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from calc.calendar import Period
from calc.plan import DAY, GoalKind, Plan

HOLD_TOLERANCE = 0.03  # of the level, where none is stated: what the default threshold 0.97 lets pass


class Better(StrEnum):
    """Which way is good: UP, DOWN, or inside a BAND."""

    UP = "up"
    DOWN = "down"
    BAND = "band"


@dataclass(frozen=True)
class Pace:
    """Where a metric stands against its plan; None is unknown, never 0.

    through: the last due day. period: of a level, the whole period that is judged.
    planned: to that day or period. pace: 1.0 is exactly on plan.
    gap: figure - planned in the unit; of a band the distance outside it, 0 inside.
    required_rate: of a total, per day of the shape's weight (days, or working days); required_per_day and
    required_per_month spread the rest over plain days and over months; required_ratio is the rest against the
    plan's own rest.
    plan_share: how much of the plan, 0 to 1, was due. due_periods: whole periods of a level's grain, or days.
    """

    kind: GoalKind
    better: Better
    through: date
    figure: float | None
    target: float
    planned: float | None
    period: Period | None = None
    baseline: float | None = None
    gap: float | None = None
    progress: float | None = None
    pace: float | None = None
    required_rate: float | None = None
    required_per_day: float | None = None
    required_per_month: float | None = None
    required_ratio: float | None = None
    plan_share: float = 0.0
    due_periods: int = 0
    hold: bool = False
    tolerance: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def shortfall(self) -> float | None:
        """How far on the bad side of the plan, in the unit: positive is behind, negative is ahead."""
        if self.gap is None:
            return None
        if self.better is Better.BAND:
            return abs(self.gap)
        return self.gap if self.better is Better.DOWN else -self.gap


def measure(
    plan: Plan,
    figure: float | None,
    through: date,
    *,
    better: Better | str = Better.UP,
    low: float | None = None,
    high: float | None = None,
    tolerance: float | None = None,
) -> Pace:
    """The pace of a figure on the last due day (inclusive), which is at most the quarter's last day.

    figure: of a total, the quarter to date through that day; of a level, that of
    `plan.due_period(through + 1 day)`.
    low, high: of a band; of a total they bound the quarter's figure, scaled to the part of the plan due.
    tolerance: of a hold, in the unit. ValueError for a band without a bound.
    """
    better = Better(better)
    if better is Better.BAND and low is None and high is None:
        raise ValueError("a band needs a low or a high bound")
    through = min(through, plan.quarter.end - DAY)
    end = through + DAY
    if figure is not None and not math.isfinite(figure):
        figure = None
    planned = plan.planned_to(end)
    level = plan.kind is GoalKind.LEVEL
    share = plan.share_to(end)
    if not level and better is Better.BAND:
        low, high = (None if bound is None else bound * share for bound in (low, high))
    if plan.hold and tolerance is None:
        tolerance = HOLD_TOLERANCE * abs(plan.target)
    gap = pace = None
    if figure is not None and planned is not None:
        gap = _outside(figure, low, high) if better is Better.BAND else figure - planned
        if better is Better.BAND:
            pace = _band_pace(gap, low, high)
        elif level:
            pace = _level_pace(plan, gap, planned, better, tolerance)
        else:
            pace = _total_pace(figure, planned, better)
    rest = None if level or figure is None else _rest(plan.target - figure, better)
    plan_rest = None if planned is None else plan.target - planned
    return Pace(
        kind=plan.kind,
        better=better,
        through=through,
        figure=figure,
        target=plan.target,
        planned=planned,
        period=plan.due_period(end) if level else None,
        baseline=plan.baseline,
        gap=gap,
        progress=None if better is Better.BAND else _progress(plan, figure),
        pace=pace,
        required_rate=_over(rest, plan.remaining_weight(end)),
        required_per_day=_over(rest, float((plan.quarter.end - max(end, plan.quarter.start)).days)),
        required_per_month=_over(rest, plan.remaining_months(end)),
        required_ratio=_over(rest, plan_rest),
        plan_share=share,
        due_periods=plan.due_periods(end),
        hold=plan.hold,
        tolerance=tolerance if plan.hold else None,
        low=low,
        high=high,
    )


def _progress(plan: Plan, figure: float | None) -> float | None:
    if figure is None:
        return None
    if plan.kind is GoalKind.TOTAL:
        return figure / plan.target if plan.target else None
    if plan.baseline is None or plan.hold:
        return None
    return (figure - plan.baseline) / (plan.target - plan.baseline)


def _total_pace(figure: float, planned: float, better: Better) -> float | None:
    """x / planned, or planned / x; where a side is below 0, 1 +- gap / |planned| keeps the sense of it."""
    if better is Better.DOWN:
        if figure == 0 and planned >= 0:
            return 1.0  # nothing of what should be little: on track, and no division by it
        if figure > 0 and planned >= 0:
            return planned / figure
        return 1 - (figure - planned) / abs(planned) if planned else None
    return 1 + (figure - planned) / abs(planned) if planned else None


def _level_pace(
    plan: Plan, gap: float, planned: float, better: Better, tolerance: float | None
) -> float | None:
    """Against the way to go; of a hold against the tolerance; without a baseline against the plan itself."""
    if plan.hold:
        scale = tolerance or 0.0
    elif plan.baseline is None:
        scale = abs(planned)
    else:
        scale = abs(plan.target - plan.baseline)
    if not scale:
        return 1.0 if gap == 0 else None
    return 1 + (gap if better is Better.UP else -gap) / scale


def _outside(figure: float, low: float | None, high: float | None) -> float:
    """The signed distance from the nearer bound of a band; 0 inside and on a bound."""
    if low is not None and figure < low:
        return figure - low
    if high is not None and figure > high:
        return figure - high
    return 0.0


def _band_pace(gap: float, low: float | None, high: float | None) -> float | None:
    """1 inside; outside less by the distance as a part of the bound crossed (or of the band's width)."""
    if gap == 0:
        return 1.0
    bound = low if gap < 0 else high
    width = (high - low) if low is not None and high is not None else 0.0
    scale = abs(bound or 0.0) or width
    return 1 - abs(gap) / scale if scale else None


def _rest(rest: float, better: Better) -> float:
    """What is left to reach is never below 0; what may still be spent can be, and then has to come back."""
    return max(rest, 0.0) if better is Better.UP else rest


def _over(rest: float | None, weight: float | None) -> float | None:
    return rest / weight if rest is not None and weight is not None and weight > 0 else None
