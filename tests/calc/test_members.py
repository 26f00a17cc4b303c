"""Members' targets against the whole, by hand arithmetic."""

import pytest

from calc.members import Sum, add_up, weigh


def test_what_nobody_has_been_given_is_the_rest() -> None:
    assert add_up(1_000, [600, 300, None]) == Sum(900, 100)
    assert add_up(1_000, [600, 400]) == Sum(1_000, 0)
    assert add_up(1_000, [600, 500]) == Sum(1_100, -100)
    assert add_up(0.3, [0.1, 0.2]) == Sum(pytest.approx(0.3), 0)


def test_without_members_or_a_whole_there_is_nothing_to_hold_against() -> None:
    assert add_up(1_000, [None, None]) is None
    assert add_up(1_000, []) is None
    assert add_up(None, [600]) == Sum(600, None)


def test_shares_weigh_by_their_denominators() -> None:
    # 90 % of 300 and 96 % of 100: (270 + 96) / 400 = 91.5 %
    found = weigh(0.92, [(0.90, 300), (0.96, 100)])
    assert found is not None
    assert found.figure == pytest.approx(0.915)
    assert found.gap == pytest.approx(-0.005)
    assert found.covered == 1


def test_a_member_without_a_target_is_not_covered() -> None:
    found = weigh(None, [(0.90, 300), (None, 100), (0.5, None)])
    assert found is not None
    assert (found.figure, found.covered, found.gap) == (pytest.approx(0.9), 0.75, None)
    assert weigh(0.9, [(None, 100), (0.9, None)]) is None
