"""The pages of warehouses: who may, what is kept secret, where a connection may lead, and that none waits."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.serializers import serialize
from django.test import Client
from django.urls import reverse

from metrics.definitions.build import warehouse_def
from metrics.models import Metric, Source, Warehouse
from metrics.queries.dump import dump
from metrics.queries.recorded import events
from metrics.secrets import decrypt
from metrics.services import questions
from metrics.services.apply import Conflicts, apply
from tests.metrics.files import make_warehouse
from tests.northstar.test_routes import client_of
from tests.people import Company, company
from tests.warehouse import stores
from warehouse.definitions import WarehouseError

CANARY = "s3cr3t-canary-ü'\"<&>"
CRM = {"engine": "postgres", "key": "crm", "host": "10.0.0.9", "database": "crm", "user": "reader"}
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_old_answers() -> Iterator[None]:
    questions._questions.clear()
    yield
    questions._questions.clear()


@pytest.fixture
def people(db: None) -> Company:
    made = company()
    Metric.objects.update(type="manual", spec={"kind": "amount", "grain": "month"})
    return made


@pytest.fixture
def admin(people: Company) -> Client:
    client = Client()
    client.force_login(people.admin)
    return client


@pytest.fixture
def here(settings: Any, tmp_path: Path) -> Path:
    """A directory in which pages may name files."""
    settings.WAREHOUSE_FILES_ON_PAGES = [str(tmp_path)]
    return tmp_path


def save(client: Client, edited: str = "", /, **given: Any) -> Any:
    address = reverse("warehouse", args=[edited]) if edited else reverse("warehouse_new")
    token = client.get(address).context["token"] if edited else ""
    return client.post(address, {"action": "save", "token": token, **given})


def own_postgres(**more: Any) -> dict[str, Any]:
    """The test database as somebody would type it."""
    options = {name: str(value) for name, value in stores.postgres_options().items()}
    return {"engine": "postgres", "key": "own", **options, **more}


# Who may


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


# Add, edit, archive


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


# Secrets


def test_a_password_goes_in_and_never_comes_out(admin: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    nobody = {"host": "127.0.0.1", "port": "1"}
    answers = [
        admin.post(reverse("warehouse_new"), {**CRM, **nobody, "password": CANARY, "action": "test"}),
        save(admin, **{**CRM, "port": "x"}, password=CANARY),
        save(admin, **CRM, password=CANARY),
        admin.get(reverse("warehouses")),
        admin.get(reverse("warehouse", args=["crm"])),
        save(admin, "crm", **{**CRM, "port": "70000"}, password=CANARY),
        save(admin, "crm", **{**CRM, "database": "other"}),
        admin.get(reverse("settings_audit")),
        admin.get(reverse("settings_audit_csv")),
    ]  # fmt: skip
    row = Warehouse.objects.get()
    assert decrypt(row.secrets) == {"password": CANARY}
    assert row.options["database"] == "other"
    assert warehouse_def(row).options["password"] == CANARY
    said = [b"".join(a.streaming_content).decode() if a.streaming else a.content.decode() for a in answers]
    history = serialize("json", events(Warehouse).objects.all())
    core = "s3cr3t-canary"
    for text in (*said, caplog.text, dump(), row.secrets, json.dumps(row.options), history):
        assert core not in text


def test_a_kept_password_does_not_follow_to_another_place(admin: Client) -> None:
    save(admin, **CRM, password=CANARY)
    for change in ({"host": "10.0.0.10"}, {"port": "5433"}, {"user": "other"}, {"sslmode": "disable"}):
        for action in ("save", "test"):
            token = admin.get(reverse("warehouse", args=["crm"])).context["token"]
            answer = admin.post(
                reverse("warehouse", args=["crm"]), {**CRM, **change, "token": token, "action": action}
            )
            assert answer.status_code == 422
            assert "Type the password again" in answer.content.decode()
    assert Warehouse.objects.get().options["host"] == "10.0.0.9"
    assert save(admin, "crm", **{**CRM, "host": "10.0.0.10"}, password="new").status_code == 302
    assert decrypt(Warehouse.objects.get().secrets) == {"password": "new"}


def test_a_new_connection_gets_no_password_of_one_with_the_same_key(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def connect(definition: Any) -> None:
        given.append(definition)
        raise WarehouseError("not today")

    monkeypatch.setattr("metrics.services.connections.connect", connect)
    save(admin, **CRM, password=CANARY)
    elsewhere = {**CRM, "host": "10.6.6.6"}
    admin.post(reverse("warehouse_new"), {**elsewhere, "action": "test"})
    assert given[-1].options["host"] == "10.6.6.6"
    assert "password" not in given[-1].options
    assert save(admin, **elsewhere).status_code == 422
    apply("warehouses: {}\n", archive=True, overwrite=["crm"])
    assert Warehouse.objects.get().secrets  # a file may bring it back
    assert save(admin, **elsewhere).status_code == 302
    assert "password" not in warehouse_def(Warehouse.objects.get()).options


def test_a_reference_is_kept_as_written(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_PASSWORD", CANARY)
    assert save(admin, **CRM, password="${CRM_PASSWORD}").status_code == 302
    assert "password: ${CRM_PASSWORD}" in dump()
    assert warehouse_def(Warehouse.objects.get()).options["password"] == CANARY
    page = admin.get(reverse("warehouse", args=["crm"])).content.decode()
    assert "from CRM_PASSWORD" in page
    assert save(admin, "crm", **{**CRM, "database": "other"}).status_code == 302
    assert Warehouse.objects.get().options["password"] == "${CRM_PASSWORD}"


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "NORTHSTAR_ENCRYPTION_KEYS", "EMAIL_URL"])
def test_this_systems_own_secrets_are_for_no_warehouse(
    admin: Client, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "canary-of-ours")
    answer = save(admin, **CRM, password=f"${{{name}}}")
    assert answer.status_code == 422
    assert "belongs to this system" in answer.content.decode()
    apply(
        f"warehouses:\n  crm: {{engine: postgres, host: h, database: d, user: u, password: '${{{name}}}'}}\n"
    )
    with pytest.raises(WarehouseError, match="belongs to this system"):
        warehouse_def(Warehouse.objects.get())


@pytest.mark.parametrize("field", ["host", "user", "database", "path", "files"])
def test_only_a_password_is_read_from_the_environment(admin: Client, field: str) -> None:
    engine = {"engine": "duckdb", "key": "x"} if field in ("path", "files") else CRM
    value = "t = ${HOME}" if field == "files" else "${HOME}"
    answer = save(admin, **{**engine, field: value})
    assert "Only a password" in str(answer.context["form"].errors[field])


def test_options_of_the_driver_that_nobody_offers_are_ignored(admin: Client) -> None:
    more = dict.fromkeys(
        ("options", "service", "passfile", "hostaddr", "sslkey", "dsn", "secrets", "archived_at"), "x"
    )
    assert save(admin, **CRM, **more).status_code == 302
    assert set(Warehouse.objects.get().options) == {"host", "database", "user"}


# Where it may lead


@pytest.mark.parametrize("host", ["169.254.169.254", "::ffff:169.254.169.254", "0.0.0.0", "fe80::1"])
def test_the_clouds_own_addresses_are_refused_when_tested_and_saved(admin: Client, host: str) -> None:
    tested = admin.post(reverse("warehouse_new"), {**CRM, "host": host, "action": "test"})
    assert "WAREHOUSE_HOSTS" in tested.content.decode()
    saved = save(admin, **{**CRM, "host": host})
    assert saved.status_code == 422
    assert "WAREHOUSE_HOSTS" in str(saved.context["form"].errors["host"])
    assert not Warehouse.objects.exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "::1", "::ffff:127.0.0.1", "/tmp"])
def test_in_production_this_machine_is_refused_too(admin: Client, settings: Any, host: str) -> None:
    assert save(admin, **{**CRM, "host": host}).status_code == 302
    settings.PRODUCTION = True
    with pytest.raises(WarehouseError, match="WAREHOUSE_HOSTS"):
        from warehouse.engines import connect

        connect(warehouse_def(Warehouse.objects.get()))
    answer = save(admin, **{**CRM, "key": "second", "host": host})
    assert "WAREHOUSE_HOSTS" in str(answer.context["form"].errors["host"])


def test_a_list_of_hosts_holds_for_saving_testing_and_using(admin: Client, settings: Any) -> None:
    settings.WAREHOUSE_HOSTS = ["10.0.0.0/8"]
    assert save(admin, **CRM).status_code == 302
    assert save(admin, **{**CRM, "key": "second", "host": "192.168.0.1"}).status_code == 422
    settings.WAREHOUSE_HOSTS = ["db.internal"]
    answer = admin.post(reverse("warehouse_test", args=["crm"]))
    assert "not among the hosts" in answer.content.decode()


def test_files_outside_of_the_listed_directories_are_refused(
    admin: Client, here: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = make_warehouse(tmp_path_factory.mktemp("elsewhere"))
    (here / "link.duckdb").symlink_to(elsewhere)
    for path in (elsewhere, here / "link.duckdb", here / ".." / elsewhere.parent.name / elsewhere.name):
        for action in ("save", "test"):
            given = {"engine": "duckdb", "key": "shop", "path": str(path), "action": action}
            answer = admin.post(reverse("warehouse_new"), given)
            assert "WAREHOUSE_FILES" in str(answer.context["form"].errors["path"])
    # what a file of definitions has named may stay, and another limit be set
    apply(f"warehouses:\n  shop: {{engine: duckdb, path: {elsewhere}}}\n")
    assert save(admin, "shop", engine="duckdb", path=str(elsewhere), timeout="20").status_code == 302


# Waiting


@pytest.fixture
def deaf() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_warehouse_that_says_nothing_holds_up_no_page(
    admin: Client, deaf: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "WAIT", 0.2)
    given = {**CRM, "host": "127.0.0.1", "port": str(deaf), "action": "test"}
    begun = time.monotonic()
    answer = admin.post(reverse("warehouse_new"), given, headers={"HX-Request": "true"})
    assert time.monotonic() - begun < 3
    assert b"Still asking" in answer.content
    assert b"hx-post" in answer.content
    poll = admin.post(reverse("warehouse_new"), {**given, "poll": "1"}, headers={"HX-Request": "true"})
    assert b"Still asking" in poll.content
    assert len(questions._questions) == 1


def test_questions_do_not_pile_up(admin: Client, deaf: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "WAIT", 0.05)
    monkeypatch.setattr(questions, "MOST", 2)
    answers = [
        admin.post(
            reverse("warehouse_new"),
            {**CRM, "host": "127.0.0.1", "port": str(deaf), "database": f"d{n}", "action": "test"},
        )
        for n in range(3)
    ]
    assert b"Still asking" in answers[1].content
    assert b"Try again in a moment" in answers[2].content
