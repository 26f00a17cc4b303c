"""Months proposed for a target: they add up, or lead to it as last year did."""

import math
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.calendar import Calendar
from calc.plan import GoalKind
from calc.splits import rescale, split_goal, step_of

QUARTER = Calendar().quarter("2026-Q3")
JUL, AUG, SEP = date(2026, 7, 1), date(2026, 8, 1), date(2026, 9, 1)
TOTAL = {"kind": GoalKind.TOTAL, "additive": True}
DISTINCT = {"kind": GoalKind.TOTAL, "additive": False}
LEVEL = {"kind": GoalKind.LEVEL, "additive": False}


def test_a_total_evenly_and_whole() -> None:
    # 4,500 / 3 = 1,500; 100 has no third, the first months take what is over
    assert split_goal(4_500, QUARTER, "even", **TOTAL) == {JUL: 1_500, AUG: 1_500, SEP: 1_500}
    assert split_goal(100, QUARTER, "even", **TOTAL) == {JUL: 34, AUG: 33, SEP: 33}


def test_a_total_by_last_years_season() -> None:
    # last year 200 + 300 + 500 = 1,000, so a fifth, three tenths and a half of 5,000
    last_year = {JUL: 200.0, AUG: 300.0, SEP: 500.0}
    found = split_goal(5_000, QUARTER, "season", last_year=last_year, **TOTAL)
    assert found == {JUL: 1_000, AUG: 1_500, SEP: 2_500}


def test_money_is_split_to_the_penny_only_where_the_target_is() -> None:
    season = {JUL: 1.0, AUG: 1.0, SEP: 1.0}
    assert split_goal(1_000, QUARTER, "season", unit="currency:GBP", last_year=season, **TOTAL) == {
        JUL: 334,
        AUG: 333,
        SEP: 333,
    }
    parts = split_goal(10.01, QUARTER, "even", unit="currency:GBP", **TOTAL)
    assert [round(part, 2) for part in parts.values()] == [3.34, 3.34, 3.33]


def test_a_level_climbs_in_equal_steps_from_its_baseline() -> None:
    assert split_goal(46, QUARTER, "even", unit="score", baseline=40, **LEVEL) == {JUL: 42, AUG: 44, SEP: 46}
    assert split_goal(0.95, QUARTER, "even", unit="percent", **LEVEL) == {JUL: 0.95, AUG: 0.95, SEP: 0.95}


def test_a_level_by_season_stands_to_its_end_as_last_years_did() -> None:
    # 90 of 96 last year, so 93.75 of 100
    found = split_goal(
        100, QUARTER, "season", unit="score", last_year={JUL: 90.0, AUG: 84.0, SEP: 96.0}, **LEVEL
    )
    assert found == {JUL: 94, AUG: 88, SEP: 100}
    share = split_goal(
        0.96, QUARTER, "season", unit="percent", last_year={JUL: 0.9, AUG: 0.99, SEP: 0.8}, **LEVEL
    )
    assert share[AUG] == 1.0  # no share passes the whole
    assert share[SEP] == 0.96


def test_points_of_what_does_not_add_up_run_to_the_target() -> None:
    assert split_goal(900, QUARTER, "even", **DISTINCT) == {JUL: 300, AUG: 600, SEP: 900}
    found = split_goal(900, QUARTER, "season", last_year={JUL: 100.0, AUG: 150.0, SEP: 200.0}, **DISTINCT)
    assert found == {JUL: 450, AUG: 675, SEP: 900}


@pytest.mark.parametrize(
    ("how", "last_year", "goal", "words"),
    [
        ("season", {}, TOTAL, "not all known"),
        ("season", {JUL: 1.0, AUG: None, SEP: 1.0}, TOTAL, "not all known"),
        ("season", {JUL: 1.0, AUG: math.nan, SEP: 1.0}, LEVEL, "not all known"),
        ("season", {JUL: 0.0, AUG: 0.0, SEP: 0.0}, TOTAL, "no figures to split by"),
        ("season", {JUL: 1.0, AUG: -2.0, SEP: 1.0}, LEVEL, "not above zero"),
        ("weekly", {}, TOTAL, "evenly or by last year"),
    ],
)
def test_what_cannot_be_followed_is_said(how: str, last_year: dict, goal: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        split_goal(100, QUARTER, how, last_year=last_year, **goal)


@given(
    target=st.floats(0.01, 1e9),
    season=st.lists(st.floats(0.01, 1e6), min_size=3, max_size=3),
    how=st.sampled_from(["even", "season"]),
    unit=st.sampled_from(["count", "currency:GBP", "ratio"]),
)
def test_months_of_a_total_always_add_up(target: float, season: list[float], how: str, unit: str) -> None:
    last_year = dict(zip((JUL, AUG, SEP), season, strict=True))
    found = split_goal(target, QUARTER, how, unit=unit, last_year=last_year, **TOTAL)
    assert math.isclose(math.fsum(found.values()), target, rel_tol=1e-9)


@given(
    cents=st.integers(1, 10**9),
    season=st.lists(st.floats(0, 1e6), min_size=3, max_size=3).filter(lambda each: sum(each) > 1),
    how=st.sampled_from(["even", "season"]),
)
def test_money_adds_up_to_the_penny_as_it_is_written(cents: int, season: list[float], how: str) -> None:
    """In decimals, by which people check a sum, and a month without a figure last year gets none."""
    last_year = dict(zip((JUL, AUG, SEP), season, strict=True))
    target = cents / 100
    found = split_goal(target, QUARTER, how, unit="currency:GBP", last_year=last_year, **TOTAL)
    written = {month: Decimal(repr(part)) for month, part in found.items()}
    assert sum(written.values()) == Decimal(cents) / 100
    assert all(part >= 0 and part == round(part, 2) for part in written.values())
    if how == "season":
        assert all(found[month] == 0 for month, weight in last_year.items() if weight == 0)


def test_a_month_without_weight_gets_nothing_of_what_has_no_smallest_part() -> None:
    found = split_goal(math.pi, QUARTER, "season", last_year={JUL: 1.0, AUG: 2.0, SEP: 0.0}, **TOTAL)
    assert found[SEP] == 0
    assert math.fsum(found.values()) == pytest.approx(math.pi, rel=1e-15)


def test_steps_divide_the_target() -> None:
    assert step_of(4_500, "count") == 1
    assert step_of(4_500.5, "currency:GBP") == 0.01
    assert step_of(0.935, "percent") == 0.001
    assert step_of(math.pi, "count") is None


def test_another_target_keeps_the_way_to_it() -> None:
    # 30 %, 30 % and 40 % of 1,000, then of 1,200
    before = {JUL: 300.0, AUG: 300.0, SEP: 400.0}
    assert rescale(before, 1_000, 1_200, QUARTER, **TOTAL) == {JUL: 360, AUG: 360, SEP: 480}
    # a quarter and a half of the way from 40 to 48; of the way to 44
    level = {JUL: 42.0, AUG: 44.0, SEP: 48.0}
    found = rescale(level, 48, 44, QUARTER, unit="score", baseline=40, **LEVEL)
    assert found == {JUL: 41, AUG: 42, SEP: 44}
    assert rescale({JUL: 36.0}, 48, 24, QUARTER, unit="score", **LEVEL) == {JUL: 18}
    assert rescale({}, 48, 44, QUARTER, **LEVEL) == {}
    assert rescale(dict.fromkeys(before, 0.0), 0, 30, QUARTER, **TOTAL) == {JUL: 10, AUG: 10, SEP: 10}
