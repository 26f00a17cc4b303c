"""From a table to a source without a file: tables, proposed columns, edits and who may."""

from __future__ import annotations

import pytest
from django.test import Client

from metrics.models import Run, Source
from metrics.queries.dump import dump
from metrics.services.apply import apply
from owners.models import Leader
from tests.metrics.defining import METRIC, NEW, add, filled, metric
from tests.metrics.defining import analyst as analyst
from tests.metrics.defining import patient as patient
from tests.metrics.defining import people as people
from tests.northstar.test_routes import client_of
from tests.people import Company

pytestmark = pytest.mark.django_db


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
    for words in ("6\u202f528 rows", "2011-01-01", "2011-09-29", "carry no zone", "FR", "quantity"):
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
