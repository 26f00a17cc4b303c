"""What is typed into grids: numbers as people write them, changes against what the writer saw, refusals."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.forms.entries import read_cells
from metrics.forms.numbers import figures_of, read_number, same_number, write_number
from metrics.forms.targets import read_lines
from tests.metrics import page_shapes as shapes


@pytest.mark.parametrize(
    ("text", "share", "value"),
    [
        ("", False, None),
        ("  ", False, None),
        ("1,234", False, 1234),
        ("1,234,567.5", False, 1234567.5),
        ("1 234", False, 1234),
        ("1\u202f234", False, 1234),
        ("\u22125", False, -5),
        ("£1.20", False, 1.2),
        ("46 €", False, 46),
        ("-46.5€", False, -46.5),
        (".5", False, 0.5),
        ("72 %", True, 0.72),
        ("72", True, 0.72),
        ("1e3", False, 1000),
    ],
)
def test_numbers_as_people_write_them(text: str, share: bool, value: float | None) -> None:
    assert read_number(text, share=share) == value


@pytest.mark.parametrize(
    "text",
    [
        "twelve",
        "1,5",
        "1,23,4",
        "nan",
        "inf",
        "1e999",
        "--1",
        "0x10",
        "12 of 20",
        "²",
        "٣",
        "72 %",
        "%",
        "£5€",
    ],
)
def test_everything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        read_number(text)


@pytest.mark.parametrize(
    ("value", "share", "text"),
    [
        (None, False, ""),
        (1737500.0, False, "1,737,500"),
        (-1234.5, False, "-1,234.5"),
        (999.0, False, "999"),
        (0.25, False, "0.25"),
        (-0.0, False, "0"),
        (0.573, True, "57.3"),  # 57.3 / 100 is another float
        (0.07, True, "7"),
        (1.0, True, "100"),
        (12.5, True, "1,250"),
        (1e15, False, "1,000,000,000,000,000"),
        (1.5e300, False, "1.5e+300"),
        (2.5e-12, False, "2.5e-12"),
    ],
)
def test_fields_show_figures_as_people_write_them(value: float | None, share: bool, text: str) -> None:
    assert write_number(value, share=share) == text


@given(st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_what_a_field_shows_is_read_back_to_the_same_number(value: float, share: bool) -> None:
    assert read_number(write_number(value, share=share), share=share) == value


@given(st.decimals(-(10**12), 10**12, places=4, allow_nan=False))
def test_a_share_is_the_number_whose_digits_were_typed(typed: Decimal) -> None:
    """The fraction of 57.3 % is 0.573, as a definitions file has it, and not 57.3 / 100 in floats."""
    assert read_number(str(typed), share=True) == float(typed / 100)


@pytest.mark.parametrize(
    ("text", "other", "same"),
    [
        ("9,000", "9000", True),
        ("9 000", "9,000", True),
        ("10%", "10 %", True),
        ("\u22125", "-5", True),
        ("9,00", "900", False),
        ("9,000", "9.000", False),
        ("9000", "", False),
    ],
)
def test_texts_that_say_the_same_number(text: str, other: str, same: bool) -> None:
    assert same_number(text, other) is same_number(other, text) is same


def test_what_is_not_known_is_left_empty() -> None:
    with pytest.raises(ValueError, match=r"“n/a” is not a number. Leave the cell empty"):
        read_number("n/a")


@pytest.mark.parametrize(
    ("block", "read"),
    [  # a decimal comma anywhere says what the points of its neighbours are
        (["1.180", "1.240,5", "n/a", "75,5 %", "41,20 €"], ["1180", "1240.5", "", "75.5 %", "41.2"]),
        (
            ["1.895", "1.907", "-", "hold"],
            ["1.895", "1.907", "", "hold"],
        ),  # nothing says that they are thousands
        (["9,600", "31.51", "96 %", "10%"], ["9,600", "31.51", "96 %", "10%"]),
        (["1.5", "2,5"], ["1.5", "2,5"]),  # of two minds: each is refused or read as it stands
    ],
)
def test_a_pasted_block_is_read_as_one(block: list[str], read: list[str]) -> None:
    assert figures_of(block) == read


def typed(**fields: str) -> dict[str, str]:
    return {f"{name.replace('_', '-')}-2025-07-01": text for name, text in fields.items()}


def test_untouched_cells_are_no_change() -> None:
    fields = typed(
        token="t7", numerator="", denominator="", note="", was_numerator="", was_denominator="", was_note=""
    )
    assert not any(c.changed for c in read_cells(shapes.entries(), fields, True, "percent"))


def test_a_share_is_two_numbers() -> None:
    cell = read_cells(shapes.entries(), typed(token="t7", numerator="18", denominator="25"), True, "percent")[
        2
    ]
    assert (cell.changed, cell.numerator, cell.denominator, cell.error) == (True, 18, 25, "")


@pytest.mark.parametrize(
    ("numerator", "denominator", "words"),
    [("18", "", "both"), ("30", "25", "between"), ("1", "0", "more than 0"), ("x", "2", "not a number")],
)
def test_a_wrong_share_is_refused_at_its_cell(numerator: str, denominator: str, words: str) -> None:
    fields = typed(token="t7", numerator=numerator, denominator=denominator)
    cells = read_cells(shapes.entries(), fields, True, "percent")
    assert words in cells[2].error
    assert cells[2].numerator_text == numerator  # what was typed stays
    assert not any(c.error for n, c in enumerate(cells) if n != 2)


def test_a_period_that_has_not_begun_is_refused() -> None:
    fields = {"token-2025-09-01": "t9", "numerator-2025-09-01": "1", "denominator-2025-09-01": "2"}
    assert "has not begun" in read_cells(shapes.entries(), fields, True, "percent")[0].error


def test_what_others_have_changed_is_no_change_of_mine() -> None:
    """June was 18 of 25 when the page was opened; it is 19 of 25 now, and I typed nothing there."""
    june = replace(shapes.entries()[3], numerator=19.0)
    saw = {"token": "old", "numerator": "18", "denominator": "25", "note": "one plan moved to July"}
    fields = {f"{k}-2025-06-01": v for k, v in saw.items()}
    fields |= {f"was-{k}-2025-06-01": v for k, v in saw.items() if k != "token"}
    assert not read_cells((june,), fields, True, "percent")[0].changed


def target_fields(key: str, target: str, *months: str, was: str = "") -> dict[str, str]:
    cells = {f"month-{key}-2025-{7 + n:02d}": text for n, text in enumerate(months)}
    return {f"token-{key}": "t", f"target-{key}": target, f"was-{key}": was, **cells}


def test_months_must_add_up_to_a_total() -> None:
    fields = target_fields("customers", "11400", "3700", "3800", "3800")
    line = read_lines(shapes.target_rows(), fields)[1]
    assert line.error == "The months add up to 11.3k, 100 less than the target."
    fields = target_fields("customers", "11,400", "3,800", "3,800", "3,800")
    line = read_lines(shapes.target_rows(), fields)[1]
    assert (line.error, line.target, len(line.benchmarks)) == ("", 11_400, 3)


def test_levels_need_not_add_up_and_shares_are_typed_in_percent() -> None:
    line = read_lines(shapes.target_rows(), target_fields("on_time", "95", "92", "93 %", "95"))[2]
    assert (line.error, line.target) == ("", 0.95)
    assert list(line.benchmarks.values()) == [0.92, 0.93, 0.95]
    assert "100 %" in read_lines(shapes.target_rows(), target_fields("on_time", "101", "", "", ""))[2].error


def test_untouched_lines_are_no_change() -> None:
    shown = read_lines(shapes.target_rows(), None)[0]
    fields = target_fields("weekly_orders", "92000", "31000", "31000", "30000", was=shown.was)
    assert not read_lines(shapes.target_rows(), fields)[0].changed
