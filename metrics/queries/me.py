"""What is due from one person: words on the metrics that they own, figures that they count, open actions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Q

from calc.cadence import Cadence, Due, Every
from calc.calendar import Calendar
from calc.clock import FreeDays
from calc.status import State
from metrics.models import Metric
from metrics.queries import installation
from metrics.queries.agreements import count_waiting_for_owner
from metrics.queries.askings import day_of, days_off, word_due
from metrics.queries.courses import Course, load
from metrics.queries.entries import cells_of
from metrics.queries.members import parts_of
from metrics.queries.progress import judge
from metrics.queries.rows import rows, spark_wanted
from metrics.queries.scope import visible_metrics
from metrics.queries.series import read
from metrics.queries.shapes import EntryCell, MetricHead, PartLine, Row
from owners.models import Action, CheckIn, Leader, User
from owners.queries.cadences import cadences
from owners.queries.handing import Handed, handed_to
from owners.queries.leave import Away, away_on
from owners.queries.ownership import rows_on
from owners.rules import collector_of, leader_of, writes
from owners.services.check_ins import token_of

ORDER = ("late", "due", "done", "free")
WAITING = ("late", "due")
JUDGED = (State.ON_TRACK, State.AT_RISK, State.OFF_TRACK)


@dataclass(frozen=True)
class Said:
    """One's own last words on a metric, or those of whom one stands in for."""

    text: str
    date: date
    confidence: float | None
    next_step: str
    help_needed: str


@dataclass(frozen=True)
class Asked:
    """What one metric wants of a person. `state` is late, due, done, or free: nothing is asked.

    speaks: they own it and may say what changed. words: the check-in that is due, None where none is asked.
    cell: the period whose figure they have to give. token: names the owner's last words. cadence: how often
    they are asked, None where it is the rhythm of the figures. stands_in: for whom, on leave, the person
    speaks or counts here; None where it is their own.
    """

    metric: Metric
    speaks: bool
    words: Due | None
    cell: EntryCell | None
    said: Said | None
    token: str
    state: str
    cadence: Cadence | None = None
    stands_in: Away | None = None

    @property
    def since(self) -> date | None:
        """The end of the period that is asked about: it tells one check-in from the next."""
        return self.words.since if self.words else self.cell.end if self.cell else None

    @property
    def due_date(self) -> date | None:
        """By when the first thing that is missing is due."""
        missing = [self.cell.due_date] if self.cell else []
        if self.words and not self.words.said:
            missing.append(self.words.due_date)
        return min((day for day in missing if day), default=None)


@dataclass(frozen=True)
class Item:
    """One screen: what is asked, where the metric stands, and the label of the button for nothing new.

    turned: what the metric was when the last words were given in this quarter, where it is something else
    now; "nothing new" is then no answer.
    """

    asked: Asked
    row: Row
    is_share: bool
    nothing_new: str
    handed: Handed | None = None  # how it came to them, where they have not said a word on it yet
    turned: State | None = None

    @property
    def metric(self) -> MetricHead:
        return self.row.metric

    @property
    def key(self) -> str:
        return self.row.metric.key

    @property
    def state(self) -> str:
        return self.asked.state


@dataclass(frozen=True)
class ActionLine:
    """An action as a person sees it; `name` is that of its metric, "" where they may not see it."""

    id: int
    text: str
    person: str
    due_date: date | None
    overdue: bool
    key: str
    name: str


@dataclass(frozen=True)
class MyPage:
    """leads: whether this person is a leader at all. done_today: actions that can still be reopened."""

    leads: bool
    as_of: date
    items: tuple[Item, ...]  # late, due, done, free
    actions: tuple[ActionLine, ...]
    done_today: tuple[ActionLine, ...]
    parts: tuple[PartLine, ...] = ()  # members that they answer for

    @property
    def waiting(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.state in WAITING)

    @property
    def rest(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.state not in WAITING)

    @property
    def owned(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.asked.speaks)

    def item(self, key: str) -> Item | None:
        return next((item for item in self.items if item.key == key), None)

    def after(self, key: str) -> Item | None:
        """The next that waits after this one, from the top again at the end; None if no other waits."""
        keys = [item.key for item in self.items]
        at = keys.index(key) if key in keys else -1
        others = [*self.items[at + 1 :], *self.items[: max(at, 0)]]
        return next((item for item in others if item.state in WAITING and item.key != key), None)


def my_page(user: User, *, as_of: date | None = None) -> MyPage:
    """What is due from `user` on a day, today by default; the number of SQL statements does not grow with
    the metrics."""
    cal = installation.calendar()
    leader = leader_of(user) if user.is_active else None
    day = as_of or day_of(leader, cal)
    if leader is None:
        return MyPage(False, day, (), (), ())
    loaded = as_of or installation.today(cal)
    asked = asks(user, leader, cal, day, loaded)
    seen = set(visible_metrics(user).values_list("key", flat=True))
    courses = load([a.metric for a in asked], cal.quarter_name(loaded), cal=cal, as_of=loaded, seen=seen)
    lines = rows(courses, read([spark_wanted(c) for c in courses]), cal)
    handed = handed_to(leader, loaded)
    items = tuple(
        _item(a, row, handed, _turned(a, course))
        for a, row, course in zip(asked, lines, courses, strict=True)
    )
    own = {i.key for i in items if i.asked.speaks and i.asked.stands_in is None}
    actions, done = _actions(user, leader, own, cal, day)
    return MyPage(True, day, items, actions, done, parts_of(user, leader, cal, loaded))


def count_due(user: User) -> int | None:
    """How many metrics and targets wait for a word of `user` today; None for whoever leads nothing. Eight SQL
    statements."""
    leader = leader_of(user) if user.is_active else None
    if leader is None:
        return None
    cal = installation.calendar()
    today = installation.today(cal)
    found = asks(user, leader, cal, day_of(leader, cal), today)
    targets = count_waiting_for_owner(user, cal, today)
    return sum(a.state in WAITING for a in found) + targets if found or targets else None


def asks(user: User, leader: Leader, cal: Calendar, day: date, today: date) -> list[Asked]:
    """Every metric that `leader`, or who is on leave and has named them, owns or counts; the late first. Six
    SQL statements.

    day: which it is where the leader is; by it things are due. today: the installation's; by it, as in the
    rules, one owns and stands in.
    """
    absent = {a.leader.pk: a for a in away_on(today).values() if a.stand_in == leader}
    held = [row for row in rows_on(today) if row.leader_id == leader.pk or row.leader_id in absent]
    if not writes.test(user):  # owns, but may not speak
        held = []
    begun = {row.metric_key: row for row in held}
    counted = {leader.key: None, **{a.leader.key: a for a in absent.values()}}
    mine = Q(key__in=list(begun))
    for key in counted:
        mine |= Q(spec__collect__by=key)
    metrics = [m for m in visible_metrics(user).filter(mine) if m.key in begun or collector_of(m) in counted]
    by = installation.words_by(cal, max(day, today))
    newest = CheckIn.objects.filter(
        metric_key__in=list(begun), leader__in=[leader.pk, *absent], date__lte=by
    ).order_by("metric_key", "leader_id", "-date", "-created_at")
    said = {(c.metric_key, c.leader_id): c for c in newest.distinct("metric_key", "leader_id")}
    free, rhythms = days_off(leader, cal, day), cadences(begun)
    cells = cells_of([m for m in metrics if m.type == "manual"], cal, day, free)
    found = []
    for metric in metrics:
        row, counter = begun.get(metric.key), collector_of(metric)
        last = said.get((metric.key, row.leader_id or 0)) if row else None
        asked = _asked(
            metric,
            row.from_date if row else None,
            counter in counted,
            rhythms.get(metric.key),
            last,
            cells.get(metric.pk, ()),
            cal,
            day,
            free,
        )
        whose = absent.get(row.leader_id or 0) if row else counted.get(counter)
        found.append(replace(asked, stands_in=whose))
    return sorted(found, key=lambda a: (ORDER.index(a.state), a.due_date or date.max))


def _asked(
    metric: Metric,
    begun: date | None,
    counts: bool,
    rhythm: Cadence | None,
    last: CheckIn | None,
    cells: tuple[EntryCell, ...],
    cal: Calendar,
    day: date,
    free: FreeDays,
) -> Asked:
    """begun: since when whoever is asked for a word owns the metric, None where nobody is. counts: whether
    they give its figures."""
    cell = _missing(cells, day) if counts or (begun is not None and not collector_of(metric)) else None
    words = None
    if begun is not None:
        words = word_due(metric, rhythm, last.date if last else None, begun, cal, day, free)
    if (cell and cell.late) or (words and words.late):
        state = "late"
    elif cell or (words and not words.said):
        state = "due"
    else:
        state = "done" if words or cells else "free"
    said = Said(last.text, last.date, last.confidence, last.next_step, last.help_needed) if last else None
    return Asked(metric, begun is not None, words, cell, said, token_of(last), state, rhythm)


def _missing(cells: tuple[EntryCell, ...], day: date) -> EntryCell | None:
    """The period whose figure is asked for: the oldest late one, else the one that ended last."""
    ended = [cell for cell in cells if cell.end <= day]
    late = [cell for cell in ended if cell.late]
    if late:
        return late[-1]
    return ended[0] if ended and ended[0].entered_at is None else None


def _turned(asked: Asked, course: Course) -> State | None:
    """What the metric was judged on the day of the last words, where it is judged otherwise now."""
    if asked.said is None or not course.quarter.start <= asked.said.date < course.as_of:
        return None
    was, now = judge(course.at(asked.said.date)).status.state, judge(course).status.state
    return was if was is not now and was in JUDGED and now in JUDGED else None


def _item(asked: Asked, row: Row, handed: Mapping[str, Handed], turned: State | None) -> Item:
    status = row.progress.status
    if status.state is State.ON_TRACK and not status.stale and row.progress.own_call is None:
        label = "Nothing new, still on track"
    else:
        label = f"Nothing new since last {_span(asked)}"
    is_share = asked.metric.spec.get("kind") == "share"
    return Item(asked, row, is_share, label, handed.get(asked.metric.key), turned)


def _span(asked: Asked) -> str:
    if asked.words is None or (asked.cadence and asked.cadence.every is Every.WEEKS):
        return "time"
    return str(asked.words.period.grain)


def _actions(
    user: User, leader: Leader, owned: set[str], cal: Calendar, day: date
) -> tuple[tuple[ActionLine, ...], tuple[ActionLine, ...]]:
    """The open actions that concern `leader`, and those done today. Two SQL statements."""
    mine = Q(leader=leader) | Q(metric_key__in=sorted(owned))
    fresh = Q(done_at=None) | Q(done_at__gte=cal.opens(day))
    found = list(Action.objects.filter(mine, fresh).select_related("leader").order_by("due_date", "id"))
    keys = {a.metric_key for a in found if a.metric_key}
    names = dict(visible_metrics(user).filter(key__in=keys).values_list("key", "name"))

    def line(action: Action) -> ActionLine:
        due = action.due_date
        person = action.leader.name if action.leader and action.leader != leader else ""
        key = action.metric_key if action.metric_key in names else ""
        return ActionLine(
            action.pk, action.text, person, due, due is not None and due < day, key, names.get(key, "")
        )

    return (
        tuple(line(a) for a in found if a.done_at is None),
        tuple(line(a) for a in found if a.done_at is not None),
    )
