"""Whole sheets as people have them: every figure with its metric, month and cell."""

import io
from datetime import date, datetime

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from calc.calendar import Calendar, Grain, add_months
from metrics.sheets.layout import propose
from metrics.sheets.periods import grain_of, place
from metrics.sheets.shapes import Choices, Layout, Sheet
from metrics.sheets.tables import read_table

JUL, AUG, SEP = date(2026, 7, 1), date(2026, 8, 1), date(2026, 9, 1)


def read(text: str, **choices: object) -> Sheet:
    return propose(read_table(text), choices=Choices(**choices))


def said(sheet: Sheet) -> list[tuple[str, date | None, float | None]]:
    return [(f.name, f.when.start, f.value) for f in sheet.figures]


def test_months_across_the_top() -> None:
    sheet = read("Metric\tJul 2026\tAug 2026\tTotal\nOrders\t1,234.0\t1,300\t2,534\n\nOn time\t72 %\tn/a\t")
    assert sheet.layout is Layout.WIDE
    assert said(sheet) == [
        ("Orders", JUL, 1234),
        ("Orders", AUG, 1300),
        ("On time", JUL, 0.72),
        ("On time", AUG, None),
    ]
    assert [f.place for f in sheet.figures] == ["B2", "C2", "B4", "C4"]
    assert [f.is_unknown for f in sheet.figures] == [False, False, False, True]
    assert sheet.ignored == ("Total",)
    assert not sheet.problems and not sheet.questions


def test_months_down_the_side() -> None:
    sheet = read(
        "Month\tOrders\tOn time\tComment\nJul 2026\t412\t72%\tfine\nAug 2026\t-\t75%\tso so\nTotal\t412\t\t"
    )
    assert sheet.layout is Layout.TALL
    assert said(sheet) == [
        ("Orders", JUL, 412),
        ("On time", JUL, 0.72),
        ("Orders", AUG, None),
        ("On time", AUG, 0.75),
    ]
    assert set(sheet.ignored) == {"Total", "Comment"}
    assert not sheet.problems


def test_a_figure_a_row() -> None:
    sheet = read(
        "period_start,metric,value,note\n2026-07-01,orders,5,first\n2026-07-01,churn,0.06,\n2026-08-01,orders,7,"
    )
    assert sheet.layout is Layout.LONG
    assert said(sheet) == [("orders", JUL, 5), ("churn", JUL, 0.06), ("orders", AUG, 7)]
    assert sheet.figures[0].note == "first"
    assert sheet.columns == {0: "date", 1: "metric", 2: "value", 3: "note"}


def test_a_share_in_two_columns_with_a_country() -> None:
    sheet = read(
        "month;country;numerator;denominator\n2026-07;GB;18;25\n2026-07;FR;3;4\n2026-08;GB;19;\n2026-08;FR;;"
    )
    first, second, third, fourth = sheet.figures
    assert (first.numerator, first.denominator, first.value) == (18, 25, 0.72)
    assert (first.dimension, first.member, second.member) == ("country", "GB", "FR")
    assert (third.place, third.problem) == ("D4", "A share needs both numbers, as in 18 of 25.")
    assert fourth.is_unknown
    assert [str(p) for p in sheet.problems] == ["D4: A share needs both numbers, as in 18 of 25."]


def test_metrics_by_country_in_a_wide_sheet() -> None:
    sheet = read("KPI\tCountry\tJul 2026\tAug 2026\nOrders\tGB\t1\t2\n\tFR\t3\t4")
    found = [(f.name, f.dimension, f.member, f.value) for f in sheet.figures]
    assert found == [
        ("Orders", "Country", "GB", 1),
        ("Orders", "Country", "GB", 2),
        ("Orders", "Country", "FR", 3),
        ("Orders", "Country", "FR", 4),
    ]


@pytest.mark.parametrize("text", ["Jul 2026\t412\nAug 2026\t415", "Jul 2026\tAug 2026\n412\t415"])
def test_only_months_and_figures(text: str) -> None:
    assert said(read(text)) == [("", JUL, 412), ("", AUG, 415)]


def test_other_columns_are_left_out_and_named() -> None:
    sheet = read("KPI\tOwner\tUnit\tJul 2026\tAug 2026\tYTD\nOrders\tMaya\t#\t5\t6\t11")
    assert sheet.names == ("Orders",)
    assert sheet.ignored == ("Owner", "Unit", "YTD")


def test_a_title_above_and_serial_days_as_headings() -> None:
    sheet = read("Acme 2026\n\nKPI\t46204\t46235\nOrders\t1\t2\nMRR\t£1.2k\t£1,300")
    assert said(sheet) == [("Orders", JUL, 1), ("Orders", AUG, 2), ("MRR", JUL, 1200), ("MRR", AUG, 1300)]
    assert sheet.figures[2].currency == "GBP"


def test_years_stand_once_above_the_months() -> None:
    sheet = read("\t2025\t\t2026\nKPI\tNov\tDec\tJan\nOrders\t1\t2\t3")
    assert [f.when.start for f in sheet.figures] == [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1)]
    assert not sheet.questions


def test_a_year_in_a_column_of_its_own() -> None:
    sheet = read("Year\tMonth\tOrders\n2025\tNov\t5\n\tDec\t6\n2026\tJan\t7\n")
    assert [f.when.start for f in sheet.figures] == [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1)]


def test_missing_years_are_asked_for_once_and_then_known() -> None:
    text = "\tNov\tDec\tJan\nOrders\t1\t2\t3"
    sheet = read(text)
    assert not sheet.figures
    assert [q.name for q in sheet.questions] == ["year"]
    assert len(sheet.problems) == 1 and sheet.problems[0].place == "B1"
    answered = read(text, year=2025)
    assert [f.when.start for f in answered.figures] == [
        date(2025, 11, 1),
        date(2025, 12, 1),
        date(2026, 1, 1),
    ]


def test_marks_that_could_be_either_are_asked_for() -> None:
    text = "KPI\tJul 2026\tAug 2026\nOrders\t1,234\t987"
    sheet = read(text)
    assert [(q.name, q.chosen) for q in sheet.questions] == [("decimal", ".")]
    assert sheet.figures[0].value == 1234 and sheet.figures[0].doubt
    assert read(text, decimal=",").figures[0].value == 1.234
    # another row of the sheet proves it
    assert not read(text + "\nPrice\t2.50\t3").questions


def test_dates_that_could_be_either_are_asked_for() -> None:
    text = "date\torders\n1/7/2026\t5\n3/7/2026\t6"
    sheet = read(text)
    assert [(q.name, q.chosen) for q in sheet.questions] == [("order", "dmy")]
    assert [f.when.start for f in sheet.figures] == [date(2026, 7, 1), date(2026, 7, 3)]
    assert [f.when.start for f in read(text, order="mdy").figures] == [date(2026, 1, 7), date(2026, 3, 7)]


def test_problems_stand_at_their_cells() -> None:
    sheet = read("KPI\tJul 2026\tAug 2026\nOrders\tabc\t5\nChurn\t3 days\t4\nOrders\t6\t9")
    places = [(p.place, p.row, p.column) for p in sheet.problems]
    assert places == [("B2", 1, 1), ("B3", 2, 1), ("B4", 3, 1), ("C4", 3, 2)]
    assert "stands in C2 already" in sheet.problems[3].message
    assert [f.value for f in sheet.figures] == [None, 5, None, 4, None, None]


def test_a_misspelt_month_is_a_problem_and_its_figures_are_not_taken() -> None:
    sheet = read("Month\tOrders\nJul 2026\t5\nAgu 2026\t6")
    assert said(sheet) == [("Orders", JUL, 5)]
    assert [p.place for p in sheet.problems] == ["A3"]


@pytest.mark.parametrize("text", ["x\ty\n1\t2", "hello", "1\t2\n3\t4"])
def test_without_any_date_there_is_one_problem_that_says_what_to_do(text: str) -> None:
    sheet = read(text)
    assert not sheet.figures
    assert "months across the top" in sheet.problems[0].message


def test_a_person_can_say_what_a_column_means() -> None:
    text = "Month\tA\tB\nJul 2026\t5\t6"
    assert said(read(text)) == [("A", JUL, 5), ("B", JUL, 6)]
    assert said(read(text, columns={2: "ignore"})) == [("A", JUL, 5)]
    assert said(read(text, layout="long", columns={1: "numerator", 2: "denominator"}))[0][2] == 5 / 6
    assert (
        said(read("KPI\tAlias\tJul 2026\nOrders\tBestellungen\t5", columns={1: "metric"}))[0][0]
        == "Bestellungen"
    )


def test_a_workbook_with_real_months_and_numbers() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Board")
        month, percent = book.add_format({"num_format": "mmm yy"}), book.add_format({"num_format": "0%"})
        sheet.write_row(0, 0, ["KPI"])
        for n in range(6):
            sheet.write_datetime(0, n + 1, datetime(2026, 1 + n, 1), month)
        sheet.write_row(1, 0, ["Orders", 1, 2.5, 3, 4, 5])
        sheet.write(2, 0, "On time")
        for n in range(6):
            sheet.write_number(2, n + 1, 0.7 + n / 100, percent)
    read = propose(read_table(out.getvalue()))
    orders = [f for f in read.figures if f.name == "Orders"]
    assert [f.value for f in orders] == [1, 2.5, 3, 4, 5, None]
    assert [f.when.start for f in orders] == [date(2026, n, 1) for n in range(1, 7)]
    assert [f.value for f in read.figures if f.name == "On time"] == pytest.approx(
        [0.7, 0.71, 0.72, 0.73, 0.74, 0.75]
    )
    assert all(f.exact for f in read.figures if f.value is not None)


def test_days_find_their_period_and_twice_is_refused() -> None:
    sheet = read("date\torders\n2026-07-31\t5\n2026-08-31\t6\n2026-09-15\t7\n2026-09-30\t8")
    placed = place(sheet.figures, Grain.MONTH, Calendar())
    assert [p.start for p in placed] == [JUL, AUG, SEP, None]
    assert "B4 is a figure for the same month" in placed[3].figure.problem
    assert placed[3].figure.value is None
    weekly = place(sheet.figures[:1], Grain.WEEK, Calendar())
    assert weekly[0].start == date(2026, 7, 27)


def test_a_quarter_has_no_place_among_months() -> None:
    sheet = read("quarter\torders\nQ3 2026\t5")
    assert (
        "is a quarter, but this metric is counted monthly"
        in place(sheet.figures, Grain.MONTH, Calendar())[0].figure.problem
    )


def test_how_often_figures_come() -> None:
    assert grain_of(read("m\tx\nJul 2026\t1\nAug 2026\t1").figures) is Grain.MONTH
    assert grain_of(read("d\tx\n2026-07-01\t1\n2026-08-01\t1").figures) is Grain.MONTH
    assert grain_of(read("d\tx\n2026-07-06\t1\n2026-07-13\t1").figures) is Grain.WEEK
    assert grain_of(read("d\tx\n2026-07-06\t1\n2026-07-07\t1").figures) is Grain.DAY
    assert grain_of(read("d\tx\n2026-07-06\t1").figures) is None


FORMS = ["%b %Y", "%B %Y", "%Y-%m", "%m/%Y", "%d.%m.%Y", "%Y-%m-%d", "%b-%y", "%d %b %Y"]
NAMES = st.text("abcdefghij XYZ", min_size=1, max_size=12).map(str.strip).filter(lambda s: len(s) > 4)


@given(
    names=st.lists(NAMES, min_size=1, max_size=4, unique_by=str.casefold),
    months=st.integers(2, 14),
    form=st.sampled_from(FORMS),
    data=st.data(),
)
def test_one_table_says_the_same_wide_tall_and_long(
    names: list[str], months: int, form: str, data: st.DataObject
) -> None:
    """The law of layouts: the same figures come out, however they are laid out."""
    starts = [add_months(date(2025, 3, 1), n) for n in range(months)]
    figures = {
        (name, start): data.draw(st.none() | st.decimals(-9999, 9999, places=2))
        for name in names
        for start in starts
    }
    if all(value is None for value in figures.values()):
        figures[names[0], starts[0]] = 1  # type: ignore[assignment]

    def cell(name: str, start: date) -> str:
        value = figures[name, start]
        return "n/a" if value is None else f"{value:,f}"

    heads = [start.strftime(form) for start in starts]
    wide = "\n".join(
        ["\t".join(["KPI", *heads]), *("\t".join([name, *(cell(name, s) for s in starts)]) for name in names)]
    )
    tall = "\n".join(
        ["\t".join(["Month", *names])]
        + ["\t".join([head, *(cell(n, s) for n in names)]) for head, s in zip(heads, starts, strict=True)]
    )
    long = "\n".join(
        ["date\tmetric\tvalue"]
        + [f"{head}\t{n}\t{cell(n, s)}" for head, s in zip(heads, starts, strict=True) for n in names]
    )
    wanted = {place: None if value is None else float(value) for place, value in figures.items()}
    for text, layout in ((wide, Layout.WIDE), (tall, Layout.TALL), (long, Layout.LONG)):
        sheet = read(text, layout=layout.value, decimal=".")
        assert not sheet.problems
        assert {(f.name, f.when.start): f.value for f in sheet.figures} == wanted
        if len(names) > 1 and any(v is not None for v in figures.values()) and layout is not Layout.LONG:
            assert read(text, decimal=".").layout is layout
