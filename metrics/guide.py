"""What notices have to know of metrics and the calendar: this module is the protocol of owners/guide.py."""

from collections.abc import Collection
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from metrics.definitions.holidays import free_days, weekend
from metrics.models import Metric
from metrics.queries import installation
from metrics.services import digests, reminders
from owners.guide import Words
from owners.models import Leader, Notice, Role, User
from owners.rules import visibility_filter


def clock() -> tuple[ZoneInfo, str]:
    """The installation's time zone, and whose holidays are its own. One SQL statement."""
    calendar = installation.calendar()
    return calendar.zone, calendar.holidays


def is_free(country: str, day: date) -> bool:
    """Whether it is a weekend or a public holiday there."""
    return day.weekday() in weekend(country) or day in free_days(country, [day.year])


def seen(person: User | Leader | None, keys: Collection[str]) -> set[str]:
    """Which of these metrics the person may see. A leader without an account sees what a viewer who is that
    leader would; None is whoever may sign in. Two SQL statements at most, none for no keys."""
    if not keys:
        return set()
    found = Metric.objects.filter(_visible_to(person), key__in=list(keys))
    return set(found.values_list("key", flat=True))


def names(keys: Collection[str]) -> dict[str, str]:
    """The names of metrics by key. One SQL statement."""
    return dict(Metric.objects.filter(key__in=list(keys)).values_list("key", "name"))


def _visible_to(person: User | Leader | None) -> Q:
    if person is None:
        return Q(visible="everyone")
    if isinstance(person, User):
        return visibility_filter(person)
    account = User(role=Role.VIEWER, is_active=True)
    copy = Leader.objects.get(pk=person.pk)
    account.leader = copy
    return visibility_filter(account)


def words(notice: Notice, now: datetime, *, signed: bool) -> Words | None:
    """What a reminder or a digest says at this moment; None if nothing is left to say."""
    if notice.kind == "digest":
        return digests.words(notice, now)
    return reminders.words(notice, now, signed=signed)
