"""What a spreadsheet is read as: every figure with what it would become, before anything is stored."""

import pytest

from metrics.queries.sheet_imports import read_import
from metrics.services import sheet_imports
from metrics.services.entries import EntryRow, enter
from metrics.services.manual_metrics import Counted, add_own
from tests.metrics.sheet_imports.steps import FEB, JAN, MAR, SHEET, drafted, months_ago, state
from tests.people import Company

pytestmark = pytest.mark.django_db


def test_the_preview_says_what_every_figure_would_become(people: Company) -> None:
    orders = add_own(Counted(name="Orders"), people.executive)
    enter(orders, [EntryRow(JAN, 1180.0), EntryRow(MAR, 1300.0)], author=people.executive, origin="page")
    read = read_import(people.executive, drafted(people.executive, SHEET))
    said = [(line.figure.place, line.what, line.shown, line.stored) for line in read.lines]
    assert said == [
        ("B2", "same", 1180, 1180),
        ("C2", "unknown", None, None),
        ("D2", "changed", 1310, 1300),
        ("B3", "new", 0.72, None),
        ("C3", "new", 0.75, None),
        ("D3", "problem", None, None),
        ("B4", "new", 41.2, None),
        ("C4", "unknown", None, None),
        ("D4", "new", 43, None),
    ]
    assert [(m.name, m.action, m.unit, m.kind, m.count) for m in read.matches] == [
        ("Orders", "metric", "count", "amount", 1),
        ("On time", "new", "percent", "level", 2),
        ("Average basket", "new", "currency:GBP", "level", 2),
    ]
    assert state() == [  # looking stores nothing
        ("orders", "", "", JAN, 1180, None, None, ""),
        ("orders", "", "", MAR, 1300, None, None, ""),
    ]


def test_shares_are_percent_or_fractions_as_the_column_says_or_its_reader_decides(people: Company) -> None:
    add_own(Counted(name="On time", kind="level", unit="percent"), people.executive)

    def values(text: str, **said: str) -> list[float | None]:
        made = drafted(
            people.executive, text, **({"On time": {"action": "metric", "key": "on_time", **said}})
        )
        return [line.value for line in read_import(people.executive, made).lines]

    assert values("m\tOn time\nJan 2026\t72\nFeb 2026\t0.8") == [0.72, 0.008]
    assert values("m\tOn time\nJan 2026\t0.72\nFeb 2026\t0.8") == [0.72, 0.8]
    assert values("m\tOn time\nJan 2026\t0.72\nFeb 2026\t0.8", scale="percent") == [0.0072, 0.008]
    assert values("m\tOn time\nJan 2026\t72 %\nFeb 2026\t0.5%") == [0.72, 0.005]


def test_a_share_of_two_numbers_wants_both(people: Company) -> None:
    add_own(Counted(name="Plans", kind="share", unit="percent"), people.executive)
    made = drafted(people.executive, "Month\tPlans\nJan 2026\t18 of 25\nFeb 2026\t72 %\nMar 2026\t30/25")
    lines = read_import(people.executive, made).lines
    assert [line.what for line in lines] == ["new", "problem", "problem"]
    assert "18 of 25" in lines[1].problem and "no share" in lines[2].problem
    sheet_imports.take_over(people.executive, made)
    assert state() == [("plans", "", "", JAN, None, 18, 25, "")]
    sheet_imports.take_back(people.executive, made)
    assert state() == []


def test_the_future_and_other_rhythms_are_problems(people: Company) -> None:
    add_own(Counted(name="Orders"), people.executive)
    ahead = months_ago(-2)
    text = f"Month\tOrders\n{ahead:%b %Y}\t5\nQ1 2026\t9\n2026-01-05\t1\n2026-01-12\t2"
    lines = read_import(people.executive, drafted(people.executive, text)).lines
    assert [line.what for line in lines] == ["problem", "problem", "new", "problem"]
    assert "future" in lines[0].problem and "counted monthly" in lines[1].problem
    assert "B4 is a figure for the same month" in lines[3].problem


def test_figures_of_years_are_no_metric_that_is_counted_yearly(people: Company) -> None:
    """No page asks for a figure once a year: the choice that is shown is the one that was taken."""
    read = read_import(people.executive, drafted(people.executive, "Year\tOrders\n2023\t5\n2024\t6\n2025\t7"))
    assert [m.grain for m in read.matches] == ["quarter"]
    assert {line.what for line in read.lines} == {"problem"}
    assert "2023 is a year, but this metric is counted quarterly" in read.lines[0].problem


def test_one_column_without_a_name_is_the_north_star(people: Company) -> None:
    add_own(Counted(name="Orders", role="north_star"), people.executive)
    made = drafted(people.executive, "Jan 2026\t5\nFeb 2026\t6")
    sheet_imports.take_over(people.executive, made)
    assert [row[:5] for row in state()] == [("orders", "", "", JAN, 5), ("orders", "", "", FEB, 6)]


def test_two_names_of_one_metric_are_read_together(people: Company) -> None:
    """Else both figures of a month would pass for new, and be refused when they are taken over."""
    add_own(Counted(name="Orders"), people.executive)
    both = {name: {"action": "metric", "key": "orders"} for name in ("Shop", "Web")}
    made = drafted(people.executive, "Month\tShop\tWeb\nJan 2026\t5\t6\nFeb 2026\t7\t", **both)
    lines = read_import(people.executive, made).lines
    assert [(line.figure.place, line.what) for line in lines] == [
        ("B2", "new"), ("C2", "problem"), ("B3", "new"), ("C3", "unknown"),
    ]  # fmt: skip
    assert "B2 is a figure for the same month" in lines[1].problem
    assert sheet_imports.take_over(people.executive, made).added == 2


def test_a_note_alone_is_a_change_and_a_member_finds_the_only_dimension(people: Company) -> None:
    orders = add_own(Counted(name="Orders", other={"by": ["city"]}), people.executive)
    enter(orders, [EntryRow(JAN, 5.0)], author=people.executive, origin="page")
    cells = "Date\tMetric\tValue\tNote\n2026-01-01\tOrders\t5\tby phone"
    noted = drafted(people.executive, cells)
    assert [line.what for line in read_import(people.executive, noted).lines] == ["changed"]
    by_part = drafted(people.executive, "Metric\tRegion\tJan 2026\tFeb 2026\nOrders\tLeeds\t2\t3")
    rows = [line.row for line in read_import(people.executive, by_part).lines]
    assert [(row.dimension, row.member, row.value) for row in rows if row] == [
        ("city", "Leeds", 2), ("city", "Leeds", 3),
    ]  # fmt: skip
