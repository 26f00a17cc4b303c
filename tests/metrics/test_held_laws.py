"""What is held for checking waits as one: laws against a replay in plain Python.

The replay knows rows by day and member, and what somebody has decided; it has no SQL, no windows, no merging.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calc.calendar import PERIODS, Calendar, Grain
from metrics.models import HeldDecision, Metric, MetricState, Value
from metrics.queries.progress import progress
from metrics.services.health import bounds_of, keep_held
from metrics.services.held import decide
from metrics.services.incoming import Draft, Reach, Scope
from metrics.services.writing import Written, write
from tests.metrics import making
from tests.metrics.shop import ALL, Shop, at, everything, figures, forget, order, some_rows

CALENDAR = Calendar()
NOW = datetime(2026, 7, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FIRST, PAST = date(2026, 3, 28), date(2026, 4, 5)  # over the ends of a week, a month and a quarter
DAYS = [FIRST + n * DAY for n in range((PAST - FIRST).days)]
MEMBERS = ("DE", "FR", "GB")
HIGH = 120.0
REACH = Reach(date(2026, 7, 1), date(2026, 7, 1))

Rows = dict[date, dict[str, float]]
amounts = st.sampled_from([0.0, 10.0, 60.5, 90.0])
days = st.sampled_from(DAYS[1:5])  # few, so that one is often said, held and decided about again
# (what, day, member, amount): rows of a day and member are said anew; held figures are decided about
what = st.sampled_from(["say", "say", "gone", "load", "load", "released", "rejected"])
steps = st.lists(st.tuples(what, days, st.sampled_from(MEMBERS), amounts), min_size=4, max_size=16)


def load(metric: Metric, rows: Rows, dirty: set[date]) -> Written:
    """As a run does: every period that holds a dirty day, the whole and the members, in one write."""
    drafts, scopes = [], []
    for grain in PERIODS:
        for period in {CALENDAR.period(grain, day) for day in dirty}:
            inside = {day: found for day, found in rows.items() if period.start <= day < period.end}
            scopes += [Scope(metric.pk, grain, by, period.start, period.end) for by in ("", "country")]
            sums: dict[str, float] = {}
            for found in inside.values():
                for member, amount in found.items():
                    sums[member] = sums.get(member, 0.0) + amount
            segments = [("", "", sum(sums.values()))]
            segments += [("country", member, amount) for member, amount in sums.items()]
            for by, member, amount in segments if inside else ():
                place = (metric.pk, grain, period.start, period.end, by, member)
                drafts.append(Draft(*place, amount, None, None, None, "final", 1))
    with transaction.atomic():
        written = write(
            drafts,
            scopes,
            now=NOW,
            calendar=CALENDAR,
            cause="late_data",
            reach={metric.pk: REACH},
            plausible=bounds_of([metric]),
        )
        keep_held({metric.pk: metric}, written.held, scopes, NOW)
    return written


class Replay:
    """What a reader must find after each step."""

    def __init__(self) -> None:
        self.said: Rows = {day: {"GB": 50.0, "FR": 50.0} for day in DAYS}
        self.stands: Rows = {}
        self.held: dict[date, float] = {}
        self.decided: dict[date, tuple[str, float]] = {}

    def load(self, asked: set[date]) -> None:
        for day in asked & set(DAYS):
            total = sum(self.said[day].values())
            outcome, value = self.decided.get(day, ("", None))
            if total > HIGH and not (outcome == "released" and value == total):
                if not (outcome == "rejected" and value == total):
                    self.held[day] = total
                    if outcome == "rejected":
                        del self.decided[day]
                continue
            self.held.pop(day, None)
            if outcome == "rejected":
                del self.decided[day]
            self.stands[day] = dict(self.said[day])

    def decide(self, day: date, outcome: str) -> bool:
        if day not in self.held:
            return False
        self.decided[day] = (outcome, self.held.pop(day))
        return True


def stored(metric: Metric, grain: str) -> dict[tuple[date, str], float | None]:
    rows = Value.objects.filter(metric=metric, grain=grain)
    return {
        (start, member): value for start, member, value in rows.values_list("period_start", "member", "value")
    }


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


def month_of(day: date) -> set[date]:
    """A run asks for whole months of days."""
    period = CALENDAR.period(Grain.MONTH, day)
    return {d for d in DAYS if period.start <= d < period.end}


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
    st.permutations([date(2026, 3, 30), date(2026, 4, 2)]),
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
