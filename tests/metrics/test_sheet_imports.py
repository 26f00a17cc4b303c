"""Figures out of a spreadsheet: looked at, taken over in one piece, taken back to exactly what was before."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calc.calendar import add_months
from metrics.models import Entry, Metric, SheetImport, Value
from metrics.queries.dump import dump
from metrics.queries.sheet_imports import field_of, read_import
from metrics.services import sheet_imports
from metrics.services.apply import apply
from metrics.services.entries import EntryRow, enter
from metrics.services.manual_metrics import Counted, add, add_own, change, counted_of
from metrics.services.targets import set_target
from metrics.sheets.tables import read_table
from owners.models import Leader, User
from tests.people import Company, company

pytestmark = pytest.mark.django_db

SHEET = (
    "KPI\tJan 2026\tFeb 2026\tMar 2026\nOrders\t1,180\tn/a\t1,310\nOn time\t72 %\t0.75\tabc\n"
    "Average basket\t£41.20\t\t£43"
)
JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


@pytest.fixture
def people() -> Company:
    made = company()
    Metric.objects.all().delete()
    return made


def drafted(by: User, text: str, **matches: Any) -> SheetImport:
    made = sheet_imports.draft(by, read_table(text))
    return sheet_imports.decide(by, made, matches.pop("choices", {}), matches) if matches else made


def state() -> list[tuple[Any, ...]]:
    """All that a page could show of entered figures."""
    fields = (
        "metric__key",
        "dimension",
        "member",
        "period_start",
        "value",
        "numerator",
        "denominator",
        "note",
    )
    return sorted(Entry.objects.values_list(*fields))


def months_ago(count: int) -> date:
    return add_months(timezone.localdate().replace(day=1), -count)


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


def test_a_gap_in_the_sheet_takes_nothing_away_and_says_so(people: Company, client: Client) -> None:
    orders = add_own(Counted(name="Orders"), people.executive)
    enter(orders, [EntryRow(FEB, 1452.0)], author=people.executive, origin="page")
    made = drafted(people.executive, SHEET)
    line = next(line for line in read_import(people.executive, made).lines if line.figure.place == "C2")
    assert (line.what, line.stored, line.row) == ("unknown", 1452, None)
    client.force_login(people.executive)
    page = client.get(f"/start/figures/{made.pk}/").content.decode()
    assert "stays 1\u202f452" in page
    assert "stays unknown" in page  # the average basket has nothing in February
    sheet_imports.take_over(people.executive, made)
    assert Entry.objects.get(metric=orders, period_start=FEB).value == 1452


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


def test_the_preview_says_each_period_as_it_was_read(people: Company, client: Client) -> None:
    """1/7/2026 may be July or January: what it was taken for stands beside what was written."""
    made = drafted(people.executive, "Month\tOrders\n1/1/2026\t5\n1/2/2026\t6\nMärz 2026\t7\nApril 2026\tabc")
    lines = read_import(people.executive, made).lines
    assert [line.period for line in lines] == ["Jan 2026", "Feb 2026", "Mar 2026", ""]
    client.force_login(people.executive)
    page = client.get(f"/start/figures/{made.pk}/").content.decode()
    assert "Feb 2026 <small><bdi>1/2/2026</bdi></small>" in page
    assert page.count('id="problem"') == 1 and 'href="#problem"' in page


def test_figures_of_years_are_no_metric_that_is_counted_yearly(people: Company) -> None:
    """No page asks for a figure once a year: the choice that is shown is the one that was taken."""
    read = read_import(people.executive, drafted(people.executive, "Year\tOrders\n2023\t5\n2024\t6\n2025\t7"))
    assert [m.grain for m in read.matches] == ["quarter"]
    assert {line.what for line in read.lines} == {"problem"}
    assert "2023 is a year, but this metric is counted quarterly" in read.lines[0].problem


def test_a_currency_is_offered_once(people: Company, client: Client) -> None:
    made = drafted(people.executive, "Metric\tJan 2026\tFeb 2026\nBasket\t41,20 €\t42 €\nRent\tCHF 5\tCHF 6")
    client.force_login(people.executive)
    page = client.get(f"/start/figures/{made.pk}/").content.decode()
    assert page.count('<option value="currency:EUR" selected>') == 1
    assert page.count('value="currency:EUR"') == 2  # once a metric
    assert page.count('<option value="currency:CHF" selected>CHF</option>') == 1


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


def test_drafts_do_not_pile_up(people: Company) -> None:
    for _ in range(sheet_imports.DRAFTS + 3):
        drafted(people.executive, "Jan 2026\t5\nFeb 2026\t6")
    assert SheetImport.objects.count() == sheet_imports.DRAFTS
    sheet_imports.discard(people.executive, SheetImport.objects.first())
    assert SheetImport.objects.count() == sheet_imports.DRAFTS - 1


def test_the_pages_of_a_spreadsheet(people: Company, client: Client) -> None:
    client.force_login(people.executive)
    assert client.post("/start/figures/", {"text": "hello"}).status_code == 422
    address = client.post("/start/figures/", {"text": SHEET})["Location"]
    page = client.get(address).content.decode()
    assert "Take over 6 figures, leave 1 out" in page and "“abc” is not a number" in page
    # a decision is kept, also for another day
    client.post(address, {f"{field_of('On time')}-what": "skip", "again": "yes"})
    assert "Take over 4 figures" in client.get(address).content.decode()
    number = int(address.rstrip("/").rsplit("/", 1)[1])
    for other in (people.admin, people.analyst, people.alice, people.viewer):
        stranger = Client()
        stranger.force_login(other)
        wanted = 404 if other == people.admin else 403
        assert stranger.get(address).status_code == wanted
        for way in ({"take": "yes"}, {"discard": "yes"}, {}):
            assert stranger.post(address, way).status_code == wanted
    assert not Entry.objects.exists() and SheetImport.objects.filter(pk=number).exists()
    assert client.post(address, {"take": "yes"})["Location"] == "/start/targets/"
    assert len(state()) == 4
    assert client.get(address).status_code == 404  # taken over: nothing left to decide
    back = f"{address}back/"
    for other in (people.admin, people.alice):
        stranger = Client()
        stranger.force_login(other)
        assert stranger.post(back).status_code in (403, 404)
    assert len(state()) == 4
    assert "Take these figures back" in client.get("/start/figures/").content.decode()
    client.post(back)
    assert state() == []
    assert "Take these figures back" not in client.get("/start/figures/").content.decode()


def test_a_figure_changed_since_it_was_shown_is_shown_again(people: Company, client: Client) -> None:
    orders = add_own(Counted(name="Orders"), people.executive)
    client.force_login(people.executive)
    address = client.post("/start/figures/", {"text": "Month\tOrders\nJan 2026\t5"})["Location"]
    digest = client.get(address).context["read"].digest
    enter(orders, [EntryRow(JAN, 6.0)], author=people.executive, origin="page")
    answer = client.post(address, {"take": "yes", "digest": digest})
    assert answer.status_code == 422 and "changed figures since" in answer.content.decode()
    assert [row[4] for row in state()] == [6]
    client.post(address, {"take": "yes", "digest": answer.context["read"].digest})
    assert [row[4] for row in state()] == [5]


def test_a_draft_is_one_on_both_pages(people: Company, client: Client) -> None:
    """Decided about in the first hour, taken over on the page of imports, taken back by either."""
    add_own(Counted(name="Orders"), people.executive)
    client.force_login(people.executive)
    cells = "Month\tSales\tOther\nJan 2026\t5\t1\nFeb 2026\t6\t2"
    address = client.post("/start/figures/", {"text": cells})["Location"]
    client.post(
        address,
        {f"{field_of('Sales')}-what": "metric:orders", f"{field_of('Other')}-what": "skip", "again": "yes"},
    )
    made = SheetImport.objects.get()
    page = f"/import/{made.pk}/"
    shown = client.get(page).context["shown"]
    said = [(line.figure.place, line.after, line.what) for line in shown.told]
    assert said == [("B2", "5", "new"), ("B3", "6", "new")]
    assert client.post(page, {"do": "enter", "digest": shown.digest}).status_code == 302
    assert [row[:5] for row in state()] == [("orders", "", "", JAN, 5), ("orders", "", "", FEB, 6)]
    client.post(f"{address}back/")
    assert state() == [] and client.post(page, {"do": "undo"}).status_code == 409


def test_whoever_counts_a_metric_hands_in_its_figures_whatever_the_role(people: Company) -> None:
    Leader.objects.create(key="vera", name="Vera", user=people.viewer)
    add(Counted(name="Orders", by="vera"), author=people.admin)
    made = drafted(people.viewer, "Month\tOrders\nJan 2026\t5")
    sheet_imports.take_over(people.viewer, made)
    assert [row[:5] for row in state()] == [("orders", "", "", JAN, 5)]
    assert sheet_imports.take_back(people.viewer, made).figures == 1 and state() == []


def test_a_page_costs_the_same_for_one_metric_and_for_many(people: Company, client: Client) -> None:
    def cost(names: int) -> int:
        heads = "\t".join(f"Metric {n}" for n in range(names))
        figures = "\t".join("5" for _ in range(names))
        made = drafted(people.executive, f"Month\t{heads}\nJan 2026\t{figures}\nFeb 2026\t{figures}")
        client.force_login(people.executive)
        address = f"/start/figures/{made.pk}/"
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    assert cost(1) == cost(12)


def test_what_a_page_says_is_read_in_one_way_on_both_pages(people: Company, client: Client) -> None:
    """Of the sheet, its columns and its names; nonsense is worked out, and what is not said stays."""
    add_own(Counted(name="Orders"), people.executive)
    client.force_login(people.executive)
    cells = "Month\tOrders\tOther\nJan 2026\t5\t1\nFeb 2026\t6\t2"
    for address in ("/start/figures/", "/import/"):
        SheetImport.objects.all().delete()
        page = client.post(address, {"text": cells, "cells": cells})["Location"]
        made = SheetImport.objects.get()
        first = {
            "do": "map", "choice-order": "dmy", "choice-decimal": ",", "choice-year": "2025",
            "choice-layout": "tall", "column-2": "ignore", "proposed-2": "value",
            f"{field_of('Orders')}-what": "metric:orders\x00",
        }  # fmt: skip
        assert client.post(page, first).status_code == 302
        made.refresh_from_db()
        choices = {
            "order": "dmy",
            "decimal": ",",
            "year": "2025",
            "layout": "tall",
            "columns": {"2": "ignore"},
        }
        assert made.choices == choices
        assert made.matches["Orders"]["key"] == "orders"
        nonsense = {
            "do": "map", "choice-order": "ymd", "choice-year": "٢٠٢٥", "choice-layout": "round",
            "column-1": "owner", "column-x": "date", f"{field_of('Orders')}-what": "drop",
        }  # fmt: skip
        assert client.post(page, nonsense).status_code == 302
        made.refresh_from_db()
        assert (made.choices, made.matches["Orders"]["key"]) == (choices, "orders")
        anew = {"do": "map", "choice-decimal": "", "column-2": "date", "proposed-2": "date"}
        assert client.post(page, {**anew, f"{field_of('Orders')}-what": ""}).status_code == 302
        made.refresh_from_db()
        assert "decimal" not in made.choices
        assert made.choices["columns"] == {}
        assert "Orders" not in made.matches
