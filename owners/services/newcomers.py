"""People who answer for metrics: added by name, with or without an account."""

import pghistory
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from owners.models import Leader, Team, User
from owners.rules import leader_of, require
from owners.services.accounts import link_leaders
from owners.services.names import clean_name, clean_text, key_of


@transaction.atomic
def add_leader(
    by: User | None, name: str, *, email: str = "", title: str = "", team: Team | None = None
) -> Leader:
    """A new leader, linked to the account of the same address if there is one.

    Raises PermissionDenied without `people.leaders`, ValidationError for an empty name or a malformed or
    taken address.
    """
    require(by, "people.leaders")
    name, email = clean_name(name), email.strip().lower()
    if email:
        validate_email(email)
        if Leader.objects.filter(email__iexact=email, archived_at=None).exists():
            raise ValidationError(f"{email} is another leader’s address.")
    with pghistory.context(origin="page", user=by.pk if by else None):
        leader = Leader.objects.create(
            key=key_of(name, Leader.objects.values_list("key", flat=True)),
            name=name,
            email=email,
            title=clean_text(title, 200),
            team=team,
        )
        if email:
            link_leaders(email)
            leader.refresh_from_db()
    return leader


@transaction.atomic
def leader_for(user: User) -> Leader:
    """The leader that `user` is; a new one where there is none yet. Asks no one's right: it is about oneself.

    An address that another leader without an account has makes that leader the account's.
    """
    known = leader_of(user)
    if known is not None:
        return known
    with pghistory.context(origin="page", user=user.pk):
        link_leaders(user.email)
        found = Leader.objects.filter(user=user).first()
        if found is None:
            name = str(user)
            key = key_of(name, Leader.objects.values_list("key", flat=True))
            found = Leader.objects.create(key=key, name=name[:200], email=user.email, user=user)
    user._state.fields_cache.pop("leader", None)  # read anew: the rules ask for it
    return found
