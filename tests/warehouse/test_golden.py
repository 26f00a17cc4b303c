"""The SQL of a few requests as text, so that a change of plan is seen in review.

`GOLDEN=write pytest tests/warehouse/test_golden.py` writes it anew.
"""

import os
from datetime import date
from pathlib import Path

import pytest

from calc.calendar import Calendar, Grain
from warehouse.clock import DATE, INSTANT, NAIVE, Clock
from warehouse.definitions import Atom, Conversion, Measure, Request, SourceDef, Within
from warehouse.planner import plan

FOLDER = Path(__file__).parent / "golden"
SOURCE = SourceDef(
    "orders",
    "shop",
    "ordered_at",
    table="shop.orders",
    entity="customer_id",
    dimensions={"country": "country"},
)
PAID = "status = 'paid' and amount > 0"


def m(agg: str, expr: str = "", where: str = "") -> Measure:
    return Measure("orders", agg, expr, where)


CASES = {
    "additive": (
        NAIVE,
        (
            Atom("orders", m("count", where=PAID), by=("country",)),
            Atom("revenue", m("sum", "amount", PAID)),
            Atom("aov", m("sum", "amount", PAID), m("count", where=PAID)),
            Atom("price", m("sum", "amount / pieces", "pieces <> 0")),
        ),
    ),
    "distinct": (
        INSTANT,
        (
            Atom("buyers", m("count_distinct", "customer_id", PAID), by=("country",)),
            Atom("visitors", m("count_distinct", "customer_id")),
        ),
    ),
    "others": (
        DATE,
        (
            Atom("median", m("median", "amount", PAID)),
            Atom("new", m("count_new", "customer_id"), by=("country",)),
            Atom("stock", m("last", "amount")),
        ),
    ),
    "conversion": (
        NAIVE,
        (
            Atom(
                "second",
                conversion=Conversion(
                    m("count", where="n = 1"), m("count", where="n = 2"), Within(days=45), period_by="due"
                ),
            ),
        ),
    ),
}


@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
@pytest.mark.parametrize("name", CASES)
def test_the_plan_is_the_one_on_file(name: str, dialect: str) -> None:
    kind, atoms = CASES[name]
    calendar = Calendar("Europe/London", fiscal_year_start=7)
    grains = (Grain.DAY, Grain.WEEK, Grain.YEAR, Grain.MONTH_TO_DATE)
    request = Request(
        SOURCE,
        atoms,
        calendar,
        date(2024, 7, 1),
        date(2024, 8, 1),
        grains,
        date(2023, 1, 1),
        date(2024, 7, 20),
    )
    found = plan(request, dialect, {"orders": Clock(kind, "UTC", calendar)})
    text = "\n\n".join(f"-- {s.name}, for {', '.join(s.serves)}\n{s.text};" for s in found.statements) + "\n"
    path = FOLDER / f"{name}.{dialect}.sql"
    if os.environ.get("GOLDEN") == "write":
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()
    for atom in atoms:
        assert found.sql_for(atom.key)
    assert found == plan(request, dialect, {"orders": Clock(kind, "UTC", calendar)})
