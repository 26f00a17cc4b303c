"""The months of a quarter's plan as they went, and what a month that ended behind asks of those to come.

The plan of a month never moves because of what came before it: what is now needed stands beside it.
Totals that add up: needed = (target - reached) / months left, for each of them. Levels, and totals that do
not add up (the quarter to date): from where it stands to the target in equal steps. An unknown figure that
counts for it makes what is needed unknown, never 0; a target that is reached or passed needs nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from calc.calendar import Period
from calc.numbers import gap, short
from calc.pace import Better
from calc.plan import GoalKind, Plan


@dataclass(frozen=True)
class MonthStanding:
    """One month of a plan.

    planned, actual: of an additive total the month's amount, of another total the quarter to date at its end,
    of a level its height. gap: actual - planned of a month that ended, None while either is unknown.
    behind: it ended on the bad side of its plan. needed: of a month to come, what it must bring (an additive
    total's amount) or what it must stand at when it ends (a level, a quarter to date) to reach the target;
    only where the last ended month left the plan behind.
    """

    month: Period
    planned: float | None
    actual: float | None = None
    ended: bool = False
    gap: float | None = None
    behind: bool = False
    needed: float | None = None


def standings(
    plan: Plan,
    actuals: Mapping[date, float | None],
    end: date,
    *,
    better: Better | str = Better.UP,
    tolerance: float | None = None,
) -> tuple[MonthStanding, ...]:
    """The quarter's months as they stand when the days before `end` are known.

    actuals: by the first day of the month, in the meaning of `MonthStanding.actual`; a month that is not in
    it is unknown. tolerance: how far on the bad side of its plan a month may end (of a level that is held).
    A band has months but nothing that is needed.
    """
    better = Better(better)
    found = []
    for month in plan.months:
        planned = plan.benchmark_for(month.start)
        ended = month.end <= end
        actual = actuals.get(month.start)
        off = actual - planned if ended and actual is not None and planned is not None else None
        found.append(
            MonthStanding(month, planned, actual, ended, off, _is_behind(off, planned, better, tolerance))
        )
    if better is Better.BAND:
        return tuple(replace(one, behind=False) for one in found)
    needed = _needed(plan, found, better)
    return tuple(replace(one, needed=needed.get(one.month.start)) for one in found)


def describe(months: Sequence[MonthStanding], plan: Plan, unit: str, better: Better | str = "up") -> str:
    """What the last month that ended behind asks of the others, as a sentence's end, or "".

    `Jul ended 150 behind, which leaves 1 650 a month for Aug and Sep`; with one month left `..., which leaves
    2 000 for Sep`; with none `Sep ended 1 000 behind, and no month is left to make up for it`.
    """
    better, ended = Better(better), [one for one in months if one.ended]
    if not ended or better is Better.BAND:
        return ""
    last, adds_up = ended[-1], plan.kind is GoalKind.TOTAL and plan.additive
    off = _sum_of_gaps(ended) if adds_up else last.gap
    what = f"{last.month.start:%b} ended {gap(off, unit, sign=False)} behind"
    left = _left(plan, ended) if plan.kind is GoalKind.TOTAL else None
    if left is not None and better is Better.UP and left <= 0:
        return "the target is reached"
    if left is not None and better is Better.DOWN and left < 0:
        return f"{what}, which is past the target by {gap(-left, unit, sign=False)} already"
    if len(ended) == len(months):
        late = _is_behind(off, plan.target, better) if adds_up else last.behind
        return f"{what}, and no month is left to make up for it" if late else ""
    to_come = [one for one in months if one.needed is not None]
    if not to_come:
        return ""
    names = [f"{one.month.start:%b}" for one in to_come]
    if adds_up:
        most = " at most" if better is Better.DOWN else ""
        each = " a month" if len(to_come) > 1 else ""
        return f"{what}, which leaves {short(to_come[0].needed, unit)}{each}{most} for {_and(names)}"
    levels = [f"{short(one.needed, unit)} in {name}" for one, name in zip(to_come, names, strict=True)]
    it = "the quarter to date" if plan.kind is GoalKind.TOTAL else "it"
    return f"{what}, so {it} must stand at {_and(levels)}"


def _left(plan: Plan, ended: Sequence[MonthStanding]) -> float | None:
    """What a total lacks to its target, negative past it; None while a month that counts is unknown."""
    counted = [m.actual for m in (ended if plan.additive else ended[-1:])]
    if any(actual is None for actual in counted):
        return None
    left = plan.target - math.fsum(actual for actual in counted if actual is not None)
    return 0.0 if abs(left) <= 1e-9 * max(1.0, abs(plan.target)) else left


def _sum_of_gaps(ended: Sequence[MonthStanding]) -> float | None:
    gaps = [one.gap for one in ended]
    return None if any(g is None for g in gaps) else math.fsum(g for g in gaps if g is not None)


def _is_behind(
    off: float | None, planned: float | None, better: Better, tolerance: float | None = None
) -> bool:
    if off is None:
        return False
    shortfall = off if better is Better.DOWN else -off
    return shortfall > max(tolerance or 0.0, 1e-9 * max(1.0, abs(planned or 0.0)))


def _needed(plan: Plan, months: Sequence[MonthStanding], better: Better) -> dict[date, float]:
    """What each month to come needs; {} while nothing has ended, nothing is left, or the plan is kept."""
    ended, to_come = [m for m in months if m.ended], [m for m in months if not m.ended]
    if not ended or not to_come:
        return {}
    last, left = ended[-1], _left(plan, ended) if plan.kind is GoalKind.TOTAL else None
    if plan.kind is GoalKind.TOTAL and (left is None or (left < 0 if better is Better.DOWN else left <= 0)):
        return {}
    if plan.kind is GoalKind.TOTAL and plan.additive:
        planned = math.fsum(m.planned for m in ended if m.planned is not None)
        if left is None or not _is_behind(plan.target - left - planned, planned, better):
            return {}
        return {m.month.start: left / len(to_come) for m in to_come}
    if not last.behind or last.actual is None:
        return {}
    start, way = last.actual, plan.target - last.actual
    return {m.month.start: start + way * (n + 1) / len(to_come) for n, m in enumerate(to_come)}


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
