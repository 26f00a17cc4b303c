"""Working days by the public holidays as they are published for 2025."""

from datetime import date

import pytest

from metrics.definitions.holidays import check_holidays, free_days

ENGLAND = {
    date(2025, 1, 1),
    date(2025, 4, 18),
    date(2025, 4, 21),
    date(2025, 5, 5),
    date(2025, 5, 26),
    date(2025, 8, 25),
    date(2025, 12, 25),
    date(2025, 12, 26),
}


def test_great_britain_has_the_bank_holidays_of_england() -> None:
    """Most of them, the summer bank holiday too, are holidays of its parts and not of the whole."""
    assert free_days("GB", [2025]) == free_days("GB-ENG", [2025]) == ENGLAND


def test_a_subdivision_has_its_own() -> None:
    assert date(2025, 1, 6) in free_days("DE-BY", [2025])  # Epiphany
    assert date(2025, 1, 6) not in free_days("DE", [2025])
    assert date(2025, 8, 4) in free_days("GB-SCT", [2025])  # Scotland's is three weeks before England's
    assert date(2025, 8, 25) not in free_days("GB-SCT", [2025])


def test_no_country_has_none() -> None:
    assert free_days("", [2025]) == frozenset()


@pytest.mark.parametrize(("code", "rests"), [("EG", {4, 5}), ("IL", {4, 5}), ("GB", {5, 6}), ("", {5, 6})])
def test_the_weekend_is_the_countrys(code: str, rests: set[int]) -> None:
    assert free_days(code, [2025]).weekend == rests


@pytest.mark.parametrize("code", ["XX", "XX-ENG", "GB-XX", "GB-", "gb", "-ENG", "DE_BY"])
def test_what_is_not_known_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="no holidays are known"):
        check_holidays(code)
    assert check_holidays("GB-SCT") == "GB-SCT"
