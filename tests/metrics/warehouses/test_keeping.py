"""Who keeps connections, and how: added, tested, edited by two at once, archived."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from metrics.models import Source, Warehouse
from metrics.queries.dump import dump
from metrics.services.apply import Conflicts, apply
from tests.metrics.files import make_warehouse
from tests.metrics.warehouses.saving import CANARY, CRM, save
from tests.northstar.test_routes import client_of
from tests.people import Company
from tests.warehouse import stores

pytestmark = pytest.mark.django_db


def own_postgres(**more: Any) -> dict[str, Any]:
    """The test database as somebody would type it."""
    options = {name: str(value) for name, value in stores.postgres_options().items()}
    return {"engine": "postgres", "key": "own", **options, **more}


def test_only_admins_see_or_change_connections(people: Company, here: Path) -> None:
    apply(f"warehouses:\n  shop: {{engine: duckdb, path: {make_warehouse(here)}}}\n")
    before = dump().partition("\n")[2]
    addresses = [
        ("GET", reverse("warehouses")),
        ("GET", reverse("warehouse_new")),
        ("POST", reverse("warehouse_new")),
        ("GET", reverse("warehouse", args=["shop"])),
        ("POST", reverse("warehouse", args=["shop"])),
        ("POST", reverse("warehouse_test", args=["shop"])),
        ("POST", reverse("warehouse_archive", args=["shop"])),
    ]
    for name in ("viewer", "leader", "analyst", "executive", "alice"):
        client = client_of(people, name)
        for method, address in addresses:
            answer = client.generic(method, address, "action=save", "application/x-www-form-urlencoded")
            assert answer.status_code == 403, (name, method, address)
    assert dump().partition("\n")[2] == before


def test_a_duckdb_file_is_tested_and_saved(admin: Client, here: Path) -> None:
    given = {"engine": "duckdb", "key": "shop", "path": str(make_warehouse(here))}
    tested = admin.post(reverse("warehouse_new"), {**given, "action": "test"})
    assert b"It works." in tested.content
    assert b"orders" in tested.content
    assert not Warehouse.objects.exists()
    unnamed = {**given, "key": ""}
    assert b"It works." in admin.post(reverse("warehouse_new"), {**unnamed, "action": "test"}).content
    assert save(admin, **unnamed).status_code == 422
    assert save(admin, **given).status_code == 302
    assert Warehouse.objects.get().options == {"path": given["path"]}
    listed = admin.get(reverse("warehouses")).content.decode()
    assert "shop" in listed
    again = admin.post(reverse("warehouse_test", args=["shop"]), headers={"HX-Request": "true"})
    assert b"It can read 1 table" in again.content
    assert b"<html" not in again.content


def test_parquet_and_csv_files_are_tables(admin: Client, here: Path) -> None:
    (here / "visits.csv").write_text("day,who\n2024-01-01,a\n2024-01-02,b\n")
    given = {"engine": "duckdb", "key": "files", "files": f"visits = {here}/visits.csv"}
    assert save(admin, **given).status_code == 302
    answer = admin.post(reverse("warehouse_test", args=["files"]))
    assert b"<bdi>visits</bdi>" in answer.content


def test_a_postgresql_is_saved_and_what_its_role_may_is_told(admin: Client, settings: Any) -> None:
    own = save(admin, **own_postgres())
    if own.status_code == 422:  # the tests' own database is this system's embedded one
        assert "own database" in str(own.context["form"].errors["host"])
    Warehouse.objects.all().delete()
    settings.LAYOUT = None
    with stores.postgres_store(orders=[{"at": None}]) as store:
        given = own_postgres(schema=str(store.options["schema"]))
        assert save(admin, **given).status_code == 302
        answer = admin.post(reverse("warehouse_test", args=["own"])).content.decode()
    assert "It works." in answer
    assert "superuser" in answer
    assert "<bdi>orders</bdi>" in answer


def test_what_is_saved_is_in_the_dump_and_applying_it_changes_nothing(admin: Client) -> None:
    save(admin, **CRM, password=CANARY, port="5433", sslmode="verify-full", schema="shop", timeout="30")
    text = dump()
    assert "crm:\n    engine: postgres\n    host: 10.0.0.9\n    port: 5433\n" in text
    assert not apply(text).changes


@pytest.mark.django_db(transaction=True)  # instants of edits are those of transactions
def test_what_a_page_has_edited_a_file_does_not_undo(admin: Client) -> None:
    apply("warehouses:\n  crm: {engine: postgres, host: 10.0.0.9, database: crm, user: reader}\n")
    old = dump()
    assert save(admin, "crm", **{**CRM, "database": "other"}).status_code == 302
    with pytest.raises(Conflicts, match="database: other → crm; edited on a page by Admin"):
        apply(old)


def test_mistakes_are_told_at_their_fields(admin: Client, here: Path) -> None:
    answer = save(admin, **{**CRM, "host": "a b", "port": "99999", "schema": "x y", "key": "Not A Key"})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) >= {"port", "key"}
    for given in ({}, {"path": "/etc/shadow"}, {"files": "orders"}, {"files": "a = data/*.csv"}):
        assert save(admin, engine="duckdb", key="shop", **given).status_code == 422
    assert not Warehouse.objects.exists()


def test_a_part_of_the_page_says_which_field_is_meant(admin: Client) -> None:
    given = {"engine": "postgres", "action": "test", "host": "db"}
    part = admin.post(reverse("warehouse_new"), given, headers={"HX-Request": "true"}).content.decode()
    assert "Database: This field is required." in part
    assert "Host:" not in part


def test_two_admins_do_not_undo_each_other(admin: Client) -> None:
    save(admin, **CRM)
    address = reverse("warehouse", args=["crm"])
    token = admin.get(address).context["token"]
    assert save(admin, "crm", **{**CRM, "database": "first"}).status_code == 302
    answer = admin.post(address, {**CRM, "database": "second", "token": token, "action": "save"})
    assert answer.status_code == 422
    assert "changed this connection meanwhile" in answer.content.decode()
    assert Warehouse.objects.get().options["database"] == "first"


def test_a_key_is_given_once(admin: Client) -> None:
    save(admin, **CRM)
    answer = save(admin, **{**CRM, "database": "other"})
    assert "already" in answer.content.decode()
    assert Warehouse.objects.get().options["database"] == "crm"
    assert save(admin, **{**CRM, "key": "new"}).status_code == 422


def test_a_warehouse_that_is_read_is_not_archived(admin: Client) -> None:
    save(admin, **CRM, password=CANARY)
    warehouse = Warehouse.objects.get()
    source = Source.objects.create(key="deals", warehouse=warehouse, spec={"table": "t", "time": "at"})
    token = admin.get(reverse("warehouse", args=["crm"])).context["token"]
    admin.post(reverse("warehouse_archive", args=["crm"]), {"token": token})
    warehouse.refresh_from_db()
    assert warehouse.archived_at is None
    source.delete()
    admin.post(reverse("warehouse_archive", args=["crm"]), {"token": "old"})
    warehouse.refresh_from_db()
    assert warehouse.archived_at is None
    admin.post(reverse("warehouse_archive", args=["crm"]), {"token": token})
    warehouse.refresh_from_db()
    assert warehouse.archived_at is not None
    assert warehouse.secrets == ""
    assert admin.get(reverse("warehouse", args=["crm"])).status_code == 404
