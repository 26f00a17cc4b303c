"""Figures that follow from others: formulas, offsets, equal parts, manual metrics."""

from datetime import UTC, date, datetime, timedelta

import pytest

from calc.calendar import Calendar, Grain
from metrics.definitions.quantities import parse_span
from metrics.definitions.specs import Operand
from metrics.models import Entry, Metric, MetricState, Revision, Value
from metrics.services import dependents, ledger
from metrics.services.manual import recompute_manual
from metrics.services.offsets import period_of, periods_from
from tests.metrics.shop import (
    ALL,
    AOV,
    CUSTOMERS,
    DAY,
    GROWTH,
    ORDERS,
    PER_CUSTOMER,
    REVENUE,
    Shop,
    at,
    everything,
    figures,
    order,
    revisions,
    some_rows,
)

pytestmark = pytest.mark.django_db

FEB, MAR = date(2026, 2, 1), date(2026, 3, 1)
NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
SHARE = {"kind": "share", "grain": "month"}
AMOUNT = {"kind": "amount", "grain": "month"}
LEVEL = {"kind": "level", "grain": "month"}


def enter(metric: Metric, month: date, value: float | None = None, **more: object) -> None:
    Entry.objects.update_or_create(
        metric=metric,
        period_start=month,
        dimension="",
        member="",
        defaults={"value": value, "origin": "page", "entered_at": NOW} | more,
    )


def manual(shop: Shop, key: str, spec: dict, values: dict[date, float]) -> Metric:
    metric = shop.metric(key, "manual", spec)
    for month, value in values.items():
        enter(metric, month, value)
    recompute_manual([key], now=NOW)
    return metric


def test_order_is_that_of_the_operands(shop: Shop) -> None:
    shop.create()
    shop.define(
        metrics={
            "ratio": ("derived", {"formula": "aov / orders", "inputs": {"aov": "aov", "orders": "orders"}}),
            "aov": ("derived", AOV),
            "orders": ("simple", ORDERS),
            "revenue": ("simple", REVENUE),
        }
    )
    metrics = {m.key: m for m in Metric.objects.all()}
    assert [d.metric.key for d in dependents.in_order(metrics)] == ["aov", "ratio"]
    assert dependents.following(["revenue"], metrics) == {"aov", "ratio"}
    assert dependents.following(["aov"], metrics) == {"ratio"}


def test_dependents_follow_in_the_same_transaction_through_offsets(shop: Shop) -> None:
    """A row that comes late in January changes February's growth as well."""
    shop.create(some_rows(date(2025, 11, 1), 129), loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL, by=["country"])
    shop.recompute()
    revenue = figures("revenue", "month")
    assert figures("growth", "month")[FEB] == pytest.approx(revenue[FEB] / revenue[date(2026, 1, 1)] - 1)
    assert min(figures("growth", "month")) == date(2025, 12, 1)
    shop.load([order(9001, at(date(2026, 1, 7)), amount=500.0)])
    shop.recompute(start=date(2026, 1, 7), end=date(2026, 1, 8))
    assert figures("growth", "month")[FEB] == pytest.approx(
        revenue[FEB] / (revenue[date(2026, 1, 1)] + 500) - 1
    )
    assert FEB in {start for start, _, _ in revisions("growth", "month")}


def test_an_unfinished_period_is_compared_with_the_equal_part(shop: Shop) -> None:
    rows = some_rows(date(2025, 11, 1), 129)
    shop.create(rows, loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL)
    shop.recompute()

    def revenue(start: date, end: date) -> float:
        return sum(r[4] for r in rows if start <= r[1].date() < end)

    expected = revenue(MAR, date(2026, 3, 10)) / revenue(FEB, date(2026, 2, 10)) - 1
    assert figures("growth", "month")[MAR] == pytest.approx(expected)
    assert figures("growth", "month_to_date")[date(2026, 3, 9)] == pytest.approx(expected)
    assert Value.objects.get(metric__key="growth", grain="month", period_start=MAR).status == "provisional"


def test_to_date_figures_of_ratios_come_from_operands_to_date(shop: Shop) -> None:
    rows = some_rows(date(2025, 11, 1), 129)
    shop.create(rows, loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL)
    shop.recompute()
    for key, day, start in (
        ("month_to_date", date(2026, 2, 14), FEB),
        ("quarter_to_date", date(2026, 2, 14), date(2026, 1, 1)),
        ("year_to_date", date(2025, 12, 31), date(2025, 1, 1)),
    ):
        chosen = [r for r in rows if start <= r[1].date() <= day]
        people = len({r[2] for r in chosen})
        assert figures("per_customer", key)[day] == pytest.approx(len(chosen) / people)
        assert figures("aov", key)[day] == pytest.approx(sum(r[4] for r in chosen) / len(chosen))
    assert max(figures("per_customer", "month_to_date")) == date(2026, 3, 9)


def test_operands_of_different_age_are_compared_as_far_as_both_reach(shop: Shop) -> None:
    """Revenue is loaded through 9 March, what was counted by hand through February."""
    rows = some_rows(date(2025, 11, 1), 129)
    shop.create(rows, loaded_to=date(2026, 3, 10))
    shop.define(metrics={"revenue": ("simple", REVENUE)})
    per_head = {"formula": "revenue / staff", "inputs": {"revenue": "revenue", "staff": "staff"}}
    shop.metric("per_head", "derived", per_head)
    staff = manual(shop, "staff", LEVEL, {date(2026, 1, 1): 10.0, FEB: 12.0})
    shop.recompute()
    revenue = figures("revenue", "month")
    assert figures("per_head", "month") == {
        date(2026, 1, 1): pytest.approx(revenue[date(2026, 1, 1)] / 10),
        FEB: pytest.approx(revenue[FEB] / 12),
    }
    enter(staff, MAR, 11.0)
    recompute_manual(["staff"], now=NOW)
    assert figures("per_head", "month")[MAR] == pytest.approx(revenue[MAR] / 11)
    status = dict(
        Value.objects.filter(metric__key="per_head", grain="month").values_list("period_start", "status")
    )
    assert status == {date(2026, 1, 1): "final", FEB: "final", MAR: "provisional"}


def test_correcting_an_entry_corrects_what_follows_and_keeps_what_was(shop: Shop) -> None:
    shop.create()
    shop.define()
    base = manual(shop, "base", AMOUNT, {date(2026, 1, 1): 10.0, FEB: 12.0})
    shop.metric("double", "derived", {"formula": "base * 2", "inputs": {"base": "base"}})
    recompute_manual(["base"], now=NOW)
    assert figures("double", "month") == {date(2026, 1, 1): 20.0, FEB: 24.0}
    enter(base, FEB, 13.0)
    written = recompute_manual(["base"], now=NOW + timedelta(hours=1))
    assert written.changed == 6  # month, quarter and year of both
    assert figures("double", "month")[FEB] == 26.0
    assert (FEB, 12.0, "correction") in revisions("base", "month")
    assert (FEB, 24.0, "correction") in revisions("double", "month")
    assert recompute_manual(["base"], now=NOW).changed == 0


def test_manual_amounts_sum_shares_are_ratios_of_sums_levels_take_the_last(shop: Shop) -> None:
    shop.create()
    shop.define()
    months = [date(2026, 1, 1), FEB, MAR]
    manual(shop, "amount", AMOUNT, dict(zip(months[:2], [10.0, 5.0], strict=True)))
    manual(shop, "level", LEVEL, dict(zip(months, [40.0, 44.0, 42.0], strict=True)))
    share = shop.metric("share", "manual", SHARE)
    for month, (above, below) in zip(months, [(18, 25), (1, 3), (0, 0)], strict=True):
        enter(share, month, numerator=above, denominator=below)
    recompute_manual(["share"], now=NOW)
    quarter = date(2026, 1, 1)
    assert figures("amount", "quarter")[quarter] == 15.0
    assert Value.objects.get(metric__key="amount", grain="quarter").status == "provisional"
    assert figures("level", "quarter")[quarter] == 42.0
    assert figures("level", "year")[quarter] == 42.0
    assert figures("share", "month") == {months[0]: 18 / 25, FEB: 1 / 3, MAR: None}
    assert figures("share", "quarter")[quarter] == pytest.approx(19 / 28)
    assert Value.objects.get(metric__key="share", grain="quarter").status == "final"
    assert not figures("amount", "week")


def test_a_hole_among_entries_makes_the_sum_unknown_not_smaller(shop: Shop) -> None:
    shop.create()
    shop.define()
    metric = manual(shop, "amount", AMOUNT, {date(2026, 1, 1): 10.0, MAR: 7.0})
    assert figures("amount", "quarter") == {date(2026, 1, 1): None}
    enter(metric, FEB, 1.0)
    recompute_manual(["amount"], now=NOW)
    assert figures("amount", "quarter") == {date(2026, 1, 1): 18.0}
    Entry.objects.filter(period_start=MAR).delete()
    recompute_manual(["amount"], now=NOW + timedelta(days=1))
    assert figures("amount", "quarter") == {date(2026, 1, 1): 11.0}
    assert MAR not in figures("amount", "month")
    assert Revision.objects.filter(grain="month", period_start=MAR, value=7.0).exists()


def test_a_new_dependent_is_computed_over_all_that_there_is(shop: Shop) -> None:
    shop.create(some_rows(date(2026, 1, 5), 64), loaded_to=date(2026, 3, 10))
    shop.define(metrics={"orders": ("simple", ORDERS), "customers": ("simple", CUSTOMERS)}, by=["country"])
    shop.recompute()
    shop.metric("per_customer", "ratio", PER_CUSTOMER, by=["country"])
    ledger.request(
        None, metrics=["per_customer"], start=ledger.FROM_THE_START, cause="definition", now=shop.now
    )
    (outcome,) = shop.work()
    assert outcome.state == "done"
    stored = everything()
    assert shop.recompute(start=ledger.FROM_THE_START).changed == 0
    assert everything() == stored
    value = Value.objects.get(metric__key="per_customer", grain="month", period_start=FEB, dimension="")
    assert (value.numerator, value.denominator) == (
        figures("orders", "month")[FEB],
        figures("customers", "month")[FEB],
    )


def test_nothing_follows_from_a_figure_that_is_0_below(shop: Shop) -> None:
    shop.create([order(1, at(FEB)), order(2, at(date(2026, 2, 3)))], loaded_to=date(2026, 2, 4))
    shop.define(
        metrics={"orders": ("simple", ORDERS), "revenue": ("simple", REVENUE), "aov": ("derived", AOV)}
    )
    shop.recompute()
    assert figures("orders")[date(2026, 2, 2)] == 0
    assert figures("aov")[date(2026, 2, 2)] is None
    assert figures("aov")[FEB] == 10.0


def test_held_and_stale_states_end_with_their_causes(shop: Shop) -> None:
    shop.create(some_rows(FEB, 37), loaded_to=date(2026, 3, 10))
    shop.define(metrics={"orders": ("simple", ORDERS), "growth": ("derived", GROWTH)})
    shop.metric("revenue", "simple", {"measure": REVENUE["measure"] | {"expr": "missing"}})
    assert set(shop.recompute().failures) == {"revenue"}
    assert not figures("growth")
    shop.edit("revenue", REVENUE)
    shop.work()
    assert not MetricState.objects.exists()
    assert figures("growth", "month")


@pytest.mark.parametrize("span", ["1 year", "1 quarter", "1 month", "2 weeks", "7 days", "1 day"])
@pytest.mark.parametrize("grain", list(Grain))
def test_offsets_lead_there_and_back(span: str, grain: Grain) -> None:
    """Every period finds its operand's, and each operand's period finds all that it stands for."""
    calendar = Calendar(fiscal_year_start=2)
    operand = Operand("then", "revenue", offset=parse_span(span))
    periods = list(calendar.periods(grain, date(2023, 12, 1), date(2025, 3, 1)))
    for period in periods:
        found = period_of(operand, period, calendar)
        if found is not None:
            assert period in set(periods_from(operand, found, calendar))
            assert found.end <= period.end


def test_to_date_figures_compare_the_equal_part_of_the_period_that_stands_for_the_whole() -> None:
    calendar = Calendar()
    month = Operand("then", "revenue", offset=parse_span("1 month"))

    def to_date(grain: Grain, day: date, operand: Operand = month) -> tuple[date, date]:
        found = period_of(operand, calendar.period(grain, day), calendar)
        assert found is not None
        return found.start, found.end - DAY

    # a month before the second quarter's first day lies the first quarter, and 45 days of each are compared
    assert to_date(Grain.QUARTER_TO_DATE, date(2026, 5, 15)) == (date(2026, 1, 1), date(2026, 2, 15))
    assert to_date(Grain.YEAR_TO_DATE, date(2026, 3, 9)) == (date(2025, 1, 1), date(2025, 3, 9))
    assert to_date(Grain.MONTH_TO_DATE, date(2026, 3, 9)) == (FEB, date(2026, 2, 9))
    assert to_date(Grain.MONTH_TO_DATE, date(2026, 2, 28)) == (date(2026, 1, 1), date(2026, 1, 31))
    weeks = Operand("then", "revenue", offset=parse_span("4 weeks"))
    assert to_date(Grain.MONTH_TO_DATE, date(2026, 3, 9), weeks) == (FEB, date(2026, 2, 9))


def test_a_year_back_keeps_weekdays_of_days_and_weeks() -> None:
    calendar = Calendar()
    operand = Operand("then", "revenue", offset=parse_span("1 year"))
    assert period_of(operand, calendar.period(Grain.DAY, date(2026, 3, 9)), calendar).start == date(
        2025, 3, 10
    )
    assert period_of(operand, calendar.period(Grain.WEEK, date(2026, 3, 9)), calendar).start == date(
        2025, 3, 10
    )
    assert period_of(operand, calendar.period(Grain.MONTH, MAR), calendar).start == date(2025, 3, 1)
    opening = Operand("then", "revenue", to=Grain.QUARTER)
    assert period_of(opening, calendar.period(Grain.MONTH, MAR), calendar).start == date(2026, 1, 1)
    assert {
        p.start for p in periods_from(opening, calendar.period(Grain.MONTH, date(2026, 1, 1)), calendar)
    } == {
        date(2026, 1, 1),
        FEB,
        MAR,
    }
    assert DAY.days == 1
