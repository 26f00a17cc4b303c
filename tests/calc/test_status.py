"""The status and its reason in words."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.calendar import Calendar, Grain
from calc.numbers import SPACE, THIN
from calc.pace import measure
from calc.plan import GoalKind, Plan
from calc.status import State, Status, Thresholds, _pair, doubt, hold, judge, say_period, worst_first

Q3 = Calendar().quarter("2011-Q3")
JULY, AUGUST, SEPTEMBER = date(2011, 7, 1), date(2011, 8, 1), date(2011, 9, 1)
ORDERS = Plan(Q3, GoalKind.TOTAL, 4500, {JULY: 1350, AUGUST: 1400, SEPTEMBER: 1750})
END_OF_JULY = date(2011, 7, 31)
UP = Plan(Q3, GoalKind.LEVEL, 0.96, baseline=0.90)
HOLD = Plan(Q3, GoalKind.LEVEL, 0.93, baseline=0.93)


def reason(status: Status) -> str:
    return status.reason.replace(THIN, " ").replace(SPACE, " ")


@pytest.mark.parametrize(
    ("figure", "state"),
    [
        (1350, State.ON_TRACK),
        (0.97 * 1350, State.ON_TRACK),
        (0.9699 * 1350, State.AT_RISK),
        (0.90 * 1350, State.AT_RISK),
        (0.8999 * 1350, State.OFF_TRACK),
        (0, State.OFF_TRACK),
        (9999, State.ON_TRACK),
    ],
)
def test_the_default_thresholds_belong_to_the_better_side(figure: float, state: State) -> None:
    assert judge(measure(ORDERS, figure, END_OF_JULY)).state is state


def test_a_metrics_own_thresholds() -> None:
    pace = measure(ORDERS, 1300, END_OF_JULY)  # 0.963
    assert judge(pace).state is State.AT_RISK
    assert judge(pace, thresholds=Thresholds(0.95, 0.80)).state is State.ON_TRACK
    assert judge(pace, thresholds=Thresholds(0.99, 0.98)).state is State.OFF_TRACK


def test_reasons_in_words() -> None:
    # 1350 + 1400 x 16/31 = 2072.58; 1 - 1971 / 2072.58 = 4.9 %
    said = reason(judge(measure(ORDERS, 1971, date(2011, 8, 16))))
    assert said == "4.9 % behind plan: 1 971 of 2 073 due by 16 Aug"
    assert reason(judge(measure(ORDERS, 1350, END_OF_JULY))) == "on plan: 1 350 of 1 350 due by 31 Jul"
    said = reason(judge(measure(UP, 0.91, END_OF_JULY), unit="percent"))
    assert said == "1 point behind plan: 91 % against 92 % planned for Jul"
    value = Plan(Q3, GoalKind.LEVEL, 26, baseline=20)
    said = reason(judge(measure(value, 23.2, END_OF_JULY), unit="currency:GBP"))
    assert said == "£1.20 ahead of plan: £23.20 against £22.00 planned for Jul"


def test_less_is_better_says_so() -> None:
    refunds = Plan(Q3, GoalKind.TOTAL, 276)
    status = judge(measure(refunds, 124, END_OF_JULY, better="down"))
    assert status.state is State.OFF_TRACK
    # 124 is a third more than 93
    assert reason(status) == "33.3 % behind plan: 124 against 93 planned by 31 Jul, lower is better"
    assert judge(measure(refunds, 0, END_OF_JULY, better="down")).state is State.ON_TRACK


def test_a_figure_that_looks_like_its_plan_and_is_not_is_said_in_full() -> None:
    plan = Plan(Q3, GoalKind.TOTAL, 4_500_000, {m: v * 1000 for m, v in ORDERS.benchmarks.items()})
    said = reason(judge(measure(plan, 1_349_600, END_OF_JULY)))
    assert said == "0.03 % behind plan: 1 349 600 of 1 350 000 due by 31 Jul"


def test_a_band() -> None:
    plan = Plan(Q3, GoalKind.LEVEL, 45, baseline=45)
    inside, above, far = (
        judge(measure(plan, n, END_OF_JULY, better="band", low=40, high=50)) for n in (45, 53, 60)
    )
    assert (inside.state, reason(inside)) == (State.ON_TRACK, "inside the band: 45 for Jul, band 40 to 50")
    assert (above.state, reason(above)) == (State.AT_RISK, "3 above the band: 53 for Jul, band 40 to 50")
    assert far.state is State.OFF_TRACK
    only_low = judge(measure(plan, 39, END_OF_JULY, better="band", low=40))
    assert reason(only_low) == "1 below the band: 39 for Jul, band at least 40"
    assert only_low.state is State.AT_RISK  # 2.5 % off would be near enough to a plan, but it is not inside


@pytest.mark.parametrize(
    ("figure", "state", "said"),
    [
        (0.95, State.ON_TRACK, "holding: 95 % for Jul, to be held at 93 %, tolerance 2 points"),
        (0.91, State.ON_TRACK, "holding: 91 % for Jul, to be held at 93 %, tolerance 2 points"),
        (0.90, State.AT_RISK, "3 points below: 90 % for Jul, to be held at 93 %, tolerance 2 points"),
        (0.88, State.OFF_TRACK, "5 points below: 88 % for Jul, to be held at 93 %, tolerance 2 points"),
    ],
)
def test_a_hold_is_judged_by_its_tolerance(figure: float, state: State, said: str) -> None:
    status = judge(measure(HOLD, figure, END_OF_JULY, tolerance=0.02), unit="percent")
    assert (status.state, reason(status)) == (state, said)


def test_a_hold_of_what_should_be_low() -> None:
    status = judge(measure(HOLD, 0.96, END_OF_JULY, tolerance=0.02, better="down"), unit="percent")
    assert status.state is State.AT_RISK
    assert "3 points above" in reason(status)


def test_too_early_needs_both_few_periods_and_little_of_the_plan() -> None:
    first_day = measure(ORDERS, 40, JULY)
    status = judge(first_day)
    assert status.state is State.TOO_EARLY
    assert reason(status).startswith("too early to judge, 1 % of the plan is due; 8.1 % behind plan")
    assert judge(measure(ORDERS, 10, date(2011, 7, 2))).state is State.OFF_TRACK  # a second period
    assert (
        judge(measure(ORDERS, 1350, END_OF_JULY), due_periods=1).state is State.ON_TRACK
    )  # 30 % of the plan
    assert judge(measure(UP, 0.5, END_OF_JULY)).state is State.OFF_TRACK  # one month of three
    late_plan = Plan(Q3, GoalKind.TOTAL, 1000, {JULY: 100, AUGUST: 200, SEPTEMBER: 700})
    assert judge(measure(late_plan, 50, END_OF_JULY), due_periods=1).state is State.TOO_EARLY  # 10 %


def test_not_due_yet() -> None:
    assert judge(measure(UP, 0.5, date(2011, 7, 30))).state is State.NOT_DUE
    assert judge(measure(ORDERS, None, date(2011, 6, 30))).state is State.NOT_DUE
    assert judge(measure(ORDERS, 500, date(2011, 7, 20)), due_periods=0).state is State.NOT_DUE


def test_without_a_target_never_healthy() -> None:
    status = judge(None)
    assert status.state is State.NO_TARGET
    assert not status.state.is_healthy


def test_due_and_missing_is_late() -> None:
    july = Calendar().period(Grain.MONTH, JULY)
    assert judge(measure(ORDERS, None, END_OF_JULY)).state is State.LATE
    status = judge(measure(ORDERS, None, END_OF_JULY), missing="no figure for 3 Aug 2011")
    assert (status.state, status.reason) == (State.LATE, "no figure for 3 Aug 2011")
    status = judge(measure(ORDERS, 1350, END_OF_JULY), late=july)
    assert (status.state, status.reason) == (State.LATE, "the figure for Jul is due and missing")


def test_stale_is_never_green_and_a_stop_makes_no_red() -> None:
    green = judge(measure(ORDERS, 1350, END_OF_JULY), stale_through=END_OF_JULY)
    assert (green.state, green.stale) == (State.LATE, True)
    assert reason(green) == "no data after 31 Jul; until then on plan: 1 350 of 1 350 due by 31 Jul"
    red = judge(measure(ORDERS, 1000, END_OF_JULY), stale_through=END_OF_JULY)
    assert (red.state, red.stale) == (State.OFF_TRACK, True)
    assert reason(red).endswith("; no data after 31 Jul")


def test_a_stop_before_the_first_due_period_is_late_and_not_undue() -> None:
    stop, as_of = date(2011, 7, 20), date(2011, 8, 2)
    pace = measure(UP, None, stop)
    status = judge(pace, stale_through=stop, expected_periods=UP.due_periods(as_of))
    assert (status.state, status.reason, status.stale) == (State.LATE, "no data after 20 Jul", True)
    before_the_end = UP.due_periods(date(2011, 7, 25))
    assert judge(pace, stale_through=stop, expected_periods=before_the_end).state is State.NOT_DUE


def test_what_is_held_takes_every_judgement_away_but_says_it() -> None:
    red = judge(measure(ORDERS, 1000, END_OF_JULY), stale_through=END_OF_JULY)
    for status in (red, judge(measure(ORDERS, 1350, END_OF_JULY)), judge(None)):
        held = hold(status, "an implausible figure is held for checking")
        assert (held.state, held.stale) == (State.HELD, status.stale)
        assert held.reason == f"an implausible figure is held for checking; as it stands: {status.reason}"
    not_due = judge(measure(UP, None, date(2011, 7, 20)))
    assert hold(not_due, "held") == not_due


@pytest.mark.parametrize("state", list(State))
def test_a_doubt_is_never_green_and_hides_no_bad_news(state: State) -> None:
    status = Status(state, "why", stale=True)
    doubted = doubt(status, "Ana: July misses Spain")
    if state in (State.OFF_TRACK, State.AT_RISK, State.LATE, State.HELD):
        assert doubted == status
    else:
        assert doubted == Status(State.DISPUTED, "Ana: July misses Spain; as it stands: why", stale=True)
    assert doubt(status, "x", State.HELD).state is not State.ON_TRACK


def test_a_month_planned_at_nothing_has_a_side_but_no_proportion() -> None:
    plan = Plan(Q3, GoalKind.TOTAL, 100, {JULY: 0, AUGUST: 0, SEPTEMBER: 100})
    assert judge(measure(plan, 5, END_OF_JULY)).state is State.ON_TRACK
    assert judge(measure(plan, -5, END_OF_JULY)).state is State.OFF_TRACK


def test_symbols_and_words_as_designed() -> None:
    shown = {state.value: (state.symbol, state.word) for state in State}
    assert shown == {
        "on_track": ("●", "on track"),
        "at_risk": ("▲", "at risk"),
        "off_track": ("■", "off track"),
        "too_early": ("◔", "too early"),
        "late": ("○", "late"),
        "not_due": ("·", "not due yet"),
        "no_target": ("◌", "no target"),
        "disputed": ("?", "disputed"),
        "held": ("?", "held for checking"),
    }


def test_worst_first() -> None:
    statuses = [Status(state, "") for state in State]
    ordered = [status.state for status in worst_first(statuses)]
    assert ordered[:3] == [State.OFF_TRACK, State.AT_RISK, State.LATE]
    assert ordered[-1] is State.ON_TRACK
    assert sorted(ordered) == sorted(State)


def test_periods_in_words() -> None:
    calendar = Calendar()
    day = date(2011, 8, 14)
    said = [
        say_period(calendar.period(grain, day))
        for grain in (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER)
    ]
    assert said == ["14 Aug", "the week to 14 Aug", "Aug", "the quarter to 30 Sep"]


ranks = {State.OFF_TRACK: 0, State.AT_RISK: 1, State.ON_TRACK: 2}


@given(
    a=st.floats(0, 5000),
    b=st.floats(0, 5000),
    better=st.sampled_from(["up", "down"]),
    day=st.integers(1, 91),
)
def test_a_better_figure_never_has_a_worse_status(a: float, b: float, better: str, day: int) -> None:
    through = date.fromordinal(JULY.toordinal() + day)
    low, high = sorted((a, b), reverse=better == "down")
    worse, best = (judge(measure(ORDERS, x, through, better=better)).state for x in (low, high))
    assert ranks[worse] <= ranks[best]


@given(st.floats(0, 5000), st.integers(-10, 120), st.booleans())
def test_green_only_with_a_known_fresh_figure_on_plan(figure: float, day: int, stale: bool) -> None:
    through = date.fromordinal(JULY.toordinal() + day)
    pace = measure(ORDERS, figure, through)
    status = judge(pace, stale_through=through if stale else None)
    if status.state.is_healthy:
        assert not stale
        assert pace.pace is not None and pace.pace >= 0.97 - 1e-6


def test_a_plan_to_a_day_is_said_in_whole_ones() -> None:
    """Where figure and plan look alike in short, whole ones are said; of half an order nobody speaks."""
    assert _pair(30_887.0, 30_883.1306, "count") == ("30\u202f887", "30\u202f883")
    assert _pair(1.9, 1.8997, "ratio") == ("1.9", "1.8997")
