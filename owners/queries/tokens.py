"""Tokens of the API as the page lists them; never a secret or its hash."""

from dataclasses import dataclass
from datetime import datetime

from owners.models import ApiToken, Scope, User


@dataclass(frozen=True)
class TokenLine:
    """One token. `state` is in force | expired | revoked; `ended_at` when it was revoked."""

    pk: int
    name: str
    prefix: str
    person: str
    scopes: tuple[str, ...]  # in words
    metric_keys: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    state: str
    ended_at: datetime | None


def tokens(now: datetime, *, of: User | None = None, besides: User | None = None) -> tuple[TokenLine, ...]:
    """The tokens of one person, or of all but one; those in force first, then the newest. One statement."""
    rows = ApiToken.objects.select_related("user")
    if of is not None:
        rows = rows.filter(user=of)
    if besides is not None:
        rows = rows.exclude(user=besides)
    lines = [_line(row, now) for row in rows]
    return tuple(sorted(lines, key=lambda line: line.state != "in force"))


def _line(row: ApiToken, now: datetime) -> TokenLine:
    ended = row.revoked_at is not None or not row.user.is_active
    return TokenLine(
        pk=row.pk,
        name=row.name,
        prefix=row.prefix,
        person=str(row.user),
        scopes=tuple(str(Scope(scope).label) for scope in row.scopes),
        metric_keys=tuple(row.metric_keys),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        state="revoked" if ended else "in force" if row.expires_at > now else "expired",
        ended_at=row.revoked_at,
    )
