"""The months of a quarter's plan as they went, and what a month that ended behind asks of those to come.

The plan of a month never moves because of what came before it: what is now needed stands beside it.
Totals: needed = (target - reached) / months left, for each of them. Levels: from where it stands to the
target in equal steps. An unknown month makes what is needed unknown, never 0.
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
    behind: it ended on the bad side of its plan. needed: of a month to come, what it must bring (a total's
    amount) or stand at (a level) to reach the target; only where the last ended month left the plan behind.
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
    needed = _needed(plan, found, better, tolerance)
    return tuple(replace(one, needed=needed.get(one.month.start)) for one in found)


def describe(months: Sequence[MonthStanding], plan: Plan, unit: str, better: Better | str = "up") -> str:
    """What the last month that ended behind asks of the others, as a sentence's end, or "".

    `Jul ended 150 behind, which leaves 1 650 a month for Aug and Sep`.
    """
    ended = [one for one in months if one.ended]
    to_come = [one for one in months if one.needed is not None]
    if not ended or not to_come:
        return ""
    last = ended[-1]
    names = [f"{one.month.start:%b}" for one in to_come]
    off = last.gap if plan.kind is GoalKind.LEVEL or not plan.additive else _sum_of_gaps(ended)
    what = f"{last.month.start:%b} ended {gap(off, unit, sign=False)} behind"
    if plan.kind is GoalKind.TOTAL:
        figure = to_come[0].needed
        if Better(better) is Better.DOWN:
            left = f"which leaves {short(max(figure or 0.0, 0.0), unit)} a month at most for {_and(names)}"
            over = f"which is past the target by {gap(_past(figure, to_come), unit, sign=False)} already"
            return f"{what}, {over if (figure or 0.0) < 0 else left}"
        return f"{what}, which leaves {short(figure, unit)} a month for {_and(names)}"
    levels = [f"{short(one.needed, unit)} in {name}" for one, name in zip(to_come, names, strict=True)]
    return f"{what}, so it must stand at {_and(levels)}"


def _past(figure: float | None, to_come: Sequence[MonthStanding]) -> float:
    return abs(figure or 0.0) * len(to_come)


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


def _needed(
    plan: Plan, months: Sequence[MonthStanding], better: Better, tolerance: float | None
) -> dict[date, float]:
    """What each month to come needs; {} while nothing has ended, nothing is left, or the plan is kept."""
    ended, to_come = [m for m in months if m.ended], [m for m in months if not m.ended]
    if not ended or not to_come or any(m.actual is None for m in ended):
        return {}
    if plan.kind is GoalKind.TOTAL:
        if plan.additive:
            reached = math.fsum(m.actual for m in ended if m.actual is not None)
            planned = math.fsum(m.planned for m in ended if m.planned is not None)
        else:
            reached, planned = ended[-1].actual or 0.0, ended[-1].planned or 0.0
        if not _is_behind(reached - planned, planned, better):
            return {}
        each = (plan.target - reached) / len(to_come)
        return {m.month.start: each for m in to_come}
    last = ended[-1]
    if not last.behind or last.actual is None:
        return {}
    start, way = last.actual, plan.target - last.actual
    return {m.month.start: start + way * (n + 1) / len(to_come) for n, m in enumerate(to_come)}


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
