"""What a warehouse holds: its tables, their columns with examples, and what its role may do. Asked of an open
engine, always with a cap."""

# ruff: noqa: S608 (this text is built from our own words and escaped names and literals)

from dataclasses import dataclass
from typing import Any

from warehouse.definitions import SourceDef, WarehouseError
from warehouse.engines.base import Engine, Row
from warehouse.expressions import ExpressionError, check_table
from warehouse.sql import identifier, literal, relation

MOST_TABLES = 300
MOST_COLUMNS = 200
SAMPLE = 2_000  # rows
LONGEST = 80  # characters of an example


@dataclass(frozen=True)
class Table:
    """A table or view that may be read. `name` is what a definition calls it; `refused` says why none can.
    rows: an estimate, None if the engine has none."""

    name: str
    kind: str
    rows: int | None = None
    refused: str = ""


@dataclass(frozen=True)
class Column:
    """A column and what the sample says of it: how many rows have a value, how many different ones, the most
    frequent ones. `values` are all distinct values where there are few, else the first few."""

    name: str
    type: str
    filled: int = 0
    distinct: int = 0
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    """The first rows of a source: how many were read, their columns, and a few of them as text."""

    rows: int
    columns: tuple[Column, ...]
    shown: tuple[tuple[str | None, ...], ...] = ()
    more_columns: int = 0


@dataclass(frozen=True)
class Extent:
    """How many rows a source has and from when to when, as text; None where it was not counted in time."""

    rows: int | None = None
    first: str = ""
    last: str = ""


@dataclass(frozen=True)
class Proof:
    """What a test of a connection has shown. `warnings`: what the role may do that it should not."""

    server: str
    role: str
    tables: tuple[Table, ...]
    more: bool = False
    warnings: tuple[str, ...] = ()


def tables(engine: Engine, find: str = "") -> tuple[tuple[Table, ...], bool]:
    """The first `MOST_TABLES` tables whose name contains `find`, and whether there are more."""
    find = find.strip().lower().replace("\x00", "")[:200]
    ask = _postgres_tables if engine.dialect == "postgres" else _duckdb_tables
    rows = _rows(engine, ask(find))
    return tuple(_table(row) for row in rows[:MOST_TABLES]), len(rows) > MOST_TABLES


def _table(row: Row) -> Table:
    schema, name, kind, count, in_path = row
    full = str(name) if in_path else f"{schema}.{name}"
    refused = ""
    try:
        if "." in str(name):
            raise ExpressionError("a name with a point in it cannot be read")
        check_table(full)
    except ExpressionError as error:
        refused = str(error)
    return Table(full, str(kind), None if count is None else int(str(count)), refused)


def _postgres_tables(find: str) -> str:
    where = f"AND position({literal(find)} IN lower(n.nspname || '.' || c.relname)) > 0" if find else ""
    return f"""
        SELECT n.nspname, c.relname,
               CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                              WHEN 'f' THEN 'foreign table' ELSE 'table' END,
               CASE WHEN c.reltuples >= 0 AND c.relkind IN ('r', 'm') THEN c.reltuples::bigint END,
               n.nspname = ANY (current_schemas(false)) AS in_path
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
          AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
          AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') {where}
        ORDER BY in_path DESC, n.nspname, c.relname LIMIT {MOST_TABLES + 1}"""


def _duckdb_tables(find: str) -> str:
    where = f"AND contains(lower(t.table_schema || '.' || t.table_name), {literal(find)})" if find else ""
    return f"""
        SELECT t.table_schema, t.table_name, CASE t.table_type WHEN 'VIEW' THEN 'view' ELSE 'table' END,
               d.estimated_size, t.table_schema = 'main' AS in_path
        FROM information_schema.tables t
        LEFT JOIN duckdb_tables() d ON d.database_name = t.table_catalog AND d.schema_name = t.table_schema
                                       AND d.table_name = t.table_name
        WHERE t.table_catalog = current_database() {where}
        ORDER BY in_path DESC, t.table_schema, t.table_name LIMIT {MOST_TABLES + 1}"""


def sample(engine: Engine, source: SourceDef) -> Sample:
    """Reads the first rows of a source's table or query. WarehouseError if it cannot be read."""
    types = engine.columns(source)
    names = list(types)[:MOST_COLUMNS]
    if not names:
        raise WarehouseError("it has no columns", warehouse=engine.warehouse.key, source=source.key)
    # As text, cut short: a sample must not bring documents and pictures along.
    texts = ", ".join(
        f"left(CAST({identifier(name)} AS VARCHAR), {LONGEST + 1}) AS c{n}" for n, name in enumerate(names)
    )
    rows = _rows(engine, f"SELECT {texts} FROM {relation(source, engine.dialect)} LIMIT {SAMPLE}", source.key)
    columns = tuple(_column(name, types[name], [row[n] for row in rows]) for n, name in enumerate(names))
    shown = tuple(tuple(None if value is None else _short(value) for value in row) for row in rows[:5])
    return Sample(len(rows), columns, shown, len(types) - len(names))


def _column(name: str, kind: str, values: list[Any]) -> Column:
    counts: dict[str, int] = {}
    for value in values:
        if value is not None:
            text = _short(value)
            counts[text] = counts.get(text, 0) + 1
    often = sorted(counts, key=lambda text: (-counts[text], text))
    return Column(name, kind, sum(counts.values()), len(counts), tuple(often[:6]))


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def extent(engine: Engine, source: SourceDef, time: str) -> Extent:
    """Counts the rows and reads the ends of an expression; empty where that takes longer than the warehouse's
    limit."""
    wanted = f"CAST(min({time}) AS VARCHAR), CAST(max({time}) AS VARCHAR)" if time else "NULL, NULL"
    try:
        rows = _rows(engine, f"SELECT count(*), {wanted} FROM {relation(source, engine.dialect)}", source.key)
    except WarehouseError:
        return Extent()
    count, first, last = rows[0]
    return Extent(int(str(count)), _short(first or ""), _short(last or ""))


def prove(engine: Engine) -> Proof:
    """Who one is in the warehouse, what can be read, and what could be written."""
    found, more = tables(engine)
    server, role, warnings = (_postgres_proof if engine.dialect == "postgres" else _duckdb_proof)(engine)
    return Proof(server, role, found, more, warnings)


def _duckdb_proof(engine: Engine) -> tuple[str, str, tuple[str, ...]]:
    return f"DuckDB {_rows(engine, 'SELECT version()')[0][0]}", "", ()


def _postgres_proof(engine: Engine) -> tuple[str, str, tuple[str, ...]]:
    row = _rows(
        engine,
        """
        SELECT current_setting('server_version'), current_user, r.rolsuper,
               r.rolcreaterole OR r.rolcreatedb OR r.rolreplication,
               has_database_privilege(current_database(), 'CREATE'),
               pg_has_role(current_user, 'pg_execute_server_program', 'MEMBER')
                 OR pg_has_role(current_user, 'pg_read_server_files', 'MEMBER')
                 OR pg_has_role(current_user, 'pg_write_server_files', 'MEMBER'),
               (SELECT count(*) FROM pg_catalog.pg_namespace n
                WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                  AND has_schema_privilege(n.oid, 'CREATE')),
               (SELECT count(*)
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname !~ '^pg_'
                  AND n.nspname <> 'information_schema' AND has_schema_privilege(n.oid, 'USAGE')
                  AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))
        FROM pg_catalog.pg_roles r WHERE r.rolname = current_user""",
    )[0]
    version, role, is_super, makes, creates, touches, schemas, writable = row
    warnings: list[str] = []
    if is_super:
        warnings.append("The role is a superuser: it may do anything on that server.")
    else:
        if makes:
            warnings.append("The role may make databases or roles, or replicate.")
        if touches:
            warnings.append("The role may read or write files or start programs on that server.")
        if writable:
            warnings.append(f"The role may change {int(str(writable)):,} tables.")
        if creates or schemas:
            warnings.append("The role may create tables or schemas.")
    return f"PostgreSQL {version}", str(role), tuple(warnings)


def _rows(engine: Engine, sql: str, source: str = "") -> list[Row]:
    return [row for batch in engine.run(sql, source=source) for row in batch]
