"""A company, and a network in which every host of these tests leads to one server here."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from owners import outgoing
from tests.servers import Hook, certificate, hook_server

if TYPE_CHECKING:  # models cannot be imported before Django is set up
    from tests.people import Company


@pytest.fixture
def people(db: None) -> Company:
    """Accounts of every role."""
    from tests.people import company

    return company()


@pytest.fixture
def net(tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    """All hosts of these tests lead to one server here, which has their certificate."""
    made = certificate(tmp_path, "hooks.slack.com", "prod-12.westeurope.logic.azure.com", "hook.example")
    settings.OUTGOING_CA_FILE, settings.OUTGOING_ALLOW = str(made[0]), ["127.0.0.1"]
    settings.SITE_URL = "https://northstar.example"
    with hook_server(made) as hook:

        def resolve(host: str, port: int) -> list[Any]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", hook.port))]

        monkeypatch.setattr(outgoing, "resolve", resolve)
        yield hook
