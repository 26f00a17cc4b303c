"""Who is here: accounts and leaders side by side, with roles, teams and what they own today."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from allauth.mfa.models import Authenticator

from owners.models import AdminLink, Leader, Notice, User
from owners.queries.ownership import rows_on


@dataclass(frozen=True)
class Person:
    """An account, a leader, or both. `user_id` is None for a leader who cannot sign in."""

    user_id: int | None
    name: str
    email: str
    role: str
    role_label: str
    active: bool
    joined: bool  # has come in, or has set a password
    invited_by_id: int | None
    second_factor: bool  # an app, a passkey or recovery codes
    last_seen_at: datetime | None
    leader_key: str
    leads: bool  # a leader who has not left
    title: str
    team: str
    metric_keys: tuple[str, ...]


def people(day: date) -> tuple[Person, ...]:
    """Everybody by name, the deactivated last. Four statements, however many people."""
    owned: dict[int, list[str]] = defaultdict(list)
    for row in rows_on(day):
        if row.leader_id is not None:
            owned[row.leader_id].append(row.metric_key)
    users = User.objects.select_related("leader__team")
    secured = frozenset(Authenticator.objects.values_list("user_id", flat=True))
    found = [_person(user, getattr(user, "leader", None), owned, user.pk in secured) for user in users]
    alone = Leader.objects.filter(user=None, archived_at=None).select_related("team")
    found += [_person(None, leader, owned, False) for leader in alone]
    return tuple(sorted(found, key=lambda person: (not person.active, person.name.lower(), person.email)))


def waiting_links(emails: list[str], now: datetime) -> dict[str, datetime]:
    """Until when an unused link of each of these addresses is good; one statement."""
    links = AdminLink.objects.filter(email__in=emails, used_at=None, expires_at__gt=now)
    return {link.email: link.expires_at for link in links}


def invitations_on_their_way() -> frozenset[int]:
    """Accounts whose invitation waits in the outbox; one statement."""
    waiting = Notice.objects.filter(kind="invitation", sent_at=None, withdrawn_at=None, user__isnull=False)
    return frozenset(pk for pk in waiting.values_list("user_id", flat=True) if pk is not None)


def _person(
    user: User | None, leader: Leader | None, owned: dict[int, list[str]], second_factor: bool
) -> Person:
    keys = tuple(sorted(owned.get(leader.pk, ()))) if leader else ()
    return Person(
        user_id=user.pk if user else None,
        name=str(user) if user else str(leader),
        email=user.email if user else leader.email if leader else "",
        role=user.role if user else "",
        role_label=user.get_role_display() if user else "",
        active=user.is_active if user else True,
        joined=user.joined if user else False,
        invited_by_id=user.invited_by_id if user else None,
        second_factor=second_factor,
        last_seen_at=user.last_login if user else None,
        leader_key=leader.key if leader else "",
        leads=leader is not None and leader.archived_at is None,
        title=leader.title if leader else "",
        team=leader.team.name if leader and leader.team else "",
        metric_keys=keys,
    )
