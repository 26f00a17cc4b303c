"""The digest for whoever steers: what is overdue, what nobody answers for, which data are not there.

By name, never by rank: it says what waits, not who is best. It goes to people who steer and to channels that
want it, each as far as they may see the metrics; on the first working day of the week, or on each. Without
anything to tell none comes.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse

from calc import clock
from calc.calendar import Calendar
from metrics.definitions.holidays import free_days
from metrics.models import Metric, Source
from metrics.queries import installation
from metrics.queries.askings import tenures, words_due
from metrics.queries.entries import cells_of
from metrics.queries.rows import CHECKED_IN
from metrics.queries.scope import visible_metrics
from owners.guide import Words
from owners.kinds import Topic
from owners.models import Channel, CheckIn, Habits, Leader, Notice, Preference, Role, User
from owners.queries.days import zone_of
from owners.queries.leave import away_on
from owners.rules import leader_of
from owners.services.outbox import notify

DAY = timedelta(days=1)
MOST = 40  # lines of one kind


def digest(now: datetime) -> int:
    """Write the digests whose day it is; returns how many. At most once a day each."""
    cal = installation.calendar()
    wanted: dict[str, tuple[User | Channel, date]] = {}
    for user in _readers():
        leader = leader_of(user)
        zone, country = zone_of(leader) or cal.zone, (leader.country if leader else "") or cal.holidays
        daily = _habit(user) == Habits.Digest.DAILY
        day = _turn(now, zone, country, cal, daily)
        if day is not None:
            wanted[f"digest:user:{user.pk}:{day}"] = (user, day)
    for channel in Channel.objects.filter(user=None, archived_at=None).exclude(digest=""):
        day = _turn(now, cal.zone, cal.holidays, cal, channel.digest == Channel.Digest.DAILY)
        if day is not None:
            wanted[f"digest:channel:{channel.pk}:{day}"] = (channel, day)
    told = set(Notice.objects.filter(key__in=list(wanted)).values_list("key", flat=True))
    for key, (to, _) in wanted.items():
        if key not in told:
            notify(to, "digest", key, "What is overdue", "", reverse("leaders"))
    return len(wanted.keys() - told)


def words(notice: Notice, now: datetime) -> Words | None:
    """What the digest says now; None if there is nothing to tell."""
    cal = installation.calendar()
    day = cal.day_of(now)
    channel = notice.channel
    if channel is not None:
        seen = visible_metrics(None)
        if channel.audience != Channel.Audience.LEADERSHIP:
            seen = seen.filter(visible="everyone")
    else:
        seen = visible_metrics(notice.user)
    metrics = list(seen.order_by("name"))
    late = _late(metrics, cal, day)
    owned = tenures(day)
    alone = [m.name for m in metrics if m.role in CHECKED_IN and m.key not in owned]
    data = _data()
    if not (late or alone or data):
        return None
    counts = [
        f"{len(late)} overdue" if late else "",
        f"{len(alone)} without an owner" if alone else "",
        f"{len(data)} source{'s' if len(data) != 1 else ''} not there" if data else "",
    ]
    parts = [
        _section("Overdue", late),
        _section("Without an owner", alone),
        _section("Data that are late or cannot be read", data),
    ]
    subject = f"What is overdue on {day:%a} {day.day} {day:%b}: {', '.join(filter(None, counts))}"
    return Words(subject, "\n\n".join(filter(None, parts)))


def _readers() -> QuerySet[User]:
    """Executives who have not ended it, and admins who asked for it: in a small company they steer."""
    chosen = Preference.objects.filter(topic=Topic.DIGEST)
    off = chosen.filter(way=Preference.Way.OFF).values("user")
    on = chosen.exclude(way=Preference.Way.OFF).values("user")
    wants = (Q(role=Role.EXECUTIVE) & ~Q(pk__in=off.exclude(user=None))) | (Q(role=Role.ADMIN) & Q(pk__in=on))
    return User.objects.filter(wants, is_active=True).select_related("leader", "habits").order_by("pk")


def _habit(user: User) -> str:
    return user.habits.digest if hasattr(user, "habits") else Habits.Digest.WEEKLY


def _turn(now: datetime, zone: ZoneInfo, country: str, cal: Calendar, daily: bool) -> date | None:
    """The day there, if it is one on which the digest comes: a working day, or the week's first one."""
    day = now.astimezone(zone).date()
    free = free_days(country, (day.year - 1, day.year, day.year + 1))
    if not clock.is_working(day, free):
        return None
    begun = day - DAY * ((day.weekday() - cal.week_start) % 7)
    earlier = (begun + DAY * n for n in range((day - begun).days))
    return day if daily or not any(clock.is_working(other, free) for other in earlier) else None


def _late(metrics: list[Metric], cal: Calendar, day: date) -> list[str]:
    """Check-ins and figures that are late, a line each, by the metric's name."""
    owned = tenures(day)
    keys = [m.key for m in metrics]
    newest = CheckIn.objects.filter(metric_key__in=keys, date__lte=installation.words_by(cal, day))
    said: dict[str, date] = {}
    for check_in in newest.order_by("metric_key", "-date").distinct("metric_key", "date", "leader"):
        tenure = owned.get(check_in.metric_key)
        if tenure and tenure.leader.pk == check_in.leader_id:
            said.setdefault(check_in.metric_key, check_in.date)
    due = words_due(metrics, owned, said, cal, day)
    away = away_on(day)
    lines = []
    for metric in metrics:
        found = due.get(metric.key)
        if found is not None and found.late:
            who = _who(owned[metric.key].leader, away)
            lines.append(f"{metric.name}: check-in of {who}, due {_say(found.due_date)}")
    counted = [m for m in metrics if m.type == "manual"]
    names = dict(Leader.objects.values_list("key", "name"))
    cells = cells_of(counted, cal, day)
    for metric in counted:
        missing = [cell for cell in cells[metric.pk] if cell.late]
        if missing:
            by = str((metric.spec.get("collect") or {}).get("by") or "")
            who = names.get(by) or (owned[metric.key].leader.name if metric.key in owned else "nobody")
            lines.append(f"{metric.name}: the figure of {missing[-1].label} from {who}")
    return sorted(lines)


def _who(leader: Leader, away: Mapping[int, object]) -> str:
    return f"{leader.name} (away)" if leader.pk in away else leader.name


def _data() -> list[str]:
    unwell = Q(late_since__isnull=False) | Q(failed_since__isnull=False)
    found = Source.objects.filter(unwell, archived_at=None).order_by("key")
    return [
        f"{source.key}: {'cannot be read' if source.failed_since else 'late'} since "
        f"{_say((source.failed_since or source.late_since or datetime.min).date())}"
        for source in found
    ]


def _section(title: str, lines: list[str]) -> str:
    if not lines:
        return ""
    shown = [f"- {line}" for line in lines[:MOST]]
    if len(lines) > MOST:
        shown.append(f"- and {len(lines) - MOST} more: {settings.SITE_URL.rstrip('/')}{reverse('leaders')}")
    return "\n".join([f"{title}:", *shown])


def _say(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"
