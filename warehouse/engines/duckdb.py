"""DuckDB: tables of a file, or Parquet and CSV files, read by a child process that
can be limited and killed."""

import contextlib
import json
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from warehouse.definitions import WarehouseDef, WarehouseError
from warehouse.engines.base import Row, SqlEngine, structured
from warehouse.reach import Refused, check_file

DEFAULT_MEMORY = 4 * 2**30  # bytes
_START_TIMEOUT = 30.0  # seconds to start Python and open the file
_MIN_MEMORY = 256 * 2**20


class DuckDB(SqlEngine):
    """Options: `path` (a database file), or `files` (a mapping of table name to Parquet or CSV file);
    `memory` (bytes of the process, default 4 GiB), `threads`.

    A statement that passes the timeout is ended by killing the process; the next statement starts another.
    """

    dialect = "duckdb"

    def __init__(self, warehouse: WarehouseDef) -> None:
        super().__init__(warehouse)
        options = structured(warehouse, {"path": str, "files": Mapping, "memory": int, "threads": int})
        self._path = str(options.get("path") or "")
        files = options.get("files") or {}
        if bool(self._path) == bool(files):
            raise self.error("a DuckDB warehouse needs either `path` or `files`")
        self._files: dict[str, str] = {}
        for name, path in files.items() if isinstance(files, Mapping) else ():
            if not isinstance(path, str) or any(sign in path for sign in "*?["):
                raise self.error(f"the file of {name!r} must be one path, without a pattern")
            self._files[str(name)] = self._allowed(path)
        if self._path:
            self._path = self._allowed(self._path)
        for path in (self._path, *self._files.values()):
            if path and not Path(path).is_file():
                raise self.down(f"the file {path} does not exist")
        self._memory = max(int(str(options.get("memory", DEFAULT_MEMORY))), _MIN_MEMORY)
        self._threads = int(str(options.get("threads", os.cpu_count() or 1)))
        self._child: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._start()

    def _allowed(self, path: str) -> str:
        """The absolute path; with a reach the real one, in one of its folders."""
        try:
            return (
                check_file(path, self.warehouse.reach) if self.warehouse.reach else str(Path(path).absolute())
            )
        except (Refused, ValueError) as error:
            raise self.down(str(error)) from None

    @property
    def process_id(self) -> int | None:
        """The child's, while it lives."""
        return self._child.pid if self._child and self._child.poll() is None else None

    def run(self, sql: str, *, source: str = "") -> Iterator[list[Row]]:
        deadline = time.monotonic() + self.warehouse.timeout
        if self.process_id is None:
            self._start()
        self._send({"sql": sql, "row_cap": self.warehouse.row_cap}, source)
        finished = False
        try:
            types: list[str] = []
            while True:
                frame = self._receive(deadline, source)
                if "types" in frame:
                    types = frame["types"]
                if "rows" in frame:
                    yield _typed(frame["rows"], types)
                finished = bool(frame.get("end"))
                if "error" in frame:
                    raise self.error(_explained(frame["error"]), source=source)
                if finished:
                    return
        finally:
            if not finished:  # the reader left, or the time is over: what still runs must not go on
                self._kill()

    def describe(self, sql: str, *, source: str = "") -> dict[str, str]:
        rows = self._rows(f"DESCRIBE {sql}", source)
        return {str(row[0]): str(row[1]).lower() for row in rows}

    def close(self) -> None:
        self._kill()

    def _start(self) -> None:
        self._buffer = b""
        package_root = str(Path(__file__).resolve().parent.parent.parent)
        # Nothing of this process's environment reaches the child: it holds secrets.
        environment = {"PATH": os.defpath, "PYTHONPATH": package_root, "LANG": "C.UTF-8"}
        if "TMPDIR" in os.environ:
            environment["TMPDIR"] = os.environ["TMPDIR"]
        self._child = subprocess.Popen(
            [sys.executable, "-m", "warehouse.engines.duckdb_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
        )
        self._send(
            {
                "parent": os.getpid(),
                "path": self._path,
                "files": self._files,
                "memory": self._memory,
                "threads": self._threads,
            },
            "",
        )
        frame = self._receive(time.monotonic() + _START_TIMEOUT, "")
        if "error" in frame:
            self._kill()
            raise self.down(_explained(frame["error"]))

    def _send(self, frame: dict[str, Any], source: str) -> None:
        assert self._child and self._child.stdin
        body = json.dumps(frame).encode()
        try:
            self._child.stdin.write(struct.pack(">I", len(body)) + body)
            self._child.stdin.flush()
        except OSError:
            self._kill()
            raise self.error("the process of the warehouse has ended", source=source) from None

    def _receive(self, deadline: float, source: str) -> dict[str, Any]:
        size: int | None = None
        while True:
            if size is None and len(self._buffer) >= 4:
                size = struct.unpack(">I", self._buffer[:4])[0]
            if size is not None and len(self._buffer) >= 4 + size:
                body, self._buffer = self._buffer[4 : 4 + size], self._buffer[4 + size :]
                frame: dict[str, Any] = json.loads(body)
                return frame
            self._fill(deadline, source)

    def _fill(self, deadline: float, source: str) -> None:
        assert self._child and self._child.stdout
        left = deadline - time.monotonic()
        ready = select.select([self._child.stdout], [], [], max(left, 0))[0] if left > 0 else []
        if not ready:
            self._kill()
            raise self.error(
                f"the statement took longer than {self.warehouse.timeout:g} seconds and was ended",
                source=source,
            )
        chunk = os.read(self._child.stdout.fileno(), 1 << 20)
        if not chunk:
            self._kill()
            raise self.error(
                "the process of the warehouse ended, probably at its memory limit of "
                f"{self._memory >> 20} MiB",
                source=source,
            )
        self._buffer += chunk

    def _kill(self) -> None:
        child, self._child, self._buffer = self._child, None, b""
        if child is None:
            return
        child.kill()
        for stream in (child.stdin, child.stdout):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()
        child.wait()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self._kill()


def _typed(rows: list[list[Any]], types: list[str]) -> list[Row]:
    """JSON brought dates as text; their columns are known by type."""
    dates = [n for n, kind in enumerate(types) if kind == "date"]
    stamps = [n for n, kind in enumerate(types) if kind.startswith("timestamp")]
    if dates or stamps:
        known: dict[str, date] = {}
        for row in rows:
            for n in dates:
                text = row[n]
                if text is not None:
                    day = known.get(text)
                    if day is None:
                        day = known[text] = _date(text)
                    row[n] = day
            for n in stamps:
                if row[n] is not None:
                    row[n] = _timestamp(row[n])
    return list(rows)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WarehouseError(f"{text[:40]!r} is no date of this calendar") from None


def _timestamp(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise WarehouseError(f"{text[:40]!r} is no timestamp of this calendar") from None


def _explained(message: str) -> str:
    """The engine's message, with what to do for the faults that people meet."""
    if "Conflicting lock" in message or "Could not set lock" in message:
        return (
            "the file is open for writing by another program; publish a finished copy by renaming "
            f"it ({message})"
        )
    return message
