"""Takes a backup while everything runs: rows are counted and dumped in one snapshot of the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from northstar.backup import archive, programs, secrets
from northstar.backup.archive import Manifest
from northstar.backup.errors import BackupRefused
from northstar.backup.tables import rows_by_table, schema, server_major
from northstar.database import as_owner
from northstar.version import version

Say = Callable[[str], object]


def take(target: Path, *, with_keys: bool = False, overwrite: bool = False, say: Say = print) -> Manifest:
    """Writes the backup of the whole installation to `target` and returns what it holds.

    Raises BackupRefused (the file exists, its place cannot be written, there is no North Star in the
    database) and BackupFailed; `target` is then as it was.
    """
    if target.is_dir() or (target.exists() and not overwrite):
        raise BackupRefused(f"{target} exists already; it is left as it is")
    with archive.scratch_beside(target) as scratch, as_owner():
        dump = scratch / archive.DUMP
        pg_dump = programs.find("pg_dump", server_major())
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("set transaction isolation level repeatable read, read only")
                cursor.execute("select pg_export_snapshot()")
                (snapshot,) = cursor.fetchone()
            manifest = _described(with_keys)
            say(f"Reading {sum(manifest.rows.values()):,} rows of {len(manifest.rows)} tables ...")
            words = [
                *("--format=custom", "--no-owner", "--no-privileges", "--no-comments"),
                *(f"--schema={sql.Identifier(manifest.schema).as_string()}", f"--snapshot={snapshot}"),
                f"--file={dump}",
            ]
            programs.run([pg_dump, *words], connection.connection)
        say("Packing ...")
        keys = settings.NORTHSTAR_ENCRYPTION_KEYS if with_keys else []
        return archive.write(scratch, target, manifest, dump, keys)


def _described(with_keys: bool) -> Manifest:
    rows = rows_by_table()
    if "django_migrations" not in rows or "metrics_metric" not in rows:
        raise BackupRefused("there is no North Star in this database yet; run `manage.py migrate` first")
    with connection.cursor() as cursor:
        cursor.execute("select app, name from django_migrations order by app, name")
        migrations = [[app, name] for app, name in cursor.fetchall()]
    return Manifest(
        version=version(),
        taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
        schema=schema(),
        server=server_major(),
        migrations=migrations,
        rows=rows,
        secrets=secrets.count(),
        keys_included=with_keys,
    )
