"""What a quarter should have reached by each day; the arithmetic stands beside the figures."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.calendar import Calendar, Grain, Period
from calc.plan import GoalKind, Plan, Shape, split, split_level, weights_of_last_year

Q3 = Calendar().quarter("2011-Q3")
JULY, AUGUST, SEPTEMBER = date(2011, 7, 1), date(2011, 8, 1), date(2011, 9, 1)
OCTOBER = date(2011, 10, 1)
ORDERS = Plan(Q3, GoalKind.TOTAL, 4500, {JULY: 1350, AUGUST: 1400, SEPTEMBER: 1750})
LEVEL = Plan(Q3, GoalKind.LEVEL, 0.96, baseline=0.90)


@pytest.mark.parametrize(
    ("end", "planned"),
    [
        (date(2011, 6, 1), 0),
        (JULY, 0),
        (AUGUST, 1350),
        (date(2011, 8, 16), 1350 + 1400 * 15 / 31),
        (SEPTEMBER, 1350 + 1400),
        (date(2011, 9, 16), 2750 + 1750 * 15 / 30),
        (OCTOBER, 4500),
        (date(2012, 3, 1), 4500),
    ],
)
def test_a_total_runs_through_its_benchmarks(end: date, planned: float) -> None:
    assert ORDERS.planned_to(end) == pytest.approx(planned)


def test_without_benchmarks_a_total_is_spread_over_the_quarter() -> None:
    plan = Plan(Q3, GoalKind.TOTAL, 920)
    assert plan.planned_to(date(2011, 7, 11)) == pytest.approx(100)  # 10 of 92 days
    assert plan.benchmark_for(date(2011, 8, 20)) == pytest.approx(310)  # 31 of 92 days


def test_months_without_a_benchmark_share_what_is_left() -> None:
    plan = Plan(Q3, GoalKind.TOTAL, 1000, {AUGUST: 390})
    # July and September have 31 and 30 days: 610 splits into 310 and 300
    assert plan.points() == [(AUGUST, pytest.approx(310)), (SEPTEMBER, pytest.approx(700)), (OCTOBER, 1000)]


def test_working_days_leave_out_weekends_and_holidays() -> None:
    # July 2011 has 21 weekdays: Friday the 1st, four whole weeks (4th to 29th), the 30th is a Saturday
    plan = Plan(Q3, GoalKind.TOTAL, 4500, ORDERS.benchmarks, shape=Shape.WORKING_DAYS)
    assert plan.weight(JULY, AUGUST) == 21
    assert plan.planned_to(date(2011, 7, 9)) == pytest.approx(1350 * 6 / 21)
    assert plan.planned_to(date(2011, 7, 11)) == plan.planned_to(date(2011, 7, 9))  # a weekend adds nothing
    off = Plan(
        Q3,
        GoalKind.TOTAL,
        4500,
        ORDERS.benchmarks,
        shape=Shape.WORKING_DAYS,
        holidays=frozenset({date(2011, 7, 4), date(2011, 7, 9)}),  # a Monday, and a Saturday that counts once
    )
    assert off.planned_to(date(2011, 7, 9)) == pytest.approx(1350 * 5 / 20)


def test_last_years_shape_follows_the_same_weekdays_of_last_year() -> None:
    last_year = {day - timedelta(days=364): 1.0 for day in _days(JULY, OCTOBER)}
    last_year[date(2011, 7, 15) - timedelta(days=364)] = 71.0  # a sale: 71 of 101 in July, 30 other days of 1
    plan = Plan(
        Q3,
        GoalKind.TOTAL,
        4500,
        ORDERS.benchmarks,
        shape=Shape.LAST_YEAR,
        last_year=weights_of_last_year(last_year, Q3),
    )
    assert plan.planned_to(date(2011, 7, 15)) == pytest.approx(1350 * 14 / 101)
    assert plan.planned_to(date(2011, 7, 16)) == pytest.approx(1350 * 85 / 101)
    assert plan.planned_to(AUGUST) == 1350


def test_a_shape_without_last_year_is_flat() -> None:
    plan = Plan(Q3, GoalKind.TOTAL, 4500, ORDERS.benchmarks, shape=Shape.LAST_YEAR)
    assert plan.planned_to(date(2011, 8, 16)) == ORDERS.planned_to(date(2011, 8, 16))
    assert plan.remaining_weight(SEPTEMBER) == 30


def test_a_month_without_weight_still_reaches_its_benchmark() -> None:
    september = dict.fromkeys(_days(SEPTEMBER, OCTOBER), 1.0)
    plan = Plan(Q3, GoalKind.TOTAL, 4500, ORDERS.benchmarks, shape=Shape.LAST_YEAR, last_year=september)
    assert plan.planned_to(AUGUST) == 1350
    assert plan.planned_to(date(2011, 7, 2)) == pytest.approx(1350 / 31)


def test_negative_figures_of_last_year_weigh_nothing() -> None:
    weights = weights_of_last_year({JULY - timedelta(days=364): -5.0}, Q3)
    assert weights[JULY] == 0 and len(weights) == 92


def test_what_does_not_add_up_has_quarter_to_date_points() -> None:
    """Active customers: 800 in July, 1,100 by August, 1,300 in the quarter; they are no months' amounts."""
    plan = Plan(Q3, GoalKind.TOTAL, 1300, {JULY: 800, AUGUST: 1100, SEPTEMBER: 1300}, additive=False)
    assert plan.check_sum() == ""
    assert plan.planned_to(AUGUST) == 800
    assert plan.planned_to(date(2011, 8, 11)) == pytest.approx(800 + 300 * 10 / 31)
    assert plan.benchmark_for(date(2011, 8, 11)) == 1100
    assert plan.planned_to(OCTOBER) == 1300


def test_missing_quarter_to_date_points_lie_between_their_neighbours() -> None:
    plan = Plan(Q3, GoalKind.TOTAL, 1300, {JULY: 800}, additive=False)
    assert plan.planned_to(SEPTEMBER) == pytest.approx(800 + 500 * 31 / 61)


def test_a_level_is_judged_at_the_last_whole_month() -> None:
    assert LEVEL.planned_to(date(2011, 7, 31)) is None  # July has not ended
    assert LEVEL.planned_to(AUGUST) == pytest.approx(0.92)  # 0.90 + 0.06 / 3
    assert LEVEL.planned_to(date(2011, 8, 31)) == pytest.approx(0.92)
    assert LEVEL.planned_to(SEPTEMBER) == pytest.approx(0.94)
    assert LEVEL.planned_to(OCTOBER) == pytest.approx(0.96)
    assert LEVEL.due_period(date(2011, 9, 30)) == Period(AUGUST, SEPTEMBER, Grain.MONTH)
    assert LEVEL.due_period(OCTOBER) == Period(SEPTEMBER, OCTOBER, Grain.MONTH)


def test_a_levels_benchmarks_are_its_months() -> None:
    plan = Plan(Q3, GoalKind.LEVEL, 0.96, {JULY: 0.91, AUGUST: 0.95, SEPTEMBER: 0.96}, baseline=0.9)
    assert [plan.planned_to(end) for end in (AUGUST, SEPTEMBER, OCTOBER)] == [0.91, 0.95, 0.96]
    partly = Plan(Q3, GoalKind.LEVEL, 0.96, {JULY: 0.94}, baseline=0.9)
    assert partly.planned_to(SEPTEMBER) == pytest.approx(0.95)  # half-way from 0.94 to 0.96


def test_a_level_without_a_baseline_is_planned_at_its_target() -> None:
    assert Plan(Q3, GoalKind.LEVEL, 0.96).planned_to(AUGUST) == 0.96


def test_a_weekly_level_is_judged_at_whole_weeks_of_the_quarter() -> None:
    plan = Plan(Q3, GoalKind.LEVEL, 30, baseline=0, grain=Grain.WEEK)
    # Friday 1 July 2011: the week from Monday 27 June is not wholly of this quarter
    assert plan.due_period(date(2011, 7, 10)) is None
    assert plan.due_period(date(2011, 7, 11)) == Period(date(2011, 7, 4), date(2011, 7, 11), Grain.WEEK)
    assert plan.planned_to(date(2011, 7, 13)) == pytest.approx(10 * 10 / 31)  # ten days into July
    assert plan.due_periods(date(2011, 7, 18)) == 2


def test_due_periods_of_a_total_are_days() -> None:
    assert [ORDERS.due_periods(day) for day in (JULY, date(2011, 7, 3), date(2012, 1, 1))] == [0, 2, 92]
    assert ORDERS.due_periods(date(2011, 6, 1)) == 0


def test_hold_is_a_level_equal_to_its_baseline() -> None:
    assert Plan(Q3, GoalKind.LEVEL, 0.1 + 0.2, baseline=0.3).hold
    assert not LEVEL.hold
    assert not Plan(Q3, GoalKind.LEVEL, 0.3).hold
    assert not Plan(Q3, GoalKind.TOTAL, 0.3, baseline=0.3).hold


def test_remaining_weight_and_months() -> None:
    assert ORDERS.remaining_weight(AUGUST) == 61
    assert ORDERS.remaining_months(AUGUST) == 2
    assert ORDERS.remaining_months(date(2011, 9, 16)) == pytest.approx(0.5)
    assert ORDERS.remaining_months(JULY - timedelta(days=40)) == 3
    assert ORDERS.remaining_weight(OCTOBER) == ORDERS.remaining_months(OCTOBER) == 0


def test_share_of_the_plan_is_amount_for_totals_and_time_for_levels() -> None:
    assert ORDERS.share_to(AUGUST) == pytest.approx(0.3)  # 1350 / 4500
    assert LEVEL.share_to(AUGUST) == pytest.approx(31 / 92)
    assert Plan(Q3, GoalKind.TOTAL, 0).share_to(AUGUST) == pytest.approx(31 / 92)


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (ORDERS, ""),
        (
            Plan(Q3, GoalKind.TOTAL, 4600, ORDERS.benchmarks),
            "add up to 4,500, 100 less than the target of 4,600",
        ),
        (Plan(Q3, GoalKind.TOTAL, 4400, ORDERS.benchmarks), "100 more than"),
        (Plan(Q3, GoalKind.TOTAL, 0.3, {JULY: 0.1, AUGUST: 0.1, SEPTEMBER: 0.1}), ""),
        (Plan(Q3, GoalKind.TOTAL, 4500, {date(2011, 6, 1): 1}), "2011-06 is not a month of this quarter"),
        (Plan(Q3, GoalKind.TOTAL, 4500, {JULY: 4600}), "already past the target"),
        (Plan(Q3, GoalKind.TOTAL, 4500, {JULY: 1350}), ""),
        (Plan(Q3, GoalKind.TOTAL, 1300, {SEPTEMBER: 1200}, additive=False), "must be the target"),
        (Plan(Q3, GoalKind.LEVEL, 0.9, {JULY: 0.5, AUGUST: 0.6}), ""),
    ],
)
def test_benchmarks_must_lead_to_the_target(plan: Plan, words: str) -> None:
    assert words in plan.check_sum()
    assert bool(words) == bool(plan.check_sum())


def test_proposals() -> None:
    assert split(4500, Q3, "months") == {JULY: 1500, AUGUST: 1500, SEPTEMBER: 1500}
    assert split(92, Q3, "days") == {JULY: 31, AUGUST: 31, SEPTEMBER: 30}
    season = {JULY: 900.0, AUGUST: 1000.0, SEPTEMBER: 1100.0}
    assert split(6000, Q3, "season", season) == {JULY: 1800, AUGUST: 2000, SEPTEMBER: 2200}
    assert split(20, Q3, "days", lambda day: float(day.weekday() < 5 and day.month != 9), step=1) == {
        # 21 and 23 weekdays: 9.54 and 10.45
        JULY: 10,
        AUGUST: 10,
        SEPTEMBER: 0,
    }
    assert split(100, Q3, "months", step=1) == {JULY: 34, AUGUST: 33, SEPTEMBER: 33}
    assert split_level(0.90, 0.96, Q3) == {
        JULY: pytest.approx(0.92),
        AUGUST: pytest.approx(0.94),
        SEPTEMBER: 0.96,
    }


@pytest.mark.parametrize(
    ("how", "weights"),
    [("season", None), ("weeks", None), ("season", {}), ("season", {JULY: -1.0, AUGUST: 3.0})],
)
def test_proposals_without_weights_are_refused(how: str, weights: dict[date, float] | None) -> None:
    with pytest.raises(ValueError, match=r"split|last year"):
        split(100, Q3, how, weights)


@given(
    target=st.integers(1, 10**9),
    month=st.integers(1, 12),
    year=st.integers(1990, 2060),
    how=st.sampled_from(["days", "months"]),
    step=st.sampled_from([None, 1.0]),
)
def test_proposals_add_up_and_pass_the_check(
    target: int, month: int, year: int, how: str, step: float | None
) -> None:
    quarter = Calendar(fiscal_year_start=month).quarter(f"{year}-Q2")
    proposal = split(target, quarter, how, step=step)
    assert Plan(quarter, GoalKind.TOTAL, target, proposal).check_sum() == ""
    if step:
        assert sum(proposal.values()) == target
        assert all(value == int(value) for value in proposal.values())


shapes = st.sampled_from(list(Shape))
amounts = st.floats(min_value=0, max_value=1e6)


@given(
    months=st.lists(amounts, min_size=3, max_size=3),
    shape=shapes,
    additive=st.booleans(),
    last_year=st.lists(amounts, min_size=92, max_size=92),
)
def test_a_plan_starts_at_0_never_falls_and_ends_at_the_target(
    months: list[float], shape: Shape, additive: bool, last_year: list[float]
) -> None:
    points = [months[0], months[0] + months[1], sum(months)]
    stated = months if additive else points
    plan = Plan(
        Q3,
        GoalKind.TOTAL,
        sum(months),
        dict(zip((JULY, AUGUST, SEPTEMBER), stated, strict=True)),
        shape=shape,
        additive=additive,
        last_year=dict(zip(_days(JULY, OCTOBER), last_year, strict=True)),
    )
    run = [plan.planned_to(day) for day in (*_days(JULY, OCTOBER), OCTOBER)]
    slack = 1e-9 * (1 + sum(months))
    assert run[0] == 0
    assert run[-1] == pytest.approx(sum(months))
    assert all(a is not None and b is not None and b >= a - slack for a, b in pairwise(run))
    assert [plan.planned_to(end) for end in (AUGUST, SEPTEMBER)] == pytest.approx(points[:2])


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=n) for n in range((end - start).days)]
