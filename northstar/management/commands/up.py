"""`up`: the whole system in one process tree."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from northstar.database import SUPERVISED
from northstar.stack.supervisor import Plan, Supervisor


class Command(BaseCommand):
    help = "Runs PostgreSQL, Valkey, web, worker and scheduler in one process tree until Ctrl-C."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        plan = Plan(
            data=settings.DATA_DIR,
            bind=settings.BIND,
            port=settings.PORT,
            database=settings.LAYOUT if settings.EMBEDDED_DATABASE else None,
            bell=settings.LAYOUT if settings.EMBEDDED_BELL else None,
            environment={SUPERVISED: "1"},
        )
        sys.exit(Supervisor(plan).run())
