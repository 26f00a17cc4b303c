"""What is held for checking waits as one: laws against a replay in plain Python.

The replay knows rows by day and member, and what somebody has decided; it has no SQL, no windows, no merging.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calc.calendar import PERIODS
from metrics.models import HeldDecision, Metric, MetricState, Value
from metrics.queries.progress import progress
from metrics.services.held import decide
from tests.metrics import making
from tests.metrics.shop import ALL, Shop, at, everything, figures, forget, order, some_rows
from tests.metrics.waiting import (
    CALENDAR,
    DAY,
    DAYS,
    HIGH,
    MEMBERS,
    NOW,
    Replay,
    Rows,
    amounts,
    days,
    load,
    month_of,
    steps,
    stored,
)


def agrees(metric: Metric, replay: Replay) -> None:
    for grain in PERIODS:
        expected: dict[tuple[date, str], float] = {}
        for day, found in replay.stands.items():
            start = CALENDAR.period(grain, day).start
            for member, amount in found.items():
                for name in ("", member):
                    expected[start, name] = expected.get((start, name), 0.0) + amount
            expected.setdefault((start, ""), 0.0)
        assert stored(metric, str(grain)) == pytest.approx(expected), grain
    state = MetricState.objects.filter(metric=metric).first()
    entries = state.held if state else []
    assert {date.fromisoformat(e["period_start"]): e["value"] for e in entries} == replay.held
    standing = HeldDecision.objects.filter(metric=metric, ended_at=None)
    assert {d.period_start: (d.outcome, d.value) for d in standing} == replay.decided


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_parts_add_up_whatever_is_held_released_rejected_or_held_again(
    said: list[tuple[str, date, str, float]],
) -> None:
    with transaction.atomic():
        metric = making.metric("orders", plausible={"high": HIGH}, by=["country"])
        replay = Replay()
        load(metric, replay.said, set(DAYS))
        replay.load(set(DAYS))
        changed: set[date] = set()
        for what, day, member, amount in said:
            if what == "say":
                replay.said[day][member] = amount
                changed.add(day)
            elif what == "gone":
                replay.said[day].pop(member, None)
                changed.add(day)
            elif what == "load":  # what has changed, and perhaps another month
                asked = set().union(*(month_of(each) for each in {day, *changed}))
                changed.clear()
                load(metric, replay.said, asked)
                replay.load(asked)
            else:
                token = f"day:{day}:{day + DAY}:{replay.held.get(day)!r}"
                done = decide(None, metric, what, "Somebody looked.", figures=[token], now=NOW)
                assert done == replay.decide(day, what)
            agrees(metric, replay)
        transaction.set_rollback(True)


@pytest.mark.django_db
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.tuples(days, st.sampled_from(MEMBERS)), amounts, min_size=1, max_size=6),
    st.permutations([date(2020, 3, 30), date(2020, 4, 2)]),
)
def test_one_write_or_one_by_month_in_any_order_end_alike(
    changes: Mapping[tuple[date, str], float], order: list[date]
) -> None:
    ends = []
    for batches in ([set(DAYS)], [month_of(day) for day in order]):
        with transaction.atomic():
            metric = making.metric("orders", plausible={"high": HIGH}, by=["country"])
            rows: Rows = {day: {"GB": 50.0, "FR": 50.0} for day in DAYS}
            load(metric, rows, set(DAYS))
            for (day, member), amount in changes.items():
                rows[day][member] = amount
            for batch in batches:
                load(metric, rows, batch)
            state = MetricState.objects.filter(metric=metric).first()
            places = sorted((e["period_start"], e["value"]) for e in state.held) if state else []
            ends.append(([stored(metric, str(grain)) for grain in PERIODS], places))
            transaction.set_rollback(True)
    assert ends[0] == ends[1]


@pytest.mark.django_db
@pytest.mark.parametrize("outcome", ["", "rejected"])
def test_the_last_good_figure_to_date_stands_in_on_the_board(outcome: str) -> None:
    making.source(date(2026, 7, 4))
    metric = making.metric("customers", making.DISTINCT, goal={"kind": "total"}, plausible={"high": 20.0})
    quarter = date(2026, 7, 1)
    for end, so_far in ((date(2026, 7, 2), 9.0), (date(2026, 7, 3), 12.0)):
        making.figure(metric, "quarter_to_date", quarter, end, so_far)
    making.target(metric, "2026-Q3", 900)
    entry = {
        "grain": "day",
        "period_start": "2026-07-03",
        "period_end": "2026-07-04",
        "value": 50.0,
        "reason": "!",
    }
    MetricState.objects.create(metric=metric, held=[entry])
    if outcome:
        decide(None, metric, outcome, "The load ran twice.", now=NOW)
    (found,) = progress(None, "2026-Q3", as_of=date(2026, 7, 3))
    assert (found.figure, found.period_end) == (12.0, date(2026, 7, 3))
    assert (found.status.state == "held") == (not outcome)


@pytest.mark.django_db
@pytest.mark.parametrize("lateness", [0, 5])
def test_a_load_that_ran_often_waits_whole_and_comes_whole(shop: Shop, lateness: int) -> None:
    """Through real runs: while held nothing is half-written; after the release all is as if never held."""
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL, by=["country"], lateness=f"{lateness} days")
    for key, bounds in (("orders", {"high": 40}), ("revenue", {"high": 400}), ("customers", {"high": 20})):
        plausible = {**bounds, "grain": "day"}
        Metric.objects.filter(key=key).update(plausible=plausible)
    shop.recompute()
    before = {row[:6]: row for row in everything()}
    odd = date(2026, 3, 10)
    many = [order(9000 + n, at(odd), customer=f"x{n}", country=("GB", "FR", "IT")[n % 3]) for n in range(60)]
    shop.load([*many, order(9999, at(date(2026, 3, 11)))], loaded_to=date(2026, 3, 12))
    shop.now += timedelta(days=2)
    shop.schedule()
    assert {s.metric.key for s in MetricState.objects.exclude(held=[])} == {"orders", "revenue", "customers"}
    for key in ("orders", "revenue"):
        whole_and_parts_agree(key)
        assert odd not in figures(key)
        assert figures(key)[date(2026, 3, 11)] is not None
    italy = Value.objects.filter(metric__key__in=["orders", "revenue"], member="IT")
    assert not italy.exclude(value=0).exists()
    for row in everything():
        start, end = row[2:4]
        if row[0] == "customers" and start <= odd < end:
            assert row[6:10] == before[row[:6]][6:10]  # what a stale figure was
    for metric in Metric.objects.exclude(plausible={}):
        assert decide(None, metric, "released", "A fair.", now=NOW)
    shop.now += timedelta(hours=1)
    shop.schedule()
    released = everything()
    assert figures("orders")[odd] == 60
    whole_and_parts_agree("orders")
    Metric.objects.update(plausible={})
    forget()
    shop.recompute()
    assert released == everything()


def whole_and_parts_agree(key: str) -> None:
    days = figures(key)
    for grain in PERIODS:
        sums: dict[date, float] = {}
        for day, amount in days.items():
            start = CALENDAR.period(grain, day).start
            sums[start] = sums.get(start, 0.0) + (amount or 0.0)
        whole = {start: amount or 0.0 for start, amount in figures(key, str(grain)).items()}
        parts: dict[date, float] = {}
        for member in ("GB", "FR", "DE", "IT"):
            for start, amount in figures(key, str(grain), "country", member).items():
                parts[start] = parts.get(start, 0.0) + (amount or 0.0)
        for start, amount in whole.items():
            assert parts.get(start, 0.0) == pytest.approx(amount), (grain, start)
            assert sums.get(start, 0.0) == pytest.approx(amount), (grain, start)
