"""Pace against the plan, with the arithmetic beside the figures."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calc.calendar import Calendar, Grain, Period
from calc.pace import measure
from calc.plan import GoalKind, Plan, Shape

Q3 = Calendar().quarter("2011-Q3")
JULY, AUGUST, SEPTEMBER = date(2011, 7, 1), date(2011, 8, 1), date(2011, 9, 1)
ORDERS = Plan(Q3, GoalKind.TOTAL, 4500, {JULY: 1350, AUGUST: 1400, SEPTEMBER: 1750})
END_OF_JULY = date(2011, 7, 31)
UP = Plan(Q3, GoalKind.LEVEL, 0.96, baseline=0.90)
DOWN = Plan(Q3, GoalKind.LEVEL, 2.0, baseline=5.0)
HOLD = Plan(Q3, GoalKind.LEVEL, 0.93, baseline=0.93)


def test_2011_q3_orders_exactly_on_plan_at_the_end_of_july() -> None:
    pace = measure(ORDERS, 1350, END_OF_JULY)
    assert pace.pace == 1.0
    assert pace.gap == 0
    assert pace.progress == pytest.approx(0.3)  # 1350 / 4500
    assert pace.required_per_month == pytest.approx(1575)  # 3150 over two months
    assert pace.required_rate == pace.required_per_day == pytest.approx(3150 / 61)
    assert pace.required_ratio == pytest.approx(1.0)  # the rest as planned


def test_1971_in_mid_august_against_about_2050_planned_is_0_96() -> None:
    # 1350 + 1400 x 15/31 = 2027.4 by the 15th, x 16/31 = 2072.6 by the 16th: 2050 lies between
    before, after = measure(ORDERS, 1971, date(2011, 8, 15)), measure(ORDERS, 1971, date(2011, 8, 16))
    assert before.planned == pytest.approx(2027.419, abs=1e-3)
    assert after.planned == pytest.approx(2072.581, abs=1e-3)
    assert before.pace is not None and after.pace is not None
    assert (before.pace + after.pace) / 2 == pytest.approx(0.96, abs=0.005)
    assert after.pace < 1971 / 2050 < before.pace


def test_the_baseline_is_never_subtracted_from_a_total() -> None:
    with_baseline = Plan(Q3, GoalKind.TOTAL, 4500, ORDERS.benchmarks, baseline=4000)
    assert measure(with_baseline, 1350, END_OF_JULY).pace == 1.0
    assert measure(with_baseline, 1350, END_OF_JULY).progress == pytest.approx(0.3)


def test_a_total_that_should_be_little() -> None:
    refunds = Plan(Q3, GoalKind.TOTAL, 276)  # 3 a day
    assert measure(refunds, 93, END_OF_JULY, better="down").pace == pytest.approx(1.0)
    assert measure(refunds, 124, END_OF_JULY, better="down").pace == pytest.approx(93 / 124)
    assert measure(refunds, 62, END_OF_JULY, better="down").pace == pytest.approx(1.5)
    assert measure(refunds, 0, END_OF_JULY, better="down").pace == 1.0
    assert measure(refunds, 124, END_OF_JULY, better="down").shortfall == pytest.approx(31)
    assert measure(refunds, 300, END_OF_JULY, better="down").required_per_day == pytest.approx(-24 / 61)


def test_a_target_of_none_at_all() -> None:
    outages = Plan(Q3, GoalKind.TOTAL, 0)
    none, one = (measure(outages, n, END_OF_JULY, better="down") for n in (0, 1))
    assert (none.pace, one.pace) == (1.0, 0.0)
    assert none.progress is None


def test_a_planned_loss_keeps_its_sense() -> None:
    loss = Plan(Q3, GoalKind.TOTAL, -920)  # -10 a day
    assert measure(loss, -310, END_OF_JULY).pace == pytest.approx(1.0)
    assert measure(loss, -155, END_OF_JULY).pace == pytest.approx(1.5)  # half the loss is ahead
    assert measure(loss, -620, END_OF_JULY).pace == pytest.approx(0.0)


def test_a_level_on_its_way_up() -> None:
    pace = measure(UP, 0.91, END_OF_JULY)  # planned 0.92
    assert pace.gap == pytest.approx(-0.01)
    assert pace.pace == pytest.approx(1 - 0.01 / 0.06)
    assert pace.progress == pytest.approx(0.01 / 0.06)
    assert pace.period == Period(JULY, AUGUST, Grain.MONTH)
    assert (pace.required_rate, pace.required_per_month, pace.required_ratio) == (None, None, None)


def test_a_level_on_its_way_down() -> None:
    # planned for July: 5 - 1 = 4
    assert measure(DOWN, 4.0, END_OF_JULY, better="down").pace == pytest.approx(1.0)
    assert measure(DOWN, 4.6, END_OF_JULY, better="down").pace == pytest.approx(1 - 0.6 / 3)
    assert measure(DOWN, 3.4, END_OF_JULY, better="down").pace == pytest.approx(1 + 0.6 / 3)
    assert measure(DOWN, 3.5, END_OF_JULY, better="down").progress == pytest.approx(0.5)


def test_nothing_of_a_level_is_due_inside_its_first_month() -> None:
    pace = measure(UP, 0.5, date(2011, 7, 30))
    assert (pace.planned, pace.pace, pace.gap, pace.period, pace.due_periods) == (None, None, None, None, 0)


def test_a_hold_takes_the_gap_against_its_tolerance() -> None:
    pace = measure(HOLD, 0.91, END_OF_JULY, tolerance=0.04)
    assert pace.hold
    assert pace.pace == pytest.approx(1 - 0.02 / 0.04)
    assert pace.progress is None  # target and baseline are equal
    assert measure(HOLD, 0.95, END_OF_JULY, tolerance=0.04).pace == pytest.approx(1.5)
    assert measure(HOLD, 0.95, END_OF_JULY).tolerance == pytest.approx(0.03 * 0.93)


def test_a_level_without_a_baseline_is_measured_against_its_plan() -> None:
    pace = measure(Plan(Q3, GoalKind.LEVEL, 50), 48, END_OF_JULY)
    assert pace.pace == pytest.approx(0.96)
    assert pace.progress is None


@pytest.mark.parametrize(
    ("figure", "gap", "pace"),
    [(45, 0, 1.0), (40, 0, 1.0), (50, 0, 1.0), (36, -4, 1 - 4 / 40), (55, 5, 1 - 5 / 50)],
)
def test_a_band(figure: float, gap: float, pace: float) -> None:
    plan = Plan(Q3, GoalKind.LEVEL, 45, baseline=45)
    found = measure(plan, figure, END_OF_JULY, better="band", low=40, high=50)
    assert found.gap == pytest.approx(gap)
    assert found.pace == pytest.approx(pace)
    assert found.shortfall == pytest.approx(abs(gap))


def test_a_band_of_a_total_grows_with_the_plan() -> None:
    found = measure(ORDERS, 1350, END_OF_JULY, better="band", low=4000, high=5000)
    assert [found.low, found.high] == pytest.approx([1200, 1500])  # 30 %
    assert found.pace == 1.0


def test_a_band_needs_a_bound() -> None:
    with pytest.raises(ValueError, match="low or a high"):
        measure(UP, 1, END_OF_JULY, better="band")


@pytest.mark.parametrize("figure", [None, float("nan"), float("inf")])
def test_an_unknown_figure_has_a_plan_and_no_pace(figure: float | None) -> None:
    pace = measure(ORDERS, figure, END_OF_JULY)
    assert pace.planned == 1350
    assert (pace.figure, pace.gap, pace.pace, pace.progress, pace.required_rate) == (None,) * 5


def test_the_quarter_is_over() -> None:
    pace = measure(ORDERS, 4400, date(2012, 5, 1))
    assert pace.through == date(2011, 9, 30)
    assert pace.pace == pytest.approx(4400 / 4500)
    assert (pace.required_rate, pace.required_per_day, pace.required_per_month) == (None, None, None)
    assert pace.plan_share == 1


def test_a_target_that_is_passed_requires_nothing_more() -> None:
    assert measure(ORDERS, 5000, END_OF_JULY).required_per_day == 0


def test_the_required_rate_is_per_working_day_where_the_plan_is() -> None:
    plan = Plan(Q3, GoalKind.TOTAL, 4500, ORDERS.benchmarks, shape=Shape.WORKING_DAYS)
    pace = measure(plan, 1350, END_OF_JULY)
    assert pace.required_rate == pytest.approx(3150 / 45)  # 23 weekdays in August, 22 in September
    assert pace.required_per_day == pytest.approx(3150 / 61)


@given(
    figure=st.floats(0.01, 1e6),
    factor=st.floats(0.001, 1000),
    day=st.integers(0, 91),
    better=st.sampled_from(["up", "down"]),
)
def test_pace_does_not_depend_on_the_unit_of_counting(
    figure: float, factor: float, day: int, better: str
) -> None:
    through = date.fromordinal(JULY.toordinal() + day)
    scaled = Plan(Q3, GoalKind.TOTAL, 4500 * factor, {m: v * factor for m, v in ORDERS.benchmarks.items()})
    one, other = (
        measure(ORDERS, figure, through, better=better),
        measure(scaled, figure * factor, through, better=better),
    )
    assert other.pace == pytest.approx(one.pace, rel=1e-9)
    assert other.progress == pytest.approx(one.progress, rel=1e-9)


@given(figure=st.floats(-10, 10), baseline=st.floats(-10, 10), target=st.floats(-10, 10))
def test_a_level_mirrored_is_the_same_pace_downwards(figure: float, baseline: float, target: float) -> None:
    assume(abs(target - baseline) > 1e-3)
    up = measure(Plan(Q3, GoalKind.LEVEL, target, baseline=baseline), figure, END_OF_JULY)
    down = measure(Plan(Q3, GoalKind.LEVEL, -target, baseline=-baseline), -figure, END_OF_JULY, better="down")
    assert up.pace == pytest.approx(down.pace)
    assert up.progress == pytest.approx(down.progress)
    assert up.shortfall == pytest.approx(down.shortfall)


@given(st.floats(1, 4000), st.integers(0, 90))
def test_the_required_rate_kept_up_reaches_the_target(figure: float, day: int) -> None:
    through = date.fromordinal(JULY.toordinal() + day)
    pace = measure(ORDERS, figure, through)
    assert pace.required_per_day is not None
    days_left = (Q3.end - through).days - 1
    assert figure + pace.required_per_day * days_left == pytest.approx(4500)
