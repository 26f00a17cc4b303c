"""Places and processes for tests of the stack."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import psutil

PATIENCE = 60.0


def wait_until(true: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Waits for an event that is sure to come, and says which one did not."""
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, f"{what} did not happen within {patience:.0f} s"
        time.sleep(0.02)


def processes_of(data: Path) -> list[psutil.Process]:
    """All living processes of the installation at `data`, known by command line, place or environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            told = " ".join(process.cmdline())
            inside = process.cwd().startswith(str(data))
            if str(data) in told or inside or process.environ().get("NORTHSTAR_DATA") == str(data):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def gone(pid: int) -> bool:
    """Whether the process has ended (a zombie has)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
