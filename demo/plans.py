"""Targets and benchmarks of the demo company: made from what its quarters would be without the story.

The company plans well, so an undisturbed metric stands where `AHEAD` says it does; what the story does to a
metric shows as a gap to its plan.
"""

import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from calc.calendar import add_months
from demo import entries
from demo.truth import CALENDAR, Truth

QUARTERS = 5  # the current one and four before

# Totals: what came in the end against the target, the current quarter first (were there no story).
TOTALS: dict[str, tuple[float, ...]] = {
    "on_time_orders": (1.0, 1.012, 0.985, 1.02, 1.005),
    "new_customers": (1.09, 1.015, 0.99, 1.03, 0.975),
    "orders": (1.005, 1.01, 0.99, 1.015, 1.0),
    "revenue": (1.01, 1.015, 0.985, 1.01, 1.005),
}
# Levels: how far ahead of plan each month stands, as a part of the way from the baseline to the target.
LEVELS: dict[str, tuple[float, ...]] = {
    "average_order_value": (0.20, 0.10, 0.15, -0.05, 0.10),
    "orders_per_customer": (0.10, 0.05, 0.12, 0.10, -0.04),
    "on_time_share": (0.30, 0.40, 0.40, 0.40, 0.40),
    "second_order": (0.12, 0.05, 0.10, 0.02, 0.15),
    "active_customers": (0.10, 0.10, 0.05, 0.10, 0.05),
    "active_app_users": (0.15, 0.10, 0.10, 0.05, 0.10),
    "nps": (0.10, 0.08, 0.10, 0.05, 0.10),
    "success_plans": (-0.06, 0.05, 0.10, 0.05, 0.10),
}
DIGITS = {"average_order_value": 2, "nps": 1, "active_customers": 0, "active_app_users": 0}
HOLD = {"refund_share": (0.024, 0.005)}  # held at this level, within this tolerance


@dataclass(frozen=True)
class Planned:
    """A quarter's target and its months' benchmarks (first day -> figure)."""

    target: float
    benchmarks: dict[date, float]


def planned(path: Path, truth: Truth) -> dict[str, dict[str, Planned]]:
    """Metric -> quarter -> target and benchmarks, from the warehouse at `path` and the counted months."""
    calm = _calm(path, truth)
    plans: dict[str, dict[str, Planned]] = {}
    for back in range(QUARTERS):
        start = add_months(truth.quarter_start, -3 * back)
        name = CALENDAR.quarter_name(start)
        months = [add_months(start, n) for n in range(3)]
        for key, hits in TOTALS.items():
            plans.setdefault(key, {})[name] = _total(
                [calm[key][month] for month in months], months, hits[back]
            )
        for key, ahead in LEVELS.items():
            baseline = calm[key][add_months(start, -1)]
            levels = [calm[key][month] for month in months]
            digits = DIGITS.get(key, 3)
            plans.setdefault(key, {})[name] = _level(baseline, levels, months, ahead[back], digits)
        for key, (level, _) in HOLD.items():
            plans.setdefault(key, {})[name] = Planned(level, dict.fromkeys(months, level))
    return plans


def _total(figures: list[float], months: list[date], hit: float) -> Planned:
    amounts = [_round(figure / hit) for figure in figures]
    return Planned(math.fsum(amounts), dict(zip(months, amounts, strict=True)))


def _level(baseline: float, levels: list[float], months: list[date], ahead: float, digits: int) -> Planned:
    """Benchmarks below the levels by `ahead` of the way from the baseline to the target, the last of them."""
    rise = levels[-1] - baseline
    way = abs(rise) / (1 + ahead if rise > 0 else 1 - ahead)
    marks = [round(level - ahead * way, digits) for level in levels]
    return Planned(marks[-1], dict(zip(months, marks, strict=True)))


def _round(figure: float) -> float:
    """As people plan: two digits and a half (12,350; 1,815)."""
    if figure < 20:
        return float(max(round(figure), 1))
    step = 10 ** (math.floor(math.log10(figure)) - 2) / 2
    return round(figure / step) * step if step >= 1 else float(round(figure))


def _calm(path: Path, truth: Truth) -> dict[str, dict[date, float]]:
    """Metric -> month -> figure without the story, also of the months that are yet to come."""
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute(
            "select period_start, on_time_orders, delivered, new_customers, active_customers, revenue,"
            " app_users, second_orders, first_orders"
            " from calm left join calm_second using (period_start, grain)"
            " left join calm_app using (period_start, grain) where grain = 'month' order by 1"
        ).fetchall()
    calm: dict[str, dict[date, float]] = {}
    for month, on_time, delivered, new, active, revenue, app_users, second, first in rows:
        figures = {
            "on_time_orders": on_time,
            "new_customers": new,
            "orders": delivered,
            "revenue": revenue,
            "average_order_value": revenue / delivered,
            "orders_per_customer": delivered / active,
            "on_time_share": on_time / delivered,
            "second_order": second / first if first else math.nan,
            "active_customers": active,
            "active_app_users": app_users,
        }
        for key, figure in figures.items():
            calm.setdefault(key, {})[month] = float(figure)
    calm["nps"] = entries.nps(truth)
    calm["success_plans"] = {month: done / due for month, (done, due) in entries.success_plans(truth).items()}
    return calm
