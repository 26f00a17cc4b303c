"""`manage.py dump`: prints the definitions file of this installation."""

from typing import Any

from django.core.management.base import BaseCommand

from metrics.queries.dump import dump


class Command(BaseCommand):
    help = "Prints the definitions file; taking it in again changes nothing."

    def handle(self, *args: Any, **_: Any) -> None:
        self.stdout.write(dump(), ending="")
