"""Little warehouses for tests: rows written to a DuckDB file or a PostgreSQL schema, and opened by the
adapters.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from django.db import connection

from warehouse.definitions import WarehouseDef
from warehouse.engines import Engine, connect

COLUMNS = {
    "at": "timestamp", "who": "varchar", "kind": "varchar", "amount": "double precision", "points": "integer",
    "item": "varchar", "ok": "boolean", "country": "varchar",
}  # fmt: skip


def time_type(rows: Sequence[dict[str, Any]]) -> str:
    """The type of `at` that the rows want."""
    at = rows[0]["at"] if rows else datetime(2020, 1, 1)
    if not isinstance(at, datetime):
        return "date"
    return "timestamptz" if at.tzinfo else "timestamp"


def write(execute: Any, table: str, rows: Sequence[dict[str, Any]], mark: str) -> None:
    """Create `table` and insert the rows; `mark` is the driver's parameter."""
    types = COLUMNS | {"at": time_type(rows)}
    columns = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
    execute("BEGIN")
    execute(f"CREATE TABLE {table} ({columns})")
    marks = ", ".join([mark] * len(types))
    for row in rows:
        values = [_plain(row.get(name)) for name in types]
        execute(f"INSERT INTO {table} VALUES ({marks})", values)
    execute("COMMIT")


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) and value.tzinfo else value


@contextmanager
def duckdb_store(folder: Path, **tables: Sequence[dict[str, Any]]) -> Iterator[WarehouseDef]:
    path = folder / f"{uuid.uuid4().hex}.duckdb"
    with duckdb.connect(str(path)) as session:
        session.execute("SET TimeZone = 'UTC'")
        for name, rows in tables.items():
            write(session.execute, name, rows, "?")
    try:
        yield WarehouseDef("store", "duckdb", {"path": str(path), "threads": 1}, timeout=30)
    finally:
        path.unlink()


def postgres_options() -> dict[str, Any]:
    """Structured options of the test database; the fixture `postgres_database` makes it."""
    found = connection.settings_dict
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "database": "NAME"}
    options = {option: found[name] for option, name in names.items() if found.get(name)}
    return options | {
        "port": int(options.get("port", 5432)),
        "host": options.get("host", "/var/run/postgresql"),
    }


def postgres_connect(options: dict[str, Any]) -> psycopg.Connection:
    arguments = {("dbname" if name == "database" else name): value for name, value in options.items()}
    return psycopg.connect(**arguments, autocommit=True)


@contextmanager
def postgres_store(**tables: Sequence[dict[str, Any]]) -> Iterator[WarehouseDef]:
    options = postgres_options()
    schema = f"t_{uuid.uuid4().hex}"
    with postgres_connect(options) as session:
        session.execute("SET TimeZone = 'UTC'")
        session.execute(f"CREATE SCHEMA {schema}")
        try:
            for name, rows in tables.items():
                write(session.execute, f"{schema}.{name}", rows, "%s")
            yield WarehouseDef("store", "postgres", {**options, "schema": schema}, timeout=30)
        finally:
            session.execute(f"DROP SCHEMA {schema} CASCADE")


@contextmanager
def opened(engine: str, folder: Path, **tables: Sequence[dict[str, Any]]) -> Iterator[Engine]:
    """An engine ("duckdb" or "postgres") over the tables."""
    store = duckdb_store(folder, **tables) if engine == "duckdb" else postgres_store(**tables)
    with store as definition, connect(definition) as found:
        yield found
