"""The demo company's definitions: company.yaml with the path, the owners' dates and the targets."""

from pathlib import Path
from typing import Any

import yaml

from calc.calendar import add_months
from demo import plans
from demo.truth import Truth

COMPANY = Path(__file__).with_name("company.yaml")
# Maya took over baskets from Elena three quarters ago; everybody else has been there from the start.
HANDED_OVER = {"average_order_value": ("elena", "maya", -9)}


def definitions(warehouse: Path, truth: Truth) -> str:
    """The text for `apply`; the plans in it are made from the generated file at `warehouse`."""
    document: dict[str, Any] = yaml.safe_load(COMPANY.read_text())
    document["warehouses"]["kitchen"]["path"] = str(warehouse)
    planned = plans.planned(warehouse, truth)
    for key, metric in document["metrics"].items():
        metric["owners"] = _owners(key, metric.pop("owner"), truth)
        metric["targets"] = {
            quarter: {
                "value": plan.target,
                "reason": "From the plan of the year.",
                "benchmarks": {f"{month:%Y-%m}": figure for month, figure in plan.benchmarks.items()},
            }
            for quarter, plan in sorted(planned[key].items())
        }
        if key in plans.HOLD:
            level, tolerance = plans.HOLD[key]
            metric["goal"]["tolerance"] = tolerance
            for target in metric["targets"].values():
                target["baseline"] = level
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
    return text


def _owners(key: str, owner: str, truth: Truth) -> list[dict[str, Any]]:
    if key not in HANDED_OVER:
        return [{"leader": owner, "from": truth.first_day}]
    before, now, months = HANDED_OVER[key]
    return [
        {"leader": before, "from": truth.first_day},
        {"leader": now, "from": add_months(truth.quarter_start, months)},
    ]
