"""Conditions that people choose, on both engines, against the same comparison in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.definitions.conditions import Condition, together
from tests.warehouse import stores
from tests.warehouse.conftest import engine as engine
from tests.warehouse.conftest import postgres_database as postgres_database
from warehouse import catalog
from warehouse.catalog import Column
from warehouse.definitions import SourceDef
from warehouse.expressions import check_expression, transpile

WORDS = [
    "plain",
    "it's",
    '"quoted"',
    "100%",
    "under_score",
    "back\\slash",
    "; DROP TABLE t --",
    "Ünïcode",
    "",
    None,
]
ROWS: list[dict[str, Any]] = [
    {
        "at": datetime(2024, 1, 1) + timedelta(days=n),
        "who": WORDS[n % len(WORDS)],
        "points": None if n % 7 == 0 else n % 5,
        "amount": n / 4,
        "ok": None if n % 9 == 0 else n % 2 == 0,
    }
    for n in range(60)
]
Row = dict[str, Any]
CASES: list[tuple[Condition, Callable[[Row], bool]]] = [
    *((Condition("who", "eq", word), lambda r, w=word: r["who"] == w) for word in WORDS if word),
    *(
        (Condition("who", "contains", word), lambda r, w=word: w.lower() in (r["who"] or "").lower())
        for word in ("_", "%", "\\", "'", "LAIN", "--")
    ),
    (Condition("who", "starts", "UND"), lambda r: (r["who"] or "").lower().startswith("und")),
    (Condition("who", "ne", "plain"), lambda r: r["who"] != "plain"),
    (Condition("who", "in", "plain, 100%"), lambda r: r["who"] in ("plain", "100%")),
    (Condition("who", "empty"), lambda r: r["who"] is None),
    (Condition("who", "filled"), lambda r: r["who"] is not None),
    (Condition("points", "ge", "3"), lambda r: r["points"] is not None and r["points"] >= 3),
    (Condition("points", "in", "1, 4"), lambda r: r["points"] in (1, 4)),
    (Condition("points", "ne", "2"), lambda r: r["points"] != 2),
    (Condition("amount", "lt", "2.5"), lambda r: r["amount"] < 2.5),
    (Condition("amount", "gt", "-1"), lambda r: r["amount"] > -1),
    (Condition("ok", "eq", "yes"), lambda r: r["ok"] is True),
    (Condition("ok", "eq", "no"), lambda r: r["ok"] is False),
    (Condition("at", "ge", "2024-02-01"), lambda r: r["at"] >= datetime(2024, 2, 1)),
]


def test_each_condition_is_what_it_says(engine: str, tmp_path: Path) -> None:
    with stores.opened(engine, tmp_path, t=ROWS) as warehouse:
        columns = {c.name: c for c in catalog.sample(warehouse, SourceDef("t", "s", "at", table="t")).columns}
        for condition, holds in CASES:
            text = together([condition], columns)
            sql = f"SELECT count(*) FROM t WHERE {transpile(text, warehouse.dialect)}"
            (found,) = next(iter(warehouse.run(sql)))[0]
            assert found == sum(map(holds, ROWS)), (condition, text)


COLUMNS = {
    "text": Column("text", "varchar"),
    "number": Column("number", "bigint"),
    "yes": Column("yes", "boolean"),
    "at": Column("at", "timestamp"),
    'odd "name" -- ': Column('odd "name" -- ', "varchar"),
}


@given(
    st.sampled_from(sorted(COLUMNS)),
    st.sampled_from(
        ["eq", "ne", "in", "gt", "ge", "lt", "le", "contains", "starts", "empty", "filled", "x", ""]
    ),
    st.text(max_size=60)
    | st.sampled_from(["1 OR 1=1", "'; --", "1)", "') OR ('a'='a", "NaN", "1e999", "0x10", "１"]),
)
def test_whatever_is_typed_stays_one_value(column: str, comparison: str, typed: str) -> None:
    """A refusal in words, or an expression that reads the chosen column and nothing else."""
    try:
        text = together([Condition(column, comparison, typed)], COLUMNS)
    except ValueError as refused:
        assert str(refused)
        return
    check_expression(text, [column])


def test_what_does_not_fit_is_told() -> None:
    for condition in (
        Condition("nowhere", "eq", "x"),
        Condition("number", "eq", "many"),
        Condition("number", "in", "1, two"),
        Condition("yes", "eq", "perhaps"),
        Condition("at", "gt", "tomorrow"),
        Condition("text", "eq", ""),
        Condition("text", "in", ", ,"),
        Condition("text", "eq", "x" * 201),
    ):
        with pytest.raises(ValueError):
            together([condition], COLUMNS)
