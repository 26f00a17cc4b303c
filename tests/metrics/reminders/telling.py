"""A Monday on which check-ins are due, words that were said, and the mails of a moment."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core import mail
from django.core.cache import cache

from metrics.services import digests, reminders
from owners.models import CheckIn, Leader, User
from owners.services import outbox

MONDAY = datetime(2026, 3, 9, 9, tzinfo=UTC)  # weekly check-ins are due today
DAY = timedelta(days=1)
LINK = re.compile(r"/c/[^/\s]+/")


def say(key: str, day: date, leader: str = "elena") -> None:
    CheckIn.objects.create(metric_key=key, leader=Leader.objects.get(key=leader), date=day, text="Said.")


def run(now: datetime, time_machine: Any) -> list[Any]:
    """What is mailed at this moment."""
    time_machine.move_to(now, tick=False)
    cache.clear()
    before = len(mail.outbox)
    reminders.remind(now)
    digests.digest(now)
    outbox.deliver(lambda: now)
    return mail.outbox[before:]


def to(sent: list[Any], user: User) -> list[Any]:
    return [m for m in sent if m.to == [user.email]]
