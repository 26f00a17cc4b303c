"""What is proposed for tables as companies have them; and that every proposal can be taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.catalog import Column, Sample
from warehouse.expressions import check_expression, columns_of
from warehouse.proposals import expression_of, key_of, needs_zone, propose


def column(name: str, kind: str, distinct: int, values: tuple[str, ...] = (), filled: int = 1000) -> Column:
    return Column(name, kind, filled, distinct, values)


ORDERS = Sample(
    1000,
    (
        column("id", "bigint", 1000),
        column("customer_id", "bigint", 400),
        column("_loaded_at", "timestamp with time zone", 3),
        column("updated_at", "timestamp without time zone", 990),
        column("ordered_at", "timestamp without time zone", 998),
        column("status", "character varying", 4),
        column("country", "text", 12),
        column("is_gift", "boolean", 2),
        column("note", "text", 700),
        column("total", "numeric(12,2)", 800),
        column("store_id", "integer", 5),
    ),
)


def test_a_table_of_orders() -> None:
    found = propose(ORDERS)
    assert found.time == "ordered_at"
    assert found.times == ("ordered_at", "updated_at", "_loaded_at")
    assert needs_zone(found.time_kind)
    assert found.changed_at == "updated_at"
    assert found.entity == "customer_id"
    assert found.dimensions == {"status": "status", "country": "country", "is_gift": "is_gift"}
    assert found.measures == ("total",)
    assert found.rows == "events"


def test_a_table_of_one_row_a_day() -> None:
    days = tuple(f"2024-01-{n:02}" for n in range(1, 7))
    sample = Sample(31, (column("day", "date", 31, days, 31), column("visits", "integer", 30, filled=31)))
    found = propose(sample)
    assert (found.time, found.rows, found.measures) == ("day", "daily", ("visits",))
    assert not needs_zone(found.time_kind)


def test_days_kept_as_text_are_read_as_days() -> None:
    sample = Sample(1000, (column("when", "varchar", 300, ("2024-01-01", "2024-02-29")),))
    assert propose(sample).time == 'CAST("when" AS date)'
    wrong = Sample(1000, (column("code", "varchar", 300, ("2024-99-01",)),))
    assert propose(wrong).time == ""


def test_a_table_without_a_time_gets_none() -> None:
    found = propose(Sample(3, (column("a", "integer", 3, filled=3), column("b", "text", 1, filled=0))))
    assert (found.time, found.entity, found.dimensions) == ("", "", {})


@pytest.mark.parametrize(
    ("name", "expression"),
    [
        ("ordered_at", "ordered_at"),
        ("Order", '"Order"'),
        ("order", "order"),
        ('a"b', '"a""b"'),
        ("user", "user"),
    ],
)
def test_names_become_expressions(name: str, expression: str) -> None:
    assert expression_of(name) == expression


@given(st.text(min_size=1, max_size=40).filter(lambda name: "\x00" not in name))
def test_every_name_can_be_read_as_the_column_it_is(name: str) -> None:
    text = expression_of(name)
    check_expression(text)
    assert columns_of(text) == {name}
    assert key_of(name)[0].isalpha()
