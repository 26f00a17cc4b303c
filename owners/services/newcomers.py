"""People who answer for metrics: added by name, with or without an account."""

import re
import unicodedata

import pghistory
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from owners.models import Leader, Team, User
from owners.rules import leader_of, require
from owners.services.accounts import link_leaders

LONGEST_KEY = 60  # characters, as in the definitions file


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
            key=free_key(name, set(Leader.objects.values_list("key", flat=True)), "leader"),
            name=name,
            email=email,
            title=title.strip()[:200],
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
            keys = set(Leader.objects.values_list("key", flat=True))
            name = str(user)
            found = Leader.objects.create(
                key=free_key(name, keys, "leader"), name=name[:200], email=user.email, user=user
            )
    user._state.fields_cache.pop("leader", None)  # read anew: the rules ask for it
    return found


def clean_name(text: str) -> str:
    """A name in one line; ValidationError where nothing is left or it cannot be shown."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise ValidationError("The name is missing.")
    if len(name) > 200 or any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in name):
        raise ValidationError("The name is too long, or holds characters that cannot be shown.")
    return name


def free_key(name: str, taken: set[str], fallback: str) -> str:
    """A key made of a name, lower-case words of a-z and 0-9, with a number where it is taken."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[: LONGEST_KEY - 4].strip("_")
    if not words or not words[0].isalpha():
        words = f"{fallback}_{words}".strip("_")
    key, number = words, 2
    while key in taken:
        key, number = f"{words}_{number}", number + 1
    return key
