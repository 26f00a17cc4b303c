"""Tokens of the API: made by the person they speak for, shown once, ended by that person or an admin."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import pghistory
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from owners.models import ApiToken, Scope, User
from owners.rules import require, signed_in

MARK = "nst_"  # by which a leaked token is recognised in code and logs
SHOWN = len(MARK) + 6  # characters of a token that stay visible; 220 bits are left to guess
LONGEST_DAYS = 365
MOST = 25  # tokens in force that one person may have
USED = timedelta(hours=1)  # how exactly the last use is kept: a row that every request writes is a hot spot


@transaction.atomic
def create(
    by: User,
    name: str,
    scopes: Sequence[str],
    days: int,
    metric_keys: Sequence[str] = (),
    *,
    now: datetime | None = None,
) -> tuple[ApiToken, str]:
    """A new token that speaks for `by`, and its secret, which is not kept. Raises ValidationError.

    days: how long it is good, at most a year. metric_keys: the metrics that it is restricted to; () for all
    that its person may see, now or later.
    """
    if not signed_in.test(by):
        raise PermissionDenied("sign in first")
    now = now or timezone.now()
    if not name.strip():
        raise ValidationError({"name": "Say what the token is for."})
    if not scopes or not set(scopes) <= set(Scope.values):
        raise ValidationError({"scopes": "Choose what the token may be used for."})
    if not 1 <= days <= LONGEST_DAYS:
        raise ValidationError({"days": f"A token is good for 1 to {LONGEST_DAYS} days."})
    User.objects.select_for_update().get(pk=by.pk)  # two at once must not pass the count together
    if in_force(by, now).count() >= MOST:
        raise ValidationError(f"You have {MOST} tokens already. Revoke one that is not used any more.")
    secret = MARK + secrets.token_urlsafe(32)
    with pghistory.context(origin="page", user=by.pk):
        token = ApiToken.objects.create(
            user=by,
            name=name.strip(),
            prefix=secret[:SHOWN],
            digest=digest(secret),
            scopes=[scope for scope in Scope.values if scope in scopes],
            metric_keys=sorted(set(metric_keys)),
            expires_at=now + timedelta(days=days),
        )
    return token, secret


@transaction.atomic
def revoke(by: User, token: ApiToken, *, now: datetime | None = None) -> None:
    """Ends a token at once and for good. PermissionDenied for another's, unless `by` is an admin."""
    require(by, "token.revoke", token)
    with pghistory.context(origin="page", user=by.pk):
        row = ApiToken.objects.select_for_update().get(pk=token.pk)
        if row.revoked_at is None:
            row.revoked_at = now or timezone.now()
            row.save(update_fields=["revoked_at"])


def revoke_all(user: User) -> None:
    """Ends all tokens of a person who leaves. Belongs into the transaction that lets them go."""
    for token in ApiToken.objects.filter(user=user, revoked_at=None):
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])


def in_force(user: User, now: datetime) -> QuerySet[ApiToken]:
    """The tokens of `user` that are neither expired nor revoked."""
    return ApiToken.objects.filter(user=user, revoked_at=None, expires_at__gt=now)


def valid(secret: str, *, now: datetime | None = None) -> ApiToken | None:
    """The token in force with this secret, its user loaded; None if there is none or its person is gone.

    Looked up by its hash, so that neither a comparison nor an index tells how much of a guess was right.
    """
    if not secret.startswith(MARK) or len(secret) > 100:
        return None
    now = now or timezone.now()
    token = (
        ApiToken.objects.select_related("user__leader")
        .filter(digest=digest(secret), revoked_at=None, expires_at__gt=now, user__is_active=True)
        .first()
    )
    if token is not None and (token.last_used_at is None or token.last_used_at < now - USED):
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USED)
        hour = now.replace(minute=0, second=0, microsecond=0)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=max(hour, token.created_at))
    return token


def rename_metric(old: str, new: str) -> None:
    """Tokens restricted to a metric follow it to its new key."""
    for token in ApiToken.objects.filter(metric_keys__contains=[old]):
        token.metric_keys = sorted({new if key == old else key for key in token.metric_keys})
        token.save(update_fields=["metric_keys"])


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
