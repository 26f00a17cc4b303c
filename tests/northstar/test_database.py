"""What a command finds: a running database at the newest migration, whoever starts first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from northstar import database
from northstar.stack import postgres, session
from northstar.stack.layout import Layout
from northstar.stack.session import ROOT


class Joined:
    """Stands for the session; remembers that it was joined."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, layout: object) -> session.Session:
        self.count += 1
        return session.Session(Layout.of(Path("/nowhere")), None)


@pytest.fixture
def joined(monkeypatch: pytest.MonkeyPatch) -> Joined:
    """As if no DATABASE_URL were set."""
    double = Joined()
    monkeypatch.setattr(session, "join", double)
    monkeypatch.setattr(database, "bring_up_to_date", lambda: None)
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)
    monkeypatch.setattr("django.conf.settings", SimpleNamespace(EMBEDDED_DATABASE=True, LAYOUT=object()))
    return double


@pytest.mark.parametrize("words", ["values orders", "migrate", "web", "shell", "dump"])
def test_these_need_the_database(joined: Joined, words: str) -> None:
    with database.for_command(["manage.py", *words.split()]):
        pass
    assert joined.count == 1


@pytest.mark.parametrize(
    "words",
    ["", "help", "check --deploy", "makemigrations", "collectstatic", "up", "values --help", "--version"],
)
def test_these_do_not(joined: Joined, words: str) -> None:
    with database.for_command(["manage.py", *words.split()]):
        pass
    assert joined.count == 0


def test_the_children_of_up_leave_it_to_up(joined: Joined, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(database.SUPERVISED, "1")
    with database.for_command(["manage.py", "worker"]):
        pass
    assert joined.count == 0


def test_as_owner_swaps_who_connects_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATABASE_OWNER", {"USER": "the_owner"})
    before: dict[str, Any] = dict(connection.settings_dict)
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"pool": {"max_size": 4}, "other": 1})
    monkeypatch.setattr(connection, "close", lambda: None)
    with database.as_owner():
        during = dict(connection.settings_dict)
    assert during["USER"] == "the_owner"
    assert during["NAME"] == before["NAME"], "it must stay on the test's own database"
    assert during["OPTIONS"] == {"other": 1}, "a pool keeps connections of the wrong role"
    assert connection.settings_dict["USER"] == before["USER"]


def test_two_commands_in_a_fresh_checkout_prepare_the_database_once(place: Path) -> None:
    layout = Layout.of(place / "data")
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command"]
    script = "from metrics.models import Metric; print(Metric.objects.count(), 'metrics')"
    environment = {
        name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}
    }
    environment["NORTHSTAR_DATA"] = str(layout.data)
    both = [
        subprocess.Popen(
            [*command, script],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert [out.strip() for out, _ in told] == ["0 metrics", "0 metrics"]
    assert sum("Preparing the database" in said for _, said in told) in {
        1,
        2,
    }  # announced before the lock is had
    assert session.wait_until_stopped(layout)

    with session.join(layout, disposable=True), postgres.connect(layout, postgres.APP_ROLE) as app:
        owners = app.execute(
            "select distinct tableowner from pg_tables where schemaname = 'public'"
        ).fetchall()
        assert owners == [(postgres.OWNER_ROLE,)]
        assert app.execute(
            "select has_table_privilege('metrics_metric', 'insert, update, delete'), "
            "has_table_privilege('metrics_metricevent', 'update'), "
            "has_table_privilege('metrics_metricevent', 'insert')"
        ).fetchone() == (True, False, True)
