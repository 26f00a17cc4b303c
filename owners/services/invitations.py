"""Inviting several people at once: an account and a one-time link each, by mail where a server takes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from smtplib import SMTPException

import pghistory
import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.db import transaction

from owners.models import Leader, User
from owners.rules import require
from owners.services.accounts import invite
from owners.services.links import join_url
from owners.services.mails import TIMEOUT
from owners.services.one_time import server_instead

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Guest:
    """Somebody to invite; `leader` is who they are among the leaders, if anybody."""

    name: str
    email: str
    role: str
    leader: Leader | None = None


@dataclass(frozen=True)
class Invited:
    """An account and its link, which is known only now; mailed: whether a mail server has taken it."""

    user: User
    url: str
    mailed: bool = False


class Refused(ValidationError):
    """Why somebody cannot be invited, by the index of the guest; nobody was."""

    def __init__(self, errors: dict[int, str]) -> None:
        self.errors = errors
        super().__init__(list(errors.values()))


@transaction.atomic
def invite_all(by: User, guests: Sequence[Guest], base_url: str) -> list[Invited]:
    """An account and a link for everyone, or for no one. Leaders become the accounts' own.

    Raises PermissionDenied as `accounts.invite`, Refused with every mistake.
    """
    require(by, "people.invite")
    invited, errors = [], {}
    for number, guest in enumerate(guests):
        try:
            with transaction.atomic():
                _address(by, guest)
                user, secret = invite(by, guest.email, guest.name, guest.role)
                invited.append(Invited(user, join_url(base_url, secret)))
        except ValidationError as error:
            errors[number] = " ".join(error.messages)
    if errors:
        transaction.set_rollback(True)
        raise Refused(errors)
    return invited


def mail(invited: Sequence[Invited], company: str) -> list[Invited]:
    """Sends everyone their link; whom the mail server does not take stays `mailed=False`. To be called when
    the accounts are committed."""
    sent = []
    with_connection = get_connection(timeout=TIMEOUT)
    for one in invited:
        place = f"{company} on North Star" if company else "North Star"
        words, url = "choose a password here; the link works once, for 24 hours:", one.url
        server = server_instead(one.user)
        if server is not None:
            words, url = f"sign in with {server.name} here:", settings.SITE_URL
        message = EmailMessage(
            subject=" ".join(f"Your account at {place}".split()),
            body=f"Hello {one.user},\n\n{words}\n\n{url}\n",
            to=[one.user.email],
            headers={"Auto-Submitted": "auto-generated"},
            connection=with_connection,
        )
        try:
            taken = bool(message.send())
        except (OSError, SMTPException) as error:
            log.warning("an invitation was not sent", error=type(error).__name__)
            taken = False
        sent.append(Invited(one.user, one.url, taken))
    return sent


def _address(by: User, guest: Guest) -> None:
    """Gives the leader the address by which the account finds them."""
    email = guest.email.strip().lower()
    if guest.leader is None or guest.leader.email.lower() == email:
        return
    if Leader.objects.filter(email__iexact=email, archived_at=None).exclude(pk=guest.leader.pk).exists():
        raise ValidationError(f"{email} is another leader’s address.")
    leader = Leader.objects.select_for_update(of=("self",)).get(pk=guest.leader.pk)
    leader.email = email
    with pghistory.context(origin="page", user=by.pk):
        leader.save(update_fields=["email"])
