"""The process that holds DuckDB: started by `warehouse.engines.duckdb`, it answers over its pipes and reads
no other.

It runs apart because DuckDB passes its own memory limit and reacts to an interrupt late: here the operating
system limits its memory, and its parent may kill it at any time. Frames are a four-byte length and JSON in
UTF-8.
"""

# ruff: noqa: S608 (this text is built from checked expressions and escaped literals)

import ctypes
import decimal
import json
import os
import resource
import signal
import struct
import sys
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

_BATCH = 5_000  # rows per frame
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Read the options, open the database, then answer requests until the pipe closes."""
    incoming = os.fdopen(os.dup(0), "rb")
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that a library prints may land between the frames
    options = receive(incoming)
    if options is None:
        return
    _die_with_parent(options["parent"])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory(options["memory"])
    with tempfile.TemporaryDirectory(prefix="northstar-duckdb-") as folder:
        try:
            connection = _open(options, folder)
        except Exception as error:
            send(outgoing, {"error": _message(error)})
            return
        send(outgoing, {"ready": True})
        while (request := receive(incoming)) is not None:
            _answer(connection, request, outgoing)


def send(stream: BinaryIO, frame: Any) -> None:
    """Write one frame."""
    body = json.dumps(frame, default=_plain, separators=(",", ":")).encode()
    stream.write(struct.pack(">I", len(body)) + body)
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    """Read one frame; None when the other side has closed."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    body = stream.read(struct.unpack(">I", head)[0])
    return json.loads(body)


def _answer(connection: Any, request: dict[str, Any], outgoing: BinaryIO) -> None:
    try:
        result = connection.execute(request["sql"])
        send(outgoing, {"types": [str(column[1]).lower() for column in result.description or []]})
        left = request["row_cap"]
        while rows := result.fetchmany(_BATCH):
            left -= len(rows)
            if left < 0:
                send(outgoing, {"error": f"more than {request['row_cap']:,} rows came back", "end": True})
                return
            send(outgoing, {"rows": rows})
        send(outgoing, {"end": True})
    except Exception as error:
        send(outgoing, {"error": _message(error), "end": True})


def _open(options: dict[str, Any], folder: str) -> Any:
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            # Leaves room for what DuckDB allocates past its own limit.
            "memory_limit": f"{options['memory'] * 6 // 10 // 2**20}MiB",
            "temp_directory": folder,
            "threads": options["threads"],
            "python_enable_replacements": False,
            "python_scan_all_frames": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "preserve_insertion_order": False,
        },
    )
    connection.execute("SET TimeZone = 'UTC'")
    if options["path"]:
        connection.execute(f"ATTACH {_quoted(options['path'])} AS warehouse (READ_ONLY)")
        connection.execute("USE warehouse")
    allowed = [options["path"]] if options["path"] else []
    for name, path in options["files"].items():
        reader = "read_csv" if path.lower().endswith((".csv", ".csv.gz", ".tsv", ".txt")) else "read_parquet"
        view = '"' + name.replace('"', '""') + '"'
        connection.execute(f"CREATE VIEW {view} AS SELECT * FROM {reader}({_quoted(path)})")
        allowed.append(path)
    listed = ", ".join(_quoted(path) for path in allowed)
    connection.execute(f"SET allowed_paths = [{listed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _limit_memory(limit: int) -> None:
    """Let the operating system refuse what passes the limit; where a limit is not known,
    DuckDB's own stays."""
    for name in ("RLIMIT_DATA", "RLIMIT_AS"):
        # Address space also counts what is only reserved, so it gets room.
        size = limit if name == "RLIMIT_DATA" else limit * 2 + 2**30
        try:
            resource.setrlimit(getattr(resource, name), (size, size))
        except (AttributeError, ValueError, OSError):
            continue
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _die_with_parent(parent: int) -> None:
    """On Linux the kernel ends this process with its parent; elsewhere the closed pipe does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)


def _plain(value: object) -> object:
    """What JSON does not know: dates as ISO text (the parent reads them by type), decimals as doubles."""
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return {"interval": value.total_seconds()}
    return str(value)[:200]


def _quoted(text: str) -> str:
    return "'" + str(Path(text)).replace("'", "''") + "'"


def _message(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "out of memory"
    return str(error)[:2_000]


if __name__ == "__main__":
    main()
