"""`restore FILE`: what `backup` has written, all or nothing."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from northstar.backup.errors import BackupFailed, BackupRefused
from northstar.backup.restoring import put_back


class Command(BaseCommand):
    help = "Puts a backup back, all or nothing. See docs/backup.md."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--replace", action="store_true", help="even if this installation holds something: it is lost"
        )

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            manifest = put_back(file, replace=options["replace"], say=self.say)
        except BackupRefused as refusal:
            raise CommandError(f"{refusal}\nnothing was changed", returncode=2) from None
        except BackupFailed as failure:
            raise CommandError(str(failure), returncode=1) from None
        self.say(
            f"Restored {sum(manifest.rows.values()):,} rows and {manifest.secrets} secrets as of "
            f"{manifest.taken_at}. Whoever was signed in may have to sign in again."
        )

    def say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()
