"""`manage.py up` as a whole: real processes, killed one after the other."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from northstar.stack.health import answers
from northstar.stack.session import ROOT
from tests.northstar.places import free_port, gone, processes_of, wait_until

OTHER_SERVERS = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"}
WHO_AM_I = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("select current_user, current_database()")
    print(*cursor.fetchone())
"""
# How each child of the tree is known by its command line. The keeper is PostgreSQL's parent.
CHILDREN = {
    "postgres": "bin/postgres",
    "valkey": "valkey-server",
    "web": "gunicorn",
    "worker": "manage.py worker",
    "scheduler": "manage.py scheduler",
    "keeper": "northstar.stack.keeper",
}


class System:
    """An installation run by `up`, and what it has printed."""

    def __init__(self, place: Path) -> None:
        self.data = place / "data"
        self.url = f"http://127.0.0.1:{(port := free_port())}/"
        self.printed = place / "printed"
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in OTHER_SERVERS},
            **{"NORTHSTAR_DATA": str(self.data), "PORT": str(port), "DEMO": "0", "WEB_WORKERS": "1"},
            "NORTHSTAR_ENV_FILE": os.devnull,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        before = self.text().count("North Star is at")
        with self.printed.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process = self.process
        wait_until(
            lambda: self.text().count("North Star is at") > before or process.poll() is not None,
            "the start",
            300,
        )
        assert process.poll() is None, self.text()
        return process

    def text(self) -> str:
        return self.printed.read_text(errors="replace") if self.printed.exists() else ""

    def pid_of(self, name: str) -> int | None:
        """The topmost process of the child of that name, None while there is none."""
        parents: dict[int, int] = {}
        for each in processes_of(self.data):
            with suppress(psutil.NoSuchProcess):  # it may end between two looks
                if CHILDREN[name] in " ".join(each.cmdline()):
                    parents[each.pid] = each.ppid()
        return next((pid for pid, parent in parents.items() if parent not in parents), None)


@pytest.fixture
def system(place: Path) -> Iterator[System]:
    running = System(place)
    yield running
    if running.process is not None and running.process.poll() is None:
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(60)


def kill_and_see_it_restart(system: System, name: str) -> None:
    wait_until(lambda: system.pid_of(name), f"the start of {name}")
    old = system.pid_of(name)
    assert old is not None
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: gone(old), f"the end of {name}")
    wait_until(lambda: system.pid_of(name) not in {None, old}, f"the restart of {name}")


def test_it_mends_itself_and_leaves_nothing_behind(system: System) -> None:
    up = system.start()
    assert answers(system.url)

    for name in CHILDREN:
        kill_and_see_it_restart(system, name)
    wait_until(lambda: answers(system.url + "health/"), "the site's return")
    assert "ended unexpectedly" in system.text()

    # A second `up` on the same data directory is refused and disturbs nothing.
    second = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env={**system.environment, "PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"already running on {system.data} (pid {up.pid})" in second.stdout

    # Killed itself, it takes everything along ...
    up.kill()
    up.wait()
    wait_until(lambda: not processes_of(system.data), "the end of the whole tree", 30)

    # ... and the next one starts clean, shares its database, and stops in order.
    up = system.start()
    server = system.pid_of("postgres")
    shared = subprocess.run(
        [
            sys.executable,
            "manage.py",
            "shell",
            "--command",
            WHO_AM_I,
        ],
        cwd=ROOT,
        env=system.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "northstar_app northstar" in shared.stdout, shared.stderr
    assert system.pid_of("postgres") == server
    before = len(system.text())
    up.send_signal(signal.SIGINT)
    assert up.wait(60) == 0
    assert not processes_of(system.data)
    last = [line.split()[1:] for line in system.text()[before:].splitlines() if line.endswith("stopped")]
    names = [words[0] for words in last]
    assert names == ["scheduler", "worker", "web", "valkey", "postgres"]


def test_a_taken_port_is_said_at_once(system: System) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = subprocess.run(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env={**system.environment, "PORT": str(taken.getsockname()[1])},
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    assert "cannot be used" in result.stdout
    assert "PORT=8001" in result.stdout
    assert not (system.data / "postgres").exists(), "it began although it could not go on"
