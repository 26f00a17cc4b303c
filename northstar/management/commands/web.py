"""`web`: the web server alone."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from northstar.statics import collect, is_collected


class Command(BaseCommand):
    help = "Serves the pages with gunicorn at BIND:PORT."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_collected():  # `up` and `prepare` have done so; a first `web` alone has not
            collect()
        # Every thread may hold a connection. The pool halves a request's time; only the web needs it.
        os.environ.setdefault("DATABASE_POOL", str(settings.WEB_THREADS))
        bind = f"[{settings.BIND}]" if ":" in settings.BIND else settings.BIND
        words = [
            *(sys.executable, "-m", "gunicorn", "northstar.wsgi:application"),
            *("--config", "python:northstar.stack.gunicorn"),
            *("--bind", f"{bind}:{settings.PORT}"),
            *("--workers", str(settings.WEB_WORKERS), "--threads", str(settings.WEB_THREADS)),
        ]
        if options["verbosity"] > 1:
            words += ["--access-logfile", "-"]
        # In the place of this process: one process less, and signals reach gunicorn itself.
        os.execv(sys.executable, words)  # noqa: S606 (no shell is wanted)
