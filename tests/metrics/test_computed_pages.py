"""From a source to a figure without a file: what is shown before it is saved is what is computed after."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from metrics.models import Metric, MetricVersion, Source, Value, Warehouse
from metrics.queries.dump import dump
from metrics.services import looking, questions
from metrics.services.apply import apply
from metrics.services.recompute import work
from tests.metrics.defining import METRIC, NEW, add, filled, metric
from tests.metrics.defining import analyst as analyst
from tests.metrics.defining import patient as patient
from tests.metrics.defining import people as people
from tests.northstar.test_routes import client_of
from tests.people import Company
from tests.warehouse import stores

pytestmark = pytest.mark.django_db


def count(people: Company, where: str) -> list[tuple[str, float]]:
    """(month, rows) by a plain count of the file, the last eight months."""
    path = Warehouse.objects.get(key="shop").options["path"]
    with duckdb.connect(path, read_only=True) as db:
        rows = db.execute(
            f"SELECT strftime(ordered_at, '%b %Y'), count(*) FROM orders WHERE {where} "
            "GROUP BY 1, date_trunc('month', ordered_at) ORDER BY date_trunc('month', ordered_at)"
        ).fetchall()
    return [(month, float(n)) for month, n in rows][-8:]


def test_a_dry_run_shows_the_months_and_saves_nothing(analyst: Client, people: Company) -> None:
    add(analyst)
    conditions = {
        "where-column-0": "country", "where-comparison-0": "eq", "where-value-0": "UK",
        "where-column-1": "quantity", "where-comparison-1": "ge", "where-value-1": "3",
    }  # fmt: skip
    answer = metric(analyst, name="Orders", action="figures", **conditions)
    trial = answer.context["trial"]
    shown = [(f"{period.start:%b %Y}", value) for period, value in trial.preview.figures]
    assert shown == count(people, "country = 'UK' AND quantity >= 3")
    assert not Metric.objects.filter(type="simple").exists()
    part = analyst.post(
        METRIC,
        {
            "name": "Orders",
            "way": "count",
            "unit": "count",
            "role": "supporting",
            "better": "up",
            "visible": "everyone",
        },
        headers={"HX-Request": "true"},
    ).content.decode()
    assert "Nothing is saved yet" in part
    assert "<html" not in part


@pytest.mark.django_db(transaction=True)
def test_what_is_saved_computes_what_was_shown(analyst: Client, people: Company) -> None:
    add(analyst)
    given = {"where-column-0": "quantity", "where-comparison-0": "gt", "where-value-0": "0"}
    answer = metric(
        analyst, name="Paid orders", role="focus", lens="frequency", owner="alice", by="country", **given
    )
    assert answer["Location"] == "/metrics/paid_orders/"
    made = Metric.objects.get(key="paid_orders")
    assert made.spec == {"measure": {"source": "orders", "agg": "count", "where": "quantity > 0"}}
    assert (made.role, made.lens, made.by) == ("focus", "frequency", ["country"])
    assert MetricVersion.objects.filter(metric=made, author=people.analyst).count() == 1
    assert not apply(dump()).changes
    list(work("test"))
    stored = Value.objects.filter(metric=made, grain="month", dimension="").order_by("period_start")
    assert [(f"{v.period_start:%b %Y}", v.value) for v in stored][-8:] == count(people, "quantity > 0")


def test_sums_shares_and_distinct_counts_are_what_they_say(analyst: Client, people: Company) -> None:
    add(analyst)
    for way, column, unit, sql in (
        ("sum", "quantity", "count", "sum(quantity)"),
        ("count_distinct", "customer_id", "count", "count(DISTINCT customer_id)"),
        ("avg", "quantity", "ratio", "avg(quantity)"),
        ("median", "quantity", "score", "median(quantity)"),
        ("share", "", "percent", "avg(CASE WHEN country = 'UK' THEN 1.0 ELSE 0 END)"),
    ):
        part = {"part-column-0": "country", "part-comparison-0": "eq", "part-value-0": "UK"}
        answer = metric(
            analyst, name=f"By {way}", way=way, column=column, unit=unit, action="figures", **part
        )
        trial = answer.context["trial"]
        assert trial is not None, answer.context["form"].errors
        with duckdb.connect(Warehouse.objects.get().options["path"], read_only=True) as db:
            month = "date_trunc('month', ordered_at)"
            rows = db.execute(f"SELECT {sql} FROM orders GROUP BY {month} ORDER BY {month}").fetchall()
        expected = [float(row[0]) for row in rows][-8:]
        assert [value for _, value in trial.preview.figures] == pytest.approx(expected), way
        assert (
            metric(analyst, name=f"By {way}", way=way, column=column, unit=unit, **part).status_code == 302
        ), way
    assert not apply(dump()).changes


def test_a_north_star_is_an_executives_word(analyst: Client, people: Company) -> None:
    add(analyst)
    assert metric(analyst, name="Orders", role="north_star").status_code == 422
    assert metric(client_of(people, "admin"), name="Orders", role="north_star").status_code == 302
    assert Metric.objects.get(role="north_star").key == "orders"


def test_what_does_not_fit_is_told(analyst: Client) -> None:
    add(analyst)
    for given, words in (
        ({"way": "sum"}, "Say of which column"),
        ({"way": "sum", "column": "words"}, "sum"),
        ({"way": "sum", "column": "no_such"}, "there is no column"),
        ({"way": "count", "unit": "percent"}, "no unit percent"),
        ({"way": "share"}, "which rows are the share"),
        ({"where-column-0": "quantity", "where-comparison-0": "gt", "where-value-0": "many"}, "is a number"),
        (
            {"where-column-0": "ordered_at", "where-comparison-0": "gt", "where-value-0": "July"},
            "write a day",
        ),
        (
            {"where-column-0": "nowhere", "where-comparison-0": "eq", "where-value-0": "x"},
            "There is no column",
        ),
        ({"where-value-0": "x"}, "Choose the column"),
        ({"key": "orders drop"}, "is not a key"),
    ):
        answer = metric(analyst, name="Orders", **given)
        assert answer.status_code == 422, given
        assert words in answer.content.decode().replace("&#x27;", "'"), given
    assert not Metric.objects.filter(type="simple").exists()


def test_a_key_is_made_from_the_name_and_never_given_twice(analyst: Client) -> None:
    add(analyst)
    assert metric(analyst, name="Größe & Orders")["Location"] == "/metrics/gr_e_orders/"
    assert metric(analyst, name="Größe & Orders")["Location"] == "/metrics/gr_e_orders_2/"
    answer = metric(analyst, name="Other", key="gr_e_orders")
    assert answer.status_code == 422
    assert "already" in answer.content.decode()


HOSTILE = "<script>alert(1)</script>\u202e'\"; DROP TABLE orders --"


def test_hostile_names_and_values_are_text(people: Company, tmp_path: Path, analyst: Client) -> None:
    path = tmp_path / "hostile.duckdb"
    column = HOSTILE.replace('"', '""')
    with duckdb.connect(str(path)) as db:
        db.execute(f"""CREATE TABLE t AS SELECT TIMESTAMP '2024-01-01' + INTERVAL (i) HOUR AS at,
                       CASE i % 2 WHEN 0 THEN '{HOSTILE.replace("'", "''")}' ELSE 'plain' END AS "{column}"
                       FROM range(100) r(i)""")
        db.execute(f'CREATE TABLE "{column}" AS SELECT 1 AS x')
    apply(f"warehouses:\n  odd: {{engine: duckdb, path: {path}}}\n")
    for address in ({"warehouse": "odd"}, {"warehouse": "odd", "table": "t"}):
        text = analyst.get(NEW, address).content.decode()
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text
    page = analyst.get(NEW, {"warehouse": "odd", "table": "t"})
    given = {**filled(page), "warehouse": "odd", "table": "t", "key": "orders"}
    refused = analyst.post(NEW, given)  # a sign that turns the line round is no part of a definition
    assert refused.status_code == 422
    given = {k: v for k, v in given.items() if not k.startswith(("use-", "expr-", "name-"))}
    assert analyst.post(NEW, given).status_code == 302
    for comparison, value in (("eq", "<b>'\"\\%_"), ("contains", "'; DROP TABLE t --"), ("in", "a', 'b")):
        answer = metric(
            analyst, name="N", action="figures", way="count",
            **{"where-column-0": "at", "where-comparison-0": "filled", "where-column-1": HOSTILE},
            **{"where-comparison-1": comparison, "where-value-1": value},
        )  # fmt: skip
        assert answer.status_code in (200, 422)
        assert "<b>" not in answer.content.decode().replace("<bdi>", "")
    with duckdb.connect(str(path), read_only=True) as db:
        assert db.execute("SELECT count(*) FROM t").fetchone() == (100,)


def test_a_table_that_cannot_be_asked_in_time_is_waited_for_and_not_hung_on(
    analyst: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    gate = threading.Event()
    real = looking.catalog.tables

    def slow(*given: Any) -> Any:
        gate.wait(30)
        return real(*given)

    monkeypatch.setattr(questions, "WAIT", 0.05)
    monkeypatch.setattr("metrics.services.looking.catalog.tables", slow)
    page = analyst.get(NEW)
    assert "Still asking" in page.content.decode()
    assert re.search(r'hx-get="/settings/sources/new/"', page.content.decode())
    gate.set()
    monkeypatch.setattr(questions, "WAIT", 30)
    assert "table=orders" in analyst.get(NEW).content.decode()


def test_a_postgresql_table_becomes_a_metric(people: Company, settings: Any) -> None:
    settings.LAYOUT = None
    rows = [
        {
            "at": datetime(2024, 1, 1) + timedelta(hours=6 * n),
            "who": f"user-{n % 30}",
            "kind": "ab"[n % 2],
            "amount": 1.5,
        }
        for n in range(600)
    ]
    client = client_of(people, "admin")
    with stores.postgres_store(visits=rows) as store:
        Warehouse.objects.create(key="pg", engine="postgres", options=dict(store.options))
        page = client.get(NEW, {"warehouse": "pg", "table": "visits"})
        assert page.context["form"]["time"].value() == "at"
        assert "kind" in {line.name for line in page.context["lines"] if line.used}
        given = {**filled(page), "warehouse": "pg", "table": "visits", "key": "orders"}
        assert client.post(NEW, given).status_code == 302
        answer = metric(
            client, name="Visits of a", action="figures",
            **{"where-column-0": "kind", "where-comparison-0": "in", "where-value-0": "a, c"},
        )  # fmt: skip
        shown = {f"{period.start:%Y-%m}": value for period, value in answer.context["trial"].preview.figures}
    assert shown["2024-01"] == sum(r["kind"] == "a" and f"{r['at']:%m}" == "01" for r in rows)
    assert shown["2024-05"] == sum(r["kind"] == "a" and f"{r['at']:%m}" == "05" for r in rows)


def test_pages_ask_as_many_statements_for_ten_sources_as_for_one(analyst: Client) -> None:
    from django.test.utils import CaptureQueriesContext

    add(analyst)
    with CaptureQueriesContext(connection) as one:
        analyst.get("/settings/sources/")
    for n in range(10):
        row = Source.objects.get(key="orders")
        Source.objects.create(key=f"s{n}", warehouse=row.warehouse, spec=row.spec)
    with CaptureQueriesContext(connection) as ten:
        analyst.get("/settings/sources/")
    assert len(one) == len(ten)
    assert reverse("source_metric", args=["orders"]) == METRIC
