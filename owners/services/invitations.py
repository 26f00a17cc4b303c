"""Inviting several people at once: an account each, and the way in by mail or as a link to copy."""

from collections.abc import Sequence
from dataclasses import dataclass

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction

from owners.models import Leader, User
from owners.rules import require
from owners.services.accounts import invite
from owners.services.links import join_url
from owners.services.one_time import server_instead


@dataclass(frozen=True)
class Guest:
    """Somebody to invite; `leader` is who they are among the leaders, if anybody."""

    name: str
    email: str
    role: str
    leader: Leader | None = None


@dataclass(frozen=True)
class Invited:
    """An account and its link, which is known only now; "" where it goes by mail, or where the single sign-on
    `server` of this name lets them in."""

    user: User
    url: str = ""
    server: str = ""


class Refused(ValidationError):
    """Why somebody cannot be invited, by the index of the guest; nobody was."""

    def __init__(self, errors: dict[int, str]) -> None:
        self.errors = errors
        super().__init__(list(errors.values()))


@transaction.atomic
def invite_all(by: User, guests: Sequence[Guest], base_url: str, *, by_mail: bool = False) -> list[Invited]:
    """An account for everyone, or for no one. Leaders become the accounts' own.

    Raises PermissionDenied as `accounts.invite`, Refused with every mistake.
    """
    require(by, "people.invite")
    invited, errors = [], {}
    for number, guest in enumerate(guests):
        try:
            with transaction.atomic():
                _address(by, guest)
                user, secret = invite(by, guest.email, guest.name, guest.role, by_mail=by_mail)
                server = server_instead(user)
                url = join_url(base_url, secret) if secret else ""
                invited.append(Invited(user, url, server.name if server is not None else ""))
        except ValidationError as error:
            errors[number] = " ".join(error.messages)
    if errors:
        transaction.set_rollback(True)
        raise Refused(errors)
    return invited


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
