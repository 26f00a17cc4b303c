"""Figures out of a spreadsheet: taken over in one piece, taken back to exactly what was before."""

from dataclasses import replace

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from metrics.models import Metric, SheetImport, Value
from metrics.queries.dump import dump
from metrics.queries.sheet_imports import read_import
from metrics.services import sheet_imports
from metrics.services.apply import apply
from metrics.services.entries import EntryRow, enter
from metrics.services.manual_metrics import Counted, add, add_own, change, counted_of
from metrics.services.targets import set_target
from metrics.sheets.tables import read_table
from owners.models import Leader
from tests.metrics.sheet_imports.steps import FEB, JAN, MAR, SHEET, drafted, state
from tests.people import Company

pytestmark = pytest.mark.django_db


def test_figures_are_taken_over_and_taken_back(people: Company) -> None:
    orders = add_own(Counted(name="Orders"), people.executive)
    before_rows = [EntryRow(JAN, 1180.0, note="counted twice"), EntryRow(MAR, 1300.0, note="estimate")]
    enter(orders, before_rows, author=people.executive, origin="page")
    before = state()
    made = drafted(people.executive, SHEET)
    taken = sheet_imports.take_over(people.executive, made)
    assert (taken.added, taken.changed, taken.made) == (4, 1, ("On time", "Average basket"))
    assert state() == [
        ("average_basket", "", "", JAN, 41.2, None, None, ""),
        ("average_basket", "", "", MAR, 43, None, None, ""),
        ("on_time", "", "", JAN, 0.72, None, None, ""),
        ("on_time", "", "", FEB, 0.75, None, None, ""),
        ("orders", "", "", JAN, 1180, None, None, "counted twice"),
        ("orders", "", "", MAR, 1310, None, None, "estimate"),
    ]
    # what is unknown made no figure, and the quarter with a hole in it is unknown
    assert Value.objects.get(metric=orders, grain="quarter").value is None
    assert Metric.objects.get(key="on_time").unit == "percent"
    assert apply(dump()).changes == ()
    made.refresh_from_db()
    assert made.table == {} and len(made.changes) == 5
    with pytest.raises(sheet_imports.Gone):
        sheet_imports.take_over(people.executive, made)
    back = sheet_imports.take_back(people.executive, made)
    assert (back.figures, back.dropped) == (5, ("On time", "Average basket"))
    assert state() == before
    assert [m.key for m in Metric.objects.filter(archived_at=None)] == ["orders"]
    with pytest.raises(sheet_imports.Gone):
        sheet_imports.take_back(people.executive, made)
    assert Value.objects.get(metric=orders, grain="month", period_start=MAR).value == 1300


def test_an_added_metric_stays_once_it_is_used(people: Company) -> None:
    made = drafted(people.executive, SHEET)
    sheet_imports.take_over(people.executive, made)
    on_time = Metric.objects.get(key="on_time")
    change(
        on_time, replace(counted_of(on_time), definition="On the day that was said."), author=people.executive
    )
    basket = Metric.objects.get(key="average_basket")
    set_target(basket, "2026-Q4", 45.0, {}, author=people.executive)
    made.refresh_from_db()
    assert sheet_imports.take_back(people.executive, made).dropped == ("Orders",)
    assert set(Metric.objects.filter(archived_at=None)) == {on_time, basket}


def test_what_somebody_has_changed_since_is_not_taken_back(people: Company) -> None:
    made = drafted(people.executive, SHEET)
    sheet_imports.take_over(people.executive, made)
    orders = Metric.objects.get(key="orders")
    enter(orders, [EntryRow(MAR, 1400.0)], author=people.executive, origin="page")
    after = state()
    with pytest.raises(ValidationError, match="Orders, 1 Mar 2026: this figure was changed meanwhile"):
        sheet_imports.take_back(people.executive, made)
    assert state() == after  # not even of the other metrics
    made.refresh_from_db()
    assert made.undone_at is None


def test_a_figure_changed_between_looking_and_taking_over_is_kept(people: Company) -> None:
    """Another's edit since the page was shown is among what the page is checked against."""
    orders = add_own(Counted(name="Orders"), people.executive)
    made = drafted(people.executive, "Month\tOrders\nJan 2026\t5")
    enter(orders, [EntryRow(JAN, 6.0)], author=people.executive, origin="page")
    read = read_import(people.executive, made)
    assert [(line.what, line.stored) for line in read.lines] == [("changed", 6)]


def test_only_the_author_takes_back_and_only_the_owner_gives_figures(people: Company) -> None:
    made = drafted(people.executive, "Month\tOrders\nJan 2026\t5")
    for other in (people.admin, people.alice, people.viewer):
        with pytest.raises((PermissionDenied, sheet_imports.Gone)):
            sheet_imports.take_over(other, made)
        with pytest.raises((PermissionDenied, sheet_imports.Gone)):
            sheet_imports.decide(other, made, {}, {})
    sheet_imports.take_over(people.executive, made)
    before = state()
    for other in (people.admin, people.analyst, people.alice, people.viewer):
        with pytest.raises(PermissionDenied):
            sheet_imports.take_back(other, made)
    # an admin who is neither owner nor collector sees it refused before, and is refused if it is tried
    foreign = drafted(people.admin, "Month\tOrders\nFeb 2026\t7")
    read = read_import(people.admin, foreign)
    assert read.ready == 0 and "you may not" in read.matches[0].refused
    with pytest.raises(ValidationError):
        sheet_imports.take_over(people.admin, foreign)
    with pytest.raises(PermissionDenied):
        sheet_imports.draft(people.viewer, read_table("Month\tOrders\nFeb 2026\t7"))
    assert state() == before


def test_a_leader_takes_over_figures_of_an_own_metric_but_adds_none(people: Company) -> None:
    add(Counted(name="Orders", by="alice"), author=people.admin)
    made = drafted(people.alice, "Month\tOrders\tVisits\nJan 2026\t5\t6")
    read = read_import(people.alice, made)
    assert [(m.action, m.count) for m in read.matches] == [("metric", 1), ("skip", 0)]
    forced = sheet_imports.decide(people.alice, made, {}, {"Visits": {"action": "new"}})
    assert [m.action for m in read_import(people.alice, forced).matches] == ["metric", "skip"]
    sheet_imports.take_over(people.alice, made)
    assert [row[0] for row in state()] == ["orders"]


def test_drafts_do_not_pile_up(people: Company) -> None:
    for _ in range(sheet_imports.DRAFTS + 3):
        drafted(people.executive, "Jan 2026\t5\nFeb 2026\t6")
    assert SheetImport.objects.count() == sheet_imports.DRAFTS
    sheet_imports.discard(people.executive, SheetImport.objects.first())
    assert SheetImport.objects.count() == sheet_imports.DRAFTS - 1


def test_whoever_counts_a_metric_hands_in_its_figures_whatever_the_role(people: Company) -> None:
    Leader.objects.create(key="vera", name="Vera", user=people.viewer)
    add(Counted(name="Orders", by="vera"), author=people.admin)
    made = drafted(people.viewer, "Month\tOrders\nJan 2026\t5")
    sheet_imports.take_over(people.viewer, made)
    assert [row[:5] for row in state()] == [("orders", "", "", JAN, 5)]
    assert sheet_imports.take_back(people.viewer, made).figures == 1 and state() == []
