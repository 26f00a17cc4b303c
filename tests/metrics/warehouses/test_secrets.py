"""Passwords go in and never come out, nor along to another place."""

import json
import logging
from typing import Any

import pytest
from django.core.serializers import serialize
from django.test import Client
from django.urls import reverse

from metrics.definitions.build import warehouse_def
from metrics.models import Warehouse
from metrics.queries.dump import dump
from metrics.queries.recorded import events
from metrics.secrets import decrypt
from metrics.services.apply import apply
from tests.metrics.warehouses.saving import CANARY, CRM, save
from warehouse.definitions import WarehouseError

pytestmark = pytest.mark.django_db


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
