"""From a table to a figure without a file: sources and computed metrics on their pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from metrics.models import Metric, MetricVersion, Run, Source, Value, Warehouse
from metrics.queries.dump import dump
from metrics.services import looking, questions
from metrics.services.apply import apply
from metrics.services.recompute import work
from owners.models import Leader
from tests.metrics.files import make_warehouse
from tests.northstar.test_routes import client_of
from tests.people import Company, company
from tests.warehouse import stores

pytestmark = pytest.mark.django_db
NEW = "/settings/sources/new/"
METRIC = "/settings/sources/orders/metrics/new/"


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(questions, "WAIT", 60)  # the machine of the tests may be slow
    questions._questions.clear()
    yield
    questions._questions.clear()


@pytest.fixture
def people(db: None, tmp_path: Path) -> Company:
    made = company()
    Metric.objects.update(type="manual", spec={"kind": "amount", "grain": "month"})
    apply(f"warehouses:\n  shop: {{engine: duckdb, path: {make_warehouse(tmp_path)}}}\n")
    return made


@pytest.fixture
def analyst(people: Company) -> Client:
    client = Client()
    client.force_login(people.analyst)
    return client


def filled(page: Any) -> dict[str, str]:
    """What a browser would send of the page's form as it stands."""
    context = page.context
    form = context["form"]
    given = {name: form[name].value() or "" for name in form.fields}
    for line in context["lines"]:
        given[f"expr-{line.number}"] = line.expression
        given[f"name-{line.number}"] = line.name
        if line.used:
            given[f"use-{line.number}"] = "on"
        if not line.column and not line.expression:
            given[f"own-{line.number}"] = "1"
    return {"warehouse": "shop", "action": "save", **{k: str(v) for k, v in given.items()}}


def add(client: Client, **changes: str) -> Any:
    return client.post(NEW, {**filled(client.get(NEW, {"table": "orders"})), **changes})


def metric(client: Client, **given: Any) -> Any:
    said = {"way": "count", "unit": "count", "role": "supporting", "better": "up", "visible": "everyone"}
    return client.post(METRIC, {**said, "action": "save", **given})


def test_tables_are_listed_and_columns_proposed(analyst: Client) -> None:
    listed = analyst.get(NEW).content.decode()
    assert "?warehouse=shop&amp;table=orders" in listed
    page = analyst.get(NEW, {"table": "orders"})
    form = page.context["form"]
    assert (form["time"].value(), form["entity"].value(), form["key"].value()) == (
        "ordered_at", "customer_id", "orders",
    )  # fmt: skip
    assert {line.name for line in page.context["lines"] if line.used} == {"country"}
    text = page.content.decode()
    for words in ("6,528 rows", "2011-01-01", "2011-09-29", "carry no zone", "FR", "quantity"):
        assert words in text


def test_a_source_is_added_and_its_run_asked_for(analyst: Client, people: Company) -> None:
    owner = Leader.objects.get(key="bob")
    answer = add(analyst, lateness="3 days", fresh_by="08:00", data_owner="bob", timezone="Europe/London")
    assert answer["Location"] == METRIC
    source = Source.objects.get()
    assert source.spec == {
        "table": "orders", "time": "ordered_at", "entity": "customer_id",
        "dimensions": {"country": "country"}, "lateness": "3 days", "fresh_by": "08:00",
        "timezone": "Europe/London",
    }  # fmt: skip
    assert source.data_owner == owner
    assert Run.objects.filter(source=source, state="due").count() == 1
    assert not apply(dump()).changes


def test_mistakes_stand_at_their_fields_and_nothing_is_saved(analyst: Client) -> None:
    for change, field in (
        ({"time": "nowhere_at"}, "time"),
        ({"time": "country"}, None),
        ({"entity": "count(*)"}, "entity"),
        ({"lateness": "soon"}, "lateness"),
        ({"fresh_by": "25:00"}, "fresh_by"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"key": "Or ders"}, "key"),
        ({"expr-6": "no_such + 1", "name-6": "odd", "use-6": "on"}, None),
    ):
        answer = add(analyst, **change)
        assert answer.status_code == 422, change
        if field:
            assert field in answer.context["form"].errors, change
    assert not Source.objects.exists()


def test_an_edit_keeps_what_has_no_field_and_meets_conflicts(analyst: Client) -> None:
    add(analyst)
    Source.objects.update(spec={**Source.objects.get().spec, "top": {"country": 5}})
    address = "/settings/sources/orders/"
    page = analyst.get(address)
    assert analyst.post(address, {**filled(page), "lateness": "2 days"}).status_code == 302
    assert Source.objects.get().spec["top"] == {"country": 5}
    late = analyst.post(address, {**filled(page), "lateness": "9 days"})
    assert late.status_code == 422
    assert "Somebody else has changed this source" in late.content.decode()
    assert Source.objects.get().spec["lateness"] == "2 days"


def test_a_column_that_a_metric_needs_cannot_go(analyst: Client) -> None:
    add(analyst)
    assert metric(analyst, name="Orders", by="country").status_code == 302
    address = "/settings/sources/orders/"
    given = {k: v for k, v in filled(analyst.get(address)).items() if not k.startswith("use-")}
    answer = analyst.post(address, given)
    assert answer.status_code == 422
    assert "dimension" in answer.content.decode()
    archived = analyst.post(f"{address}archive/", {"token": filled(analyst.get(address))["token"]})
    assert archived["Location"] == address
    assert Source.objects.get().archived_at is None


def test_a_source_that_feeds_nothing_is_archived(analyst: Client) -> None:
    add(analyst)
    token = filled(analyst.get("/settings/sources/orders/"))["token"]
    analyst.post("/settings/sources/orders/archive/", {"token": token})
    assert Source.objects.get().archived_at is not None
    assert analyst.get("/settings/sources/orders/").status_code == 404


def test_only_admins_write_sql(analyst: Client, people: Company) -> None:
    sql = "select * from orders where quantity > 0"
    given = {
        **filled(analyst.get(NEW, {"table": "orders"})),
        "sql": sql,
        "loaded_to": "select 1",
        "query": "1",
    }
    assert analyst.post(NEW, given).status_code == 302
    assert Source.objects.get().spec["table"] == "orders"
    assert not {"sql", "loaded_to"} & set(Source.objects.get().spec)
    Source.objects.all().delete()
    admin = client_of(people, "admin")
    look = admin.post(NEW, {"warehouse": "shop", "query": "1", "sql": sql, "action": "look"})
    assert look.context["form"]["time"].value() == "ordered_at"
    assert admin.post(NEW, {**filled(look), "query": "1", "key": "paid"}).status_code == 302
    assert Source.objects.get().spec["sql"] == sql
    # whoever may not write it may still say how late its rows arrive
    page = analyst.get("/settings/sources/paid/")
    assert "select * from orders" in page.content.decode()
    assert (
        analyst.post(
            "/settings/sources/paid/", {**filled(page), "lateness": "2 days", "sql": "x"}
        ).status_code
        == 302
    )
    assert (Source.objects.get().spec["sql"], Source.objects.get().spec["lateness"]) == (sql, "2 days")


@pytest.mark.parametrize(
    "sql", ["delete from orders", "select * from read_csv('/etc/passwd')", "select 1; select 2", "attach 'x'"]
)
def test_a_query_only_reads(people: Company, sql: str) -> None:
    admin = client_of(people, "admin")
    look = admin.post(NEW, {"warehouse": "shop", "query": "1", "sql": sql, "action": "look"})
    assert "It cannot be read" in look.content.decode()
    given = {
        "warehouse": "shop",
        "query": "1",
        "sql": sql,
        "action": "save",
        "key": "bad",
        "time": "ordered_at",
    }
    assert admin.post(NEW, given).status_code == 422
    assert not Source.objects.exists()


def test_others_define_nothing(people: Company, analyst: Client) -> None:
    add(analyst)
    before = dump().partition("\n")[2]
    for name in ("viewer", "leader", "executive", "alice"):
        client = client_of(people, name)
        for address in (NEW, "/settings/sources/orders/", METRIC):
            assert client.get(address).status_code == 403, (name, address)
            assert client.post(address, {"action": "save", "name": "X", "way": "count"}).status_code == 403
        assert client.post("/settings/sources/orders/archive/").status_code == 403
    assert dump().partition("\n")[2] == before


def test_analysts_see_no_credentials(people: Company, analyst: Client) -> None:
    apply(
        "warehouses:\n  crm: {engine: postgres, host: secret-host, database: d, user: u, password: s3cr3t}\n"
    )
    for address in (NEW, "/settings/sources/"):
        page = analyst.get(address).content.decode()
        assert "s3cr3t" not in page
        assert "secret-host" not in page


# A metric


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
    assert shown["2024-01"] == sum(r["kind"] == "a" and r["at"].month == 1 for r in rows)
    assert shown["2024-05"] == sum(r["kind"] == "a" and r["at"].month == 5 for r in rows)


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
