"""Process limits and signals: published cases, and laws."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.xmr import (
    LIMIT_OF_MEAN,
    LIMIT_OF_MEDIAN,
    RANGE_OF_MEAN,
    RANGE_OF_MEDIAN,
    Limits,
    Rule,
    bounds,
    chart,
    deseason,
    limits,
    moving_ranges,
    season_factors,
    signals,
    trend_limits,
)
from tests.shared import cases

XMR: dict[str, Any] = cases("xmr")
FIELDS = {
    "centre": "centre",
    "mr_centre": "average_moving_range",
    "unpl": "upper",
    "lnpl": "lower",
    "url": "upper_range",
}
RULES = {"rule1_beyond_limits": Rule.BEYOND_LIMIT, "rule1_mr_beyond_url": Rule.RANGE_BEYOND_LIMIT}


def flagged(values: list[float], found: Limits, rule: Rule) -> list[int]:
    return [n for n, rules in enumerate(signals(values, found)) if rule in rules]


def only(**lines: float | None) -> Limits:
    """Limits of which one line matters."""
    return replace(Limits(0.0, 0.0, None, None, float("inf")), **lines)


def test_published_constants() -> None:
    assert XMR["constants"]["mean"]["npl"] == LIMIT_OF_MEAN
    assert XMR["constants"]["mean"]["url"] == RANGE_OF_MEAN
    assert XMR["constants"]["median"] == {"npl": LIMIT_OF_MEDIAN, "url": RANGE_OF_MEDIAN}


@pytest.mark.parametrize("case", XMR["limit_cases"], ids=lambda case: case["id"])
def test_published_limits(case: dict[str, Any]) -> None:
    values = case["values"]
    found = limits(values, ranges=case["options"].get("mr", "mean"))
    assert found is not None
    for name, expected in case["expected"].items():
        if name == "moving_ranges":
            assert moving_ranges(values) == pytest.approx(expected)
        else:
            assert getattr(found, FIELDS[name]) == pytest.approx(expected["value"], abs=expected["tol"])
    for name, expected in case["expected_signals"].items():
        rule = {"rule1_beyond_limits": Rule.BEYOND_LIMIT, "rule1_mr_beyond_url": Rule.RANGE_BEYOND_LIMIT}[
            name
        ]
        assert flagged(values, found, rule) == expected


@pytest.mark.parametrize("case", XMR["fixed_limit_cases"], ids=lambda case: case["id"])
def test_published_points_beyond_fixed_limits(case: dict[str, Any]) -> None:
    found = only(upper=case["upper"], lower=case["lower_used"])
    assert flagged(case["values"], found, Rule.BEYOND_LIMIT) == case["expected"]


@pytest.mark.parametrize("case", XMR["run_of_8_cases"], ids=lambda case: case["id"])
def test_published_runs_of_eight(case: dict[str, Any]) -> None:
    assert flagged(case["values"], only(centre=case["centre"]), Rule.RUN_OF_EIGHT) == case["expected"]


@pytest.mark.parametrize("case", XMR["near_limit_cases"], ids=lambda case: case["id"])
def test_published_three_of_four(case: dict[str, Any]) -> None:
    found = only(lower_quarter=case["lower_q"], upper_quarter=case["upper_q"])
    assert flagged(case["values"], found, Rule.THREE_OF_FOUR) == case["expected"]


@pytest.mark.parametrize("case", XMR["trend_cases"], ids=lambda case: case["id"])
def test_published_trend(case: dict[str, Any]) -> None:
    found = trend_limits(case["values"], method="half_average")
    assert found is not None and found.upper is not None
    assert found.slope == pytest.approx(case["expected"]["slope"])
    assert found.upper - found.centre == pytest.approx(case["expected"]["limit_distance"], abs=0.01)


def test_on_the_limit_is_no_signal() -> None:
    assert flagged([10, 10.001, -10], only(upper=10, lower=-10), Rule.BEYOND_LIMIT) == [1]


def test_equal_to_the_centre_breaks_a_run() -> None:
    above = only(centre=5.0)
    assert flagged([6.0] * 4 + [5.0] + [6.0] * 7, above, Rule.RUN_OF_EIGHT) == []
    assert flagged([6.0] * 4 + [5.0] + [6.0] * 8, above, Rule.RUN_OF_EIGHT) == list(range(5, 13))


def test_three_of_four_must_lie_on_the_same_side() -> None:
    found = only(upper_quarter=1.0, lower_quarter=-1.0)
    assert flagged([2, -2, 2, -2], found, Rule.THREE_OF_FOUR) == []
    assert flagged([2, -2, 2, 2], found, Rule.THREE_OF_FOUR) == [0, 1, 2, 3]
    assert flagged([2, 2, 1, 1], found, Rule.THREE_OF_FOUR) == []  # on the line is not beyond it


def test_limits_from_a_baseline_leave_later_points_out() -> None:
    found = limits([3, 4, 5, 400, -70], baseline=3)
    assert found is not None
    assert [found.centre, found.upper] == pytest.approx([4, 6.66])
    assert flagged([3, 4, 5, 400], found, Rule.BEYOND_LIMIT) == [3]


def test_quarter_lines_are_half_way() -> None:
    found = limits([3, 4, 5])
    assert found is not None
    assert [found.upper_quarter, found.lower_quarter] == pytest.approx([5.33, 2.67])


def test_counts_and_shares_have_bounds() -> None:
    counts = limits([0, 10, 0, 10], floor=0.0)
    assert counts is not None and counts.lower == 0.0
    assert counts.lower_quarter == pytest.approx(5 - 13.3)  # half-way to 5 - 26.6: no point at 0 is near it
    shares = limits([0.9, 1.0, 0.9, 1.0], floor=0.0, ceiling=1.0)
    assert shares is not None and shares.upper == 1.0
    assert bounds("count") == (0.0, None)
    assert bounds("percent") == (0.0, 1.0)
    assert bounds("currency:GBP") == (None, None)


def test_a_bound_that_the_data_pass_is_none() -> None:
    """Growth is a percent that may be negative: cutting its limit at 0 would make every fall a signal."""
    found = limits([-0.1, 0.1, -0.1, 0.1], floor=0.0, ceiling=1.0)
    assert found is not None and found.lower is not None and found.lower < -0.1


def test_unknown_points_are_left_out() -> None:
    assert limits([3, None, 4, 5, None]) == limits([3, 4, 5])
    values = [6.0, None] * 8
    rules = signals(values, only(centre=5.0))
    assert rules == [(Rule.RUN_OF_EIGHT,), ()] * 8


@pytest.mark.parametrize("values", [[], [5.0], [None, 5.0, None]])
def test_fewer_than_two_points_have_no_limits(values: list[float | None]) -> None:
    assert limits(values) is None
    assert trend_limits(values) is None
    assert signals(values, None) == [()] * len(values)


def test_an_unknown_average_is_refused() -> None:
    with pytest.raises(ValueError, match="mode"):
        limits([1, 2], centre="mode")


def test_a_divider_starts_anew() -> None:
    low, high = [10.0, 11, 10, 11, 10, 11], [50.0, 51, 50, 51]
    found = chart([*low, *high], dividers=[6])
    assert [(start, end) for start, end, _ in found.stretches] == [(0, 6), (6, 10)]
    assert found.stretches[1][2] == limits(high)
    assert found.rules == ((),) * 10
    whole = chart([*low, *high])
    assert Rule.RANGE_BEYOND_LIMIT in whole.rules[6]


def test_a_straight_line_is_a_trend_without_signals_and_a_bend_is_one() -> None:
    line = [10 + 2.5 * n for n in range(20)]
    found = trend_limits(line)
    assert found is not None
    assert [found.slope, found.centre_at(4)] == pytest.approx([2.5, 20])
    wobble = [value + (-1) ** n for n, value in enumerate(line)]
    found = trend_limits(wobble)
    assert found is not None
    assert set(signals(wobble, found)) == {()}
    wobble[10] += 30
    assert Rule.BEYOND_LIMIT in signals(wobble, found)[10]


def test_least_squares_slope_by_hand() -> None:
    # x 0..3, y 1, 3, 2, 6: sum (x - 1.5)(y - 3) = 3 + 0 - 0.5 + 4.5 = 7, over 5
    found = trend_limits([1, 3, 2, 6])
    assert found is not None
    assert found.slope == pytest.approx(1.4)
    assert found.centre == pytest.approx(3 - 1.5 * 1.4)
    # residuals 0.1, 0.7, -1.7, 0.9: steps 0.6, 2.4, 2.6
    assert found.average_moving_range == pytest.approx(5.6 / 3)


def test_season_factors() -> None:
    keys, values = ["a", "b"] * 3, [10.0, 30, 10, 30, None, 30]
    # means 10 and 30, overall 110 / 5 = 22
    factors = season_factors(keys, values)
    assert factors is not None
    assert dict(factors) == pytest.approx({"a": 10 / 22, "b": 30 / 22})
    flat = deseason(keys, values, factors)
    assert flat[4] is None
    assert [value for value in flat if value is not None] == pytest.approx([22.0] * 5)
    assert deseason(["c", "a"], [1.0, 1.0], {"a": 0.0}) == [None, None]
    assert season_factors(["a"], [None]) is None
    assert season_factors(["a", "a"], [1.0, -1.0]) is None


figures = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


@given(st.floats(-1e6, 1e6), st.integers(2, 40))
def test_equal_points_are_no_signal(value: float, count: int) -> None:
    values = [value] * count
    assert signals(values, limits(values)) == [()] * count


@given(st.lists(figures, min_size=2, max_size=40), st.sampled_from(["mean", "median"]))
def test_limits_against_plain_arithmetic(values: list[float], ranges: str) -> None:
    found = limits(values, ranges=ranges)
    assert found is not None and found.upper is not None and found.lower is not None
    steps = sorted(abs(values[n] - values[n - 1]) for n in range(1, len(values)))
    middle = len(steps) // 2
    step = (
        sum(steps) / len(steps)
        if ranges == "mean"
        else steps[middle]
        if len(steps) % 2
        else (steps[middle - 1] + steps[middle]) / 2
    )
    factor = {"mean": 2.66, "median": 3.145}[ranges]
    average = sum(values) / len(values)
    assert found.upper == pytest.approx(average + factor * step, abs=1e-6)
    assert found.lower == pytest.approx(average - factor * step, abs=1e-6)


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=30), st.sampled_from([-8, -1, 0.5, 4]))
def test_signals_do_not_depend_on_scale_or_direction(values: list[int], factor: float) -> None:
    floats = [float(value) for value in values]
    scaled = [value * factor for value in floats]
    assert signals(scaled, limits(scaled)) == signals(floats, limits(floats))


@given(st.lists(figures, min_size=2, max_size=30))
def test_rules_against_a_slow_reading_of_them(values: list[float]) -> None:
    found = limits(values)
    assert found is not None and found.upper is not None and found.lower is not None
    slack = 1e-6
    for n, rules in enumerate(signals(values, found)):
        if values[n] > found.upper + slack or values[n] < found.lower - slack:
            assert Rule.BEYOND_LIMIT in rules
        if found.lower + slack < values[n] < found.upper - slack:
            assert Rule.BEYOND_LIMIT not in rules
        if Rule.RUN_OF_EIGHT in rules:
            runs = [values[s : s + 8] for s in range(max(0, n - 7), n + 1) if s + 8 <= len(values)]
            assert any(
                all(v > found.centre for v in run) or all(v < found.centre for v in run) for run in runs
            )
