"""Combining finer figures, and refusing to."""

import math
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.calendar import Grain, Period
from calc.rollup import (
    MANUAL,
    Merge,
    Part,
    RollupRefused,
    compare,
    merge,
    merge_days,
    rule,
    say_days,
    why_not,
)

AUGUST = Period(date(2011, 8, 1), date(2011, 9, 1), Grain.MONTH)


def parts(*values: float | None) -> list[Part]:
    return [Part(value) for value in values]


@pytest.mark.parametrize(
    ("how", "expected"),
    [("sum", 8.0), ("min", 1.0), ("max", 5.0), ("first", 5.0), ("last", 2.0)],
)
def test_each_way_of_merging_leaves_unknown_parts_out(how: str, expected: float) -> None:
    assert merge([Part(None), *parts(5.0, 1.0, 2.0), None], how) == Part(expected)


def test_a_share_is_a_ratio_of_sums_not_a_mean_of_ratios() -> None:
    two = [Part(0.5, 1, 2), Part(0.9, 90, 100)]
    merged = merge(two, Merge.SHARE)
    assert merged == Part(91 / 102, 91, 102)
    assert merged is not None and merged.value != pytest.approx((0.5 + 0.9) / 2)
    assert merge(two, Merge.SUM) == merged


def test_a_share_of_nothing_is_unknown_and_keeps_its_numbers() -> None:
    assert merge([Part(None, 0, 0), Part(None, 0, 0)], "share") == Part(None, 0, 0)
    assert merge([Part(None, 0, 0), Part(0.5, 1, 2)], "share") == Part(0.5, 1, 2)


def test_zero_of_some_is_zero() -> None:
    assert merge([Part(0.0, 0, 7)], "share") == Part(0.0, 0, 7)


def test_a_ratio_without_its_two_numbers_is_refused() -> None:
    with pytest.raises(RollupRefused, match="numerators and denominators"):
        merge([Part(0.5, 1, 2), Part(0.9)], "share")


@pytest.mark.parametrize(
    ("aggregation", "reason"),
    [("count_distinct", "distinct counts do not add up"), ("p90", "percentile"), ("median", "median")],
)
def test_what_does_not_add_up_is_refused_with_its_reason(aggregation: str, reason: str) -> None:
    assert rule(aggregation) is Merge.NONE
    assert reason in why_not(aggregation)
    with pytest.raises(RollupRefused, match=reason):
        merge(parts(1, 2), Merge.NONE, aggregation=aggregation)


def test_rules_of_aggregations() -> None:
    assert {rule(name) for name in ("count", "sum", "sum_boolean", "count_new")} == {Merge.SUM}
    assert rule("count_distinct", additive=True) is Merge.SUM
    assert rule("avg") is Merge.SHARE
    assert [rule(name).value for name in ("min", "max", "first", "last")] == ["min", "max", "first", "last"]
    assert {kind: how.value for kind, how in MANUAL.items()} == {
        "amount": "sum",
        "level": "last",
        "share": "share",
    }


def test_nothing_is_none_and_all_unknown_is_unknown() -> None:
    assert merge([], "sum") is None
    assert merge([None, None], "last") is None
    assert merge(parts(None, None), "sum") == Part(None)


def test_daily_rows_a_missing_or_null_day_makes_the_figure_unknown_and_names_itself() -> None:
    figures = {date(2011, 8, day): Part(1.0) for day in range(1, 11)}
    del figures[date(2011, 8, 3)]
    figures[date(2011, 8, 9)] = Part(None)
    rolled = merge_days(figures, AUGUST, "sum", through=date(2011, 8, 11), daily=True)
    assert rolled.part == Part(None)
    assert rolled.missing == (date(2011, 8, 3), date(2011, 8, 9))
    assert rolled.reason == "no figure for 3 and 9 Aug 2011"


def test_daily_rows_days_that_have_not_elapsed_are_not_missing() -> None:
    figures = {date(2011, 8, day): Part(2.0) for day in range(1, 11)}
    rolled = merge_days(figures, AUGUST, "sum", through=date(2011, 8, 11), daily=True)
    assert (rolled.part, rolled.missing, rolled.reason) == (Part(20.0), (), "")


def test_event_rows_a_day_without_rows_is_left_out() -> None:
    figures = {date(2011, 8, 5): Part(2.0), date(2011, 8, 7): Part(None), date(2011, 9, 1): Part(99.0)}
    assert merge_days(figures, AUGUST, "sum", through=date(2011, 12, 1)).part == Part(2.0)


def test_true_zeros_are_not_missing() -> None:
    figures = {date(2011, 8, 1) + timedelta(days=n): Part(0.0) for n in range(31)}
    assert merge_days(figures, AUGUST, "sum", through=AUGUST.end, daily=True).part == Part(0.0)


@pytest.mark.parametrize(
    ("now", "then", "unit", "expected"),
    [
        (110, 100, "count", 0.1),
        (50, 100, "currency:GBP", -0.5),
        (0, 100, "count", -1.0),
        (100, 0, "count", None),  # no fraction of nothing
        (0, 0, "count", None),
        (0.95, 0.92, "percent", 0.03),
        (0.1, 0.0, "percent", 0.1),  # a difference needs no divisor
        (None, 1, "count", None),
        (1, None, "percent", None),
        (math.nan, 1, "count", None),
        (50, -100, "currency:GBP", 1.5),  # from a loss to a profit is up
        (-150, -100, "currency:GBP", -0.5),
    ],
)
def test_compare(now: float | None, then: float | None, unit: str, expected: float | None) -> None:
    assert compare(now, then, unit) == (None if expected is None else pytest.approx(expected))


def test_days_in_words() -> None:
    def days(*ns: int) -> list[date]:
        return [date(2011, 8, 1) + timedelta(days=n - 1) for n in ns]

    assert say_days(days(9, 3, 4)) == "3, 4 and 9 Aug 2011"
    assert say_days(days(3)) == "3 Aug 2011"
    assert say_days(days(31, 32)) == "31 Aug 2011 and 1 Sep 2011"
    assert say_days(days(*range(1, 31))) == "30 days from 1 Aug 2011 to 30 Aug 2011"
    assert say_days([]) == ""


numbers = st.floats(min_value=-1e9, max_value=1e9)


@given(st.lists(numbers, min_size=1, max_size=40), st.data())
def test_merging_in_two_steps_is_merging_in_one(values: list[float], data: st.DataObject) -> None:
    """Days to weeks to a quarter is days to a quarter."""
    cut = data.draw(st.integers(0, len(values)))
    for how in ("sum", "min", "max", "first", "last"):
        once = merge(parts(*values), how)
        twice = merge([merge(parts(*values[:cut]), how), merge(parts(*values[cut:]), how)], how)
        assert once is not None and twice is not None
        assert twice.value == pytest.approx(once.value, rel=1e-12, abs=1e-6)


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=30))
def test_shares_are_exact_against_fractions(pairs: list[tuple[int, int]]) -> None:
    merged = merge([Part(n / d if d else None, n, d) for n, d in pairs], "share")
    assert merged is not None
    over, under = sum(n for n, _ in pairs), sum(d for _, d in pairs)
    assert merged.value == (float(Fraction(over, under)) if under else None)
    assert (merged.numerator, merged.denominator) == (over, under)
