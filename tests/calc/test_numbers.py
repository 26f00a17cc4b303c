"""How figures are said."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.numbers import MINUS, SPACE, THIN, UNKNOWN, change, full, gap, is_share, parse_unit, short

UNITS = (
    "count",
    "percent",
    "score",
    "ratio",
    "currency:GBP",
    "currency:CHF",
    "currency:JPY",
    "duration:hours",
)


def spaced(text: str) -> str:
    return text.replace(THIN, " ").replace(SPACE, " ").replace(MINUS, "-")


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (12_438, "count", "12.4k"),
        (1_240_331.5, "currency:GBP", "£1.24M"),
        (0.934, "percent", "93.4 %"),
        (76.8, "duration:hours", "3.2 d"),  # 76.8 / 24
        (6940, "count", "6 940"),
        (9999, "count", "9 999"),
        (9999.6, "count", "10k"),  # said whole it would be 10 000, which is shortened
        (999_950, "count", "1M"),  # never 1000k
        (999_499, "count", "999k"),
        (2_500_000_000, "count", "2.5bn"),
        (24.8, "currency:GBP", "£24.80"),
        (-1240, "currency:CHF", "-CHF 1 240"),
        (1234.5, "currency:JPY", "¥1 235"),
        (-12_438, "count", "-12.4k"),
        (0.145, "count", "0.15"),  # as read: 0.145 is stored as 0.14499999999999999
        (1.834, "ratio", "1.83"),
        (42.0, "score", "42"),
        (0.99996, "percent", "99.996 %"),  # rounding must not claim all
        (0.00004, "percent", "0.004 %"),  # nor nothing
        (1.0, "percent", "100 %"),
        (0.0, "percent", "0 %"),
        (0.5, "duration:hours", "30 min"),
        (36.0, "duration:hours", "1.5 d"),
        (90.0, "duration:seconds", "1.5 min"),
        (0.2, "duration:seconds", "0.2 s"),
    ],
)
def test_short(value: float, unit: str, said: str) -> None:
    assert spaced(short(value, unit)) == said


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (12_438, "count", "12 438"),
        (1_240_331.5, "currency:GBP", "£1 240 331.50"),
        (0.93412, "percent", "93.412 %"),
        (76.8, "duration:hours", "76.8 h"),
        (-1_234_567.891, "score", "-1 234 567.891"),
    ],
)
def test_full(value: float, unit: str, said: str) -> None:
    assert spaced(full(value, unit)) == said


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.0421, "count", "+4.2 %"),
        (-0.0612, "currency:GBP", "-6.1 %"),
        (-0.012, "percent", "-1.2 points"),
        (0.01, "percent", "+1 point"),
        (0.0, "count", "0 %"),
        (-0.0, "percent", "0 points"),
        (0.00004, "count", "+0.004 %"),
    ],
)
def test_changes_have_a_sign_and_shares_are_said_in_points(value: float, unit: str, said: str) -> None:
    assert spaced(change(value, unit)) == said


def test_gap_is_in_the_unit() -> None:
    assert spaced(gap(-127, "count")) == "-127"
    assert spaced(gap(1.2, "currency:GBP")) == "+£1.20"
    assert spaced(gap(-0.012, "percent")) == "-1.2 points"
    assert spaced(gap(-0.012, "percent", sign=False)) == "1.2 points"
    assert spaced(gap(-127, "count", sign=False)) == "127"


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_unknown_is_a_dash_in_every_form(value: float | None) -> None:
    for unit in UNITS:
        assert {short(value, unit), full(value, unit), change(value, unit), gap(value, unit)} == {UNKNOWN}


@pytest.mark.parametrize(
    "text", ["", "counts", "currency", "currency:gbp", "currency:POUND", "duration:years", "count:x"]
)
def test_unknown_units_are_refused_with_the_list_of_known_ones(text: str) -> None:
    with pytest.raises(ValueError, match="currency:GBP"):
        parse_unit(text)


def test_only_percent_is_a_share() -> None:
    assert [unit for unit in UNITS if is_share(unit)] == ["percent"]


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(UNITS))
def test_never_minus_zero_nor_a_hyphen(value: float, unit: str) -> None:
    for said in (short(value, unit), full(value, unit), change(value, unit), gap(value, unit)):
        if MINUS in said or "+" in said.replace("e+", ""):
            assert any(digit in said for digit in "123456789"), said
        assert "-" not in said.replace("e-", "")
        assert (MINUS in said) <= (value < 0)


@given(st.floats(min_value=10_000, max_value=1e15))
def test_a_short_count_is_within_half_a_percent(value: float) -> None:
    said = short(value)
    scale = {"k": 1e3, "M": 1e6, "bn": 1e9, "tn": 1e12}
    suffix = said.lstrip("0123456789." + THIN)
    read = float(said.removesuffix(suffix).replace(THIN, "")) * scale[suffix]
    assert read == pytest.approx(value, rel=0.0051)


def test_a_gap_of_counted_things_is_whole_once_it_is_ten():
    assert gap(67.2, sign=False) == "67"
    assert gap(-12.5) == f"{MINUS}12"
    assert gap(0.5, sign=False) == "0.5"
    assert gap(67.2, "score", sign=False) == "67.2"
