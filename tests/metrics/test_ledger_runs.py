"""Runs against a real warehouse: what is asked for again, what changes, what stays."""

from datetime import UTC, date, datetime, timedelta

import pytest

from metrics.models import Revision, Run, Source, Value
from metrics.services import ledger
from tests.metrics.shop import (
    ALL,
    DAY,
    ORDERS,
    Shop,
    at,
    everything,
    figures,
    forget,
    order,
    revisions,
    some_rows,
)

pytestmark = pytest.mark.django_db

MAR = date(2026, 3, 1)


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


def test_day_by_day_equals_all_at_once(shop: Shop) -> None:
    """Rows arrive day by day and are recomputed after each; the end is as if computed once."""
    first = date(2026, 3, 24)  # into the next month, quarter and week
    rows = some_rows(first, 12)
    shop.create()
    shop.define(metrics=ALL, by=["country"], lateness="2 days")
    for day in range(12):
        today = first + (day + 1) * DAY
        shop.now = datetime(today.year, today.month, today.day, 6, tzinfo=UTC)
        shop.load([r for r in rows if r[1].date() == today - DAY], loaded_to=today)
        outcome = shop.schedule()
        assert (outcome.state, outcome.failures) == ("done", {})
    step_by_step = everything()
    forget()
    assert shop.recompute().state == "done"
    assert step_by_step == everything()


def test_an_incremental_run_asks_only_for_periods_with_dirty_days(shop: Shop) -> None:
    shop.create(some_rows(date(2025, 1, 1), 433), loaded_to=date(2026, 3, 10))
    shop.define(metrics={"orders": ("simple", ORDERS)}, lateness="2 days")
    assert shop.recompute().rows > 433
    small = shop.schedule()
    assert small.changed == 0
    assert small.rows < 40  # the days of a month, two weeks, a month, a quarter and a year
    run = Run.objects.latest("id")
    assert run.computed_start == date(2026, 1, 1)


def test_late_rows_are_taken_in_and_the_revision_keeps_old_and_new(shop: Shop) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL, lateness="3 days")
    shop.recompute()
    before = figures("orders")[date(2026, 3, 8)]
    late = at(date(2026, 3, 8), 20)
    shop.load(
        [order(9001, late, amount=1.0), order(9002, at(date(2026, 2, 20)), amount=1.0)], date(2026, 3, 11)
    )
    shop.now += timedelta(days=1)
    shop.schedule()
    assert figures("orders")[date(2026, 3, 8)] == before + 1
    assert (date(2026, 3, 8), before, "late_data") in revisions("orders")
    assert date(2026, 2, 20) not in {day for day, _, _ in revisions("orders")}  # later than was declared
    march = revisions("orders", "month")
    assert [cause for _, _, cause in march] == ["open"]
    shop.recompute(start=date(2026, 2, 1))
    assert date(2026, 2, 20) in {day for day, _, _ in revisions("orders")}
    assert revisions("aov", "month")[-1][0] == date(2026, 2, 1)  # dependents keep theirs as well


def test_rows_that_vanish_leave_a_revision(shop: Shop) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL, by=["country"], lateness="3 days")
    shop.recompute()
    average = figures("aov")[date(2026, 3, 8)]
    shop.sql("DELETE FROM orders WHERE ordered::date = '2026-03-08'")
    shop.schedule()
    assert figures("orders")[date(2026, 3, 8)] == 0
    assert figures("aov")[date(2026, 3, 8)] is None
    assert (date(2026, 3, 8), average, "late_data") in revisions("aov")


def test_changed_at_finds_rows_that_any_window_would_miss(shop: Shop) -> None:
    shop.create(some_rows(date(2025, 11, 1), 129), loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL, by=["country"], changed_at="changed")
    shop.recompute()
    shop.sql(
        "UPDATE orders SET amount = amount + 100, changed = '2026-03-10 03:00' "
        "WHERE ordered::date = '2025-12-05'"
    )
    shop.load(some_rows(date(2026, 3, 10), 1, first_id=5000), loaded_to=date(2026, 3, 11))
    shop.now += timedelta(days=1)
    assert shop.schedule().changed > 0
    stepwise = everything()
    assert date(2025, 12, 5) in {day for day, _, _ in revisions("revenue")}
    forget()
    shop.recompute()
    assert stepwise == everything()


def test_rows_before_the_first_day_make_history_longer(shop: Shop) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL, by=["country"])
    shop.recompute()
    shop.load([order(9001, at(date(2026, 1, 3)))])
    shop.schedule()
    assert figures("orders")[date(2026, 1, 3)] == 1
    assert figures("orders")[date(2026, 1, 4)] == 0
    assert Source.objects.get().first_day == date(2026, 1, 3)


def test_a_member_seen_for_the_first_time_gets_its_history(shop: Shop) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    shop.define(metrics={"orders": ("simple", ORDERS)}, by=["country"])
    shop.recompute()
    shop.load([order(9001, at(date(2026, 3, 10)), country="IT")], loaded_to=date(2026, 3, 11))
    shop.now += timedelta(days=1)
    shop.schedule()
    stepwise = everything()
    assert figures("orders", "day", "country", "IT")[date(2026, 2, 1)] == 0
    forget()
    shop.recompute()
    assert stepwise == everything()


def test_members_beyond_the_top_are_one(shop: Shop) -> None:
    rows = some_rows(date(2026, 2, 1), 37) + [order(9001 + n, at(MAR), country="XX") for n in range(40)]
    shop.create(rows, loaded_to=date(2026, 3, 10))
    shop.define(metrics={"orders": ("simple", ORDERS)}, by=["country"], top={"country": 2})
    shop.recompute()
    names = set(Value.objects.filter(dimension="country").values_list("member", flat=True))
    assert len(names) == 3
    assert {"XX", "(other)"} < names
    total = figures("orders", "month")[MAR]
    assert sum(figures("orders", "month", "country", name)[MAR] for name in names) == total
    kept = Source.objects.get().top
    shop.load([order(9900, at(date(2026, 3, 10)), country="YY")], loaded_to=date(2026, 3, 11))
    shop.now += timedelta(days=1)
    shop.schedule()
    assert set(Value.objects.filter(dimension="country").values_list("member", flat=True)) == names
    assert Source.objects.get().top == kept


def test_growing_past_the_top_cuts_history_too(shop: Shop) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    shop.define(metrics={"orders": ("simple", ORDERS)}, by=["country"], top={"country": 3})
    shop.recompute()
    assert Source.objects.get().top == {}
    shop.load([order(9001, at(date(2026, 3, 10)), country="IT")], loaded_to=date(2026, 3, 11))
    shop.now += timedelta(days=1)
    shop.schedule()
    assert set(Source.objects.get().top) == {"country"}
    names = set(Value.objects.filter(dimension="country").values_list("member", flat=True))
    assert names == {"GB", "FR", "DE", "(other)"}


def test_a_window_widens_to_whole_periods(shop: Shop) -> None:
    shop.create(some_rows(date(2025, 11, 1), 129), loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL, by=["country"])
    shop.recompute()
    before = everything()
    outcome = shop.recompute(start=date(2026, 2, 10), end=date(2026, 2, 12))
    assert (outcome.state, outcome.changed) == ("done", 0)
    assert everything() == before
    shop.load([order(9001, at(date(2026, 2, 11))), order(9002, at(date(2025, 12, 20)))])
    starts = {
        "day": date(2026, 2, 11),
        "week": date(2026, 2, 9),
        "month": date(2026, 2, 1),
        "quarter": date(2026, 1, 1),
        "year": date(2026, 1, 1),
    }
    old = {grain: figures("orders", grain)[start] for grain, start in starts.items()}
    shop.recompute(start=date(2026, 2, 10), end=date(2026, 2, 12))
    assert {grain: figures("orders", grain)[start] - 1 for grain, start in starts.items()} == old
    assert date(2025, 12, 20) not in {day for day, _, _ in revisions("orders")}


def test_a_new_version_recomputes_history_and_says_why(shop: Shop) -> None:
    shop.create(some_rows(date(2026, 1, 5), 64), loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL, by=["country"])
    shop.recompute()
    shop.edit("orders", {"measure": {"source": "orders", "agg": "count", "where": "ok"}})
    assert [o.state for o in shop.work()] == ["done"]
    assert {cause for _, _, cause in revisions("orders")} == {"definition"}
    assert set(Value.objects.filter(metric__key="orders").values_list("version", flat=True)) == {2}
    orders = Value.objects.get(
        metric__key="orders", grain="month", period_start=date(2026, 2, 1), dimension=""
    )
    aov = Value.objects.get(metric__key="aov", grain="month", period_start=date(2026, 2, 1), dimension="")
    revenue = figures("revenue", "month")[date(2026, 2, 1)]
    assert aov.value == pytest.approx(revenue / orders.value)
    assert not Revision.objects.filter(metric__key="revenue").exists()


def test_an_effective_date_leaves_older_figures_alone(shop: Shop) -> None:
    shop.create(some_rows(date(2026, 1, 5), 64), loaded_to=date(2026, 3, 10))
    shop.define(metrics={"orders": ("simple", ORDERS)})
    shop.recompute()
    shop.edit("orders", {"measure": {"source": "orders", "agg": "sum", "expr": "amount"}})
    Source.objects.get()
    metric = shop.metrics["orders"]
    metric.versions.filter(number=2).update(effective_date=MAR)
    shop.work()
    seam = dict(Value.objects.filter(grain="day").values_list("period_start", "version"))
    assert {seam[day] for day in seam if day < MAR} == {1}
    assert {seam[day] for day in seam if day >= MAR} == {2}
