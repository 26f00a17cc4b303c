"""`worker`: the Celery worker alone."""

import warnings
from typing import Any

from celery.platforms import SecurityWarning
from django.conf import settings
from django.core.management.base import BaseCommand

from northstar.celery import app


class Command(BaseCommand):
    help = "Runs the Celery worker (WORKER_CONCURRENCY processes)."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        # A warning for those who accept pickle from their broker. This worker takes JSON only.
        warnings.filterwarnings("ignore", "You're running the worker with superuser", SecurityWarning)
        app.worker_main(
            [
                *("--quiet", "worker", "--loglevel", "INFO" if options["verbosity"] > 1 else "WARNING"),
                *("--pool", "prefork", "--concurrency", str(settings.WORKER_CONCURRENCY)),
                *("--without-gossip", "--without-mingle"),
            ]
        )
