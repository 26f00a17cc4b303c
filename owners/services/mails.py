"""E-mails of notices: plain text, with a key in their headers by which a repeat can be told."""

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.urls import reverse

from owners.guide import Words
from owners.kinds import Topic
from owners.models import Notice, User
from owners.services.one_time import MAILED_FOR, new_link, server_instead
from owners.services.preferences import token_of
from owners.services.routing import Route
from owners.services.ways_in import reset_tokens

TIMEOUT = 20  # seconds for the mail server


def message_of(notice: Notice, words: Words, way: Route) -> EmailMessage:
    """The e-mail of a notice. Below its words stand its address on the site, and how to end such mails:
    also in the form in which mail programs offer it with one click (RFC 8058)."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    headers = {
        "Message-ID": f"<notice-{notice.pk}@{domain}>",
        "X-Northstar-Key": "".join(c if c.isascii() and c.isprintable() else "?" for c in notice.key),
        "Auto-Submitted": "auto-generated",
    }
    site, body = settings.SITE_URL.rstrip("/"), words.body
    if notice.kind == "invitation" and way.user is not None:
        body += _way_in(way.user, site)
    elif notice.kind == "password" and way.user is not None:
        body += _new_password(way.user, site)
    elif notice.path:
        body += f"\n\n{site}{notice.path}"
    if way.topic is not Topic.SECURITY:
        end = site + reverse("unsubscribe", args=[token_of(way.user, way.leader, way.topic)])
        headers["List-Unsubscribe"] = f"<{end}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        body += f"\n\n--\n{way.topic.label}. No more of these mails: {end}"
    return EmailMessage(
        subject=words.subject,
        body=body,
        to=[way.address],
        headers=headers,
        connection=get_connection(timeout=TIMEOUT),
    )


def _way_in(user: User, site: str) -> str:
    """How an invited person comes in, as it is at this moment."""
    server = server_instead(user)
    if server is not None:
        words = f"Sign in there with {server.name}, as {user.email}."
        return f" {words}\n\n{site}{reverse('account_login')}"
    # Made now, so that the secret lies nowhere but in the mail: neither in the outbox nor in a backup.
    path = reverse("account_join", args=[new_link(user.email, MAILED_FOR)])
    words = "This link lets you choose a password. It works once, for three days."
    if settings.OIDC is not None:
        words += f" If you sign in with {settings.OIDC.name}, you need no password."
    return f" {words}\n\n{site}{path}"


def _new_password(user: User, site: str) -> str:
    """The link, by SITE_URL: whoever asked for it may have named another host."""
    server = server_instead(user)
    if server is not None:
        return f" Passwords are switched off: sign in with {server.name}.\n\n{site}{reverse('account_login')}"
    which = {"uidb36": user_pk_to_url_str(user), "key": reset_tokens.make_token(user)}
    path = reverse("account_reset_password_from_key", kwargs=which)
    return f" To choose one, open this link; it works once, for a day.\n\n{site}{path}"
