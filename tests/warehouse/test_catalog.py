"""What a warehouse tells of itself, on both engines, with hostile names and more than fits."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.warehouse import stores
from warehouse import catalog
from warehouse.definitions import SourceDef, WarehouseDef, WarehouseDown, WarehouseError
from warehouse.engines import connect

ROWS = [
    {
        "at": datetime(2024, 1, 1) + timedelta(hours=n),
        "who": f"u{n % 50}",
        "kind": "ab"[n % 2],
        "amount": n / 2,
    }
    for n in range(120)
]
HOSTILE = ['quo"te', "<b>bold</b>", "rtl\u202eeman", "it's", "dot.ted", "ünïcode"]


def test_tables_and_views_are_listed(engine: str, tmp_path: Path) -> None:
    with stores.opened(engine, tmp_path, orders=ROWS, visits=ROWS) as warehouse:
        found, more = catalog.tables(warehouse)
        mine = [table for table in found if table.name in ("orders", "visits")]
        assert [(t.name, t.kind, t.refused) for t in mine] == [
            ("orders", "table", ""),
            ("visits", "table", ""),
        ]
        assert not more
        named = [t.name for t in catalog.tables(warehouse, "SIT")[0]]
        assert [name for name in named if not name.startswith("public.")] == ["visits"]
        assert catalog.tables(warehouse, "o'; drop table orders --")[0] == ()


def test_a_sample_tells_columns_with_their_values(engine: str, tmp_path: Path) -> None:
    with stores.opened(engine, tmp_path, orders=ROWS) as warehouse:
        sample = catalog.sample(warehouse, SourceDef("orders", "store", "at", table="orders"))
        columns = {column.name: column for column in sample.columns}
        assert sample.rows == 120
        assert list(columns) == list(stores.COLUMNS)
        assert (columns["kind"].distinct, columns["kind"].filled, columns["kind"].values) == (
            2,
            120,
            ("a", "b"),
        )
        assert columns["who"].distinct == 50
        assert columns["country"].filled == 0
        extent = catalog.extent(warehouse, SourceDef("orders", "store", "at", table="orders"), '"at"')
        assert extent.rows == 120
        assert extent.first.startswith("2024-01-01 00:00:00")
        assert extent.last.startswith("2024-01-05 23:00:00")


@contextmanager
def hostile(engine: str, folder: Path) -> Iterator[WarehouseDef]:
    """A warehouse each of whose tables and columns is called as nobody should."""

    def quoted(name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    columns = ", ".join(f"{n} AS {quoted(name)}" for n, name in enumerate(HOSTILE))
    statements = [f"CREATE TABLE {quoted(name)} AS SELECT {columns}" for name in [*HOSTILE, "plain"]]
    if engine == "duckdb":
        path = folder / "hostile.duckdb"
        with duckdb.connect(str(path)) as db:
            for statement in statements:
                db.execute(statement)
        yield WarehouseDef("store", "duckdb", {"path": str(path), "threads": 1}, timeout=30)
        return
    options, schema = stores.postgres_options(), f"t_{uuid.uuid4().hex}"
    with stores.postgres_connect(options) as session:
        session.execute(f"CREATE SCHEMA {schema}")
        session.execute(f"SET search_path = {schema}")
        try:
            for statement in statements:
                session.execute(statement)
            yield WarehouseDef("store", "postgres", {**options, "schema": schema}, timeout=30)
        finally:
            session.execute(f"DROP SCHEMA {schema} CASCADE")


def test_hostile_names_are_told_and_not_read(engine: str, tmp_path: Path) -> None:
    with hostile(engine, tmp_path) as definition, connect(definition) as warehouse:
        found = {table.name: table.refused for table in catalog.tables(warehouse)[0]}
        for name in HOSTILE:
            assert (found[name] == "") == (name == "ünïcode"), name
        sample = catalog.sample(warehouse, SourceDef("s", "store", "x", table="plain"))
        assert {c.name: c.values for c in sample.columns} == {
            name: (str(n),) for n, name in enumerate(HOSTILE)
        }


def test_a_table_that_is_not_there_is_told(engine: str, tmp_path: Path) -> None:
    with stores.opened(engine, tmp_path, orders=ROWS) as warehouse:
        with pytest.raises(WarehouseError):
            catalog.sample(warehouse, SourceDef("s", "store", "x", table="nowhere"))
        with pytest.raises(WarehouseError, match="system table"):
            catalog.sample(warehouse, SourceDef("s", "store", "x", table="pg_catalog.pg_shadow"))


def test_long_values_are_cut(engine: str, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"at": datetime(2024, 1, 1), "who": "x" * 100_000}]
    with stores.opened(engine, tmp_path, orders=rows) as warehouse:
        sample = catalog.sample(warehouse, SourceDef("orders", "store", "at", table="orders"))
        assert max(len(value) for c in sample.columns for value in c.values) <= catalog.LONGEST + 1


def test_a_role_that_may_write_is_warned_of_and_a_reader_is_not(
    postgres_database: None, tmp_path: Path
) -> None:
    with stores.postgres_store(orders=ROWS) as definition:
        options = dict(definition.options)
        with connect(definition) as warehouse:
            proof = catalog.prove(warehouse)
        assert any("superuser" in w for w in proof.warnings)
        assert proof.server.startswith("PostgreSQL")
        role = f"r_{uuid.uuid4().hex[:12]}"
        schema = options["schema"]
        with stores.postgres_connect(stores.postgres_options()) as session:
            session.execute(f"CREATE ROLE {role} LOGIN")
            try:
                session.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
                session.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}")
                reader = WarehouseDef("store", "postgres", {**options, "user": role}, timeout=30)
                try:
                    with connect(reader) as warehouse:
                        proof = catalog.prove(warehouse)
                except WarehouseDown as refused:
                    if "Peer authentication" in str(refused):
                        pytest.skip("this server lets nobody in but its own user")
                    raise
                assert proof.role == role
                assert proof.warnings == ()
                assert [table.name for table in proof.tables] == ["orders"]
                session.execute(f"GRANT UPDATE ON {schema}.orders TO {role}")
                with connect(reader) as warehouse:
                    assert catalog.prove(warehouse).warnings == ("The role may change 1 tables.",)
            finally:
                session.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
