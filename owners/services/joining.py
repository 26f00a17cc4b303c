"""Inviting somebody who is also a leader: the account and the leader in one step, both or neither."""

from dataclasses import dataclass, replace

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction

from owners.models import Leader, User
from owners.rules import require
from owners.services import accounts
from owners.services.leaders import LeaderText, LooksAlike, create_leader


@dataclass(frozen=True)
class Newcomer:
    """Who is invited. leader_key: the leader who gets the account; new_leader: one that is made for it, and
    whose name is not taken for somebody else's (`confirmed`: it is said to be another person)."""

    email: str
    name: str
    role: str
    leader_key: str | None = None
    new_leader: LeaderText | None = None
    confirmed: bool = False


@transaction.atomic
def invite(by: User, who: Newcomer, *, by_mail: bool = False) -> tuple[User, str]:
    """The new account, and the secret of its link as `accounts.invite` gives it.

    Raises as `accounts.invite`, and for a new leader as `create_leader`, of whose name as `leader_name`;
    without `people.leaders` PermissionDenied. Nothing is made then.
    """
    if who.leader_key is not None:
        require(by, "people.leaders")
    user, secret = accounts.invite(by, who.email, who.name, who.role, by_mail=by_mail)
    if who.leader_key is not None:
        _link(by, who.leader_key, user)
    if who.new_leader is not None:
        try:
            create_leader(by, replace(who.new_leader, user=user), confirmed=who.confirmed)
        except ValidationError as error:
            raise _renamed(error) from None
    return user, secret


def _link(by: User, key: str, user: User) -> None:
    leader = Leader.objects.select_for_update(of=("self",)).filter(key=key, archived_at=None).first()
    if leader is None or leader.user_id not in (None, user.pk):
        raise ValidationError({"leader": "This leader has an account, or has left."})
    other = Leader.objects.filter(user=user).exclude(pk=leader.pk).first()
    if other is not None:
        raise ValidationError({"leader": f"{user.email} is the address of {other.name}."})
    leader.user = user
    with pghistory.context(origin="page", user=by.pk):
        leader.save(update_fields=["user"])


def _renamed(error: ValidationError) -> ValidationError:
    """With the fields' names of the invitation, whose own `name` is the account's."""
    if not hasattr(error, "error_dict"):
        return error
    names = {"name": "leader_name", "user": "leader"}
    said = {names.get(name, name): errors for name, errors in error.error_dict.items()}
    return LooksAlike(said) if isinstance(error, LooksAlike) else ValidationError(said)
