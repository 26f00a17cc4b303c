"""Laws: in whatever order and portions rows come and recomputes happen, the end is that of one undisturbed
run."""

import tempfile
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calc.calendar import PERIODS, TO_DATE, Calendar, Grain
from metrics.models import Installation, Metric, MetricState, Run, Source, Value, Warehouse
from metrics.services.windows import DAY, Need, asks, everything, joined, of_days, reached
from owners.models import Leader
from tests.metrics import shop as shops
from tests.metrics.shop import ALL, Shop, forget, order
from warehouse.definitions import Atom, Conversion, Measure, Within

FIRST = date(2026, 3, 20)  # the days lie on both sides of a month, a quarter and a week
DAYS = 20
LATENESS = 6


@st.composite
def rows(draw: st.DrawFn) -> tuple[Any, ...]:
    """An order and the number of days after its own on which it arrives."""
    day = draw(st.integers(0, DAYS - 1))
    at = datetime.combine(FIRST + day * DAY, time(draw(st.integers(0, 23))))
    return (
        draw(st.integers(0, LATENESS - 1)),
        {
            "at": at,
            "customer": draw(st.sampled_from("abcd")),
            "country": draw(st.sampled_from(["GB", "FR", "DE"])),
            "amount": float(draw(st.integers(0, 40))),
            "ok": draw(st.booleans()),
        },
    )


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("days"), st.integers(1, 6)),
        st.tuples(st.just("again"), st.none()),
        st.tuples(st.just("window"), st.integers(0, DAYS - 1)),
        st.tuples(st.just("metric"), st.sampled_from(sorted(k for k in ALL if ALL[k][0] != "derived"))),
    ),
    max_size=7,
)


@pytest.mark.django_db
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(rows(), min_size=1, max_size=40), STEPS, st.booleans())
def test_order_portions_and_repetition_change_nothing(orders: list, steps: list, changed_at: bool) -> None:
    clear()
    with tempfile.TemporaryDirectory() as place:
        shop = Shop(Path(place) / "shop.duckdb")
        shop.create()
        spec = {"changed_at": "changed"} if changed_at else {}
        shop.define(metrics=ALL, by=["country"], lateness=f"{LATENESS} days", **spec)
        arrived = 0

        def arrive(until: int) -> None:
            """All rows whose day of arrival has come, and the watermark with them."""
            nonlocal arrived
            fresh = []
            for n, (delay, row) in enumerate(orders):
                comes = (row["at"].date() - FIRST).days + delay
                if arrived <= comes < until:
                    changed = datetime.combine(FIRST + (comes + 1) * DAY, time(2))
                    fresh.append(order(n, **row, changed=changed))
            arrived = until
            today = FIRST + until * DAY
            shop.load(fresh, loaded_to=today)
            shop.now = datetime(today.year, today.month, today.day, 6, tzinfo=UTC)

        def no_failures(outcome: Any) -> None:
            assert outcome.state == "done", outcome.error
            assert not outcome.failures

        arrive(1)
        for what, argument in steps:
            if what == "days":
                arrive(min(arrived + argument, DAYS + LATENESS))
                no_failures(shop.schedule())
            elif what == "again":
                no_failures(shop.schedule())
            elif what == "window":
                start = FIRST + argument * DAY
                no_failures(shop.recompute(start=start, end=start + 2 * DAY))
            else:
                no_failures(shop.recompute(metrics=[argument], start=FIRST))
        arrive(DAYS + LATENESS)
        no_failures(shop.schedule())
        stepwise = shops.everything()
        assert shop.schedule().changed == 0
        forget()
        no_failures(shop.recompute())
        assert stepwise == shops.everything()


def clear() -> None:
    for model in (Value, Run, MetricState, Metric, Source, Warehouse, Leader, Installation):
        model.objects.all().delete()


days = st.dates(date(2025, 1, 1), date(2026, 6, 30))


@given(st.sets(days, max_size=12), st.integers(1, 12), st.integers(0, 6), st.booleans())
def test_every_dirty_day_is_asked_for_in_whole_periods(
    dirty: set[date], fiscal: int, week: int, to_date: bool
) -> None:
    calendar = Calendar(fiscal_year_start=fiscal, week_start=week)
    horizon = date(2026, 7, 1)
    need = Need(of_days(dirty), to_date)
    wanted = asks({"a": need}, calendar, horizon)
    for grain in (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR):
        asked = [a for a in wanted if grain in a.grains]
        for day in dirty:
            period = calendar.period(grain, day)
            assert any(a.start <= period.start and period.end <= a.end for a in asked)
        for a in asked:
            assert calendar.widen(grain, a.start, a.end) == (a.start, a.end)
            if grain in (Grain.WEEK, Grain.QUARTER, Grain.YEAR):
                for period in calendar.periods(grain, a.start, a.end):
                    assert any(day in period for day in dirty)
    for grain in (Grain.MONTH_TO_DATE, Grain.YEAR_TO_DATE):
        asked = [a for a in wanted if grain in a.grains]
        assert bool(asked) == (to_date and bool(dirty))
        for day in dirty if to_date else ():
            for later in (day, min(calendar.period(grain.whole, day).end, horizon) - DAY):
                assert any(a.start <= later < a.end for a in asked)


@given(
    st.dictionaries(
        st.sampled_from("abcd"), st.tuples(st.sets(days, min_size=1, max_size=4), st.booleans()), min_size=2
    ),
    st.integers(1, 12),
)
def test_no_period_is_asked_for_twice(dirty: dict[str, tuple[set[date], bool]], fiscal: int) -> None:
    calendar = Calendar(fiscal_year_start=fiscal)
    needs = {key: Need(of_days(some), to_date) for key, (some, to_date) in dirty.items()}
    wanted = asks(needs, calendar, date(2026, 7, 1))
    for key, need in needs.items():
        for grain in (*PERIODS, *TO_DATE):
            asked = [a for a in wanted if key in a.keys and grain in a.grains]
            found = [p for a in asked for p in calendar.periods(grain, a.start, a.end)]
            assert len(found) == len(set(found)), (key, grain)
            if need.to_date or not grain.is_to_date:
                ends = {
                    day if grain.is_to_date else calendar.period(grain, day).start for day in dirty[key][0]
                }
                assert ends <= {p.end - DAY if grain.is_to_date else p.start for p in found}


@given(st.lists(st.tuples(days, st.integers(0, 40)), max_size=10))
def test_joined_ranges_hold_the_same_days_once(ranges: list[tuple[date, int]]) -> None:
    given_ranges = [(start, start + timedelta(days=n)) for start, n in ranges]
    result = joined(given_ranges)
    days_of = [start + n * DAY for start, end in result for n in range((end - start).days)]
    assert len(days_of) == len(set(days_of))
    assert set(days_of) == {s + n * DAY for s, e in given_ranges for n in range((e - s).days)}
    assert all(a[1] < b[0] for a, b in pairwise(result))


def test_first_rows_and_conversions_reach_further_than_their_day() -> None:
    day, horizon = date(2026, 3, 10), date(2026, 4, 1)
    new = Atom("new", numerator=Measure("orders", "count_new", "customer"))
    assert reached(new, [(day, day + DAY)], horizon) == ((day, horizon),)
    count = Measure("orders", "count")
    second = Atom("second", conversion=Conversion(count, count, Within(days=5)))
    ((start, end),) = reached(second, [(day, day + DAY)], horizon)
    assert start <= day - 5 * DAY
    assert end >= day + 10 * DAY
    assert reached(Atom("orders", numerator=count), [(day, day + DAY)], horizon) == ((day, day + DAY),)
    whole = everything(["orders"], Calendar(), date(2025, 11, 3), horizon)
    assert (whole.start, whole.end) == (date(2024, 12, 30), date(2027, 1, 4))
