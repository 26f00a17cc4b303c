"""The outbox: notices are written with their cause, and sent at least once with a key that tells a repeat."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from smtplib import SMTPConnectError, SMTPException, SMTPServerDisconnected

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from owners.guide import Words, guide
from owners.kinds import Topic, topic_of
from owners.models import Channel, Leader, Notice, Role, User
from owners.services import channels, hooks, mails
from owners.services.routing import Later, ToAdmins, Withdrawn, route

COMPOSED = {"check_ins", "digest"}  # what these say depends on the moment at which they are sent
UNREACHABLE = (SMTPConnectError, SMTPServerDisconnected)
FIRST_WAIT = timedelta(minutes=1)  # after a failure, and for whoever has died in trying; doubled each time
LONGEST_WAIT = timedelta(hours=6)
LEAST_KEPT = 30  # days: longer than anything is told again by its key
LONGEST_KEY = 180  # characters; a copy for one of several people adds who it is for
LONGEST_SUBJECT = 300
LONGEST_BODY = 20_000
# Characters that no message needs: they would break a header, a row, or the order of the letters.
UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
log = structlog.get_logger(__name__)


def notify(
    to: Leader | User | Channel | None,
    kind: str,
    key: str,
    subject: str,
    body: str,
    path: str = "",
    *,
    about: Collection[str] = (),
    to_channels: bool = True,
) -> None:
    """Put a notice into the outbox, in the caller's transaction, unless one with this key was ever put there.

    to: None for the admins. kind: a line of owners/kinds.py. key: names the cause and the person, such as
    `handover:orders:2026-08-06:maya`; the second of one key is dropped without a word. subject, body: plain
    text, people's own words as they are. path: of the page to open, with a leading slash. about: keys of the
    metrics that are named; who may not see one of them when it is sent does not get the notice.

    What is told of data goes to the company's channels that listen to it, too, unless `to_channels` is False:
    a further copy of the same news. Raises ValueError for an
    unknown kind. At most two SQL statements; it does not ring the bell, the tick does.
    """
    row = _row(to, kind, key, subject, body, path, about)
    rows = [row]
    if topic_of(kind) is Topic.DATA and to_channels:
        listening = Channel.objects.filter(user=None, archived_at=None, news=True)
        rows += [
            _row(channel, kind, f"{key}:channel:{channel.pk}", subject, body, path, about)
            for channel in listening
        ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


def _row(
    to: Leader | User | Channel | None,
    kind: str,
    key: str,
    subject: str,
    body: str,
    path: str,
    about: Collection[str],
) -> Notice:
    topic_of(kind)
    return Notice(
        key=short_key(key),
        kind=kind,
        leader=to if isinstance(to, Leader) else None,
        user=to if isinstance(to, User) else None,
        channel=to if isinstance(to, Channel) else None,
        subject=one_line(subject),
        body=clean(body)[:LONGEST_BODY],
        path=path[:300],
        about=sorted({*about}),
    )


def short_key(key: str) -> str:
    """The key, and where it is too long one that differs as it does."""
    key = clean(key)
    return key if len(key) <= LONGEST_KEY else f"{key[:100]}:{sha256(key.encode()).hexdigest()}"


def one_line(text: str) -> str:
    """The text as a subject."""
    return " ".join(clean(text).split())[:LONGEST_SUBJECT]


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


def forget(now: datetime) -> int:
    """Removes notices that were sent or withdrawn more than `NOTICES_KEPT` days ago; returns how many. What
    waits stays. The key of a removed notice is free: a fault that lasts so long is told again."""
    before = now - timedelta(days=max(settings.NOTICES_KEPT, LEAST_KEPT))
    old = Notice.objects.filter(Q(sent_at__lt=before) | Q(withdrawn_at__lt=before))
    return old.delete()[0]


def deliver(clock: Callable[[], datetime], *, most: int = 500) -> int:
    """Send waiting notices, one transaction each; returns how many were sent.

    An attempt is counted, and the next one put off, before it is made: a notice that kills its sender does
    not hold up the others. A crash between the server's acceptance and our commit sends a notice again, with
    the same key. Nothing is ever given up: what fails is tried again, at last every six hours.
    """
    sent = 0
    tried: set[int] = set()
    post = _Post()
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
                .select_related("leader__user", "user", "channel")
                .first()
            )
            if notice is not None:
                sent += _send(notice, now, post)
    return sent


@dataclass
class _Post:
    """What is known of the mail server in this round: if it cannot be reached, it is asked once only."""

    down: bool = False


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


def _send(notice: Notice, now: datetime, post: _Post) -> bool:
    """Try once. Whatever comes of it is written to the notice."""
    to_somebody = notice.leader_id or notice.user_id or notice.channel_id
    withdrawn = ""
    try:
        try:
            if to_somebody:
                _bring(notice, now, post)
            else:
                _share_out(notice)
        except ToAdmins as why:
            _share_out(notice)
            withdrawn = str(why)
        except Withdrawn as why:
            withdrawn = str(why)
    except Later as later:
        notice.attempts, notice.not_before = notice.attempts - 1, later.until
        notice.save(update_fields=["attempts", "not_before"])
        return False
    except Exception as error:
        notice.error = _words(error)
        notice.save(update_fields=["error"])
        log.warning("notice not sent", key=notice.key, error=notice.error)
        return False
    if withdrawn:
        notice.withdrawn_at, notice.error = now, withdrawn
        notice.save(update_fields=["withdrawn_at", "error"])
        return False
    notice.sent_at, notice.error, notice.not_before = now, "", None
    notice.save(update_fields=["error", "not_before", "sent_at"])
    return bool(to_somebody)


def _bring(notice: Notice, now: datetime, post: _Post) -> None:
    """By the way that `route` finds. Raises what it raises, and whatever goes wrong."""
    way = route(notice, now)
    said: Words | None = Words(notice.subject, notice.body)
    if notice.kind in COMPOSED:
        said = guide().words(notice, now, signed=way.channel is None)
    if said is None:
        raise Withdrawn("there is nothing left to say")
    said = Words(one_line(said.subject), clean(said.body)[:LONGEST_BODY])
    if way.channel is not None:
        channels.bring(way.channel, notice, said, now)
        return
    if post.down:
        raise Later(now + FIRST_WAIT)
    try:
        mails.message_of(notice, said, way).send()
    except OSError as error:  # smtplib's are OSErrors too, those of one message among them
        post.down = not isinstance(error, SMTPException) or isinstance(error, UNREACHABLE)
        raise


def _words(error: Exception) -> str:
    """What went wrong, without the secrets that an exception of the network may hold."""
    if isinstance(error, hooks.NotTaken | hooks.Refused):
        return str(error)[:2000]
    return f"{type(error).__name__}: {error}"[:2000]


def _share_out(notice: Notice) -> None:
    """A copy for each admin, with a key of its own; ValueError while there is none."""
    admins = list(User.objects.filter(role=Role.ADMIN, is_active=True).order_by("pk"))
    if not admins:
        raise ValueError("there is no admin to send it to")
    copies = [
        _row(
            admin,
            notice.kind,
            f"{notice.key}:{admin.pk}",
            notice.subject,
            notice.body,
            notice.path,
            notice.about,
        )
        for admin in admins
    ]
    Notice.objects.bulk_create(copies, ignore_conflicts=True)
