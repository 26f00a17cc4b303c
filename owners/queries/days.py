"""Which day it is for a person, where they are."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

from owners.models import Leader


def zone_of(leader: Leader | None) -> ZoneInfo | None:
    """The leader's own time zone; None where it is the installation's."""
    return ZoneInfo(leader.timezone) if leader is not None and leader.timezone else None


def today_of(leader: Leader | None, now: datetime | None = None) -> date:
    """The day of `now` (default: this moment) where the leader is, else in the current time zone."""
    return timezone.localdate(now, zone_of(leader))
