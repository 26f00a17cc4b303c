"""`demo [--today DATE]`: the demo company, deterministic, never old."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from metrics.management import output


class Command(BaseCommand):
    help = "Loads the demo company and recomputes it; refuses with production settings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--today", type=output.day, help="the day to tell the story for")

    def handle(self, *args: Any, today: date | None, **options: Any) -> None:
        # demo may import anything, and is imported by nothing but this line.
        from demo.load import NotHere, load

        try:
            load(today, log=self.stdout.write)
        except NotHere as error:
            raise CommandError(str(error), returncode=2) from None
