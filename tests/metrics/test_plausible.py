"""Bounds of what is plausible: for which grain they are, and what is held with a held figure."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction

from calc.calendar import Calendar, Grain
from metrics.definitions.goals import bounds_grain
from metrics.models import HeldDecision, Metric, MetricState, Value
from metrics.queries.dump import dump
from metrics.services.apply import apply
from metrics.services.health import bounds_of, keep_held
from metrics.services.held import decide
from metrics.services.incoming import Draft, Reach, Scope
from metrics.services.writing import Written, write
from tests.metrics import making
from tests.metrics.files import file, make_warehouse, spoil

NOW = datetime(2026, 4, 10, 12, tzinfo=UTC)
CALENDAR = Calendar()
MARCH = date(2026, 3, 1)
GRAINS = [Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER]
AVG = {"measure": {"source": "orders", "agg": "avg", "expr": "amount"}}
SUM = {"measure": {"source": "orders", "agg": "sum", "expr": "amount"}}
CONVERSION = {
    "base": {"source": "orders", "agg": "count"}, "conversion": {"source": "orders", "agg": "count"},
    "within": "7 days",
}  # fmt: skip
HALF = {"formula": "orders / 2", "inputs": {"orders": "orders"}}


@pytest.mark.parametrize(
    ("kind", "spec", "fields", "grain"),
    [
        ("simple", making.COUNT, {}, "day"),
        ("simple", SUM, {"unit": "currency:GBP"}, "day"),
        ("simple", making.DISTINCT, {}, "month"),  # a level by month
        ("simple", making.DISTINCT, {"goal": {"kind": "level", "grain": "week"}}, "week"),
        ("simple", making.DISTINCT, {"goal": {"kind": "total"}}, "day"),
        ("simple", AVG, {}, None),
        ("ratio", making.SHARE, {"unit": "percent"}, None),
        ("conversion", CONVERSION, {"unit": "percent"}, None),
        ("conversion", {**CONVERSION, "calculation": "count"}, {}, "day"),
        ("derived", HALF, {"unit": "count"}, "month"),
        ("derived", HALF, {"unit": "percent"}, None),
        ("derived", HALF, {"unit": "duration:hours"}, None),
        ("simple", making.COUNT, {"plausible": {"high": 9_000, "grain": "month"}}, "month"),
        ("simple", AVG, {"plausible": {"high": 9_000, "grain": "quarter"}}, "quarter"),
    ],
)  # fmt: skip
def test_what_grows_with_its_period_has_bounds_for_one_grain(
    kind: str, spec: dict[str, object], fields: dict[str, object], grain: str | None
) -> None:
    fields = {"plausible": {"high": 1}, **fields}
    assert bounds_grain(Metric(key="m", name="M", type=kind, spec=spec, **fields)) == grain


REACH = Reach(date(2026, 4, 9), date(2026, 4, 10))


def loaded(
    metric: Metric, days: dict[date, float], grains: Iterable[Grain] = GRAINS, reach: Reach = REACH
) -> Written:
    """Days as a source says them, with the weeks, months and quarters that they add up to."""
    drafts = []
    for grain in grains:
        periods = {CALENDAR.period(grain, day) for day in days}
        for period in periods:
            value = sum(amount for day, amount in days.items() if period.start <= day < period.end)
            drafts.append(
                Draft(metric.pk, grain, period.start, period.end, "", "", value, None, None, None, "final", 1)
            )
    scopes = [Scope(metric.pk, d.grain, "", d.start, d.end) for d in drafts]
    with transaction.atomic():
        written = write(
            drafts,
            scopes,
            now=NOW,
            calendar=CALENDAR,
            cause="late_data",
            reach={metric.pk: reach},
            plausible=bounds_of([metric]),
        )
        keep_held({metric.pk: metric}, written.held, scopes, NOW)
    return written


def held(written: Written, metric: Metric) -> dict[str, date]:
    return {str(h.grain): h.start for h in written.held.get(metric.pk, []) if not h.rejected}


def stored(metric: Metric, grain: str, day: date = MARCH) -> float | None:
    found = Value.objects.filter(metric=metric, grain=grain, period_start__lte=day, period_end__gt=day)
    return found.values_list("value", flat=True).first()


ORDINARY = {MARCH + timedelta(days=n): 100.0 for n in range(31)}


@pytest.mark.django_db
@pytest.mark.parametrize("bounds", [{"high": 150.0}, {"low": 50.0, "high": 150.0}, {"low": 50.0}])
def test_a_months_total_is_not_held_against_a_days_bound(bounds: dict[str, float]) -> None:
    metric = making.metric("orders", plausible=bounds)
    assert not held(loaded(metric, ORDINARY), metric)
    assert stored(metric, "month") == 3_100.0


@pytest.mark.django_db
def test_nor_a_day_against_a_months_bound() -> None:
    metric = making.metric("orders", plausible={"low": 2_000.0, "high": 4_000.0, "grain": "month"})
    assert not held(loaded(metric, ORDINARY), metric)
    twice = dict.fromkeys(ORDINARY, 200.0) | {date(2026, 4, 1): 90.0}
    assert held(loaded(metric, twice), metric) == {"month": MARCH}
    # its days wait with it, and what they are part of is made of what stands
    assert (stored(metric, "month"), stored(metric, "day")) == (3_100.0, 100.0)
    assert (stored(metric, "quarter"), stored(metric, "month", date(2026, 4, 1))) == (3_100.0, 90.0)
    assert stored(metric, "week", date(2026, 4, 1)) == 2 * 100.0 + 90.0
    decide(None, metric, "released", "A fair.", now=NOW)
    assert not held(loaded(metric, twice), metric)
    assert (stored(metric, "month"), stored(metric, "day")) == (6_200.0, 200.0)


@pytest.mark.django_db
def test_a_month_that_still_fills_is_not_below_its_lowest_figure() -> None:
    metric = making.metric("orders", plausible={"low": 2_000.0, "grain": "month"})
    april = {date(2026, 4, n): 100.0 for n in range(1, 10)}
    assert not held(loaded(metric, {**ORDINARY, **april}), metric)
    assert stored(metric, "month", date(2026, 4, 1)) == 900.0
    low = dict.fromkeys(ORDINARY, 50.0)
    assert held(loaded(metric, low), metric) == {"month": MARCH}


@pytest.mark.django_db
def test_what_is_held_is_nothing_that_the_next_figure_is_compared_with() -> None:
    metric = making.metric("orders", plausible={"max_change": 0.5, "high": 500.0})
    thursdays = [date(2026, 3, 19), date(2026, 3, 26), date(2026, 4, 2), date(2026, 4, 9)]
    loaded(metric, dict.fromkeys(thursdays[:2], 100.0), [Grain.DAY])
    odd = {**dict.fromkeys(thursdays, 100.0), thursdays[2]: 900.0}
    reach = Reach(date(2026, 4, 2), date(2026, 4, 10))
    found = loaded(metric, odd, [Grain.DAY], reach)
    assert [h.start for h in found.held[metric.pk]] == [thursdays[2]]


@pytest.mark.django_db
def test_a_bound_of_nothing_is_for_every_grain() -> None:
    metric = making.metric("orders", SUM, plausible={"low": 0, "grain": "week"})
    found = held(loaded(metric, {**ORDINARY, MARCH: -9_000.0}), metric)
    assert found == {"day": MARCH, "week": date(2026, 2, 23), "month": MARCH, "quarter": date(2026, 1, 1)}


@pytest.mark.django_db
def test_a_shares_bound_is_for_every_grain() -> None:
    metric = making.metric("on_time", making.SHARE, "ratio", unit="percent", plausible={"low": 0, "high": 1})
    found = held(loaded(metric, {MARCH: 1.2}), metric)
    assert set(found) == {"day", "week", "month", "quarter"}


@pytest.mark.django_db
def test_what_holds_a_held_day_is_made_of_the_days_that_stand() -> None:
    metric = making.metric("orders", plausible={"high": 150.0})
    loaded(metric, ORDINARY)
    odd = {**ORDINARY, MARCH: 900.0}
    assert held(loaded(metric, odd), metric) == {"day": MARCH}
    for grain, whole in (("day", 100.0), ("week", 100.0), ("month", 3_100.0), ("quarter", 3_100.0)):
        assert stored(metric, grain) == whole, grain
    # another day is late: the month is asked for again without the day that is held in it
    loaded(metric, {date(2026, 3, 31): 120.0}, [Grain.DAY])
    again = loaded(metric, {MARCH: 3_920.0}, [Grain.MONTH])
    assert not held(again, metric)
    assert stored(metric, "month") == 3_120.0
    assert len(MetricState.objects.get().held) == 1
    decide(None, metric, "released", "A fair.", now=NOW)
    assert not held(loaded(metric, odd), metric)
    assert (stored(metric, "day"), stored(metric, "month")) == (900.0, 3_900.0)


@pytest.mark.django_db
def test_a_held_day_that_never_stood_is_left_out_of_what_holds_it() -> None:
    metric = making.metric("orders", plausible={"high": 150.0})
    some = {day: amount for day, amount in ORDINARY.items() if day != MARCH}
    assert held(loaded(metric, {**some, MARCH: 900.0}), metric) == {"day": MARCH}
    assert (stored(metric, "day"), stored(metric, "week"), stored(metric, "month")) == (None, None, 3_000.0)


@pytest.mark.django_db
def test_a_promised_day_that_is_held_makes_what_holds_it_unknown() -> None:
    making.source(date(2026, 4, 10), spec={"rows": "daily"})
    metric = making.metric("orders", plausible={"high": 150.0})
    loaded(metric, {**ORDINARY, MARCH: 900.0})
    assert (stored(metric, "day"), stored(metric, "month")) == (None, None)
    assert Value.objects.filter(metric=metric, grain="month").count() == 1
    assert stored(metric, "week", date(2026, 3, 9)) == 700.0


@pytest.mark.django_db
def test_what_does_not_add_up_waits_as_a_whole_to_date_figures_as_well() -> None:
    metric = making.metric("customers", making.DISTINCT, plausible={"high": 150.0, "grain": "month"})
    to_date = [Grain.MONTH_TO_DATE, Grain.QUARTER_TO_DATE]
    loaded(metric, {MARCH: 10.0, date(2026, 4, 2): 5.0}, [*GRAINS, *to_date])
    many = loaded(metric, {MARCH: 400.0, date(2026, 4, 2): 6.0}, [*GRAINS, *to_date])
    assert held(many, metric) == {"month": MARCH}
    for grain in (*GRAINS, *to_date):
        assert stored(metric, grain) == 10.0, grain
    # April goes on, but for its first week, which begins in March
    for grain in (*GRAINS, *to_date):
        april = 5.0 if grain is Grain.WEEK else 6.0
        assert stored(metric, grain, date(2026, 4, 2)) == april, grain


@pytest.mark.django_db
def test_a_rejected_day_is_not_asked_about_and_what_holds_it_goes_on_without_it() -> None:
    metric = making.metric("orders", plausible={"high": 150.0})
    loaded(metric, ORDINARY)
    odd = {**ORDINARY, MARCH: 900.0}
    loaded(metric, odd)
    decide(None, metric, "rejected", "The load ran twice.", now=NOW)
    later = loaded(metric, {**odd, date(2026, 3, 30): 130.0})
    assert not held(later, metric)
    assert (stored(metric, "day"), stored(metric, "month")) == (100.0, 3_130.0)
    assert not held(loaded(metric, {**ORDINARY, MARCH: 110.0}), metric)  # mended at the source
    assert (stored(metric, "day"), stored(metric, "month")) == (110.0, 3_110.0)
    assert not HeldDecision.objects.filter(ended_at=None).exists()


@pytest.mark.django_db
def test_a_file_says_the_grain_and_dump_writes_it(tmp_path: Path) -> None:
    path = make_warehouse(tmp_path)
    apply(spoil(file(path), ("role: focus", "role: focus\n    plausible: {low: 5, high: 9, grain: month}")))
    customers = Metric.objects.get(key="customers")
    assert customers.plausible == {"low": 5.0, "high": 9.0, "grain": "month"}
    assert "grain: month" in dump().partition("plausible")[2][:60]
    apply(spoil(file(path), ("role: focus", "role: focus\n    plausible: {low: 5, high: 8}")))
    assert Metric.objects.get(key="customers").version == customers.version  # no figure depends on it
