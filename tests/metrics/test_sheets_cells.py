"""Numbers and dates of spreadsheets: figures written out by hand, and laws of writing and reading back."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.calendar import Calendar, Grain
from metrics.sheets.cells import day_order, decimal_mark, read_date, read_dates, read_month, read_number

NARROW = "\u202f"
LOCALES = [
    (",", "."),
    (".", ","),
    (" ", ","),
    (" ", "."),
    ("\u00a0", ","),
    (NARROW, ","),
    ("'", "."),
    ("’", "."),
]


def written(number: Decimal, group: str, mark: str) -> str:
    """As a spreadsheet of some country shows it; by way of Python's own thousands."""
    plain = f"{number:,f}"
    return plain.translate(str.maketrans({",": group, ".": mark}))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("72 %", 0.72),
        ("72%", 0.72),
        ("72\u202f%", 0.72),
        ("7,5 %", 0.075),
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("1 234,5", 1234.5),
        ("1\u202f234,5", 1234.5),
        ("1\u00a0234", 1234),
        ("1'234.50", 1234.5),
        ("1,234,567", 1_234_567),
        ("1.234.567", 1_234_567),
        ("12,34,567.50", 1_234_567.5),
        ("0,123", 0.123),
        ("0.123", 0.123),
        ("1234,567", 1234.567),
        ("(123)", -123),
        ("−5", -5),
        ("–5", -5),
        ("5-", -5),
        ("+5", 5),
        ("£1.2k", 1200),
        ("1.2 M", 1_200_000),
        ("£1.2m", 1_200_000),
        ("3 bn", 3_000_000_000),
        ("1,2 Mio. €", 1_200_000),
        ("-£5", -5),
        ("£-5", -5),
        ("($1,200.00)", -1200),
        ("CHF 1'234.5", 1234.5),
        ("12 EUR", 12),
        ("1.5E+05", 150_000),
        (".5", 0.5),
        ("\ufeff\u200e412\u200f ", 412),
        ("４１２", 412),
        ("18 of 25", 0.72),
        ("18/25", 0.72),
    ],
)
def test_a_number_is_read_as_people_mean_it(text: str, value: float) -> None:
    read = read_number(text)
    assert not read.problem
    assert read.value == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "n/a",
        "N/A",
        "-",
        "–",
        "—",
        "#N/A",
        "#DIV/0!",
        "#REF!",
        "#NV",
        "#BEZUG!",
        "tbd",
        "?",
        "\u200b",
    ],
)
def test_what_is_unknown_is_never_zero(text: str) -> None:
    read = read_number(text)
    assert read.value is None
    assert not read.problem


@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "12 days",
        "1.2m",
        "1,2,3",
        "1.2.3,4",
        "1,234.567,8",
        "£",
        "%",
        "12abc",
        "=1+1",
        "1/0",
        "--5",
        "9" * 30,
    ],
)
def test_what_is_no_number_is_a_problem_and_never_a_guess(text: str) -> None:
    read = read_number(text)
    assert read.value is None
    assert read.problem


def test_one_mark_before_three_digits_could_be_either() -> None:
    read = read_number("1,234")
    assert (read.value, read.other) == (1234, 1.234)
    assert read.doubt == "Read as 1234; with a decimal comma it would be 1.234."
    assert read_number("1,234", decimal=",").value == 1.234
    assert read_number("1,234", decimal=".").value == 1234
    assert not read_number("1,234", decimal=".").doubt


def test_other_cells_tell_which_mark_decimals_have() -> None:
    assert decimal_mark(["1,234", "12.5"]) == "."
    assert decimal_mark(["1.234", "12,5"]) == ","
    assert decimal_mark(["1.234", "1.234.567"]) == ","
    assert decimal_mark(["1,234", "987"]) == ""
    assert decimal_mark(["12.5", "12,5"]) == ""
    assert decimal_mark(["€ 1.200"]) == ","  # no price has three decimals


def test_a_workbooks_own_number_is_no_thousand() -> None:
    assert read_number("1.234", exact=True).value == 1.234
    assert read_number("1.234", exact=True, decimal=",").value == 1.234


@given(
    st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, allow_infinity=False, places=2),
    st.sampled_from(LOCALES),
)
def test_a_number_of_any_country_reads_back(number: Decimal, locale: tuple[str, str]) -> None:
    read = read_number(written(number, *locale))
    assert not read.problem and not read.doubt
    assert read.value == pytest.approx(float(number), abs=0.001)


@given(st.integers(-(10**14), 10**14), st.sampled_from(LOCALES))
def test_a_whole_number_reads_back_or_says_its_doubt(number: int, locale: tuple[str, str]) -> None:
    group, mark = locale
    text = written(Decimal(number), group, mark)
    assert read_number(text, decimal=mark).value == number
    read = read_number(text)
    assert number in (read.value, read.other)
    assert bool(read.doubt) == (read.other is not None)


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading(text: str) -> None:
    read = read_number(text)
    assert read.value is None or not read.problem
    read_date(text)
    read_month(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-07",
        "2026/07",
        "07/2026",
        "7-2026",
        "Jul 2026",
        "July 2026",
        "July 26",
        "Jul-26",
        "Jul '26",
        "JUL. 2026",
        "2026 Jul",
        "Juli 2026",
        "juillet 2026",
        "julio de 2026",
        "luglio 2026",
        "202607",
        "2026-7",
        "julho 2026",
    ],
)
def test_a_month_in_many_forms(text: str) -> None:
    read = read_date(text)
    assert (read.start, read.grain) == (date(2026, 7, 1), Grain.MONTH)


@pytest.mark.parametrize(
    "text",
    [
        "2026-07-05",
        "2026/7/5",
        "5.7.2026",
        "05.07.26",
        "5 July 2026",
        "July 5, 2026",
        "5-Jul-26",
        "5th of July 2026",
        "5. Juli 2026",
        "Sun 5 Jul 2026",
        "2026-07-05 00:00:00",
        "2026-07-05T00:00:00",
        "46208",
        "20260705",
        "week of 5 Jul 2026",
        "w/c 5 Jul 2026",
    ],
)
def test_a_day_in_many_forms(text: str) -> None:
    read = read_date(text)
    assert (read.start, read.grain) == (date(2026, 7, 5), Grain.DAY)
    assert read_month(text).start == date(2026, 7, 1)


@pytest.mark.parametrize(
    ("text", "start", "grain"),
    [
        ("Q3 2026", date(2026, 7, 1), Grain.QUARTER),
        ("2026-Q3", date(2026, 7, 1), Grain.QUARTER),
        ("3Q26", date(2026, 7, 1), Grain.QUARTER),
        ("T3 2026", date(2026, 7, 1), Grain.QUARTER),
        ("2026", date(2026, 1, 1), Grain.YEAR),
        ("FY2026", date(2026, 1, 1), Grain.YEAR),
        ("2026 W31", date(2026, 7, 27), Grain.WEEK),  # 27 July 2026 is the Monday of ISO week 31
        ("2026-W31", date(2026, 7, 27), Grain.WEEK),
        ("KW 31 2026", date(2026, 7, 27), Grain.WEEK),
    ],
)
def test_other_periods(text: str, start: date, grain: Grain) -> None:
    read = read_date(text)
    assert (read.start, read.grain) == (start, grain)


def test_quarters_and_weeks_follow_the_calendar() -> None:
    calendar = Calendar(week_start=6, fiscal_year_start=7)
    assert read_date("Q1 FY26", calendar=calendar).start == date(2025, 7, 1)
    assert read_date("2026 W31", calendar=calendar).start == date(2026, 7, 26)


@pytest.mark.parametrize("text", ["31/02/2026", "2026-02-30", "30 Feb 2026", "32.1.2026"])
def test_a_day_that_does_not_exist_is_a_problem(text: str) -> None:
    read = read_date(text)
    assert read.start is None and not read.is_date
    assert "not a day" in read.problem


@pytest.mark.parametrize(
    "text", ["Orders", "Total", "412", "12.5", "Q5 2026", "", "3 of 4", "Marketing spend"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert not read_date(text).is_date


def test_a_column_tells_whether_the_day_comes_first() -> None:
    assert day_order(["1/7/2026", "13/7/2026"]) == "dmy"
    assert day_order(["1/7/2026", "7/13/2026"]) == "mdy"
    assert day_order(["1/7/2026", "1/8/2026"]) == "dmy"  # firsts of months
    assert day_order(["7/1/2026", "8/1/2026"]) == "mdy"
    assert day_order(["5/7/2026", "12/7/2026"]) == "dmy"  # a week apart
    assert day_order(["1/7/2026"]) == ""
    assert day_order(["13/7/2026", "7/13/2026"]) == ""


def test_a_date_that_could_be_either_says_both() -> None:
    read = read_date("1/7/2026")
    assert (read.start, read.other) == (date(2026, 7, 1), date(2026, 1, 7))
    assert read_date("1/7/2026", order="mdy").start == date(2026, 1, 7)
    assert read_date("7/7/2026").other is None
    assert "no month 13" in read_date("13/7/2026", order="mdy").problem


def test_a_month_without_a_year_takes_it_from_the_one_before_or_says_so() -> None:
    alone = read_dates(["Nov", "Dec", "Jan"])
    assert all(m.start is None and "year is missing" in m.problem for m in alone)
    led = read_dates(["Nov 2025", "Dec", "Jan", "Feb"])
    assert [m.start for m in led] == [
        date(2025, 11, 1),
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 2, 1),
    ]
    given_year = read_dates(["Nov", "Dec", "Jan"], year=2024)
    assert [m.start for m in given_year] == [date(2024, 11, 1), date(2024, 12, 1), date(2025, 1, 1)]


def test_days_without_a_year_are_not_taken_for_months() -> None:
    assert all("year is missing" in m.problem for m in read_dates(["Jul 24", "Jul 25", "Jul 26"]))
    assert [m.start for m in read_dates(["Jul 26", "Aug 26"])] == [date(2026, 7, 1), date(2026, 8, 1)]


ENGLISH = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October"]
ENGLISH += ["November", "December"]
GERMAN = ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober"]
GERMAN += ["November", "Dezember"]
FRENCH = ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre"]
FRENCH += ["novembre", "décembre"]
SPANISH = ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre"]
SPANISH += ["noviembre", "diciembre"]


@given(
    st.dates(date(1990, 1, 1), date(2060, 12, 31)),
    st.sampled_from(["dmy", "mdy"]),
    st.sampled_from(["/", "-"]),
    st.sampled_from([ENGLISH, GERMAN, FRENCH, SPANISH]),
)
def test_a_day_of_any_country_reads_back(day: date, order: str, mark: str, names: list[str]) -> None:
    parts = [day.day, day.month] if order == "dmy" else [day.month, day.day]
    assert read_date(f"{parts[0]}{mark}{parts[1]}{mark}{day.year}", order=order).start == day
    assert day in (read_date(day.strftime("%d/%m/%Y")).start, read_date(day.strftime("%d/%m/%Y")).other)
    name = names[day.month - 1]
    assert read_date(f"{day.day} {name} {day.year}").start == day
    assert read_date(f"{day.day}. {name[:4].upper()}{name[4:]} {day.year}").start == day
    assert read_date(f"{name} {day.year}").start == day.replace(day=1)
    assert read_date(str((day - date(1899, 12, 30)) // timedelta(days=1))).start == day
    week = day.isocalendar()
    assert read_date(f"{week.year} W{week.week:02d}").start == day - timedelta(days=day.weekday())
