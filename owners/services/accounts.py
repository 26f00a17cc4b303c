"""Accounts: made by invitation, changed by admins, never deleted, so that history keeps its names."""

import uuid

from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from owners.models import AdminLink, Identity, Leader, Notice, Role, User
from owners.rules import can, require
from owners.services import outbox, sessions
from owners.services.one_time import new_link, server_instead
from owners.services.ways_in import end_all, end_links

# Whoever makes, demotes or deactivates an admin holds this advisory lock: "at least one" and "only if none"
# are about rows that do not exist yet, which a row lock cannot guard.
ADMINS_LOCK = 7_411_001


def lock_admins() -> None:
    """Until the end of the transaction nobody else changes who is an admin."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [ADMINS_LOCK])


@transaction.atomic
def create_user(
    email: str, name: str, role: str, password: str | None = None, leader_key: str | None = None
) -> User:
    """A new account; without a password it is opened by a link. For the system: asks no one's right.

    Links the leader `leader_key`, else the leader with the same e-mail address. Raises ValidationError for a
    malformed or taken address, an unknown role, or a leader who has another account.
    """
    email = clean_email(email)
    if role not in Role.values:
        raise ValidationError({"role": f"{role} is not one of {', '.join(Role.values)}"})
    user = User.objects.create_user(email, password, name=name.strip(), role=role)
    if leader_key is None:
        link_leaders(email)
        return user
    leader = Leader.objects.select_for_update().filter(key=leader_key, archived_at=None).first()
    if leader is None:
        raise ValidationError({"leader": f"there is no leader {leader_key}"})
    if leader.user_id is not None:
        raise ValidationError({"leader": f"{leader.name} already has an account"})
    leader.user = user
    leader.save(update_fields=["user"])
    return user


def clean_email(email: str) -> str:
    """The address as it is kept, in lower case. ValidationError if malformed or taken."""
    email = _kept_form(email)
    try:
        validate_email(email)
    except ValidationError as error:
        raise ValidationError({"email": error.messages}) from error
    if User.objects.filter(email=email).exists():
        raise ValidationError({"email": f"{email} already has an account"})
    return email


def _kept_form(email: str) -> str:
    return User.objects.normalize_email(email.strip()).lower()


@transaction.atomic
def link_leaders(email: str | None = None) -> int:
    """Gives leaders without an account the account of the same e-mail address (of one address or of all).

    Run after accounts or leaders were added. Returns how many were linked. An account leads as one leader
    only: of two leaders with one address, the first by key.
    """
    leaders = Leader.objects.filter(user=None, archived_at=None).exclude(email="")
    if email is not None:
        leaders = leaders.filter(email__iexact=email)
    free = dict(User.objects.filter(leader=None).values_list("email", "pk"))
    linked = 0
    for leader in leaders.select_for_update(of=("self",)).order_by("key"):
        account = free.pop(leader.email.lower(), None)
        if account is not None:
            leader.user_id = account
            leader.save(update_fields=["user"])
            linked += 1
    return linked


@transaction.atomic
def add(by: User, email: str, name: str, role: str) -> User:
    """A new account without a password; one whose invitation was revoked is invited anew.

    Executives invite everybody but admins. Raises PermissionDenied, ValidationError.
    """
    require(by, "people.invite")
    if role == Role.ADMIN:
        require(by, "people.manage")
    user = User.objects.select_for_update().filter(email=_kept_form(email), is_active=False).first()
    if user is None or role not in Role.values or not can(by, "people.renew", user) or user.joined:
        user = create_user(email, name, role)
    else:
        user.name, user.role, user.is_active = name.strip() or user.name, role, True
        user.save(update_fields=["name", "role", "is_active"])
        link_leaders(user.email)
    user.invited_by = by
    user.save(update_fields=["invited_by"])
    return user


@transaction.atomic
def invite(by: User, email: str, name: str, role: str, *, by_mail: bool = False) -> tuple[User, str]:
    """A new account and the secret of the link by which its owner sets a password; "" where the link goes by
    mail, or none is needed since a single sign-on server lets them in. Raises as `add`."""
    user = add(by, email, name, role)
    if by_mail:
        _mail_link(by, user)
        return user, ""
    return user, "" if server_instead(user) is not None else new_link(user.email)


@transaction.atomic
def revoke_invitation(by: User, user: User) -> User:
    """Who has not come yet is not to come: links end, a waiting mail is withdrawn, single sign-on refuses.

    The account stays, deactivated, and can be invited anew. Raises PermissionDenied, or ValidationError for
    somebody who has joined.
    """
    lock_admins()  # an invited admin may be the one whom somebody else counts on at this moment
    user = User.objects.select_for_update().get(pk=user.pk)
    require(by, "people.renew", user)
    if user.joined:
        raise ValidationError(f"{user} has joined already. Deactivate the account instead.")
    _keep_an_admin(user)
    end_links(user)
    Notice.objects.filter(user=user, kind="invitation", sent_at=None, withdrawn_at=None).update(
        withdrawn_at=timezone.now(), error="the invitation was revoked"
    )
    Leader.objects.filter(user=user).update(user=None)
    user.is_active = False
    user.save(update_fields=["is_active"])
    return user


@transaction.atomic
def reset_second_factor(by: User, user: User) -> User:
    """For a lost phone: the app, passkeys and recovery codes of `user` end, and so does what is open.

    The password stays. Admins only, for others: one's own asks for the password again, on one's own page.
    The person is told, and the history keeps who did it. Raises PermissionDenied, ValidationError.
    """
    require(by, "people.manage")
    if by.pk == user.pk:
        raise ValidationError("Turn off your own second factor on the page of your account.")
    user = User.objects.select_for_update().get(pk=user.pk)
    Authenticator.objects.filter(user=user).delete()
    user.second_factor_reset_at = timezone.now()
    user.save(update_fields=["second_factor_reset_at"])
    sessions.end_all(user)
    outbox.notify(
        user,
        "security",
        f"second-factor:{user.pk}:{uuid.uuid4()}",
        "Your second factor was reset",
        f"{by} has removed the authenticator app, passkeys and recovery codes of your account, and you are "
        "signed out everywhere. Your password stays. Sign in and set a second factor up again. If you did "
        "not ask for this, tell an admin.",
        reverse("mfa_index"),
    )
    return user


@transaction.atomic
def mail_link(by: User, user: User) -> None:
    """Mails `user` a fresh link; the older ones end. Raises as `fresh_link`."""
    fresh_link(by, user)
    _mail_link(by, user)


def _mail_link(by: User, user: User) -> None:
    """Into the outbox, without a link: it is made when the mail is sent (owners/services/mails.py)."""
    AdminLink.objects.filter(email=user.email, used_at=None).delete()
    outbox.notify(
        user,
        "invitation",
        f"invitation:{user.pk}:{uuid.uuid4()}",
        "Your account at North Star",
        f"{by} sends you a new way into North Star."
        if user.joined
        else f"{by} invites you to North Star, where the company keeps its metrics and targets.",
    )


def mail_new_password(user: User) -> None:
    """For whoever says that they forgot it: into the outbox, without the link, as for an invitation."""
    outbox.notify(
        user,
        "password",
        f"password:{user.pk}:{uuid.uuid4()}",
        "North Star: choose a new password",
        "Somebody asked for a new password for your account of North Star. If it was not you, there is "
        "nothing to do: your password stays as it is.",
    )


@transaction.atomic
def fresh_link(by: User, user: User) -> str:
    """The secret of a new link with which `user` sets a password; the older ones end.

    Admins make one for everybody, whoever invited somebody until they come. Who the account is at the single
    sign-on server is forgotten: the next to come with its address is linked.
    """
    require(by, "people.renew", user)
    if not user.is_active:
        raise ValidationError("A deactivated account gets no link.")
    Identity.objects.filter(user=user).delete()
    return new_link(user.email)


@transaction.atomic
def change_role(by: User, user: User, role: str, *, keep: str = "") -> User:
    """Raises PermissionDenied, or ValidationError where the last admin would go.

    Whoever gets another role signs in again everywhere; `keep` is the key of a session that stays.
    """
    lock_admins()
    _admin_now(by)
    if role not in Role.values:
        raise ValidationError({"role": f"{role} is not one of {', '.join(Role.values)}"})
    user = User.objects.select_for_update().get(pk=user.pk)
    if role != Role.ADMIN:
        _keep_an_admin(user)
    if user.role != role:
        user.role = role
        user.save(update_fields=["role"])
        sessions.end_all(user, keep=keep)
    return user


@transaction.atomic
def set_active(by: User, user: User, active: bool) -> User:
    """Deactivation ends all sessions, links and tokens at once and keeps everything that the person did."""
    lock_admins()
    _admin_now(by)
    user = User.objects.select_for_update().get(pk=user.pk)
    if not active:
        _keep_an_admin(user)
        end_all(user)
    if user.is_active != active:
        user.is_active = active
        user.save(update_fields=["is_active"])
    return user


@transaction.atomic
def end_sessions(by: User, user: User, *, keep: str = "") -> int:
    """Signs `user` out everywhere (but in the session `keep`); returns of how many browsers. Admins only."""
    require(by, "people.manage")
    return sessions.end_all(user, keep=keep)


@transaction.atomic
def make_admin(email: str) -> tuple[User, str]:
    """For whoever has the terminal: an active admin of that address, new or promoted, and a link's secret."""
    lock_admins()
    address = _kept_form(email)
    user = User.objects.select_for_update().filter(email=address).first()
    if user is None:
        user = create_user(email, "", Role.ADMIN)
    elif user.role != Role.ADMIN or not user.is_active:
        user.role, user.is_active = Role.ADMIN, True
        user.save(update_fields=["role", "is_active"])
        sessions.end_all(user)
    return user, new_link(user.email)


def _admin_now(by: User) -> None:
    """Read again under the lock: of two admins who demote each other at one moment, one is too late."""
    require(User.objects.filter(pk=by.pk).first(), "people.manage")


def is_last_admin(user: User) -> bool:
    """Whether without `user` there would be no admin. Hold `lock_admins` while it matters."""
    if user.role != Role.ADMIN or not user.is_active:
        return False
    return not User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=user.pk).exists()


def _keep_an_admin(user: User) -> None:
    if is_last_admin(user):
        raise ValidationError("The last admin stays one. Make somebody else an admin first.")
