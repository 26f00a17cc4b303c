"""Real processes for fault tests: a PostgreSQL warehouse whose answers can be held back, and Celery
workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.db import connection
from kombu import Connection

from metrics.models import Run, Source, Warehouse
from metrics.tasks import work
from tests.metrics.shop import Shop

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0
LEASE = 4  # seconds


def wait_until(true: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Poll until an event that is sure to come."""
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, f"{what} did not happen within {patience:.0f} s"
        time.sleep(0.05)


def here() -> psycopg.ConnectionInfo:
    """Where the test's database is."""
    connection.ensure_connection()
    return connection.connection.info


def database_url() -> str:
    """The address of the test's database."""
    at = here()
    user = quote(at.user, safe="") + (f":{quote(at.password, safe='')}" if at.password else "")
    place = quote(at.host, safe="") if at.host.startswith("/") else f"{at.host}:{at.port}"
    return f"postgres://{user}@{place}/{quote(at.dbname, safe='')}"


class HeldShop(Shop):
    """The shop with a PostgreSQL warehouse on the test's server, whose table can be locked against
    readers."""

    @property
    def database(self) -> str:
        return f"{here().dbname}_warehouse"

    def make_database(self) -> None:
        with self._server("postgres") as server:
            server.execute(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
            server.execute(f'CREATE DATABASE "{self.database}"')

    def drop_database(self) -> None:
        with self._server("postgres") as server:
            server.execute(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')

    def create(self, rows: Any = (), loaded_to: Any = None) -> None:
        with self._server(self.database) as db:
            db.execute(
                "CREATE TABLE orders (id bigint, ordered timestamp, customer text, country text, "
                "amount float8, ok boolean, changed timestamp)"
            )
            db.execute("CREATE TABLE loads (loaded_to date)")
        self.load(rows, loaded_to)

    def load(self, rows: Any = (), loaded_to: Any = None) -> None:
        with self._server(self.database) as db, db.cursor() as cursor:
            for row in rows:
                cursor.execute("INSERT INTO orders VALUES (%s, %s, %s, %s, %s, %s, %s)", row)
            if loaded_to:
                cursor.execute("INSERT INTO loads VALUES (%s)", [loaded_to])

    def sql(self, text: str, *arguments: Any) -> Any:
        with self._server(self.database) as db:
            cursor = db.execute(text, arguments)
            return cursor.fetchall() if cursor.description else []

    def define(self, **more: Any) -> Source:
        source = super().define(**more)
        at = here()
        options = {"host": at.host, "port": at.port, "database": self.database, "user": at.user}
        options |= {"password": at.password} if at.password else {}
        Warehouse.objects.filter(key="shop").update(engine="postgres", options=options)
        return source

    @contextmanager
    def held(self) -> Iterator[Callable[[], None]]:
        """No reader gets an answer until the block ends, or what is yielded is called."""
        with psycopg.connect(self._address(self.database)) as holder:
            holder.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
            yield holder.commit
            holder.rollback()

    def waiting(self) -> int:
        """How many readers wait for the table."""
        with self._server("postgres") as server:
            row = server.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'",
                [self.database],
            ).fetchone()
        assert row
        return int(row[0])

    def _address(self, database: str) -> str:
        at = here()
        return psycopg.conninfo.make_conninfo(
            dbname=database, host=at.host, port=at.port, user=at.user, password=at.password or None
        )

    def _server(self, database: str) -> psycopg.Connection:
        return psycopg.connect(self._address(database), autocommit=True)


@dataclass
class Worker:
    """A Celery worker of its own (one process that works), on the test's database and the given broker."""

    process: subprocess.Popen[bytes]
    log: Path
    broker: str

    def ring(self) -> None:
        """Wake it, as a tick would."""
        with Connection(self.broker.replace("unix://", "redis+socket://", 1)) as broker:
            work.apply_async(connection=broker)

    def said(self) -> str:
        return self.log.read_text(errors="replace")


@contextmanager
def worker(place: Path, broker: str, database: str = "") -> Iterator[Worker]:
    """Start a worker; afterwards it and its children are gone."""
    place.mkdir(parents=True, exist_ok=True)
    log = place / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "worker"],
            cwd=ROOT,
            env=environment(place, broker, database),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Worker(process, log, broker)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def environment(place: Path, broker: str, database: str = "") -> dict[str, str]:
    """The environment of a process of this installation."""
    return os.environ | {
        "DATABASE_URL": database or database_url(),
        "REDIS_URL": broker,
        "NORTHSTAR_DATA": str(place / "data"),
        "NORTHSTAR_LEASE_SECONDS": str(LEASE),
        "WORKER_CONCURRENCY": "1",
        "PYTHONUNBUFFERED": "1",
        "EMAIL_URL": "consolemail://",
    }


def run_of(pk: int) -> Run:
    return Run.objects.get(pk=pk)


def worker_pid(run: Run) -> int:
    """The process that has claimed a run."""
    return int(run.claimed_by.rsplit(":", 1)[1])
