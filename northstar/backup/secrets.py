"""Every encrypted text of the database: counted, opened, and locked again with this installation's key.

The keys are not in the database, so a backup without them is of no use to a thief; and restored where other
keys are in use it would be of no use to its owner. Hence the restore opens every secret before it commits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import connection

from northstar.backup.errors import BackupRefused

# Keys of allauth's Authenticator.data that hold encrypted text (see MFAAdapter).
FACTOR_SECRETS = ("secret", "seed", "migrated_codes")


def count() -> int:
    """How many encrypted texts are stored."""
    return sum(1 for _ in _stored())


def relock(keys: Sequence[str]) -> int:
    """Opens every secret with this installation's keys or `keys`, and encrypts with the former what only the
    latter could open. Returns how many are stored.

    Raises BackupRefused if one cannot be opened.
    """
    own = MultiFernet([Fernet(key) for key in settings.NORTHSTAR_ENCRYPTION_KEYS])
    try:
        brought = MultiFernet([Fernet(key) for key in keys]) if keys else None
    except ValueError:
        raise BackupRefused("the keys in the backup are damaged") from None
    total = 0
    for table, column, pk, whole, text in list(_stored()):
        total += 1
        try:
            own.decrypt(text.encode())
        except InvalidToken:
            if brought is None:
                raise _closed(table, pk, "the keys of NORTHSTAR_ENCRYPTION_KEYS") from None
            try:
                opened = brought.decrypt(text.encode())
            except InvalidToken:
                raise _closed(table, pk, "the keys of this installation and of the backup") from None
            _replace(table, column, pk, whole, text, own.encrypt(opened).decode())
    return total


def _closed(table: str, pk: int, keys: str) -> BackupRefused:
    return BackupRefused(
        f"a secret ({table} {pk}) cannot be read with {keys}. Set NORTHSTAR_ENCRYPTION_KEYS to the keys of "
        "the installation that the backup was taken of, separated by commas after one's own."
    )


def _stored() -> Iterator[tuple[str, str, int, Any, str]]:
    """(table, column, id, the column's value, one encrypted text in it) of every secret."""
    with connection.cursor() as cursor:
        cursor.execute("select id, secrets from metrics_warehouse where secrets <> '' order by id")
        for pk, text in cursor.fetchall():
            yield "metrics_warehouse", "secrets", pk, text, text
        cursor.execute("select id, secret from owners_channel where secret <> '' order by id")
        for pk, text in cursor.fetchall():
            yield "owners_channel", "secret", pk, text, text
        cursor.execute("select id, data::text from mfa_authenticator order by id")
        rows = cursor.fetchall()
    for pk, raw in rows:
        data = json.loads(raw)
        for name in FACTOR_SECRETS:
            held = data.get(name) or []
            for text in [held] if isinstance(held, str) else held:
                yield "mfa_authenticator", "data", pk, data, text


def _replace(table: str, column: str, pk: int, whole: Any, old: str, new: str) -> None:
    if isinstance(whole, str):
        changed: str = new
    else:
        _swap(whole, old, new)  # in place: another text of the same row may follow
        changed = json.dumps(whole)
    with connection.cursor() as cursor:
        cursor.execute(f"update {table} set {column} = %s where id = %s", [changed, pk])  # noqa: S608


def _swap(data: dict[str, Any], old: str, new: str) -> None:
    for name in FACTOR_SECRETS:
        held = data.get(name)
        if held == old:
            data[name] = new
        elif isinstance(held, list):
            data[name] = [new if text == old else text for text in held]
