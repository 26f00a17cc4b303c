"""The members of a metric's dimensions: which there are, who answers for each, and what they stand at."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from calc.calendar import Calendar, Grain
from calc.rollup import compare
from metrics.models import Metric, Value
from metrics.queries.courses import DAY, load
from metrics.queries.scope import visible_metrics
from metrics.queries.series import Wanted, read
from metrics.queries.shapes import PartLine
from owners.models import Leader, Ownership, User
from owners.queries.ownership import Part, part_rows_on, parts_on

BACK = timedelta(days=400)  # a member without a figure for that long is history
REST = "(other)"  # members beyond the largest, which nobody can answer for


@dataclass(frozen=True)
class Ahead:
    """A hand-over that lies ahead; `leader` None: vacant from then on, or back with the metric's owner."""

    from_date: date
    leader: Leader | None
    is_returned: bool
    note: str


@dataclass(frozen=True)
class MemberOwner:
    """Who answers for a member on a day. is_own: by a row of its own (`owner` None: it is vacant); else it
    belongs to the metric's owner."""

    dimension: str
    member: str
    owner: Leader | None
    is_own: bool
    since: date | None
    note: str
    ahead: tuple[Ahead, ...]


def members(metric: Metric, day: date) -> list[tuple[str, str]]:
    """(dimension, member) of all that have a figure in the year before `day`. One SQL statement."""
    found = (
        Value.objects.filter(metric=metric, grain="month", period_start__gte=day - BACK)
        .exclude(dimension="")
        .values_list("dimension", "member")
        .distinct()
    )
    return sorted(found)


def member_owners(metric: Metric, day: date) -> tuple[MemberOwner, ...]:
    """Every member that has figures or was ever given an owner. Three SQL statements."""
    in_force = {
        (row.dimension, row.member): row
        for row in part_rows_on(day).filter(metric_key=metric.key).select_related("leader__team")
    }
    ahead: dict[tuple[str, str], list[Ahead]] = {}
    later = Ownership.objects.filter(metric_key=metric.key, from_date__gt=day).exclude(dimension="")
    for row in later.select_related("leader").order_by("from_date"):
        coming = Ahead(row.from_date, row.leader, row.is_returned, row.note)
        ahead.setdefault((row.dimension, row.member), []).append(coming)
    known = {place for place in members(metric, day) if place[1] != REST}
    found = []
    for place in sorted(known | set(in_force) | set(ahead)):
        rule = in_force.get(place)
        own = rule is not None and not rule.is_returned
        found.append(
            MemberOwner(
                *place,
                owner=rule.leader if rule and own else None,
                is_own=own,
                since=rule.from_date if rule else None,
                note=rule.note if rule else "",
                ahead=tuple(ahead.get(place, ())),
            )
        )
    return tuple(found)


def parts_of(user: User | None, leader: Leader, cal: Calendar, day: date) -> tuple[PartLine, ...]:
    """The members that `leader` answers for on `day`, of metrics that `user` may see."""
    return _lines(user, (p for p in parts_on(day) if p.leader == leader), cal, day)


def _lines(user: User | None, parts: Iterable[Part], cal: Calendar, day: date) -> tuple[PartLine, ...]:
    """The number of SQL statements does not grow with the parts."""
    wanted = list(parts)
    if not wanted:
        return ()
    metrics = list(visible_metrics(user).filter(key__in={part.metric_key for part in wanted}))
    courses = {c.metric.key: c for c in load(metrics, cal.quarter_name(day), cal=cal, as_of=day)}
    shown = [part for part in wanted if part.metric_key in courses]
    ends = {}
    for key, course in courses.items():
        mark = course.clock.watermark
        ends[key] = min(day + DAY, mark) if mark else day + DAY
    series = read(
        [
            Wanted(
                courses[p.metric_key].metric.id,
                Grain.MONTH,
                ends[p.metric_key] - timedelta(days=70),
                ends[p.metric_key],
                p.dimension,
                p.member,
            )
            for p in shown
        ]
    )
    lines = []
    for part, figures in zip(shown, series, strict=True):
        metric, end = courses[part.metric_key].metric, ends[part.metric_key]
        last = cal.previous(cal.period(Grain.MONTH, end))
        by_start = {f.start: f.value for f in figures if f.end <= end}
        now, before = by_start.get(last.start), by_start.get(cal.previous(last).start)
        lines.append(
            PartLine(
                metric.key,
                metric.name,
                metric.unit,
                part.dimension,
                part.member,
                part.leader,
                part.since,
                part.note,
                last.start if last.start in by_start else None,
                now,
                compare(now, before, metric.unit),
            )
        )
    return tuple(sorted(lines, key=lambda line: (line.name, line.dimension, line.member)))
