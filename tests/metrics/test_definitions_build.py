"""From stored definitions to what a warehouse computes, and how figures roll up and are judged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from calc.calendar import Grain
from metrics.definitions import build
from metrics.definitions.quantities import Span
from metrics.models import Metric, Source, Warehouse
from warehouse.definitions import Measure, Within

COUNT = {"source": "orders", "agg": "count"}
SUM = {"source": "orders", "agg": "sum", "expr": "amount"}
ELSEWHERE = {"source": "visits", "agg": "count"}
DISTINCT = {"source": "orders", "agg": "count_distinct", "expr": "customer"}
CONVERSION = {"base": COUNT, "conversion": COUNT, "within": "45 days"}


def metric(kind_: str, goal: dict[str, Any] | None = None, by: tuple[str, ...] = (), **spec: Any) -> Metric:
    return Metric(key="m", name="M", type=kind_, spec=spec, goal=goal or {}, by=list(by))


def of(agg: str, **more: Any) -> Metric:
    return metric("simple", measure={"source": "orders", "agg": agg, "expr": "x", **more})


@pytest.mark.parametrize(
    ("made", "merges"),
    [
        (of("count"), "sum"),
        (of("sum"), "sum"),
        (of("sum_boolean"), "sum"),
        (of("count_new"), "sum"),
        (of("count_distinct"), "none"),
        (of("count_distinct", additive=True), "sum"),
        (of("avg"), "share"),
        (of("min"), "min"),
        (of("max"), "max"),
        (of("first"), "first"),
        (of("last"), "last"),
        (of("median"), "none"),
        (of("p95"), "none"),
        (metric("ratio", numerator=SUM, denominator=COUNT), "share"),
        (metric("ratio", numerator=SUM, denominator=ELSEWHERE), "share"),
        (metric("ratio", numerator=SUM, denominator=DISTINCT), "none"),
        (metric("ratio", numerator="revenue", denominator="orders"), "none"),
        (metric("derived", formula="a + b", inputs={"a": "a", "b": "b"}), "none"),
        (metric("conversion", **CONVERSION), "share"),
        (metric("conversion", **CONVERSION, calculation="count"), "sum"),
        (metric("manual", kind="amount", grain="month"), "sum"),
        (metric("manual", kind="level", grain="month"), "last"),
        (metric("manual", kind="share", grain="month"), "share"),
    ],
    ids=range(23),
)
def test_how_figures_roll_up_and_what_follows_for_the_goal(made: Metric, merges: str) -> None:
    assert build.merges_of(made) == merges
    assert build.is_additive(made) == (merges == "sum")
    assert build.goal_of(made).kind == ("total" if merges == "sum" else "level")


def test_goals_as_written_and_their_gaps() -> None:
    goal = build.goal_of(of("median", x=0))
    assert (goal.grain, goal.thresholds.on_track, goal.thresholds.at_risk) == (Grain.MONTH, 0.97, 0.90)
    said = metric(
        "manual",
        {"kind": "total", "thresholds": {"at_risk": 0.8}, "tolerance": 2.0},
        kind="level",
        grain="quarter",
    )
    goal = build.goal_of(said)
    assert (goal.kind, goal.grain, goal.thresholds.at_risk, goal.tolerance) == (
        "total",
        Grain.QUARTER,
        0.8,
        2.0,
    )
    assert build.entry_grain(said) is Grain.QUARTER
    assert build.entry_grain(of("count")) is None


def test_atoms() -> None:
    measure = Measure("orders", "count")
    (atom,) = build.atoms_of(metric("simple", measure=COUNT, by=("country",)))
    assert (atom.key, atom.numerator, atom.by) == ("m", measure, ("country",))
    (atom,) = build.atoms_of(metric("ratio", numerator=SUM, denominator=COUNT))
    assert atom.denominator == measure
    (atom,) = build.atoms_of(metric("conversion", **CONVERSION, period_by="due"))
    assert atom.conversion and (atom.conversion.within, atom.conversion.period_by) == (Within(days=45), "due")
    assert build.atoms_of(metric("manual", kind="level", grain="month")) == ()
    assert build.source_keys_of(metric("ratio", numerator=SUM, denominator=COUNT)) == ("orders",)


def test_a_ratio_over_two_sources_is_made_of_two_hidden_metrics() -> None:
    two = metric("ratio", numerator=SUM, denominator=ELSEWHERE)
    assert build.atoms_of(two) == () and build.source_keys_of(two) == ()
    assert build.parts_of(two) == {"m__numerator": {"measure": SUM}, "m__denominator": {"measure": ELSEWHERE}}
    operands = build.operands_of(two)
    assert operands and operands.ratio and operands.metrics == ("m__numerator", "m__denominator")
    mixed = metric("ratio", numerator=SUM, denominator="visits")
    operands = build.operands_of(mixed)
    assert operands and operands.metrics == ("m__numerator", "visits")


def test_operands_of_a_formula_with_their_offsets() -> None:
    inputs = {
        "now": "revenue",
        "then": {"metric": "revenue", "offset": "1 year"},
        "open": {"metric": "revenue", "to": "month"},
    }
    operands = build.operands_of(metric("derived", formula="now / then - open", inputs=inputs))
    assert operands and not operands.ratio and operands.metrics == ("revenue",)
    found = {operand.name: (operand.offset, operand.to) for operand in operands.inputs}
    assert found == {"now": (None, None), "then": (Span(1, "year"), None), "open": (None, Grain.MONTH)}


def test_a_source_and_its_warehouse() -> None:
    files = {"a": "data/a.parquet", "b": "/abs/b.csv"}
    options = {"files": files, "timeout": 5.0, "row_cap": 10.0}
    shop = Warehouse(
        key="shop",
        engine="duckdb",
        options=options,
    )
    found = build.warehouse_def(shop)
    assert found.options["files"] == {"a": str(settings.BASE_DIR / "data/a.parquet"), "b": "/abs/b.csv"}
    assert (found.timeout, found.row_cap) == (5.0, 10)
    spec = {
        "table": "orders",
        "time": "at",
        "lateness": "3 days",
        "dimensions": {"land": "country"},
        "top": {"land": 5.0},
    }
    source = Source(key="orders", warehouse=shop, spec=spec)
    made = build.source_def(source)
    assert (made.warehouse, made.table, made.lateness) == ("shop", "orders", timedelta(days=3))
    assert (made.rows, made.timezone) == ("events", "UTC")
    assert build.top_of(source) == {"land": 5}
