"""The embedded Valkey: a private socket, a file, and never two on it."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil
import redis

from northstar.stack import valkey
from northstar.stack.layout import Layout


def client(layout: Layout) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(layout.bell_socket), decode_responses=True)


def test_it_keeps_what_it_was_given_over_a_kill(layout: Layout) -> None:
    layout.prepare()
    server = valkey.start(layout)
    with client(layout) as connection:
        connection.set("kept", "yes")
        assert connection.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        connection.config_set("appendfsync", "always")
        connection.set("also", "yes")
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    again = valkey.start(layout)
    with client(layout) as connection:
        assert connection.mget("kept", "also") == ["yes", "yes"]
    again.end()


def test_it_listens_on_a_private_socket_only(layout: Layout) -> None:
    layout.prepare()
    server = valkey.start(layout)
    assert not [c for c in psutil.Process(server.pid).net_connections("inet") if c.status == "LISTEN"]
    assert layout.bell_socket.stat().st_mode & 0o777 == 0o700
    assert layout.bell.stat().st_mode & 0o777 == 0o700
    server.end()


def test_a_long_path_gets_a_short_socket(place: Path) -> None:
    layout = Layout.of(place / ("a-very-long-directory-name/" * 6) / "data").prepare()
    server = valkey.start(layout)
    assert len(str(layout.bell_socket)) <= 107
    assert valkey.answers(layout)
    server.end()
