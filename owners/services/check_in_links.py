"""Signed links to one check-in: made for a reminder, opened for one person, ended in many ways.

A link is good for seven days and for one check-in. It ends when the word is given (by the link or on the
site), when the metric changes hands, when its account is deactivated or may not speak any more, when it is
revoked, and with the installation's SECRET_KEY. It opens no session.
"""

from datetime import date, datetime, timedelta

from django.core.signing import BadSignature, Signer
from django.db.models import QuerySet
from django.urls import reverse

from owners.models import CheckInLink, User
from owners.services.one_time import LinkGone

VALID_FOR = timedelta(days=7)
_signer = Signer(salt="owners.check_in_link", sep="~")


def link_path(user: User, metric_key: str, since: date, now: datetime) -> str:
    """The address on the site, the same for all calls of a day, so that a repeated mail says the same."""
    made, _ = CheckInLink.objects.get_or_create(
        user=user,
        metric_key=metric_key,
        since=since,
        made_on=now.date(),
        defaults={"expires_at": now + VALID_FOR},
    )
    return reverse("check_in_link", args=[_signer.sign(str(made.pk))])


def opened(token: str, now: datetime) -> CheckInLink:
    """The link of a token, with its user; LinkGone if it is none of ours or over. Changes nothing. What the
    person may do is for the caller to ask."""
    try:
        pk = int(_signer.unsign(token))
    except (BadSignature, ValueError):
        raise LinkGone from None
    found = CheckInLink.objects.select_related("user").filter(pk=pk, used_at=None, revoked_at=None).first()
    if found is None or found.expires_at <= now or not found.user.is_active:
        raise LinkGone
    return found


def used(link: CheckInLink, now: datetime) -> None:
    """Ends the link, and the others to the same check-in."""
    _open(link.user).filter(metric_key=link.metric_key, since=link.since).update(used_at=now)


def revoke_links(user: User, now: datetime) -> int:
    """Ends all links of a person; returns how many."""
    return _open(user).update(revoked_at=now)


def forget(now: datetime) -> int:
    """Removes links that expired a day ago or earlier; returns how many."""
    return CheckInLink.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()[0]


def _open(user: User) -> QuerySet[CheckInLink]:
    return CheckInLink.objects.filter(user=user, used_at=None, revoked_at=None)
