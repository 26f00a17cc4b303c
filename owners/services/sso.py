"""Who may come in by single sign-on, as whom, and with which role.

The server decides who somebody is; the account here decides whether they may come in; their groups, where the
operator has mapped any, decide the role at each sign-in.
"""

import pghistory
import structlog
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db import transaction

from owners.models import Identity, Role, User
from owners.services import sessions
from owners.services.accounts import create_user, is_last_admin, lock_admins
from owners.services.ways_in import end_all, forget_hook
from owners.sso.client import Claims
from owners.sso.provider import Provider, role_of

log = structlog.get_logger(__name__)


class Refused(Exception):
    """Signed in there, but not to come in here; the words are for the person."""


def admit(server: Provider, claims: Claims) -> User:
    """The account of whoever `claims` names, made or linked if need be, with the role that is due.

    Raises Refused. What a refusal changes (a role that is lost with its group) stays.
    """
    with transaction.atomic(), pghistory.context(origin="sso"):
        lock_admins()  # roles may change: nobody else decides about the last admin meanwhile
        known = Identity.objects.filter(issuer=claims.issuer, subject=claims.subject).first()
        user = (
            User.objects.select_for_update().get(pk=known.user_id) if known else _by_address(server, claims)
        )
        if user is not None and not user.is_active:
            raise Refused("Your account here is deactivated. Ask an admin to let you in again.")
        role = role_of(server, claims.groups) or (Role.VIEWER if server.unmapped == "viewer" else "")
        refused = bool(server.roles) and not role
        if user is None:
            if refused:
                raise Refused(_no_group(server))
            try:
                user = create_user(claims.email, claims.name, role if server.roles else Role.VIEWER)
            except ValidationError as error:
                raise Refused(
                    f"No account can be made for {claims.email}: {' '.join(error.messages)}"
                ) from error
        pghistory.context(user=user.pk)
        if known is None and not refused:
            _link(user, claims)
        if server.roles:
            _set_role(user, role or Role.VIEWER)
        if refused:
            sessions.end_all(user)
    if refused:
        raise Refused(_no_group(server))
    return user


def _by_address(server: Provider, claims: Claims) -> User | None:
    """The account with the verified address; None where one is to be made."""
    if not claims.email:
        raise Refused(
            f"{server.name} does not say that your e-mail address is verified, so it is not known which "
            "account here is yours. Have the address verified there, then sign in again."
        )
    user = User.objects.select_for_update().filter(email=claims.email).first()
    if user is None and not server.create:
        raise Refused(f"There is no account for {claims.email} here. Ask an admin for an invitation.")
    if user is not None and Identity.objects.filter(issuer=claims.issuer, user=user).exists():
        raise Refused(
            f"The account of {claims.email} belongs to somebody else at {server.name}, who had this address "
            "before. An admin can make a new link for the account, which ends that."
        )
    return user


def _link(user: User, claims: Claims) -> None:
    """From now on this identity opens the account, and what somebody else may have set up before does not.

    An invitation's link may have been used by another than the address's owner: the password, passkeys, open
    browsers, links, tokens of the API and the web hook of that time end. A code from an app stays, since it
    opens nothing by itself.
    """
    Identity.objects.create(user=user, issuer=claims.issuer, subject=claims.subject)
    Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).delete()
    end_all(user)
    forget_hook(user)
    changed = []
    if user.has_usable_password():
        user.set_unusable_password()
        changed.append("password")
    if claims.name and not user.name:
        user.name = claims.name
        changed.append("name")
    if changed:
        user.save(update_fields=changed)


def _set_role(user: User, role: str) -> None:
    if user.role == role:
        return
    if role != Role.ADMIN and is_last_admin(user):
        log.warning("the last admin keeps the role without its group", user=user.pk)
        return
    user.role = role
    user.save(update_fields=["role"])
    sessions.end_all(user)


def _no_group(server: Provider) -> str:
    return (
        f"None of your groups at {server.name} opens North Star. Ask whoever runs {server.name} to put you "
        "into one."
    )
