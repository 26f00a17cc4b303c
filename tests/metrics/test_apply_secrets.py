"""Secrets go in, and never come out again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.serializers import serialize

from metrics.definitions.build import warehouse_def
from metrics.models import Warehouse
from metrics.queries.dump import dump
from metrics.queries.recorded import events
from metrics.secrets import UnreadableSecret, decrypt, encrypt
from metrics.services.apply import apply
from warehouse.definitions import WarehouseError

CANARY = "s3cr3t-canary"
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
FILE = """
warehouses:
  crm: {engine: postgres, host: db, database: crm, user: reader, password: WORD}
"""
pytestmark = pytest.mark.django_db


def test_a_literal_secret_is_encrypted_and_left_out_of_everything_that_is_read() -> None:
    outcome = apply(FILE.replace("WORD", CANARY), now=NOW)
    row = Warehouse.objects.get()
    assert decrypt(row.secrets) == {"password": CANARY}
    assert warehouse_def(row).options["password"] == CANARY
    said = " ".join(map(str, outcome.changes))
    history = serialize("json", events(Warehouse).objects.all())
    for text in (said, dump(), row.secrets, json.dumps(row.options), history):
        assert CANARY not in text


def test_an_omitted_secret_keeps_what_is_stored() -> None:
    apply(FILE.replace("WORD", CANARY), now=NOW)
    apply(dump().replace("host: db", "host: db2"), now=NOW)
    options = warehouse_def(Warehouse.objects.get()).options
    assert (options["host"], options["password"]) == ("db2", CANARY)


def test_a_repeat_does_not_encrypt_anew() -> None:
    apply(FILE.replace("WORD", CANARY), now=NOW)
    before = Warehouse.objects.get().secrets
    assert not apply(FILE.replace("WORD", CANARY), now=NOW).changes
    assert Warehouse.objects.get().secrets == before


def test_another_secret_replaces_the_stored_one() -> None:
    apply(FILE.replace("WORD", CANARY), now=NOW)
    outcome = apply(FILE.replace("WORD", "another"), now=NOW)
    assert [str(change) for change in outcome.changes] == ["warehouse crm: password (not shown)"]
    assert decrypt(Warehouse.objects.get().secrets) == {"password": "another"}


def test_a_variable_is_dumped_as_written_and_read_when_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    apply(FILE.replace("WORD", '"${CRM_PASSWORD}"'), now=NOW)
    assert "password: ${CRM_PASSWORD}" in dump()
    row = Warehouse.objects.get()
    monkeypatch.delenv("CRM_PASSWORD", raising=False)
    with pytest.raises(WarehouseError, match=r"warehouse crm: .* CRM_PASSWORD is not set"):
        warehouse_def(row)
    monkeypatch.setenv("CRM_PASSWORD", CANARY)
    assert warehouse_def(row).options["password"] == CANARY


def test_a_variable_in_the_file_takes_the_place_of_a_stored_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    apply(FILE.replace("WORD", "old"), now=NOW)
    apply(FILE.replace("WORD", '"${CRM_PASSWORD}"'), now=NOW)
    monkeypatch.setenv("CRM_PASSWORD", "new")
    assert warehouse_def(Warehouse.objects.get()).options["password"] == "new"


def test_a_new_key_in_front_still_opens_what_the_old_one_closed(settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.NORTHSTAR_ENCRYPTION_KEYS = [old]
    closed = encrypt({"password": CANARY})
    settings.NORTHSTAR_ENCRYPTION_KEYS = [new, old]
    assert decrypt(closed) == {"password": CANARY}
    settings.NORTHSTAR_ENCRYPTION_KEYS = [new]
    with pytest.raises(UnreadableSecret):
        decrypt(closed)


def test_a_secret_that_no_key_opens_names_its_warehouse(settings: Any) -> None:
    apply(FILE.replace("WORD", CANARY), now=NOW)
    settings.NORTHSTAR_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(WarehouseError, match="warehouse crm"):
        warehouse_def(Warehouse.objects.get())
