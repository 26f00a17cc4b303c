"""Runs against a real warehouse: what is asked for again, what changes, what stays."""

from datetime import date
from pathlib import Path

import pytest

from metrics.models import Revision, Source
from metrics.services import ledger
from tests.metrics.shop import (
    AOV,
    CUSTOMERS,
    DAY,
    GROWTH,
    NEW,
    ON_TIME,
    ORDERS,
    PER_CUSTOMER,
    REVENUE,
    SECOND,
    Shop,
    at,
    everything,
    figures,
    order,
)

pytestmark = pytest.mark.django_db

MAR = date(2026, 3, 1)
ALL = {
    "orders": ("simple", ORDERS),
    "revenue": ("simple", REVENUE),
    "customers": ("simple", CUSTOMERS),
    "new": ("simple", NEW),
    "on_time": ("ratio", ON_TIME),
    "second": ("conversion", SECOND),
    "aov": ("derived", AOV),
    "growth": ("derived", GROWTH),
    "per_customer": ("ratio", PER_CUSTOMER),
}


@pytest.fixture
def shop(tmp_path: Path, db: None) -> Shop:
    return Shop(tmp_path / "shop.duckdb")


def some_rows(start: date, days: int, first_id: int = 1) -> list[tuple]:
    rows = []
    for n in range(days):
        for k in range(1 + n % 3):
            rows.append(
                order(
                    first_id + len(rows),
                    at(start + n * DAY, 8 + k),
                    customer=f"c{(n * 7 + k) % 11}",
                    country=("GB", "FR", "DE")[(n + k) % 3],
                    amount=float(5 + (n * 3 + k) % 17),
                    ok=(n + k) % 4 != 0,
                )
            )
    return rows


def test_figures_of_every_grain_follow_the_rows(shop: Shop) -> None:
    rows = some_rows(date(2026, 1, 5), 64)
    shop.create(rows, loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL, by=["country"])
    outcome = shop.recompute()
    assert outcome.state == "done", outcome.error
    assert not outcome.failures
    for grain, start, end in (
        ("day", MAR, MAR + DAY),
        ("month", date(2026, 2, 1), MAR),
        ("quarter", date(2026, 1, 1), date(2026, 4, 1)),
        ("year", date(2026, 1, 1), date(2027, 1, 1)),
    ):
        chosen = [r for r in rows if start <= r[1].date() < end]
        orders, revenue = len(chosen), sum(r[4] for r in chosen)
        people = len({r[2] for r in chosen})
        assert figures("orders", grain)[start] == orders
        assert figures("revenue", grain)[start] == revenue
        assert figures("customers", grain)[start] == people
        assert figures("on_time", grain)[start] == pytest.approx(sum(r[5] for r in chosen) / orders)
        assert figures("aov", grain)[start] == pytest.approx(revenue / orders)
        assert figures("per_customer", grain)[start] == pytest.approx(orders / people)
        french = [r for r in chosen if r[3] == "FR"]
        if french:
            assert figures("aov", grain, "country", "FR")[start] == pytest.approx(
                sum(r[4] for r in french) / len(french)
            )
    source = Source.objects.get()
    assert (source.first_day, source.watermark) == (date(2026, 1, 5), date(2026, 3, 10))
    assert max(figures("orders")) == date(2026, 3, 9)  # the day after is not loaded, not 0


def test_recomputing_twice_changes_nothing(shop: Shop) -> None:
    shop.create(some_rows(date(2026, 1, 5), 64), loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL, by=["country"])
    assert shop.recompute().changed > 0
    before = everything()
    assert shop.recompute().changed == 0
    again = shop.recompute(start=ledger.FROM_THE_START)
    assert again.rows > 0
    assert again.changed == 0
    assert everything() == before
    assert not Revision.objects.exists()
