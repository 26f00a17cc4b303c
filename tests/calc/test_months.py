"""A month that ends behind keeps its plan; what is now needed stands beside it. By hand arithmetic."""

from datetime import date

import pytest

from calc.calendar import Calendar
from calc.months import MonthStanding, describe, standings
from calc.plan import GoalKind, Plan

QUARTER = Calendar().quarter("2011-Q3")
JUL, AUG, SEP = date(2011, 7, 1), date(2011, 8, 1), date(2011, 9, 1)
OCT = date(2011, 10, 1)
TOTAL = Plan(QUARTER, GoalKind.TOTAL, 4_500, {JUL: 1_350, AUG: 1_400, SEP: 1_750})
LEVEL = Plan(QUARTER, GoalKind.LEVEL, 0.95, {JUL: 0.93, AUG: 0.94, SEP: 0.95}, baseline=0.92, additive=False)
DISTINCT = Plan(QUARTER, GoalKind.TOTAL, 900, {JUL: 300, AUG: 600, SEP: 900}, additive=False)


def needed(months: tuple[MonthStanding, ...]) -> list[float | None]:
    return [m.needed for m in months]


def test_a_total_behind_leaves_more_for_each_month() -> None:
    months = standings(TOTAL, {JUL: 1_200, AUG: 700}, date(2011, 8, 15))
    july = months[0]
    assert (july.planned, july.actual, july.gap, july.behind) == (1_350, 1_200, -150, True)
    # (4,500 - 1,200) / 2 = 1,650, though August was planned at 1,400
    assert needed(months) == [None, 1_650, 1_650]
    assert [m.planned for m in months] == [1_350, 1_400, 1_750]
    words = describe(months, TOTAL, "count")
    assert words == "Jul ended 150 behind, which leaves 1\u202f650 a month for Aug and Sep"


def test_two_months_behind_leave_it_all_to_the_last() -> None:
    months = standings(TOTAL, {JUL: 1_200, AUG: 1_300}, SEP)
    assert needed(months) == [None, None, 2_000]  # 4,500 - 2,500
    assert describe(months, TOTAL, "count") == "Aug ended 250 behind, which leaves 2\u202f000 for Sep"


def test_a_month_that_was_made_up_for_asks_for_nothing() -> None:
    months = standings(TOTAL, {JUL: 1_200, AUG: 1_550}, SEP)
    assert months[0].behind and not months[1].behind
    assert needed(months) == [None, None, None]
    assert describe(months, TOTAL, "count") == ""


def test_on_plan_ahead_and_before_the_first_end_nothing_is_needed() -> None:
    for actual, end in ((1_350, AUG), (1_400, AUG), (600, date(2011, 7, 20))):
        assert needed(standings(TOTAL, {JUL: actual}, end)) == [None, None, None]


def test_an_unknown_month_makes_what_is_needed_unknown() -> None:
    months = standings(TOTAL, {JUL: None, AUG: 1_300}, SEP)
    assert (months[0].actual, months[0].gap, months[0].behind) == (None, None, False)
    assert months[1].behind
    assert needed(months) == [None, None, None]
    assert describe(months, TOTAL, "count") == ""


def test_after_the_quarter_nothing_is_left_to_ask() -> None:
    months = standings(TOTAL, {JUL: 1_200, AUG: 1_300, SEP: 1_000}, OCT)
    assert [m.behind for m in months] == [True, True, True]
    assert needed(months) == [None, None, None]
    # 150, 100 and 750 short
    assert describe(months, TOTAL, "count") == (
        "Sep ended 1\u202f000 behind, and no month is left to make up for it"
    )


def test_at_the_end_nothing_is_said_of_what_was_kept_or_is_not_known() -> None:
    made_up = standings(TOTAL, {JUL: 1_200, AUG: 1_300, SEP: 2_000}, OCT)  # 4,500 in all
    assert describe(made_up, TOTAL, "count") == "the target is reached"
    assert describe(standings(TOTAL, {JUL: None, AUG: 1, SEP: 1}, OCT), TOTAL, "count") == ""
    climbed = standings(LEVEL, {JUL: 0.91, AUG: 0.92, SEP: 0.95}, OCT)
    assert describe(climbed, LEVEL, "percent") == ""
    fell = standings(LEVEL, {JUL: 0.95, AUG: 0.95, SEP: 0.93}, OCT)
    assert describe(fell, LEVEL, "percent") == (
        "Sep ended 2\u00a0points behind, and no month is left to make up for it"
    )
    cost = Plan(QUARTER, GoalKind.TOTAL, 300, {JUL: 100, AUG: 100, SEP: 100})
    spent = standings(cost, {JUL: 90, AUG: 90, SEP: 110}, OCT, better="down")
    assert describe(spent, cost, "count", "down") == ""  # 10 under in all, though September was over


def test_a_level_behind_must_climb_in_equal_steps() -> None:
    months = standings(LEVEL, {JUL: 0.91}, AUG)
    # from 91 % to 95 % in two steps: 93 % and 95 %
    assert months[0].gap == pytest.approx(-0.02)
    assert needed(months)[1:] == pytest.approx([0.93, 0.95])
    words = describe(months, LEVEL, "percent")
    assert words == (
        "Jul ended 2\u00a0points behind, so it must stand at 93\u202f% in Aug and 95\u202f% in Sep"
    )


def test_a_level_that_is_held_may_stray_within_its_tolerance() -> None:
    hold = Plan(QUARTER, GoalKind.LEVEL, 0.024, baseline=0.024, additive=False)
    assert not standings(hold, {JUL: 0.028}, AUG, better="down", tolerance=0.005)[0].behind
    assert standings(hold, {JUL: 0.030}, AUG, better="down", tolerance=0.005)[0].behind


def test_of_what_does_not_add_up_the_quarter_to_date_counts() -> None:
    months = standings(DISTINCT, {JUL: 280, AUG: 500}, SEP)
    assert [m.gap for m in months] == [-20, -100, None]
    assert needed(months) == [None, None, 900]  # the quarter to date, as its plan is
    # from 280 to 900 in two steps of 310
    assert needed(standings(DISTINCT, {JUL: 280}, AUG)) == [None, 590, 900]
    assert describe(months, DISTINCT, "count") == (
        "Aug ended 100 behind, so the quarter to date must stand at 900 in Sep"
    )
    # July's figure is in August's: that it is not known takes nothing away
    assert needed(standings(DISTINCT, {JUL: None, AUG: 500}, SEP)) == [None, None, 900]
    assert needed(standings(DISTINCT, {JUL: 280, AUG: None}, SEP)) == [None, None, None]


def test_a_share_over_the_quarter_needs_a_share_not_a_difference() -> None:
    share = Plan(QUARTER, GoalKind.TOTAL, 0.45, {JUL: 0.43, AUG: 0.44, SEP: 0.45}, additive=False)
    # from 40 % to 45 % in two steps of 2.5 points
    assert needed(standings(share, {JUL: 0.40}, AUG))[1:] == pytest.approx([0.425, 0.45])


def test_of_a_level_only_where_it_stands_counts() -> None:
    months = standings(LEVEL, {JUL: None, AUG: 0.92}, SEP)
    assert needed(months) == [None, None, 0.95]
    assert needed(standings(LEVEL, {JUL: 0.91, AUG: None}, SEP)) == [None, None, None]


def test_a_target_that_is_reached_needs_nothing() -> None:
    for august in (3_150, 3_400):  # 4,500 in all, and 250 more
        months = standings(TOTAL, {JUL: 1_350, AUG: august}, SEP)
        assert needed(months) == [None, None, None]
        assert describe(months, TOTAL, "count") == "the target is reached"
    # behind the month's plan and past the target all the same, of a plan that falls back
    falls = Plan(QUARTER, GoalKind.TOTAL, 900, {JUL: 800, AUG: 1_000, SEP: 900}, additive=False)
    months = standings(falls, {JUL: 800, AUG: 950}, SEP)
    assert months[1].behind and needed(months) == [None, None, None]
    assert describe(months, falls, "count") == "the target is reached"
    assert describe(standings(TOTAL, {JUL: None, AUG: 9_000}, SEP), TOTAL, "count") == ""


def test_less_is_better() -> None:
    cost = Plan(QUARTER, GoalKind.TOTAL, 300, {JUL: 100, AUG: 100, SEP: 100})
    months = standings(cost, {JUL: 140}, AUG, better="down")
    assert needed(months) == [None, 80, 80]  # 160 left to spend
    assert describe(months, cost, "currency:GBP", "down") == (
        "Jul ended £40.00 behind, which leaves £80.00 a month at most for Aug and Sep"
    )
    assert needed(standings(cost, {JUL: 60}, AUG, better="down")) == [None, None, None]
    spent = standings(cost, {JUL: 340}, AUG, better="down")
    assert needed(spent) == [None, None, None]  # nothing can be spent less than nothing
    full = standings(cost, {JUL: 300}, AUG, better="down")
    assert needed(full) == [None, 0, 0]
    assert describe(spent, cost, "currency:GBP", "down").endswith(
        "which is past the target by £40.00 already"
    )


def test_a_band_asks_for_nothing() -> None:
    months = standings(LEVEL, {JUL: 0.5}, AUG, better="band")
    assert needed(months) == [None, None, None] and not months[0].behind
