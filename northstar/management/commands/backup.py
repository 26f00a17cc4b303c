"""`backup FILE`: everything in one file, also while North Star runs."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from northstar.backup.errors import BackupFailed, BackupRefused
from northstar.backup.taking import take


class Command(BaseCommand):
    help = "Writes everything into one file, also while North Star runs. See docs/backup.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--with-keys",
            action="store_true",
            help="put the encryption keys into the file too: whoever has it can read every stored secret",
        )
        parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            manifest = take(
                file, with_keys=options["with_keys"], overwrite=options["overwrite"], say=self.say
            )
        except BackupRefused as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        except BackupFailed as failure:
            raise CommandError(str(failure), returncode=1) from None
        size = file.stat().st_size / 1_000_000
        self.say(f"{file}: {sum(manifest.rows.values()):,} rows, {manifest.secrets} secrets, {size:.1f} MB")
        if manifest.keys_included:
            self.say("The encryption keys are in it: keep it like a password.")
        elif manifest.secrets:
            self.say("The encryption keys are not in it: keep them elsewhere, a restore needs them.")

    def say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()
