"""How each leader's quarter goes: the list without a ranking, and one leader's page."""

from datetime import date

from django.db.models import Q, QuerySet

from calc.cadence import Due
from calc.calendar import Calendar
from calc.status import State
from metrics.models import Metric, Source
from metrics.queries import installation
from metrics.queries.askings import tenures, words_due
from metrics.queries.courses import DAY, Course, load
from metrics.queries.heads import person
from metrics.queries.members import parts_of
from metrics.queries.quarters import chart, fine_wanted
from metrics.queries.rows import rows, said, spark_wanted, todo, worst_first
from metrics.queries.scope import visible_metrics
from metrics.queries.series import read
from metrics.queries.shapes import LeaderCard, LeaderPage, Leaders, Row
from owners.models import Action, CheckIn, Leader, Summary, User
from owners.queries.leave import away_on, standing_in
from owners.queries.ownership import parts_on, rows_on
from owners.rules import collector_of

TOLD = 30  # check-ins on a leader's page


def leaders(user: User | None, *, quarter: str | None = None, as_of: date | None = None) -> Leaders:
    """Every leader by name with their metrics, and the metrics that nobody owns."""
    courses, lines, name = _lines(user, quarter, as_of)
    cal = installation.calendar()
    due = _words_due(courses, lines, cal)
    day = as_of or min(installation.today(cal), cal.quarter(name).end - DAY)
    away, busy = away_on(day), _busy(day)
    cards, idle = [], []
    for leader in Leader.objects.filter(archived_at=None).select_related("team").order_by("name"):
        own = tuple(r for r in lines if r.metric.owner and r.metric.owner.key == leader.key)
        cards.append(LeaderCard(person(leader), worst_first(own), _due(own, due), away.get(leader.pk)))
        if leader.key not in busy:
            idle.append(person(leader))
    unowned = tuple(r for r in lines if r.metric.owner is None)
    names = {r.metric.key: r.metric.name for r in lines}
    vacant = tuple(
        (p.metric_key, names[p.metric_key], p.member) for p in parts_on(day, names) if p.leader is None
    )
    return Leaders(name, cal.quarter_label(name), tuple(cards), unowned, tuple(idle), vacant)


def _busy(day: date) -> set[str]:
    """Keys of the leaders who own a metric or a member of one, count figures or keep a source healthy;
    whether the reader may see it or not. Four SQL statements."""
    there = {m.key: m for m in Metric.objects.filter(archived_at=None)}
    owned = [row for row in rows_on(day).select_related("leader") if row.metric_key in there]
    found = {row.leader.key for row in owned if row.leader is not None}
    found |= {p.leader.key for p in parts_on(day, there) if p.leader is not None}
    found |= {collector_of(metric) for metric in there.values()}
    kept = Source.objects.filter(archived_at=None).exclude(data_owner=None)
    return found | set(kept.values_list("data_owner__key", flat=True))


def leader_page(
    user: User | None, key: str, *, quarter: str | None = None, as_of: date | None = None
) -> LeaderPage | None:
    """One leader's quarter; None if there is no such leader."""
    leader = Leader.objects.filter(key=key).select_related("team").first()
    if leader is None:
        return None
    courses, lines, name = _lines(user, quarter, as_of, leader.key)
    cal = installation.calendar()
    label = cal.quarter_label(name)
    summary = Summary.objects.filter(leader=leader, quarter=name).select_related("author").first()
    own = worst_first(lines)
    heads = {r.metric.key: r.metric for r in own}
    fine = read([fine_wanted(c) for c in courses])
    charts = {c.metric.key: chart(c, label, f) for c, f in zip(courses, fine, strict=True)}
    day = as_of or min(installation.today(cal), cal.quarter(name).end - DAY)
    check_ins = CheckIn.objects.filter(metric_key__in=list(heads), date__lte=installation.words_by(cal, day))
    return LeaderPage(
        person=person(leader),
        quarter=name,
        label=label,
        as_of=day,
        summary=summary.text if summary else "",
        needs=summary.needs if summary else "",
        summary_by=str(summary.author or leader) if summary else "",
        summary_at=summary.updated_at if summary else None,
        rows=own,
        charts=charts,
        check_ins=tuple(
            (heads[c.metric_key], said(c)) for c in check_ins.select_related("leader", "author")[:TOLD]
        ),
        actions=tuple(todo(a) for a in _actions(user, leader)),
        away=away_on(day).get(leader.pk),
        stands_in=tuple(person(absent) for absent in standing_in(leader, day)),
        parts=parts_of(user, leader, cal, day),
    )


def _actions(user: User | None, leader: Leader) -> QuerySet[Action]:
    """What the leader has to do, as far as `user` may see the metric that it is about."""
    seen = Q(metric_key="") | Q(metric_key__in=visible_metrics(user).values("key"))
    return Action.objects.filter(seen, leader=leader, done_at=None).select_related("leader")


def _lines(
    user: User | None, quarter: str | None, as_of: date | None, leader: str = ""
) -> tuple[list[Course], tuple[Row, ...], str]:
    cal = installation.calendar()
    today = installation.today(cal)
    name = quarter or cal.quarter_name(as_of or today)
    day = as_of or min(today, cal.quarter(name).end - DAY)
    metrics = list(visible_metrics(user))
    courses = load(metrics, name, cal=cal, as_of=day, seen={m.key for m in metrics})
    if leader:
        courses = [c for c in courses if c.head.owner and c.head.owner.key == leader]
    return courses, rows(courses, read([spark_wanted(c) for c in courses]), cal), name


def _words_due(courses: list[Course], lines: tuple[Row, ...], cal: Calendar) -> dict[str, Due]:
    """What owners are asked to say, by metric. Two SQL statements."""
    if not courses:
        return {}
    day = courses[0].as_of
    said = {r.metric.key: r.words.date for r in lines if r.words}
    return words_due([c.metric for c in courses], tenures(day), said, cal, day)


def _due(own: tuple[Row, ...], due: dict[str, Due]) -> tuple[str, ...]:
    """What is due from a leader, in words: figures that are late, and metrics on which they were asked for a
    word in vain, as the board counts them."""
    late = [  # a source that is late is its data owner's
        f"{r.metric.name}: {r.progress.reason}"
        for r in own
        if r.metric.manual and r.progress.status.state is State.LATE
    ]
    silent = [
        f"{r.metric.name}: no check-in {f'since {r.words.date.day} {r.words.date:%b}' if r.words else 'yet'}"
        for r in own
        if r.metric.key in due and due[r.metric.key].missed
    ]
    return (*late, *silent)
