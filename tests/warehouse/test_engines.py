"""The adapters: what they read and refuse, their limits, and what their faults say."""

# ruff: noqa: E501 (tables of cases read better one a line)

import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from calc.calendar import Calendar, Grain
from tests.warehouse.stores import duckdb_store, opened, postgres_options, postgres_store
from warehouse.compute import compute, compute_isolated
from warehouse.definitions import (
    Atom,
    Measure,
    Request,
    SourceDef,
    WarehouseDef,
    WarehouseDown,
    WarehouseError,
)
from warehouse.engines import connect
from warehouse.engines.duckdb import DuckDB

UTC_CALENDAR = Calendar("UTC")
SOURCE = SourceDef("events", "store", "at", table="events")


def row(at: object, **more: Any) -> dict[str, Any]:
    return {"at": at, "who": "ann", "kind": "visit", "amount": 1.0, "points": 1, "ok": True} | more


ROWS = [row(datetime(2024, 6, n, 23, 30), amount=float(n)) for n in range(1, 11)]


def measure(agg: str, expr: str = "", where: str = "") -> Measure:
    return Measure("events", agg, expr, where)


def request(*atoms: Atom, source: SourceDef = SOURCE) -> Request:
    first, end = date(2024, 6, 1), date(2024, 6, 11)
    return Request(source, atoms, UTC_CALENDAR, first, end, (Grain.DAY, Grain.MONTH), first, end)


def test_columns_and_watermark(engine: str, tmp_path: Path) -> None:
    with opened(engine, tmp_path, events=ROWS) as warehouse:
        columns = warehouse.columns(SOURCE)
        assert columns["amount"] in ("double", "double precision") and "country" in columns
        assert warehouse.watermark(SOURCE, UTC_CALENDAR) == (date(2024, 6, 1), date(2024, 6, 10))
        assert warehouse.watermark(SOURCE, Calendar("Europe/London")) == (date(2024, 6, 2), date(2024, 6, 11))


@pytest.mark.parametrize(
    ("loaded_to", "expected"),
    [
        ("select max(at) from events", date(2024, 6, 11)),
        ("select date '2024-06-09'", date(2024, 6, 9)),
        ("select timestamp '2024-06-08 23:00:00'", date(2024, 6, 9)),  # London's midnight of the 9th
        ("select cast(null as date)", None),
    ],
)
def test_loaded_to(engine: str, loaded_to: str, expected: date | None, tmp_path: Path) -> None:
    source = replace(SOURCE, loaded_to=loaded_to.replace("(at)", '("at")'))
    with opened(engine, tmp_path, events=ROWS) as warehouse:
        assert warehouse.watermark(source, Calendar("Europe/London"))[1] == expected


@pytest.mark.parametrize(
    ("loaded_to", "says"),
    [
        ("select 1 as a, 2 as b", "one column"),
        ("select 'soon'", "must be a date or a timestamp"),
        ("delete from events", "only one SELECT"),
        ('select "at" from events', "one row"),
    ],
)
def test_a_wrong_loaded_to_is_refused(engine: str, loaded_to: str, says: str, tmp_path: Path) -> None:
    with opened(engine, tmp_path, events=ROWS) as warehouse, pytest.raises(WarehouseError, match=says):
        warehouse.watermark(replace(SOURCE, loaded_to=loaded_to), UTC_CALENDAR)


def test_an_empty_source_has_no_clock(engine: str, tmp_path: Path) -> None:
    with opened(engine, tmp_path, events=[]) as warehouse:
        assert warehouse.watermark(SOURCE, UTC_CALENDAR) == (None, None)


def test_changed_days(engine: str, tmp_path: Path) -> None:
    source = replace(SOURCE, changed_at="at")
    since = datetime(2024, 6, 9, 12, tzinfo=UTC)
    with opened(engine, tmp_path, events=ROWS) as warehouse:
        assert warehouse.changed_days(source, UTC_CALENDAR, since) == {date(2024, 6, 9), date(2024, 6, 10)}
        there = warehouse.changed_days(source, Calendar("Asia/Kathmandu"), since)
        assert there == {date(2024, 6, 10), date(2024, 6, 11)}


def test_a_query_as_source(engine: str, tmp_path: Path) -> None:
    source = SourceDef("events", "store", "at", sql='select "at", amount * 2 as amount from events;')
    with opened(engine, tmp_path, events=ROWS) as warehouse:
        found = list(compute(warehouse, request(Atom("sum", measure("sum", "amount")), source=source)))
    assert next(f.value for f in found if f.grain is Grain.MONTH) == 110.0


@pytest.mark.parametrize(
    ("atom", "rows", "says"),
    [
        (Atom("bad", measure("sum", "amount")), [row(ROWS[0]["at"], amount=float("nan"))], "NaN"),
        (Atom("bad", measure("max", "amount")), [row(ROWS[0]["at"], amount=float("inf"))], "infinity"),
        (Atom("bad", measure("avg", "amount")), [row(ROWS[0]["at"], amount=float("-inf"))], "infinity"),
        (Atom("bad", measure("median", "amount")), [row(ROWS[0]["at"], amount=float("nan"))], "NaN"),
        (Atom("bad", measure("last", "amount")), [row(ROWS[0]["at"], amount=float("nan"))], "NaN"),
        (Atom("bad", measure("max", "who")), ROWS, "a number is due, but got text 'ann'"),
        (Atom("bad", measure("sum", "who")), ROWS, "sum"),
        (Atom("bad", measure("median", "item")), [row(ROWS[0]["at"], item="12")], ""),
        (Atom("bad", measure("sum", "cast(who as integer)")), ROWS, "ann"),
        (Atom("bad", measure("max", "at")), ROWS, "a number is due"),
        (Atom("bad", measure("sum", "amuont")), ROWS, "there is no column 'amuont'; did you mean 'amount'"),
        (Atom("bad", measure("sum", "pg_sleep(1)")), ROWS, "pg_sleep may not be used"),
        (Atom("bad", measure("mode", "amount")), ROWS, "no aggregation 'mode'"),
        (Atom("bad", measure("sum", "amount", "who")), ROWS, ""),
        (Atom("bad", measure("count"), by=("planet",)), ROWS, "no dimension 'planet'"),
    ],
    ids=lambda value: value.numerator.agg if isinstance(value, Atom) else "",
)
def test_a_bad_figure_is_a_named_error_and_the_others_stand(
    engine: str, atom: Atom, rows: list, says: str, tmp_path: Path
) -> None:
    good = [Atom(f"good{n}", measure("count", where=f"points > {n}")) for n in range(3)]
    good += [Atom("median_good", measure("median", "points")), Atom("sum_good", measure("sum", "points"))]
    wanted = request(*good[:2], atom, *good[2:])
    with opened(engine, tmp_path, events=rows) as warehouse:
        with pytest.raises(WarehouseError) as caught:
            list(compute(warehouse, replace(wanted, atoms=(atom,))))
        figures, errors = compute_isolated(warehouse, wanted)
        keys = {figure.key for figure in figures}
    assert caught.value.metric == "bad" and says in str(caught.value)
    assert "warehouse store, source events, metric bad: " in str(caught.value)
    assert list(errors) == ["bad"] and says in str(errors["bad"])
    assert keys == {a.key for a in good}


def test_a_missing_table_names_the_source(engine: str, tmp_path: Path) -> None:
    with (
        opened(engine, tmp_path, events=ROWS) as warehouse,
        pytest.raises(WarehouseError, match=r"source gone: .*gone"),
    ):
        warehouse.columns(replace(SOURCE, key="gone", table="gone"))


def test_a_time_that_is_none_is_refused(engine: str, tmp_path: Path) -> None:
    with (
        opened(engine, tmp_path, events=ROWS) as warehouse,
        pytest.raises(WarehouseError, match="time must be a date"),
    ):
        warehouse.watermark(replace(SOURCE, time="who"), UTC_CALENDAR)


def test_the_row_cap(engine: str, tmp_path: Path) -> None:
    with (
        duckdb_store(tmp_path, events=ROWS) if engine == "duckdb" else postgres_store(events=ROWS)
    ) as definition:
        with connect(replace(definition, row_cap=10)) as warehouse:
            assert sum(len(batch) for batch in warehouse.run("select * from events")) == 10
        with (
            connect(replace(definition, row_cap=9)) as warehouse,
            pytest.raises(WarehouseError, match="more than 9 rows"),
        ):
            list(warehouse.run("select * from events"))


def test_a_runaway_statement_ends_within_its_limit_and_the_next_one_works(
    engine: str, tmp_path: Path
) -> None:
    sql = "select count(*) from range(10000000) a, range(1000000) b where (a.range * b.range) % 7 = 3"
    with (
        (
            duckdb_store(tmp_path, events=ROWS) if engine == "duckdb" else postgres_store(events=ROWS)
        ) as definition,
        connect(replace(definition, timeout=1.0)) as warehouse,
    ):
        started = time.monotonic()
        with pytest.raises(WarehouseError, match="longer than 1 seconds"):
            list(warehouse.run(sql if engine == "duckdb" else "select pg_sleep(60)"))
        assert time.monotonic() - started < 3.0
        warehouse.warehouse = definition
        assert list(warehouse.run("select 1")) in ([[[1]]], [[(1,)]])


def test_a_server_that_never_answers_is_cut_off() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        accepted: list[socket.socket] = []
        thread = threading.Thread(target=lambda: accepted.append(listener.accept()[0]), daemon=True)
        thread.start()
        options = {"host": "127.0.0.1", "port": listener.getsockname()[1], "database": "x", "user": "x"}
        started = time.monotonic()
        with pytest.raises(WarehouseDown, match="warehouse silent: it cannot be reached"):
            connect(WarehouseDef("silent", "postgres", options, timeout=1.0))
        assert time.monotonic() - started < 15
        for connection in accepted:
            connection.close()


def test_a_warehouse_that_is_down_says_so(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        options = {"host": "127.0.0.1", "port": free.getsockname()[1], "database": "x"}
        with pytest.raises(WarehouseDown, match=r"warehouse away: it cannot be reached"):
            connect(WarehouseDef("away", "postgres", options))
    with pytest.raises(WarehouseDown, match=r"warehouse away: the file .* does not exist"):
        connect(WarehouseDef("away", "duckdb", {"path": str(tmp_path / "none.duckdb")}))
    torn = tmp_path / "torn.duckdb"
    torn.write_bytes(b"half a file")
    with pytest.raises(WarehouseDown, match="warehouse away"):
        connect(WarehouseDef("away", "duckdb", {"path": str(torn)}))


def test_a_file_that_is_being_written_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "busy.duckdb"
    writer = subprocess.Popen(
        [sys.executable, "-c", f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print(1, flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert writer.stdout and writer.stdout.readline()
        with pytest.raises(WarehouseDown, match="publish a finished copy by renaming"):
            connect(WarehouseDef("busy", "duckdb", {"path": str(path)}))
    finally:
        writer.kill()
        writer.wait()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("postgres", {"host": "x", "options": "-c x=y"}), ("postgres", {"host": "x", "service": "s"}),
        ("postgres", {"host": "x", "passfile": "/etc/passwd"}), ("postgres", {"host": "x port=1 user=y"}),
        ("postgres", {"host": "x", "sslmode": "maybe"}), ("postgres", {"host": "a,b"}), ("postgres", {}),
        ("postgres", {"host": "x", "port": "5432; drop"}), ("postgres", {"dsn": "host=x"}),
        ("postgres", {"host": "x", "schema": "a; b"}), ("duckdb", {}), ("duckdb", {"path": "a", "files": {"b": "c"}}),
        ("duckdb", {"config": {}}), ("duckdb", {"files": {"a": "/etc/*"}}), ("duckdb", {"path": "x\x00y"}), ("oracle", {}),
    ],
    ids=str,
)  # fmt: skip
def test_options_that_are_not_listed_or_not_plain_are_refused(kind: str, options: dict[str, Any]) -> None:
    with pytest.raises(WarehouseError):
        connect(WarehouseDef("w", kind, options))


def test_parquet_and_csv_files(tmp_path: Path) -> None:
    for name, suffix, how in (("a", "parquet", "PARQUET"), ("b", "csv", "CSV")):
        duckdb.sql(
            f"COPY (SELECT 1 AS id, TIMESTAMP '2024-06-01' AS at) TO '{tmp_path}/{name}.{suffix}' (FORMAT {how})"
        )
    files = {"a": str(tmp_path / "a.parquet"), "b": str(tmp_path / "b.csv")}
    with connect(WarehouseDef("w", "duckdb", {"files": files})) as warehouse:
        assert list(warehouse.run("select a.id + b.id from a, b")) == [[[2]]]
        assert warehouse.watermark(SourceDef("b", "w", "at", table="b"), UTC_CALENDAR)[0] == date(2024, 6, 1)


def test_nothing_is_in_duckdbs_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the validator out of the way: no file, environment, socket, setting or write."""
    monkeypatch.setenv("NORTHSTAR_CANARY", "canary-in-the-environment")
    canary = tmp_path / "canary.csv"
    canary.write_text("secret\ncanary-in-a-file\n")
    secret = "canary-in-a-variable"  # noqa: F841  (a replacement scan would find it)
    with socket.socket() as listener, duckdb_store(tmp_path, events=ROWS) as definition:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.2)
        port = listener.getsockname()[1]
        with connect(definition) as warehouse:
            for sql in (
                f"select * from '{canary}'", f"select * from read_csv('{canary}')", f"select * from read_text('{canary}')",
                f"select * from read_blob('{canary}')", f"select * from glob('{tmp_path}/*')", "select getenv('NORTHSTAR_CANARY')",
                f"select * from read_csv('http://127.0.0.1:{port}/x.csv')", "select * from secret", "install httpfs",
                "load httpfs", f"copy (select 1) to '{tmp_path}/out.csv'", f"attach '{tmp_path}/new.duckdb'",
                "set enable_external_access = true", "reset lock_configuration", "set threads = 1",
                "insert into events select * from events", "drop table events", "create table x (a int)",
                f"export database '{tmp_path}/out'", "set allowed_paths = []", "select * from read_text('/proc/self/environ')",
            ):  # fmt: skip
                with pytest.raises(WarehouseError) as caught:
                    list(warehouse.run(sql))
                assert "canary-in" not in str(caught.value)
            assert isinstance(warehouse, DuckDB) and warehouse.process_id
            if sys.platform == "linux":
                environment = Path(f"/proc/{warehouse.process_id}/environ").read_bytes()
                assert b"CANARY" not in environment and b"SECRET" not in environment
        with pytest.raises(TimeoutError):
            listener.accept()
    assert {path.name for path in tmp_path.iterdir()} == {"canary.csv"}


def test_duckdbs_process_is_limited_in_memory(tmp_path: Path) -> None:
    with duckdb_store(tmp_path, events=ROWS) as definition:
        limited = replace(definition, options={**definition.options, "memory": 512 * 2**20}, timeout=60)
        with connect(limited) as warehouse, pytest.raises(WarehouseError, match=r"(?i)memory"):
            list(warehouse.run("select length(repeat('a', 900000000) || repeat('b', 900000000))"))


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG")
def test_duckdbs_process_dies_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import sys, os, time\nfrom warehouse.definitions import WarehouseDef\nfrom warehouse.engines import connect\n"
        "w = connect(WarehouseDef('w', 'duckdb', {'path': sys.argv[1]}))\nprint(w.process_id, flush=True)\ntime.sleep(600)\n"
    )
    with duckdb_store(tmp_path, events=ROWS) as definition:
        parent = subprocess.Popen(
            [sys.executable, "-c", code, str(definition.options["path"])],
            stdout=subprocess.PIPE, cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 10
        while _alive(child):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def _alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_postgresql_is_read_only_whatever_the_statement(postgres_database: None) -> None:
    with postgres_store(events=ROWS) as definition, connect(definition) as warehouse:
        for sql in (
            "insert into events select * from events", "create table x (a int)", "create temp table x (a int)",
            "with d as (delete from events returning 1) select * from d", "select * into y from events",
            "drop table events", "select nextval('s')", "truncate events",
        ):  # fmt: skip
            with pytest.raises(WarehouseError):
                list(warehouse.run(sql))
        assert list(warehouse.run("select count(*) from events")) == [[(10,)]]


def test_a_lost_connection_is_down_and_the_next_statement_reconnects(postgres_database: None) -> None:
    from tests.warehouse.stores import postgres_connect

    with postgres_store(events=ROWS) as definition, connect(definition) as warehouse:
        ((process,),) = next(iter(warehouse.run("select pg_backend_pid()")))
        with postgres_connect(postgres_options()) as session:
            session.execute("select pg_terminate_backend(%s)", (process,))
        with pytest.raises(WarehouseDown, match="warehouse store"):
            list(warehouse.run("select 1"))
        assert list(warehouse.run("select 1")) == [[(1,)]]
