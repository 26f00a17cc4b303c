"""Browsers in which somebody has signed in before.

Their tries are counted apart: a stranger who guesses at somebody's password all day shuts out strangers,
not that person at the computer on their desk. A browser is recognised by a signed cookie, which lets nobody
in; all it gives is a count of its own, as small as everybody's.
"""

import hashlib
import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

COOKIE = "northstar_known"
SALT = "owners.services.known"
PATH = "/account/"  # sent to nothing else
LASTS = 180 * 86_400  # seconds


def mark_of(request: HttpRequest, email: str) -> str:
    """The mark of this browser if the account of `email` (in lower case) has signed in here, else ""."""
    try:
        kept = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=LASTS)
    except signing.BadSignature:
        return ""
    return str(kept["mark"]) if kept["account"] == _digest(email) else ""


def remember(request: HttpRequest, response: HttpResponse, email: str) -> None:
    """Gives the browser of somebody who has just signed in a mark, or renews the one that it has."""
    mark = mark_of(request, email) or secrets.token_urlsafe(16)
    response.set_cookie(
        COOKIE,
        signing.dumps({"account": _digest(email), "mark": mark}, salt=SALT),
        max_age=LASTS,
        path=PATH,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
        samesite="Lax",
    )


def _digest(email: str) -> str:
    return hashlib.sha256(email.encode("utf-8", "replace")).hexdigest()
