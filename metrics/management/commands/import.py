"""`manage.py import FILE.csv`: figures of manual metrics out of a file."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from metrics.definitions.mistakes import DefinitionsError
from metrics.management.reading import read_text
from metrics.services.imports import import_csv


class Command(BaseCommand):
    help = "Enters figures of manual metrics from a CSV file, all or nothing; a repeat changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file",
            help="columns: metric, period_start, value (or numerator and denominator), "
            "and if wanted dimension, member, note; - for standard input",
        )
        parser.add_argument("--dry-run", action="store_true", help="check and count, but enter nothing")
        parser.add_argument(
            "--delete", action="store_true", help="take the figures that the file lists away instead"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        text = read_text(options["file"])
        try:
            outcomes = import_csv(text, dry_run=options["dry_run"], delete=options["delete"])
        except DefinitionsError as error:
            raise CommandError(f"{error}\nnothing was entered", returncode=2) from None
        for key, outcome in outcomes.items():
            self.stdout.write(
                f"{key}: {outcome.added} new, {outcome.changed} changed, {outcome.removed} removed, "
                f"{outcome.unchanged} unchanged"
            )
        if options["dry_run"]:
            self.stdout.write("dry run: nothing was entered")
