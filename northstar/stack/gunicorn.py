"""gunicorn's configuration; `manage.py web` adds where it listens and with how many threads."""

from __future__ import annotations

import os
import signal
from typing import Any

from northstar.stack.children import HAS_DEATH_SIGNAL, die_with_parent

worker_class = "gthread"
preload_app = False
timeout = 60
graceful_timeout = 10
keepalive = 5
loglevel = "warning"
# Slow clients keep a thread busy, not a file: heartbeats must not wait for a disk.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
max_requests = 20_000
max_requests_jitter = 2_000


def post_fork(server: Any, worker: Any) -> None:
    """A killed master must not leave workers behind that hold the port."""
    if HAS_DEATH_SIGNAL:
        die_with_parent(signal.SIGTERM, server.pid)
