"""One embedded Valkey: broker and cache on a unix socket, with an append-only file."""

from __future__ import annotations

import signal
import time

import redis

from northstar.stack.binaries import valkey_server
from northstar.stack.children import Child, spawn
from northstar.stack.errors import StackError
from northstar.stack.layout import Layout, own_directory
from northstar.stack.locks import FileLock
from northstar.stack.postgres import tail

PREDECESSOR_PATIENCE = 30.0
START_PATIENCE = 60.0


def url(layout: Layout) -> str:
    """The address for Celery (kombu) and redis-py."""
    return f"unix://{layout.bell_socket}"


def start(layout: Layout) -> Child:
    """Starts Valkey on the installation's data and waits until it answers. Raises StackError when it does
    not.

    It inherits a lock on its files: a second one can only start when the first has really gone.
    """
    files = layout.data / "valkey"
    own_directory(files, files.lstat().st_uid if files.exists() else layout.bell.stat().st_uid)
    lock = FileLock.open(files / "server.lock")
    if not lock.exclusive(PREDECESSOR_PATIENCE):
        lock.close()
        raise StackError(f"A Valkey of another start still runs on {files}.")
    log = layout.data / "log" / "valkey.log"
    layout.bell_socket.unlink(missing_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(layout.bell_socket),
        "unixsocketperm": "700",
        "dir": str(files),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    with log.open("wb") as output:
        child = spawn(
            [valkey_server(), *words],
            cwd=files,
            output=output,
            keep=[lock.descriptor],
            death_signal=signal.SIGTERM,
        )
    lock.close()  # the child's copy holds it from here on
    deadline = time.monotonic() + START_PATIENCE
    while not answers(layout):
        if child.ended() is not None or time.monotonic() > deadline:
            child.end()
            raise StackError(f"Valkey did not start. Its log ({log}) ends:\n{tail(log)}")
        time.sleep(0.02)
    return child


def answers(layout: Layout) -> bool:
    """Whether the server replies now (not while it is still loading its file)."""
    client = redis.Redis(unix_socket_path=str(layout.bell_socket), socket_timeout=2)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
