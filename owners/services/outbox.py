"""The outbox: notices are sent at least once, each with a key by which a repeat can be told."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import Q, QuerySet

from owners.models import Leader, Notice, Role, User

FIRST_WAIT = timedelta(minutes=1)  # after a failure; doubled with each further one
LONGEST_WAIT = timedelta(hours=6)
TIMEOUT = 20  # seconds for the mail server
log = structlog.get_logger(__name__)


def waiting(now: datetime) -> QuerySet[Notice]:
    """Notices that may be sent now, oldest first."""
    return (
        Notice.objects.filter(sent_at=None)
        .filter(Q(not_before=None) | Q(not_before__lte=now))
        .order_by("created_at", "id")
    )


def deliver(clock: Callable[[], datetime], *, most: int = 500) -> int:
    """Send waiting notices by e-mail, one transaction each; returns how many were sent.

    A crash between the mail server's acceptance and our commit sends a notice again, with the same
    Message-ID and X-Northstar-Key. A failure delays that notice only."""
    sent = 0
    for _ in range(most):
        with transaction.atomic():
            notice = (
                waiting(clock())
                .select_for_update(skip_locked=True, of=("self",))
                .select_related("leader")
                .first()
            )
            if notice is None:
                break
            sent += _send(notice, clock())
    return sent


def _send(notice: Notice, now: datetime) -> bool:
    notice.attempts = min(notice.attempts + 1, 1000)
    try:
        addresses = _addresses(notice.leader)
        if not addresses:
            raise ValueError("nobody with an e-mail address to send it to")
        message_of(notice, addresses).send()
    except Exception as error:
        notice.error = f"{type(error).__name__}: {error}"[:2000]
        notice.not_before = now + min(FIRST_WAIT * 2 ** min(notice.attempts - 1, 12), LONGEST_WAIT)
        notice.save(update_fields=["attempts", "error", "not_before"])
        log.warning("notice not sent", key=notice.key, error=notice.error)
        return False
    notice.sent_at, notice.error, notice.not_before = now, "", None
    notice.save(update_fields=["attempts", "error", "not_before", "sent_at"])
    return True


def message_of(notice: Notice, addresses: list[str]) -> EmailMessage:
    """The e-mail of a notice."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    body = f"{notice.body}\n\n{notice.path}" if notice.path else notice.body
    return EmailMessage(
        subject=" ".join(notice.subject.split()),
        body=body,
        to=addresses,
        headers={
            "Message-ID": f"<notice-{notice.pk}@{domain}>",
            "X-Northstar-Key": "".join(c if c.isascii() and c.isprintable() else "?" for c in notice.key),
            "Auto-Submitted": "auto-generated",
        },
        connection=get_connection(timeout=TIMEOUT),
    )


def _addresses(leader: Leader | None) -> list[str]:
    """The leader's address, or those of all admins where there is none."""
    if leader is not None and leader.email:
        return [leader.email]
    return list(
        User.objects.filter(role=Role.ADMIN, is_active=True).order_by("pk").values_list("email", flat=True)
    )
