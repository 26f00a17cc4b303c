"""`worker`: the Celery worker alone."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from northstar.celery import app


class Command(BaseCommand):
    help = "Runs the Celery worker (WORKER_CONCURRENCY processes)."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        app.worker_main(
            [
                *("worker", "--loglevel", "INFO" if options["verbosity"] > 1 else "WARNING"),
                *("--pool", "prefork", "--concurrency", str(settings.WORKER_CONCURRENCY)),
                *("--without-gossip", "--without-mingle"),
            ]
        )
