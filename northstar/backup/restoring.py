"""Puts a backup back in one transaction: it is checked before it is committed, or nothing has changed."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import Error, connection, transaction
from django.db.migrations.loader import MigrationLoader

from northstar.backup import archive, programs, secrets
from northstar.backup.archive import Manifest
from northstar.backup.errors import BackupFailed, BackupRefused
from northstar.backup.tables import drop_all, is_empty, rows_by_table, schema, server_major
from northstar.database import as_owner, is_behind
from northstar.management.commands.migrate import MIGRATING
from northstar.roles import apply_grants

Say = Callable[[str], object]
LOCK_PATIENCE = "30s"  # for tables that somebody is just using
# Lines of a dump that are for psql alone, or that an older server does not know and we do not need.
SKIPPED = re.compile(rb"\\(un)?restrict |SET transaction_timeout |CREATE SCHEMA ")
COPY = re.compile(rb"COPY .* FROM stdin;\s*$")
END_OF_COPY = b"\\."


def put_back(source: Path, *, replace: bool = False, say: Say = print) -> Manifest:
    """Makes this installation what it was when the backup `source` was taken, and returns what it held.

    replace: also where something is in it, which is then gone. Secrets that this installation's keys cannot
    open are encrypted anew if the backup brings its keys. Raises BackupRefused and BackupFailed; nothing was
    changed then.
    """
    with tempfile.TemporaryDirectory(prefix="northstar-restore-") as name:
        say("Checking the backup ...")
        manifest, dump, keys = archive.read(source, Path(name))
        _refuse_newer(manifest)
        with as_owner():
            sections = _sections(dump, Path(name))
            with _clear_words(), transaction.atomic():
                _load(manifest, sections, keys, replace=replace, say=say)
    if is_behind():
        say("Bringing it up to this version ...")
        call_command("migrate", interactive=False, verbosity=0)
    return manifest


def _load(manifest: Manifest, sections: dict[str, Path], keys: list[str], *, replace: bool, say: Say) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [MIGRATING])
        cursor.execute(f"set local lock_timeout = '{LOCK_PATIENCE}'")
        cursor.execute("show search_path")
        (search_path,) = cursor.fetchone()
    if manifest.schema != schema():
        raise BackupRefused(
            f"the backup is of the schema {manifest.schema!r}, and this database works in {schema()!r}"
        )
    if not replace and not is_empty():
        raise BackupRefused(
            "this installation is not empty. With --replace everything in it is replaced by the backup; "
            "take a backup of it first."
        )
    drop_all()
    say(f"Restoring {sum(manifest.rows.values()):,} rows of {len(manifest.rows)} tables ...")
    for part in ("pre-data", "data", "post-data"):
        _play(sections[part])
    with connection.cursor() as cursor:
        cursor.execute("select set_config('search_path', %s, false)", [search_path])
    say("Checking rows and secrets ...")
    _check_rows(manifest)
    if secrets.relock(keys) != manifest.secrets:
        raise BackupFailed("the restored secrets are not as many as the backup says; nothing was changed")
    apply_grants(settings.DATABASES["default"]["USER"])


def _sections(dump: Path, scratch: Path) -> dict[str, Path]:
    """The dump as scripts: tables and functions, then rows, then indexes, keys and triggers."""
    pg_restore = programs.find("pg_restore", server_major())
    scripts = {}
    for part in ("pre-data", "data", "post-data"):
        scripts[part] = scratch / f"{part}.sql"
        words: list[str | Path] = [pg_restore, "--no-owner", "--no-privileges", f"--section={part}"]
        programs.run([*words, f"--file={scripts[part]}", dump])
    return scripts


def _play(script: Path) -> None:
    """Runs a script of pg_restore on the open transaction, rows by COPY."""
    raw: psycopg.Connection = connection.connection
    statements: list[bytes] = []
    with script.open("rb") as lines, raw.cursor() as cursor:
        for line in lines:
            if COPY.match(line):
                _run(cursor, statements)
                with cursor.copy(line) as copy:
                    for row in _rows(lines):
                        copy.write(row)
            elif not SKIPPED.match(line):
                statements.append(line)
        _run(cursor, statements)


def _rows(lines: Iterator[bytes]) -> Iterator[bytes]:
    for row in lines:
        if row.rstrip(b"\r\n") == END_OF_COPY:
            return
        yield row


def _run(cursor: psycopg.Cursor, statements: list[bytes]) -> None:
    if statements:
        cursor.execute(b"".join(statements))
        statements.clear()


def _check_rows(manifest: Manifest) -> None:
    found = rows_by_table()
    wrong = sorted(
        table for table in {*found, *manifest.rows} if found.get(table) != manifest.rows.get(table)
    )
    if wrong:
        told = ", ".join(f"{t}: {found.get(t)} instead of {manifest.rows.get(t)}" for t in wrong[:5])
        raise BackupFailed(f"not every row came back ({told}); nothing was changed")


def _refuse_newer(manifest: Manifest) -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    known = set(loader.disk_migrations)
    for migration in loader.disk_migrations.values():
        known |= set(migration.replaces)
    unknown = [f"{app}.{name}" for app, name in manifest.migrations if (app, name) not in known]
    if unknown:
        raise BackupRefused(
            f"the backup was made by a newer version ({manifest.version}): this one does not know "
            f"{unknown[0]}. Install that version, then restore."
        )


@contextmanager
def _clear_words() -> Iterator[None]:
    try:
        yield
    except (Error, psycopg.Error) as error:
        cause = error.__cause__ or error
        if isinstance(cause, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
            raise BackupFailed(
                "somebody is using the database. Stop the web server and the workers, then try again; "
                "nothing was changed"
            ) from None
        raise BackupFailed(f"the database refused: {str(error).strip()}; nothing was changed") from error
