"""`scheduler`: once a minute, inserts the runs that are due and rings the bell."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

TICK_EVERY = 60.0  # seconds
log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Ticks once a minute. Any number may run: PostgreSQL lets a due run be inserted once."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="one tick, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        if not options["once"]:
            for which in (signal.SIGTERM, signal.SIGINT):
                signal.signal(which, lambda number, frame: stop.set())
        while True:
            self.tick(raising=options["once"])
            if options["once"] or stop.wait(TICK_EVERY - datetime.now(UTC).timestamp() % TICK_EVERY):
                return

    def tick(self, raising: bool) -> None:
        """One tick. A failed one is said and forgotten; the next finds what it has left undone."""
        from metrics.services import schedule

        try:
            schedule.tick(datetime.now(UTC))
        except Exception:
            connection.close()  # it may be the connection that is broken
            if raising:
                raise
            log.exception("tick failed")
        else:
            # A health check looks at how old this is.
            settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
            (settings.DATA_DIR / "scheduler.tick").touch()
