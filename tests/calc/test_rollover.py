"""Proposals for the next quarter, by hand arithmetic."""

import pytest

from calc.pace import Better
from calc.plan import GoalKind
from calc.rollover import Past, propose, rounded

UP, DOWN, BAND = Better.UP, Better.DOWN, Better.BAND
TOTAL, LEVEL = GoalKind.TOTAL, GoalKind.LEVEL


def test_a_total_grows_on_its_own_season_as_agreed_last_time() -> None:
    # agreed 4,400 on 4,000 a year ago is 10 % more; 5,000 came in the next quarter a year ago
    found = propose(Past(TOTAL, "count", UP, 4_400, 4_100, before=3_900, year_ago=4_000, next_year_ago=5_000))
    assert found is not None
    assert found.value == 5_500
    assert found.words == (
        "5\u202f000 in the same quarter a year ago, "
        "and 10\u202f% more as this quarter’s target on its year before"
    )


def test_without_a_year_it_grows_on_the_quarter_before() -> None:
    found = propose(Past(TOTAL, "count", UP, 4_400, 4_100, before=4_000))  # 4,400 x 1.1
    assert found is not None
    assert found.value == 4_840
    assert "10\u202f% more as that on the quarter before" in found.words


def test_without_anything_to_compare_it_is_the_same_again() -> None:
    found = propose(Past(TOTAL, "currency:GBP", UP, 4_400, None))
    assert found is not None
    assert (found.value, found.words) == (4_400, "this quarter’s target again")


def test_without_a_target_the_pace_is_carried_on() -> None:
    found = propose(Past(TOTAL, "count", UP, None, 6_000, year_ago=5_000, next_year_ago=4_000))
    assert found is not None
    assert found.value == 4_800  # 4,000 x 6,000 / 5,000
    assert "pace" in found.words


def test_a_level_takes_the_same_step_again() -> None:
    # active customers from 1,000 to 1,100, now 1,080: 10 % more than that
    found = propose(Past(LEVEL, "count", UP, 1_100, 1_080, before=1_000))
    assert found is not None
    assert found.value == 1_190  # 1,188 to three digits
    # a share from 90 % to 92 %, now 91 %: two points more
    share = propose(Past(LEVEL, "percent", UP, 0.92, 0.91, before=0.90))
    assert share is not None
    assert share.value == pytest.approx(0.93)
    assert share.words == "91\u202f% now, and 2 points more as this quarter set out to do"
    less = propose(Past(LEVEL, "percent", DOWN, 0.02, 0.025, before=0.03))
    assert less is not None
    assert less.value == pytest.approx(0.015)
    assert "1 points less" in less.words


def test_a_share_never_passes_the_whole_and_a_hold_is_held() -> None:
    top = propose(Past(LEVEL, "percent", UP, 0.99, 0.985, before=0.95))
    hold = propose(Past(LEVEL, "percent", DOWN, 0.024, 0.031, before=0.024))
    assert top is not None and hold is not None
    assert top.value == 1.0
    assert (hold.value, hold.words) == (0.024, "held as in this quarter")


def test_a_level_without_a_target_stays_where_it_is() -> None:
    found = propose(Past(LEVEL, "score", UP, None, 41.26))
    assert found is not None
    assert (found.value, found.words) == (41.3, "where it stands now")


def test_where_nothing_is_known_nothing_is_proposed() -> None:
    assert propose(Past(TOTAL, "count", UP, None, None, year_ago=1, next_year_ago=2)) is None
    assert propose(Past(LEVEL, "count", UP, None, None)) is None
    assert propose(Past(TOTAL, "count", BAND, 100, 90)) is None


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (5_512.4, "count", 5_510),
        (123_456, "count", 123_000),
        (12.34, "count", 12),
        (3.456, "count", 3.46),
        (0.93456, "percent", 0.935),
        (24.567, "currency:GBP", 24.6),
        (0.1234, "currency:GBP", 0.12),
        (0, "count", 0),
    ],
)
def test_as_people_plan(value: float, unit: str, expected: float) -> None:
    assert rounded(value, unit) == pytest.approx(expected)
