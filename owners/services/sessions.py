"""In which browsers somebody is signed in: noted now and then, ended at once.

A browser's session itself is Django's, in PostgreSQL. What is noted beside it says where it is used; whoever
ends one deletes both, and the next request of that browser is a stranger's.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone

from owners.addresses import address_of
from owners.models import User
from owners.models.sign_ins import LONGEST_AGENT

SEEN_EVERY = timedelta(minutes=10)  # "last seen" is no finer, so that reading a page writes nothing
NOTED = "northstar_sign_in"  # in the session: its key, since when, and when it was last written down

# Only beside a session that is still there: one that is ended meanwhile must not come back.
NOTE = """
insert into owners_signin (session_id, user_id, address, agent, began_at, seen_at)
select session_key, %(user)s, %(address)s, %(agent)s, %(began)s, %(now)s
from django_session where session_key = %(key)s for key share
on conflict (session_id) do update set
    user_id = excluded.user_id, address = excluded.address, agent = excluded.agent, seen_at = excluded.seen_at
"""


def begin(sender: object, request: HttpRequest, user: User, **_: Any) -> None:
    """Receives Django's `user_logged_in`."""
    _write(request, user, timezone.now())


def note(request: HttpRequest) -> None:
    """Writes down where the signed-in person of `request` is, unless that was done a short while ago."""
    kept = request.session.get(NOTED) or {}
    now = timezone.now()
    age = now.timestamp() - kept.get("at", 0)
    if kept.get("key") == request.session.session_key and 0 <= age < SEEN_EVERY.total_seconds():
        return
    began = datetime.fromtimestamp(kept["since"], UTC) if "since" in kept else now
    _write(request, request.user, began)  # type: ignore[arg-type]
    try:
        # At once, not at the end of the request: what another one puts into the session meanwhile stays.
        request.session.save()
        request.session.modified = False
    except UpdateError:
        return  # ended this moment: the next request is a stranger's


def end(user: User, pk: int) -> str:
    """Ends one of `user`'s own; returns the key of its session, "" if there is no such one."""
    found = Session.objects.filter(sign_in__pk=pk, sign_in__user=user).first()
    if found is None:
        return ""
    key = str(found.session_key)
    found.delete()
    return key


def end_all(user: User, *, keep: str = "") -> int:
    """Ends every one of `user`'s but the session `keep`; returns how many ended. Asks no one's right."""
    ended = Session.objects.filter(sign_in__user=user).exclude(session_key=keep).delete()
    return ended[1].get("sessions.Session", 0)


def _write(request: HttpRequest, user: User, began: datetime) -> None:
    now = timezone.now()
    key = request.session.session_key
    agent = "".join(c for c in request.META.get("HTTP_USER_AGENT", "") if c.isprintable())[:LONGEST_AGENT]
    values: dict[str, Any] = {"key": key, "user": user.pk, "address": address_of(request), "agent": agent}
    with connection.cursor() as cursor:
        cursor.execute(NOTE, {**values, "began": began, "now": now})
    request.session[NOTED] = {"key": key, "since": began.timestamp(), "at": now.timestamp()}
