"""The installation's calendar, name, time and today."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from django.utils import timezone

from calc.calendar import Calendar
from metrics.definitions.build import calendar_of
from metrics.models import Installation


def calendar() -> Calendar:
    """The installation's calendar (one query)."""
    return calendar_of(Installation.objects.filter(id=1).first())


def head() -> tuple[str, bool]:
    """The installation's name ("" while unnamed) and whether it shows demo data."""
    row = Installation.objects.filter(id=1).first()
    return (row.name, row.demo) if row else ("", False)


def today(cal: Calendar, now: datetime | None = None) -> date:
    """The local day of `now` (default: this moment)."""
    return cal.day_of(now or timezone.now())


@contextmanager
def local_time() -> Iterator[None]:
    """Works in the installation's time zone, as pages do: who owns and who stands in today is asked by it."""
    with timezone.override(calendar().zone):
        yield


def words_by(cal: Calendar, day: date) -> date:
    """The last date of the words that count on `day`. Of today also those dated ahead: whoever is further
    east has tomorrow already, and has said them."""
    return day + timedelta(days=1) if day >= today(cal) else day
