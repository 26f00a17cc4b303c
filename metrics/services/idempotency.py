"""A request that names itself by an `Idempotency-Key` has its effect once, however often it is sent."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg import errors

from metrics.models import IdempotencyKey
from owners.models import ApiToken, User

KEPT = timedelta(days=7)
PATIENCE = "20s"  # that a repeat waits for the first to end


class KeyReused(Exception):
    """The key named another request."""


class UnderWay(Exception):
    """The first request of this key is still being worked on."""


def hash_of(said: object) -> str:
    """The same for what says the same: lists of frozen dataclasses and plain values."""
    return hashlib.sha256(repr(said).encode("utf-8", "replace")).hexdigest()


def once(
    user: User,
    token: ApiToken | None,
    key: str,
    body_hash: str,
    act: Callable[[], dict[str, Any]],
    *,
    now: datetime,
) -> tuple[dict[str, Any], bool]:
    """`act`'s answer, and whether it is a repeat's: nothing was done then, and the first answer is told.

    One transaction holds the key, the effect and the answer: what is killed half-way or refused leaves no key
    behind. Of parallel ones the first acts, the others wait for it. Raises KeyReused, UnderWay, and whatever
    `act` does.
    """
    with transaction.atomic():
        first = _claim(user, token, key, body_hash, now)
        if first is not None:
            answer = act()
            IdempotencyKey.objects.filter(pk=first).update(answer=answer)
            return answer, False
        kept = IdempotencyKey.objects.get(user=user, token=token, key=key)
    if kept.body_hash != body_hash:
        raise KeyReused
    return dict(kept.answer), True


def _claim(user: User, token: ApiToken | None, key: str, body_hash: str, now: datetime) -> int | None:
    """The id of the key's new row, None if there is one. Waits for whoever is just writing it."""
    with connection.cursor() as cursor:
        cursor.execute("select set_config('lock_timeout', %s, true)", [PATIENCE])
        try:
            cursor.execute(
                "insert into metrics_idempotencykey (user_id, token_id, key, body_hash, answer, created_at) "
                "values (%s, %s, %s, %s, '{}', %s) on conflict do nothing returning id",
                [user.pk, token.pk if token else None, key, body_hash, now],
            )
        except OperationalError as error:
            if isinstance(error.__cause__, errors.LockNotAvailable):
                raise UnderWay from None
            raise
        row = cursor.fetchone()
        cursor.execute("select set_config('lock_timeout', '0', true)")
    return row[0] if row else None


def forget(now: datetime) -> int:
    """Removes what is older than `KEPT`; returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=now - KEPT).delete()[0]
