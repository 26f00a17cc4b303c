"""The board: where the North Star stands, what changed since last week, and one list with the worst first."""

from collections.abc import Sequence
from datetime import date
from urllib.parse import urlencode

from django.db.models import Count

from calc.calendar import WEEK, Calendar, Grain
from calc.status import State
from metrics.models import Revision, Source
from metrics.queries import installation
from metrics.queries.courses import DAY, Course, load
from metrics.queries.progress import judge
from metrics.queries.quarters import chart, fine_wanted
from metrics.queries.rows import CHECKED_IN, rows, spark_wanted, worst_first
from metrics.queries.scope import visible_metrics
from metrics.queries.series import read
from metrics.queries.shapes import Board, Change, MetricHead, Row
from owners.models import CheckIn, Team, User

LISTED = ("focus", "supporting")
_BAD = {State.OFF_TRACK: 0, State.AT_RISK: 1}  # what can be fallen to, the worst first


def board(
    user: User | None,
    *,
    quarter: str | None = None,
    as_of: date | None = None,
    lens: str = "",
    team: str = "",
    owner: str = "",
) -> Board:
    """The board of a quarter as `user` may see it; by default that of `as_of`, and that today.

    lens, team, owner narrow the list, not the North Star. ValueError for a name that is no quarter. The
    number of SQL statements does not grow with the number of metrics.
    """
    cal = installation.calendar()
    today = installation.today(cal)
    name = quarter or cal.quarter_name(as_of or today)
    period = cal.quarter(name)
    as_of = as_of or min(today, period.end - DAY)
    courses = load(list(visible_metrics(user)), name, cal=cal, as_of=as_of)
    since = cal.period(Grain.WEEK, as_of).start - WEEK  # what a weekly meeting saw last
    star = next((c for c in courses if c.metric.role == "north_star"), None)
    series = read([*(spark_wanted(c) for c in courses), *([fine_wanted(star)] if star else [])])
    fine = series.pop() if star else ()
    lines = rows(courses, series, cal)
    label = cal.quarter_label(name)
    chosen = [r for r in lines if _fits(r, lens, team, owner)]
    following = cal.next(period)
    return Board(
        quarter=name,
        label=label,
        previous=cal.quarter_name(cal.previous(period).start),
        following=cal.quarter_name(following.start) if following.start <= today else None,
        as_of=as_of,
        since=since,
        due_through=max((c.through for c in courses if c.through and c.manual is None), default=None),
        north_star=next((r for r in lines if r.metric.role == "north_star"), None),
        north_star_chart=chart(star, label, fine) if star else None,
        rows=worst_first(r for r in chosen if r.metric.role in LISTED),
        guardrails=worst_first(r for r in chosen if r.metric.role == "guardrail"),
        changes=_changes(courses, lines, since, cal, name),
        banners=banners(),
        lenses=tuple(dict.fromkeys(r.metric.lens for r in lines if r.metric.lens)),
        teams=tuple(Team.objects.filter(archived_at=None).order_by("name").values_list("key", "name")),
        owners=tuple(sorted({(o.key, o.name) for r in lines if (o := r.metric.owner)}, key=lambda o: o[1])),
    )


def banners() -> tuple[str, ...]:
    """Sources that are behind their time or could not be read, in words. One SQL statement."""
    words = []
    for source in Source.objects.filter(archived_at=None).select_related("data_owner").order_by("key"):
        told = f"; {source.data_owner.name} has been told" if source.data_owner else ""
        mark = source.watermark
        through = f"figures are as of {_say(mark - DAY)}" if mark else "nothing is loaded"
        if source.failed_since:
            since = _say(source.failed_since.date())
            words.append(f"{source.key} could not be read since {since}: {through}{told}.")
        elif source.late_since:
            words.append(f"{source.key} is late: {through}{told}.")
    return tuple(words)


def _fits(row: Row, lens: str, team: str, owner: str) -> bool:
    who = row.metric.owner
    return (
        (not lens or row.metric.lens == lens)
        and (not team or (who is not None and who.team_key == team))
        and (not owner or (who is not None and who.key == owner))
    )


def _changes(
    courses: Sequence[Course], lines: Sequence[Row], since: date, cal: Calendar, quarter: str
) -> tuple[Change, ...]:
    """What is new since the last meeting. Two SQL statements."""
    fell: dict[State, list[str]] = {}
    better: list[str] = []
    for course, row in zip(courses, lines, strict=True):
        if since < course.quarter.start:
            break
        then = judge(course.at(since)).status.state
        now = row.progress.status.state
        if now in _BAD and _BAD[now] < _BAD.get(then, 9) and then in (*_BAD, State.ON_TRACK):
            fell.setdefault(now, []).append(row.metric.name)
        elif then in _BAD and (now is State.ON_TRACK or (now in _BAD and _BAD[now] > _BAD[then])):
            better.append(row.metric.name)
    state = urlencode({"quarter": quarter})
    found = [
        Change("worse", len(names), f"{len(names)} fell to {status.word}", tuple(names), f"/?{state}#list")
        for status, names in sorted(fell.items(), key=lambda pair: _BAD[pair[0]])
    ]
    if better:
        found.append(
            Change("better", len(better), f"{len(better)} recovered", tuple(better), f"/?{state}#list")
        )
    keys = {c.metric.id: row.metric for c, row in zip(courses, lines, strict=True)}
    found.extend(_restated(keys, since, cal))
    found.extend(_silent(lines, since, state))
    unowned = [r.metric for r in lines if r.metric.owner is None]
    if unowned:
        words = f"{len(unowned)} without an owner"
        path = f"/metrics/{unowned[0].key}/" if len(unowned) == 1 else f"/leaders/?{state}"
        found.append(Change("unowned", len(unowned), words, tuple(m.name for m in unowned), path))
    return tuple(found)


def _restated(heads: dict[int, MetricHead], since: date, cal: Calendar) -> list[Change]:
    """Metrics of which a whole ended month has been restated since."""
    counted = (
        Revision.objects.filter(
            metric_id__in=list(heads), replaced_at__gte=cal.opens(since), grain="month", dimension=""
        )
        .exclude(cause__in=["open"])
        .values_list("metric_id")
        .annotate(Count("period_start", distinct=True))
        .order_by()
    )
    restated = [(heads[metric], number) for metric, number in counted]
    if not restated:
        return []
    figures = sum(number for _, number in restated)
    words = f"{figures} figure{'s' if figures > 1 else ''} restated"
    first = restated[0][0]
    return [
        Change(
            "restated", figures, words, tuple(m.name for m, _ in restated), f"/metrics/{first.key}/#revisions"
        )
    ]


def _silent(lines: Sequence[Row], since: date, state: str) -> list[Change]:
    """Owned North Star, focus and guardrail metrics on which their owner has said nothing since."""
    asked = [r for r in lines if r.metric.owner and r.metric.role in CHECKED_IN]
    keys = [r.metric.key for r in asked]
    spoken = set(
        CheckIn.objects.filter(metric_key__in=keys, date__gte=since).values_list("metric_key", flat=True)
    )
    quiet = [r.metric.name for r in asked if r.metric.key not in spoken]
    if not quiet:
        return []
    words = f"{len(quiet)} check-in{'s' if len(quiet) > 1 else ''} missing"
    return [Change("missing", len(quiet), words, tuple(quiet), f"/leaders/?{state}")]


def _say(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"
