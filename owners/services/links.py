"""One-time links: the first admin's, and those by which an invited person sets a password."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from owners.models import AdminLink, Role, User
from owners.services import sessions
from owners.services.accounts import create_user, lock_admins
from owners.services.one_time import LinkGone, new_link, use, valid_link


@transaction.atomic
def first_admin_url(base_url: str) -> str | None:
    """Where the first admin begins; None if there is an admin. Every call ends the link before it."""
    lock_admins()
    if _admin_exists():
        return None
    return base_url.rstrip("/") + reverse("account_first", args=[new_link()])


def join_url(base_url: str, secret: str) -> str:
    """Where the person with this secret sets a password."""
    return base_url.rstrip("/") + reverse("account_join", args=[secret])


def first_link(secret: str) -> AdminLink:
    """The first admin's link, still good; LinkGone if not. Changes nothing."""
    link = valid_link(secret)
    if link.email or _admin_exists():
        raise LinkGone
    return link


def join_link(secret: str) -> tuple[AdminLink, User]:
    """An invited person's link and active account; LinkGone if either is not. Changes nothing."""
    link = valid_link(secret)
    user = User.objects.filter(email=link.email, is_active=True).first() if link.email else None
    if user is None:
        raise LinkGone
    return link, user


@transaction.atomic
def redeem_first(secret: str, email: str, name: str, password: str) -> User:
    """Makes the first admin: works once and for one person, however many try at the same moment.

    Raises LinkGone, or ValidationError for the address or the password, after which the link still works.
    """
    lock_admins()
    link = first_link(secret)
    _check_password(password, User(email=email, name=name))
    user = create_user(email, name, Role.ADMIN, password)
    use(link)
    return user


@transaction.atomic
def redeem_join(secret: str, password: str, name: str = "") -> User:
    """Sets the password (and the name, where none is known) of the account that the link was made for.

    Raises LinkGone, or ValidationError for the password, after which the link still works.
    """
    _, account = join_link(secret)
    user = User.objects.select_for_update().get(pk=account.pk)
    # Read again: whoever came first held the account's row until the link was used.
    link, _ = join_link(secret)
    _check_password(password, user)
    user.set_password(password)
    if name.strip() and not user.name:
        user.name = name.strip()
    user.save(update_fields=["password", "name"])
    sessions.end_all(user)
    use(link)
    return user


def _admin_exists() -> bool:
    return User.objects.filter(role=Role.ADMIN, is_active=True).exists()


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error
