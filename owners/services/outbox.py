"""The outbox: notices are written with their cause, and sent at least once with a key that tells a repeat."""

import re
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from hashlib import sha256

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from owners.kinds import topic_of
from owners.models import Leader, Notice, Role, User
from owners.services import mails

FIRST_WAIT = timedelta(minutes=1)  # after a failure, and for whoever has died in trying; doubled each time
LONGEST_WAIT = timedelta(hours=6)
LONGEST_KEY = 180  # characters; a copy for one of several people adds who it is for
LONGEST_SUBJECT = 300
LONGEST_BODY = 20_000
# Characters that no message needs: they would break a header, a row, or the order of the letters.
UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
log = structlog.get_logger(__name__)


class Withdrawn(Exception):
    """Nobody is to get this notice any more; the words say why."""


def notify(
    to: Leader | User | None,
    kind: str,
    key: str,
    subject: str,
    body: str,
    path: str = "",
    *,
    about: Collection[str] = (),
) -> None:
    """Put a notice into the outbox, in the caller's transaction, unless one with this key was ever put there.

    to: None for the admins. kind: a line of owners/kinds.py. key: names the cause and the person, such as
    `handover:orders:2026-08-06:maya`; the second of one key is dropped without a word. subject, body: plain
    text, people's own words as they are. path: of the page to open, with a leading slash. about: keys of the
    metrics that are named; who may not see one of them when it is sent does not get the notice.

    Raises ValueError for an unknown kind. One SQL statement; it does not ring the bell, the tick does.
    """
    topic_of(kind)
    Notice.objects.bulk_create(
        [
            Notice(
                key=short_key(key),
                kind=kind,
                leader=to if isinstance(to, Leader) else None,
                user=to if isinstance(to, User) else None,
                subject=" ".join(clean(subject).split())[:LONGEST_SUBJECT],
                body=clean(body)[:LONGEST_BODY],
                path=path[:300],
                about=sorted({*about}),
            )
        ],
        ignore_conflicts=True,
    )


def short_key(key: str) -> str:
    """The key, and where it is too long one that differs as it does."""
    key = clean(key)
    return key if len(key) <= LONGEST_KEY else f"{key[:100]}:{sha256(key.encode()).hexdigest()}"


def clean(text: str) -> str:
    """The text without what breaks headers, rows or the order of letters; lines end with a line feed."""
    return UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def waiting(now: datetime) -> QuerySet[Notice]:
    """Notices that may be sent now, oldest first."""
    return (
        Notice.objects.filter(sent_at=None, withdrawn_at=None)
        .filter(Q(not_before=None) | Q(not_before__lte=now))
        .order_by("created_at", "id")
    )


def deliver(clock: Callable[[], datetime], *, most: int = 500) -> int:
    """Send waiting notices, one transaction each; returns how many were sent.

    An attempt is counted, and the next one put off, before it is made: a notice that kills its sender does
    not hold up the others. A crash between the server's acceptance and our commit sends a notice again, with
    the same key. Nothing is ever given up: what fails is tried again, at last every six hours.
    """
    sent = 0
    tried: set[int] = set()
    for _ in range(most):
        now = clock()
        pk = _claim(now, tried)
        if pk is None:
            break
        tried.add(pk)
        with transaction.atomic():
            notice = (
                Notice.objects.filter(pk=pk, sent_at=None, withdrawn_at=None)
                .select_for_update(skip_locked=True, of=("self",))
                .select_related("leader__user", "user")
                .first()
            )
            if notice is not None:
                sent += _send(notice, now)
    return sent


def _claim(now: datetime, tried: Collection[int]) -> int | None:
    """The next notice to try, its attempt counted and the following one put off."""
    with transaction.atomic():
        notice = (
            waiting(now)
            .exclude(pk__in=list(tried))
            .select_for_update(skip_locked=True, of=("self",))
            .only("pk", "attempts")
            .first()
        )
        if notice is None:
            return None
        notice.attempts = min(notice.attempts + 1, 1000)
        notice.not_before = now + min(FIRST_WAIT * 2 ** min(notice.attempts - 1, 12), LONGEST_WAIT)
        notice.save(update_fields=["attempts", "not_before"])
        return notice.pk


def _send(notice: Notice, now: datetime) -> bool:
    try:
        if notice.leader is None and notice.user is None:
            _share_out(notice)
        else:
            mails.message_of(notice, _address(notice)).send()
    except Withdrawn as why:
        notice.withdrawn_at, notice.error = now, str(why)
        notice.save(update_fields=["withdrawn_at", "error"])
        return False
    except Exception as error:
        notice.error = f"{type(error).__name__}: {error}"[:2000]
        notice.save(update_fields=["error"])
        log.warning("notice not sent", key=notice.key, error=notice.error)
        return False
    notice.sent_at, notice.error, notice.not_before = now, "", None
    notice.save(update_fields=["error", "not_before", "sent_at"])
    return notice.user is not None or notice.leader is not None


def _share_out(notice: Notice) -> None:
    """A copy for each admin, with a key of its own."""
    admins = User.objects.filter(role=Role.ADMIN, is_active=True).order_by("pk")
    if not admins:
        raise ValueError("there is no admin to send it to")
    for admin in admins:
        _copy(notice, admin)


def _copy(notice: Notice, user: User) -> None:
    notify(
        user,
        notice.kind,
        f"{notice.key}:{user.pk}",
        notice.subject,
        notice.body,
        notice.path,
        about=notice.about,
    )


def _address(notice: Notice) -> str:
    """Where the person is reached. A leader without address is spoken for by the admins."""
    user = notice.user or (notice.leader.user if notice.leader else None)
    if user is not None and not user.is_active:
        raise Withdrawn("the account is deactivated")
    address = (user.email if user else "") or (notice.leader.email if notice.leader else "")
    if not address:
        _share_out(notice)
        raise Withdrawn("nobody has an address for this person; the admins are told instead")
    return address
