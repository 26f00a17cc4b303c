"""Sharing the embedded PostgreSQL: started by the first, stopped after the last, whoever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from northstar.stack import postgres, session
from northstar.stack.errors import StackError
from northstar.stack.layout import Layout
from tests.northstar.places import gone, wait_until

USER = """
import sys
from pathlib import Path
from northstar.stack import session
from northstar.stack.layout import Layout
with session.join(Layout.of(Path(sys.argv[1])), disposable=True):
    print("joined", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_user(layout: Layout) -> Iterator[subprocess.Popen[str]]:
    """A second command that uses the database until its standard input closes."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(layout.data)],
        cwd=session.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "joined\n"
        yield process
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def postmaster(layout: Layout) -> int:
    return int((layout.cluster / "data" / "postmaster.pid").read_text().split()[0])


def keeper(layout: Layout) -> int:
    return int((layout.data / "keeper.lock").read_text())


def value(layout: Layout, statement: str, role: str = postgres.SUPERUSER) -> object:
    with postgres.connect(layout, role) as connection:
        row = connection.execute(statement.encode()).fetchone()
    return row[0] if row else None


def test_two_overlapping_commands_share_one_server_and_the_last_one_stops_it(layout: Layout) -> None:
    with session.join(layout, disposable=True):
        first = postmaster(layout)
        with another_user(layout) as other:
            assert postmaster(layout) == first
            # The one that started the server leaves before the other one.
            assert other.poll() is None
    assert session.wait_until_stopped(layout)
    assert gone(first)
    assert not (layout.cluster / "data" / "postmaster.pid").exists(), "it was not shut down in order"


def test_the_starter_may_leave_first(layout: Layout) -> None:
    started = session.join(layout, disposable=True)
    with another_user(layout):
        pid = postmaster(layout)
        started.leave()
        assert value(layout, "select 1") == 1
        assert postmaster(layout) == pid
    assert session.wait_until_stopped(layout)


def test_a_killed_user_does_not_keep_the_server_up(layout: Layout) -> None:
    with another_user(layout) as other:
        pid = postmaster(layout)
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert session.wait_until_stopped(layout)
    assert gone(pid)


def test_what_was_written_is_there_at_the_next_start(layout: Layout) -> None:
    with session.join(layout), postgres.connect(layout, postgres.OWNER_ROLE) as c:
        c.execute("create table kept as select 42 as answer")
    assert session.wait_until_stopped(layout)
    with session.join(layout):
        assert value(layout, "select answer from kept") == 42


def test_a_killed_server_comes_back(layout: Layout) -> None:
    with session.join(layout, disposable=True):
        pid = postmaster(layout)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: gone(pid), "the end of the killed server")
        session.ensure(layout, disposable=True)
        assert postmaster(layout) != pid
        assert value(layout, "select 1") == 1


def test_a_killed_keeper_takes_its_server_along_and_is_replaced(layout: Layout) -> None:
    with session.join(layout, disposable=True):
        server, old = postmaster(layout), keeper(layout)
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: gone(server), "the end of the orphaned server")
        session.ensure(layout, disposable=True)
        assert keeper(layout) != old
        assert value(layout, "select 1") == 1


def test_a_stale_pid_file_of_a_foreign_living_process_does_not_read_as_running(layout: Layout) -> None:
    with session.join(layout, disposable=True):
        pass
    assert session.wait_until_stopped(layout)
    # As after a power cut and a reboot: the pid in the files now belongs to somebody else, here to ourselves.
    stale = (
        f"{os.getpid()}\n{layout.cluster / 'data'}\n1700000000\n5432\n{layout.sockets}\n\n  5432001  32768\n"
    )
    (layout.cluster / "data" / "postmaster.pid").write_text(stale)
    (layout.sockets / ".s.PGSQL.5432.lock").write_text(stale)
    with session.join(layout, disposable=True):
        assert postmaster(layout) != os.getpid()
        assert value(layout, "select 1") == 1


def test_a_server_that_somebody_started_by_hand_is_not_disturbed(layout: Layout) -> None:
    layout.prepare()
    server = postgres.start(layout, disposable=True)
    pid = postmaster(layout)
    assert postgres._is_server_on(pid, layout.cluster / "data")
    assert not postgres._is_server_on(os.getpid(), layout.cluster / "data")
    with pytest.raises(StackError, match=f"Process {pid} already runs PostgreSQL"):
        postgres._clear_stale_pid_files(layout)
    assert (layout.cluster / "data" / "postmaster.pid").exists()
    server.stop()


def test_two_installations_run_side_by_side(place: Path) -> None:
    one, two = Layout.of(place / "one"), Layout.of(place / "two")
    with session.join(one, disposable=True), session.join(two, disposable=True):
        assert postmaster(one) != postmaster(two)
        shown = [value(each, "show data_directory") for each in (one, two)]
        assert shown == [str(one.cluster / "data"), str(two.cluster / "data")]


def test_a_long_path_gets_a_short_socket_directory(place: Path) -> None:
    layout = Layout.of(place / ("a-very-long-directory-name/" * 6) / "data")
    assert len(str(layout.data)) > 150
    with session.join(layout, disposable=True):
        assert len(str(layout.sockets / ".s.PGSQL.5432")) <= 107
        assert layout.sockets.stat().st_mode & 0o777 == 0o700
        assert value(layout, "select 1") == 1
        assert Layout.of(layout.data) == layout, "the next command would look elsewhere"


def test_it_listens_on_a_private_socket_only(layout: Layout) -> None:
    with session.join(layout, disposable=True):
        assert value(layout, "show listen_addresses") == ""
        assert layout.sockets.stat().st_mode & 0o777 == 0o700
        assert (layout.sockets / ".s.PGSQL.5432").stat().st_mode & 0o777 == 0o700
        assert not [
            c for c in psutil.Process(postmaster(layout)).net_connections("inet") if c.status == "LISTEN"
        ]


def test_only_our_system_user_is_let_in_and_only_as_a_role_of_ours(layout: Layout) -> None:
    with session.join(layout, disposable=True):
        lines = [
            line.split()
            for line in (layout.cluster / "data" / "pg_hba.conf").read_text().splitlines()
            if not line.startswith("#")
        ]
        assert lines == [["local", "all", "all", "peer", "map=northstar"]]
        with postgres.connect(layout, postgres.SUPERUSER) as connection:
            connection.execute("create role stranger login")
        with pytest.raises(psycopg.OperationalError, match=r"[Pp]eer authentication failed"):
            postgres.connect(layout, "stranger")


def test_the_application_owns_nothing(layout: Layout) -> None:
    with session.join(layout, disposable=True):
        owner = "select pg_get_userbyid(datdba) from pg_database where datname = 'northstar'"
        assert value(layout, owner) == postgres.OWNER_ROLE
        with (
            postgres.connect(layout, postgres.APP_ROLE) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("create table mine (a int)")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user run PostgreSQL")
def test_root_has_another_user_run_it_also_from_a_home_that_others_cannot_enter(place: Path) -> None:
    home = place / "home"
    home.mkdir(mode=0o700)
    layout = Layout.of(home / "checkout" / "data")
    assert not layout.cluster.is_relative_to(home)
    with session.join(layout, disposable=True):
        process = psutil.Process(postmaster(layout))
        assert process.username() == layout.postgres_user != "root"
        assert layout.cluster.stat().st_mode & 0o777 == 0o700
        assert Layout.of(layout.data) == layout, "the next command would look elsewhere"
        assert value(layout, "select 1", postgres.APP_ROLE) == 1
    assert session.wait_until_stopped(layout)
    wait_until(lambda: gone(process.pid), "the server's end")
    subprocess.run(["rm", "-r", str(layout.cluster)], check=True)
