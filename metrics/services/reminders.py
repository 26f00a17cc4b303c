"""Reminders of check-ins: before they are due, on the day and after it, one mail a person and day.

Whether somebody is reminded is judged once an hour on their own working days; what the mail says is put
together as it is sent, so that nobody is asked for what they have said meanwhile. Whoever is away is not
reminded; their delegate is, for both.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import QuerySet
from django.urls import reverse

from calc import clock
from calc.calendar import Calendar
from calc.clock import FreeDays
from metrics.models import Metric
from metrics.queries import installation
from metrics.queries.askings import day_of, days_off
from metrics.queries.me import WAITING, Asked, asks
from owners.guide import Words
from owners.models import Leader, Notice
from owners.queries.leave import away_on
from owners.services.check_in_links import link_path
from owners.services.outbox import notify

DAY = timedelta(days=1)
AFTER = (1, 3)  # working days after the due day on which one is reminded; then every week
WEEKLY = 5  # working days
EVERY = 3600  # seconds between two looks at one person


@dataclass(frozen=True)
class Line:
    """One thing that waits. left: working days until it is due, negative once it is late. missed: how many
    working days ago the check-in before it was due, where that one was never given; a new one is asked for as
    soon as its week begins, which may be before anybody was told that the last one is late."""

    asked: Asked
    due_date: date
    left: int
    missed: int | None = None

    @property
    def metric(self) -> Metric:
        return self.asked.metric


def remind(now: datetime) -> int:
    """Write a reminder for everybody whose turn it is; returns for how many. Each at most once a day."""
    cal = installation.calendar()
    today = cal.day_of(now)
    away = away_on(today)
    count = 0
    for leader in _people():
        day = day_of(leader, cal, now)
        if leader.pk in away or not cache.add(f"reminded:{leader.pk}:{day}", True, EVERY):
            continue
        lines = waiting(leader, cal, day, today)
        if not clock.is_working(day, days_off(leader, cal, day)) or not any(map(is_turn, lines)):
            continue
        said = _words(leader, lines, None)
        key = f"check_ins:{leader.key}:{day}"
        notify(leader, "check_ins", key, said.subject, said.body, reverse("me"))
        count += 1
    return count


def words(notice: Notice, now: datetime, *, signed: bool) -> Words | None:
    """What a reminder says now; None if nothing waits any more, or the person has gone on leave meanwhile."""
    leader = notice.leader
    if leader is None:
        return None
    cal = installation.calendar()
    day, today = day_of(leader, cal, now), cal.day_of(now)
    lines = waiting(leader, cal, day, today)
    if not lines or leader.pk in away_on(today):
        return None
    return _words(leader, lines, now if signed else None)


def waiting(leader: Leader, cal: Calendar, day: date, today: date) -> list[Line]:
    """What waits for a leader on a day of theirs, by what is theirs `today`; the most urgent first."""
    if leader.user is None:
        return []
    free = days_off(leader, cal, day)
    return [
        Line(asked, asked.due_date, working_days(day, asked.due_date, free), _missed(asked, day, free))
        for asked in asks(leader.user, leader, cal, day, today)
        if asked.state in WAITING and asked.due_date is not None
    ]


def is_turn(line: Line) -> bool:
    """Whether this is a day on which one is reminded of it."""
    late = -line.left
    return (
        line.left in (0, settings.REMIND_BEFORE)
        or late in AFTER
        or line.missed in (0, *AFTER)
        or (late > max(AFTER) and late % WEEKLY == 0)
    )


def _missed(asked: Asked, day: date, free: FreeDays) -> int | None:
    before = asked.words.before if asked.words else None
    return working_days(before, day, free) if before is not None else None


def working_days(day: date, until: date, free: FreeDays) -> int:
    """How many working days lie after `day` through `until`; negative if it lies before."""
    if until < day:
        return -working_days(until, day, free)
    return sum(clock.is_working(day + n * DAY, free) for n in range(1, (until - day).days + 1))


def _people() -> QuerySet[Leader]:
    """Those who can answer: without an account nobody can check in."""
    found = Leader.objects.filter(archived_at=None, user__is_active=True)
    return found.select_related("user").order_by("key")


def _words(leader: Leader, lines: list[Line], signed_at: datetime | None) -> Words:
    late = sum(line.left < 0 for line in lines)
    if len(lines) == 1:
        subject = f"{lines[0].metric.name}: {_when(lines[0])}"
    else:
        subject = f"{len(lines)} check-ins wait for you" + (f", {late} of them late" if late else "")
    parts = [f"{leader.name}, this waits for you:"]
    for line in lines:
        asked = line.asked
        whose = f" (for {asked.stands_in.leader.name}, who is away)" if asked.stands_in else ""
        path = reverse("metric_check_in", args=[line.metric.key])
        if signed_at and leader.user and asked.since:
            path = link_path(leader.user, line.metric.key, asked.since, signed_at)
        parts.append(f"{line.metric.name}: {_when(line)}{whose}\n{settings.SITE_URL.rstrip('/')}{path}")
    if signed_at:
        parts.append(
            "Each link opens that one check-in without signing in, for seven days. It is yours: do not pass "
            "this mail on."
        )
    return Words(subject, "\n\n".join(parts))


def _when(line: Line) -> str:
    what = "check-in" if line.asked.speaks and not _figure_only(line.asked) else "figure"
    day = f"{line.due_date:%a} {line.due_date.day} {line.due_date:%b}"
    words = f"{what} {'was' if line.left < 0 else 'is'} due on {day}"
    before = line.asked.words.before if line.asked.words else None
    if before is not None and line.left >= 0 and line.missed in (0, *AFTER):
        words += f"; that of {before:%a} {before.day} {before:%b} is not there"
    return words


def _figure_only(asked: Asked) -> bool:
    return asked.words is None or asked.words.said
