"""PostgreSQL by psycopg: one read-only session with its limits set, results streamed."""

# ruff: noqa: S608 (this text is built from checked expressions and escaped literals)

import contextlib
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql as psycopg_sql

from warehouse.definitions import WarehouseDef
from warehouse.engines.base import Row, SqlEngine, structured
from warehouse.reach import Refused, addresses, check_socket

_BATCH = 2_000  # rows
_CONNECT_TIMEOUT = 10  # seconds
_HOST = re.compile(r"^[\w./:%-]{1,200}\Z", re.ASCII)
_SSL_MODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
_OPTIONS = {"host": str, "port": int, "database": str, "user": str, "password": str, "schema": str} | {
    "sslmode": str,
    "sslrootcert": str,
    "work_mem_mb": int,
}


class Postgres(SqlEngine):
    """Options: host (a name, an address or a socket's directory), port, database, user, password, schema,
    sslmode, sslrootcert, work_mem_mb. No other option of the driver is passed on: some of them run code or
    read files.
    """

    dialect = "postgres"

    def __init__(self, warehouse: WarehouseDef) -> None:
        super().__init__(warehouse)
        options = structured(warehouse, _OPTIONS)
        host = str(options.get("host", ""))
        if not _HOST.match(host):
            raise self.error("the option 'host' must be one host name, address or socket directory")
        sslmode = str(options.get("sslmode", "prefer"))
        if sslmode not in _SSL_MODES:
            raise self.error(f"the option 'sslmode' must be one of {', '.join(sorted(_SSL_MODES))}")
        schema = str(options.get("schema", ""))
        if schema and not re.match(r"^\w{1,63}$", schema):
            raise self.error("the option 'schema' must be one plain name")
        self._schema = schema
        self._work_mem = min(max(int(str(options.get("work_mem_mb", 128))), 1), 4096)
        self._host = host
        self._secret = str(options.get("password", ""))
        self._arguments: dict[str, Any] = {
            "port": int(str(options.get("port", 5432))),
            "dbname": str(options.get("database", "")),
            "user": str(options.get("user", "")),
            "password": self._secret,
            "sslmode": sslmode,
            "passfile": f"{os.devnull}/none",  # this system's own passwords are not for a warehouse
            "connect_timeout": max(min(_CONNECT_TIMEOUT, int(self.warehouse.timeout)), 2),
            "application_name": "northstar",
            "gssencmode": "disable",
            "keepalives_idle": 30,
        }
        if options.get("sslrootcert"):
            self._arguments["sslrootcert"] = str(options["sslrootcert"])
        self._connection: psycopg.Connection | None = None
        self._connect()

    def _connect(self) -> psycopg.Connection:
        if self._connection and not self._connection.closed:
            return self._connection
        try:
            arguments = {**self._arguments, **self._place()}
            connection = psycopg.connect(**arguments, autocommit=False)
        except Refused as error:
            raise self.down(f"it may not be reached: {error}") from None
        except (psycopg.Error, OSError) as error:
            raise self.down(f"it cannot be reached: {self._message(error)}") from None
        connection.read_only = True
        self._connection = connection
        milliseconds = max(int(self.warehouse.timeout * 1000), 1)
        settings = {
            "default_transaction_read_only": "on",
            "statement_timeout": str(milliseconds),
            "lock_timeout": str(min(milliseconds, 30_000)),
            "idle_in_transaction_session_timeout": str(milliseconds + 60_000),
            "TimeZone": "UTC",
            "DateStyle": "ISO, YMD",
            "standard_conforming_strings": "on",
            "work_mem": f"{self._work_mem}MB",
            "jit": "off",  # compiling costs more than it saves on statements that run once
        }
        if self._schema:
            settings["search_path"] = self._schema
        with self._guard("", time.monotonic() + self.warehouse.timeout), connection.cursor() as cursor:
            for name, value in settings.items():
                cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
        connection.commit()
        return connection

    def _place(self) -> dict[str, str]:
        """Where to connect to. With a reach the name is resolved here and its addresses are checked, and the
        driver gets those addresses; the name stays for the server's certificate."""
        reach, host = self.warehouse.reach, self._host
        if reach is None:
            return {"host": host}
        if host.startswith("/"):
            check_socket(host, reach)
            return {"host": host}
        found = addresses(host, self._arguments["port"], reach)
        return {"host": ",".join([host] * len(found)), "hostaddr": ",".join(found)}

    def run(self, sql: str, *, source: str = "") -> Iterator[list[Row]]:
        connection = self._connect()
        deadline = time.monotonic() + self.warehouse.timeout
        count = 0
        try:
            with self._guard(source, deadline), connection.cursor() as cursor:
                batch: list[Row] = []
                # Streaming, not a server-side cursor: a cursor's plan may not use parallel workers.
                for row in cursor.stream(psycopg_sql.SQL(sql), size=_BATCH):
                    count += 1
                    if count > self.warehouse.row_cap:
                        raise self.error(
                            f"more than {self.warehouse.row_cap:,} rows came back", source=source
                        )
                    batch.append(row)
                    if len(batch) == _BATCH:
                        yield batch
                        batch = []
                if batch:
                    yield batch
        finally:
            with contextlib.suppress(psycopg.Error):
                connection.rollback()

    def describe(self, sql: str, *, source: str = "") -> dict[str, str]:
        connection = self._connect()
        try:
            with self._guard(source, time.monotonic() + self.warehouse.timeout):
                with connection.cursor() as cursor:
                    cursor.execute(psycopg_sql.SQL(f"SELECT * FROM ({sql}) AS described LIMIT 0"))
                    columns = [(c.name, c.type_code) for c in cursor.description or ()]
                    codes = sorted({code for _, code in columns})
                    cursor.execute(
                        "SELECT code, pg_catalog.format_type(code::oid, NULL) FROM unnest(%s::oid[]) AS code",
                        (codes,),
                    )
                    names: dict[int, str] = dict(cursor.fetchall())
                found = {name: str(names[code]) for name, code in columns}
                if len(found) != len(columns):
                    raise self.error("two columns of the query have the same name", source=source)
                return found
        finally:
            with contextlib.suppress(psycopg.Error):
                connection.rollback()

    def close(self) -> None:
        if self._connection:
            with contextlib.suppress(psycopg.Error):
                self._connection.close()

    @contextlib.contextmanager
    def _guard(self, source: str, deadline: float) -> Iterator[None]:
        """Turn the driver's faults into WarehouseError; cut the connection if the server passes the time.

        The server's own statement_timeout comes first; the cut is for one that drips or no longer answers.
        """
        assert self._connection
        connection = self._connection
        cut = threading.Event()

        def close_socket() -> None:
            cut.set()
            with (
                contextlib.suppress(OSError, psycopg.Error),
                socket.socket(fileno=os.dup(connection.fileno())) as s,
            ):
                s.shutdown(socket.SHUT_RDWR)

        watchdog = threading.Timer(max(deadline - time.monotonic(), 0) + 1.0, close_socket)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        except psycopg.errors.QueryCanceled as error:
            raise self.error(
                f"the statement took longer than {self.warehouse.timeout:g} seconds and was ended "
                f"({self._message(error)})",
                source=source,
            ) from None
        except (psycopg.Error, OSError, ValueError, OverflowError) as error:
            if cut.is_set():
                raise self.down(
                    f"no complete answer came within {self.warehouse.timeout:g} seconds", source=source
                ) from None
            if connection.closed:
                raise self.down(f"the connection was lost: {self._message(error)}", source=source) from None
            raise self.error(self._message(error), source=source) from None
        finally:
            watchdog.cancel()

    def _message(self, error: BaseException) -> str:
        """The driver's words, in which the password never stands."""
        text = str(error).strip()
        if self._secret:
            text = text.replace(self._secret, "***")
        return text[:2_000] or type(error).__name__
