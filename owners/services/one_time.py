"""Secrets of one-time links. Only SHA-256 is stored: with 256 random bits a plain hash is enough."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from owners.models import AdminLink, Role, User
from owners.sso.provider import Provider, sso_only

VALID_FOR = timedelta(hours=24)
MAILED_FOR = timedelta(days=3)  # a mail may lie over a weekend


def server_instead(user: User) -> Provider | None:
    """The single sign-on server by which `user` comes in instead of by a link; None where a link is good.

    Admins' links always are: they are the way in on the day on which the server is down.
    """
    return settings.OIDC if sso_only(settings.OIDC) and user.role != Role.ADMIN else None


class LinkGone(Exception):
    """The link is unknown, used, expired, replaced by a newer one, or no longer needed."""


def new_link(email: str = "", valid_for: timedelta = VALID_FOR) -> str:
    """The secret of a fresh link; older unused ones for the same address ("": the first admin) end."""
    AdminLink.objects.filter(email=email, used_at=None).delete()
    secret = secrets.token_urlsafe(32)
    AdminLink.objects.create(digest=digest(secret), email=email, expires_at=timezone.now() + valid_for)
    return secret


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def valid_link(secret: str) -> AdminLink:
    """The link of this secret, neither used nor expired; LinkGone if there is none. Changes nothing."""
    link = AdminLink.objects.filter(
        digest=digest(secret), used_at=None, expires_at__gt=timezone.now()
    ).first()
    if link is None:
        raise LinkGone
    return link


def use(link: AdminLink) -> None:
    link.used_at = timezone.now()
    link.save(update_fields=["used_at"])
