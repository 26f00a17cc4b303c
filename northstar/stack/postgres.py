"""One embedded PostgreSQL: made, started, stopped.

It listens on a unix socket only, knows its callers by the system user they run as (peer authentication with
a map), and has two roles besides its superuser: `northstar_owner` owns and migrates, `northstar_app` runs
the application.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from northstar.stack.binaries import postgres_home
from northstar.stack.children import Child, become, spawn
from northstar.stack.errors import StackError
from northstar.stack.layout import Layout
from northstar.stack.locks import FileLock

DATABASE = "northstar"
SUPERUSER = "postgres"
OWNER_ROLE = "northstar_owner"
APP_ROLE = "northstar_app"
# A server that was killed may have to replay its log first; as long as it lives and says so, we wait.
START_PATIENCE = 600.0
PREDECESSOR_PATIENCE = 30.0
LOG_LIMIT = 10_000_000

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "10s",
    "autovacuum_naptime": "30s",
}
# For databases that are thrown away: four times faster to test on, and lost with the machine's power.
DISPOSABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "256MB"}


@dataclass(frozen=True)
class Server:
    """A running server and the lock that it holds too: while a process of it lives, no other can start."""

    child: Child
    lock: FileLock

    def stop(self) -> None:
        """Cancels statements and writes the state (fast shutdown); at worst the next start recovers."""
        self.child.end(patience=20.0)
        self.lock.close()


def connect(
    layout: Layout, role: str, database: str = DATABASE, *, autocommit: bool = False
) -> psycopg.Connection:
    """A connection as `role`. Raises psycopg.OperationalError while the server does not answer."""
    host = str(layout.sockets)
    return psycopg.connect(host=host, dbname=database, user=role, autocommit=autocommit, connect_timeout=5)


def start(layout: Layout, *, disposable: bool = False) -> Server:
    """Starts PostgreSQL on the installation's cluster, made first if it is new, and waits until it answers.

    Raises StackError when it does not come up.
    """
    home = postgres_home(layout.postgres_user)
    lock = FileLock.open(layout.cluster / "server.lock")
    if not lock.exclusive(PREDECESSOR_PATIENCE):
        lock.close()
        raise StackError(f"A PostgreSQL of another start still runs on {layout.cluster}.")
    try:
        _make_cluster(layout, home)
        _clear_stale_pid_files(layout)
        log = layout.data / "log" / "postgres.log"
        _rotate(log)
        settings = {**SETTINGS, "unix_socket_directories": str(layout.sockets)}
        if disposable:
            settings |= DISPOSABLE
        words = [f"--{name}={value}" for name, value in settings.items()]
        with log.open("ab") as output:
            child = spawn(
                [home / "bin" / "postgres", "-D", layout.cluster / "data", *words],
                user=layout.postgres_user,
                env=_environment(),
                cwd=layout.cluster,
                output=output,
                keep=[lock.descriptor],
                death_signal=signal.SIGINT,
                stop_signals=(signal.SIGINT, signal.SIGQUIT),
            )
        _wait_until_ready(layout, child, log)
        _make_roles(layout)
    except BaseException:
        lock.close()
        raise
    return Server(child, lock)


def answers(layout: Layout, role: str = APP_ROLE) -> bool:
    """Whether the server takes connections of `role` now."""
    try:
        connect(layout, role).close()
    except psycopg.OperationalError:
        return False
    return True


def _make_cluster(layout: Layout, home: Path) -> None:
    """Makes the cluster beside its place and renames it there, so that half a cluster is never opened."""
    target = layout.cluster / "data"
    if target.exists():
        return
    scratch = layout.cluster / "data.new"
    shutil.rmtree(scratch, ignore_errors=True)
    result = subprocess.run(  # noqa: S603 (the words are ours)
        [
            home / "bin" / "initdb",
            f"--pgdata={scratch}",
            f"--username={SUPERUSER}",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--auth-local=peer",
            "--auth-host=reject",
            "--no-instructions",
        ],
        env=_environment(),
        cwd=layout.cluster,
        capture_output=True,
        check=False,
        preexec_fn=_as_user(layout.postgres_user),
    )
    if result.returncode != 0:
        said = (result.stderr or result.stdout).decode(errors="replace").strip()
        raise StackError(f"PostgreSQL's files could not be made in {layout.cluster}:\n{said}")
    caller = pwd.getpwuid(os.geteuid()).pw_name
    (scratch / "pg_hba.conf").write_text(
        "# Only the unix socket, and only the system user that North Star runs as.\n"
        "local all all peer map=northstar\n"
    )
    (scratch / "pg_ident.conf").write_text(
        "".join(f'northstar "{caller}" {role}\n' for role in (SUPERUSER, OWNER_ROLE, APP_ROLE))
    )
    scratch.rename(target)


def _clear_stale_pid_files(layout: Layout) -> None:
    """Removes what a killed server left behind.

    We hold the lock that every process of a server of ours holds as well, so none of them lives, whoever
    has the pid in the file by now. Only a server that somebody started on these files by hand is not seen
    by the lock.
    """
    pid_file = layout.cluster / "data" / "postmaster.pid"
    if pid_file.exists():
        first = pid_file.read_text().partition("\n")[0]
        if first.lstrip("-").isdigit() and _is_server_on(int(first), layout.cluster / "data"):
            raise StackError(f"Process {first} already runs PostgreSQL on {layout.cluster / 'data'}.")
        pid_file.unlink()
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (layout.sockets / name).unlink(missing_ok=True)


def _is_server_on(pid: int, cluster: Path) -> bool:
    """Whether the process is a PostgreSQL that works in `cluster`; its working directory says so."""
    proc = Path(f"/proc/{pid}")
    if proc.parent.joinpath("self").exists():
        try:
            return (proc / "cwd").resolve() == cluster.resolve() and (
                proc / "exe"
            ).resolve().name == "postgres"
        except OSError:
            return False
    listing = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "postgres" in listing.stdout and str(cluster) in listing.stdout


def _wait_until_ready(layout: Layout, child: Child, log: Path) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline:
        try:
            connect(layout, SUPERUSER, "postgres").close()
        except psycopg.OperationalError:
            if child.ended() is not None:
                raise StackError(f"PostgreSQL did not start. Its log ({log}) ends:\n{tail(log)}") from None
            time.sleep(0.03)
        else:
            return
    child.end()
    raise StackError(f"PostgreSQL took more than {START_PATIENCE:.0f} s to start; its log is {log}.")


def _make_roles(layout: Layout) -> None:
    """Makes the two roles and the database, whichever is missing."""
    with connect(layout, SUPERUSER, "postgres", autocommit=True) as connection:
        roles = {name for (name,) in connection.execute("select rolname from pg_roles")}
        for role in (OWNER_ROLE, APP_ROLE):
            if role not in roles:
                connection.execute(f"create role {role} login".encode())
        known = connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone()
        if known is None:
            connection.execute(f"create database {DATABASE} owner {OWNER_ROLE}".encode())
            connection.execute(f"revoke all on database {DATABASE} from public".encode())
            connection.execute(f"grant connect on database {DATABASE} to {APP_ROLE}".encode())


def _environment() -> dict[str, str]:
    """PostgreSQL's own variables of the caller (PGDATA, PGHOST ...) must not leak into the server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _as_user(user: str | None) -> Callable[[], None] | None:
    return None if user is None else lambda: become(user)


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))


def tail(log: Path, lines: int = 8) -> str:
    """The last lines of a log, for a message."""
    try:
        content: Sequence[str] = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(content[-lines:])
