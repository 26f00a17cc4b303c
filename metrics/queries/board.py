"""The board: where the North Star stands, what changed since last week, and one list with the worst first."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from urllib.parse import urlencode

from django.db.models import Count

from calc.calendar import Calendar
from calc.status import State
from metrics.models import Revision, Source
from metrics.queries import installation
from metrics.queries.askings import tenures, words_due
from metrics.queries.courses import DAY, Course, load
from metrics.queries.progress import judge
from metrics.queries.quarters import chart, fine_wanted
from metrics.queries.rows import last_meeting, rows, spark_wanted, worst_first
from metrics.queries.scope import visible_metrics
from metrics.queries.series import read
from metrics.queries.shapes import Board, Change, MetricHead, Row
from metrics.queries.troubles import trouble_of
from owners.models import Team, User

LISTED = ("focus", "supporting")
_NAMED = 3  # restated metrics that are named one by one
_BAD = {State.OFF_TRACK: 0, State.AT_RISK: 1}  # what can be fallen to, the worst first


def board(
    user: User | None,
    *,
    quarter: str | None = None,
    as_of: date | None = None,
    lens: str = "",
    team: str = "",
    owner: str = "",
    without_accepted: bool = False,
) -> Board:
    """The board of a quarter as `user` may see it; by default that of `as_of`, and that today.

    lens, team, owner narrow the list, not the North Star; `without_accepted` leaves out of it what is behind
    by no more than was accepted. ValueError for a name that is no quarter. The
    number of SQL statements does not grow with the number of metrics.
    """
    cal = installation.calendar()
    today = installation.today(cal)
    name = quarter or cal.quarter_name(as_of or today)
    period = cal.quarter(name)
    kept = {"quarter": name, "as_of": as_of.isoformat()} if as_of else {"quarter": name}
    as_of = as_of or min(today, period.end - DAY)
    metrics = list(visible_metrics(user))
    courses = load(metrics, name, cal=cal, as_of=as_of, seen={m.key for m in metrics})
    since = last_meeting(cal, as_of)
    star = next((c for c in courses if c.metric.role == "north_star"), None)
    series = read([*(spark_wanted(c) for c in courses), *([fine_wanted(star)] if star else [])])
    fine = series.pop() if star else ()
    was = _states(courses, since)
    lines = tuple(_moved(row, was) for row in rows(courses, series, cal))
    label = cal.quarter_label(name)
    chosen = [r for r in lines if _fits(r, lens, team, owner)]
    settled = [r for r in chosen if r.progress.is_settled and r.metric.role in (*LISTED, "guardrail")]
    if without_accepted:
        chosen = [r for r in chosen if not r.progress.is_settled]
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
        settled=len(settled),
        changes=_changes(courses, lines, was, since, cal, urlencode(kept)),
        banners=banners(),
        lenses=tuple(dict.fromkeys(r.metric.lens for r in lines if r.metric.lens)),
        teams=tuple(Team.objects.filter(archived_at=None).order_by("name").values_list("key", "name")),
        owners=tuple(sorted({(o.key, o.name) for r in lines if (o := r.metric.owner)}, key=lambda o: o[1])),
    )


def banners() -> tuple[str, ...]:
    """Sources that are behind their time or could not be read, in words. One SQL statement."""
    words = []
    for source in Source.objects.filter(archived_at=None).select_related("data_owner").order_by("key"):
        who = source.data_owner.name if source.data_owner else None
        trouble = trouble_of(source.key, source.watermark, source.late_since, source.failed_since, who)
        words += [trouble.words] if trouble else []
    return tuple(words)


def _fits(row: Row, lens: str, team: str, owner: str) -> bool:
    who = row.metric.owner
    return (
        (not lens or row.metric.lens == lens)
        and (not team or (who is not None and who.team_key == team))
        and (not owner or (who is not None and who.key == owner))
    )


def _states(courses: Sequence[Course], since: date) -> dict[str, State]:
    """Where each metric stood at the last meeting, by key; nothing where that was in another quarter."""
    return {c.metric.key: judge(c.at(since)).status.state for c in courses if since >= c.quarter.start}


def _worse(then: State | None, now: State) -> bool:
    return now in _BAD and then in (*_BAD, State.ON_TRACK) and _BAD[now] < _BAD.get(then, 9)


def _better(then: State | None, now: State) -> bool:
    return then in _BAD and (now is State.ON_TRACK or (now in _BAD and _BAD[now] > _BAD[then]))


def _moved(row: Row, was: Mapping[str, State]) -> Row:
    """The row with what it was, where that is news."""
    then, now = was.get(row.metric.key), row.progress.status.state
    return replace(row, was=then.word) if then and (_worse(then, now) or _better(then, now)) else row


def _changes(
    courses: Sequence[Course],
    lines: Sequence[Row],
    was: Mapping[str, State],
    since: date,
    cal: Calendar,
    state: str,
) -> tuple[Change, ...]:
    """What is new since the last meeting. Two SQL statements."""
    fell: dict[State, list[MetricHead]] = {}
    better: list[MetricHead] = []
    for row in lines:
        then, now = was.get(row.metric.key), row.progress.status.state
        if _worse(then, now):
            fell.setdefault(now, []).append(row.metric)
        elif _better(then, now):
            better.append(row.metric)

    def change(kind: str, heads: list[MetricHead], words: str, many: str, part: str = "") -> Change:
        """One metric is explained by its own page, several by the page at `many`."""
        path = f"/metrics/{heads[0].key}/?{state}{part}" if len(heads) == 1 else many
        return Change(kind, len(heads), words, tuple(h.name for h in heads), path)

    board = f"/?{state}#list"
    found = [
        change("worse", heads, f"{len(heads)} fell to {status.word}", board)
        for status, heads in sorted(fell.items(), key=lambda pair: _BAD[pair[0]])
    ]
    if better:
        found.append(change("better", better, f"{len(better)} recovered", board))
    found.extend(_restated({row.metric.id: row.metric for row in lines}, since, cal, state))
    found.extend(_silent(courses, lines, cal, state))
    unowned = [r.metric for r in lines if r.metric.owner is None]
    if unowned:
        found.append(change("unowned", unowned, f"{len(unowned)} without an owner", f"/leaders/?{state}"))
    return tuple(found)


def _restated(heads: dict[int, MetricHead], since: date, cal: Calendar, state: str) -> list[Change]:
    """Metrics of which a whole ended month has been restated since; each line leads to its metric."""
    counted = (
        Revision.objects.filter(
            metric_id__in=list(heads), replaced_at__gte=cal.opens(since), grain="month", dimension=""
        )
        .exclude(cause__in=["open", "status"])
        .values_list("metric_id")
        .annotate(Count("period_start", distinct=True))
        .order_by()
    )
    restated = sorted(((heads[m], number) for m, number in counted), key=lambda pair: pair[0].name)
    if len(restated) > _NAMED:
        figures = sum(number for _, number in restated)
        words = f"{figures} figures of {len(restated)} metrics restated"
        return [Change("restated", figures, words, tuple(m.name for m, _ in restated), f"/metrics/?{state}")]
    found = []
    for m, number in restated:
        words = f"{number} figure{'s' if number > 1 else ''} restated"
        words += f" of {m.name}" if len(restated) > 1 else ""
        found.append(Change("restated", number, words, (m.name,), f"/metrics/{m.key}/?{state}#revisions"))
    return found


def _silent(courses: Sequence[Course], lines: Sequence[Row], cal: Calendar, state: str) -> list[Change]:
    """Metrics whose owner was asked for a word, by the metric's own rhythm, and has not given it in time. Two
    SQL statements."""
    if not courses:
        return []
    day = courses[0].as_of
    said = {r.metric.key: r.words.date for r in lines if r.words}
    due = words_due([c.metric for c in courses], tenures(day), said, cal, day)
    quiet = [r.metric.name for r in lines if r.metric.key in due and due[r.metric.key].missed]
    if not quiet:
        return []
    words = f"{len(quiet)} check-in{'s' if len(quiet) > 1 else ''} missing"
    return [Change("missing", len(quiet), words, tuple(quiet), f"/leaders/?{state}")]
