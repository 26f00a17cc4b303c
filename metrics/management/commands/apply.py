"""`manage.py apply FILE`: takes a definitions file in."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from metrics.definitions.mistakes import DefinitionsError
from metrics.management.reading import read_text
from metrics.services.apply import Conflicts, Outcome, apply
from metrics.services.inspection import Preview
from warehouse.definitions import WarehouseError


class Command(BaseCommand):
    help = "Takes in a definitions file: shows what changes, all or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="a YAML file, or - for standard input")
        parser.add_argument(
            "--dry-run", action="store_true", help="change nothing; ask the warehouses and show figures"
        )
        parser.add_argument(
            "--overwrite",
            action="append",
            default=[],
            metavar="KEY",
            help="take the file's word for this key although a page has edited it",
        )
        parser.add_argument("--archive", action="store_true", help="archive what is missing from a section")

    def handle(
        self, *args: Any, file: str, dry_run: bool, overwrite: list[str], archive: bool, **_: Any
    ) -> None:
        text = read_text(file)
        try:
            outcome = apply(text, dry_run=dry_run, overwrite=overwrite, archive=archive)
        except DefinitionsError as error:
            count = len(error.mistakes)
            raise CommandError(
                f"{error}\n{count} mistake{'s' if count > 1 else ''}; nothing was changed", returncode=2
            ) from None
        except Conflicts as error:
            raise CommandError(f"{error}\nnothing was changed", returncode=2) from None
        except WarehouseError as error:
            raise CommandError(f"{error}\nnothing was changed", returncode=1) from None
        self._show(outcome, dry_run=dry_run)

    def _show(self, outcome: Outcome, *, dry_run: bool) -> None:
        for change in outcome.changes:
            self.stdout.write(str(change))
        new = {change.key for change in outcome.changes if change.what == "new"}
        for key, day in outcome.versions.items():
            # A first version and a hidden half of a ratio are no news.
            if key in new or "__" in key:
                continue
            since = f" from {day} on" if day else ""
            self.stdout.write(f"metric {key}: a new version{since}")
        for preview in outcome.preview:
            self._preview(preview)
        if not outcome.changes:
            self.stdout.write("nothing changes")
        elif dry_run:
            self.stdout.write("dry run: nothing was changed")
        elif outcome.runs:
            self.stdout.write(f"{outcome.runs} recompute{'s' if outcome.runs > 1 else ''} asked for")

    def _preview(self, preview: Preview) -> None:
        self.stdout.write(f"\nmetric {preview.key} by {preview.grain}:")
        if preview.error:
            self.stdout.write(f"  {preview.error}")
        for period, value in preview.figures:
            self.stdout.write(f"  {period.start}  {'unknown' if value is None else f'{value:,.6g}'}")
        if preview.sql:
            self.stdout.write("\n".join(f"  {line}" for line in preview.sql.splitlines()))
