"""The pages of a spreadsheet: what they show, ask and keep."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from metrics.models import Entry, SheetImport
from metrics.queries.sheet_imports import field_of, read_import
from metrics.services import sheet_imports
from metrics.services.entries import EntryRow, enter
from metrics.services.manual_metrics import Counted, add_own
from tests.metrics.sheet_imports.steps import FEB, JAN, SHEET, drafted, state
from tests.people import Company

pytestmark = pytest.mark.django_db


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


def test_the_preview_says_each_period_as_it_was_read(people: Company, client: Client) -> None:
    """1/7/2026 may be July or January: what it was taken for stands beside what was written."""
    made = drafted(people.executive, "Month\tOrders\n1/1/2026\t5\n1/2/2026\t6\nMärz 2026\t7\nApril 2026\tabc")
    lines = read_import(people.executive, made).lines
    assert [line.period for line in lines] == ["Jan 2026", "Feb 2026", "Mar 2026", ""]
    client.force_login(people.executive)
    page = client.get(f"/start/figures/{made.pk}/").content.decode()
    assert "Feb 2026 <small><bdi>1/2/2026</bdi></small>" in page
    assert page.count('id="problem"') == 1 and 'href="#problem"' in page


def test_a_currency_is_offered_once(people: Company, client: Client) -> None:
    made = drafted(people.executive, "Metric\tJan 2026\tFeb 2026\nBasket\t41,20 €\t42 €\nRent\tCHF 5\tCHF 6")
    client.force_login(people.executive)
    page = client.get(f"/start/figures/{made.pk}/").content.decode()
    assert page.count('<option value="currency:EUR" selected>') == 1
    assert page.count('value="currency:EUR"') == 2  # once a metric
    assert page.count('<option value="currency:CHF" selected>CHF</option>') == 1


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
