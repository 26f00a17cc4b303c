"""What pages, exports and the API are given: frozen dataclasses, no model instances, nothing left to query.

Shares are fractions (0.934); None is unknown and must be shown as such. Dates are local; ends are exclusive.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from calc.months import MonthStanding
from calc.status import State, Status
from metrics.queries.troubles import Trouble
from owners.models import Leader
from owners.queries.leave import Away


@dataclass(frozen=True)
class Person:
    key: str
    name: str
    title: str = ""
    team: str = ""
    team_key: str = ""


@dataclass(frozen=True)
class MetricHead:
    """What a metric is, for a row or a page's head."""

    id: int
    key: str
    name: str
    role: str  # north_star | focus | guardrail | supporting
    lens: str
    stage: str
    unit: str
    better: str  # up | down | band
    low: float | None
    high: float | None
    type: str
    manual: bool
    definition: str
    success: str
    segment: str
    visible: str
    owner: Person | None
    goal_kind: str  # total | level
    goal_grain: str  # the grain of a level's figure; "quarter" for totals
    grain: str  # its own rhythm: the grain in which people speak of it (week; month for monthly manual ones)
    by: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """The owner's own word for where a metric stands, through `until_date`; beside the computed one."""

    state: State  # on track, at risk or off track
    reason: str
    by: str
    made_date: date
    until_date: date


@dataclass(frozen=True)
class Acceptance:
    """A gap to plan that was accepted through `until_date`: up to `shortfall` on the bad side, in the unit.

    exceeded: the gap is worse by now, so that the acceptance no longer covers it.
    """

    shortfall: float
    reason: str
    until_date: date
    by: str
    since: date
    exceeded: bool = False


@dataclass(frozen=True)
class Asking:
    """A gap to plan that the owner asks to be accepted, not answered yet."""

    shortfall: float
    reason: str
    until_date: date
    by: str
    since: date


@dataclass(frozen=True)
class Doubt:
    """An open dispute about a computed figure; `dimension` and `member` are "" for the whole."""

    id: int
    grain: str
    start: date
    end: date
    dimension: str
    member: str
    figure: float | None  # at that time
    text: str
    by: str
    raised_date: date


@dataclass(frozen=True)
class Rejection:
    """A held figure that somebody rejected: the last good one stands until the source says another."""

    grain: str
    start: date
    end: date
    value: float
    reason: str
    by: str
    decided_date: date


@dataclass(frozen=True)
class Progress:
    """One metric's quarter, judged at the last day or period that is due."""

    metric: MetricHead
    quarter: str
    target: float | None
    agreed_target: float | None
    benchmark: float | None  # of the month (or point) that the figure due is held against
    baseline: float | None
    figure: float | None  # the figure due
    period_start: date | None  # of the figure due
    period_end: date | None
    planned_to_date: float | None
    gap: float | None  # figure - planned, in the metric's unit
    progress: float | None
    pace: float | None
    required_rate: float | None  # of totals: what the rest needs per day of the plan's weight (see calc.pace)
    required_per_month: float | None  # the same spread over the months that are left, for people
    required_per_day: float | None
    forecast: float | None
    probability: float | None
    status: Status
    reason: str  # why, in words
    due_through: date | None  # the day that elapsed time and plan run to (inclusive)
    provisional: bool
    stale_since: datetime | None
    target_preliminary: bool = False  # a growth target whose base quarter is not reviewed
    target_state: str = ""  # proposed | answered | agreed; "" without a target
    target_reason: str = ""  # why it was set or changed, as written
    agreed_at: datetime | None = None
    agreed_benchmark: float | None = None  # what was agreed for the month of `benchmark`
    agreed_changed: bool = False  # target or benchmarks have changed since they were agreed
    dimension: str = ""  # of a member's progress; "" is the whole
    member: str = ""
    months: tuple[MonthStanding, ...] = ()  # the plan's months as they went
    needed: str = ""  # what the last month that ended behind asks of the others, in words
    shortfall: float | None = None  # how far on the bad side of the plan; positive is behind
    call: Call | None = None  # the owner's own, also where it agrees with `status`
    accepted: Acceptance | None = None
    asking: Asking | None = None
    doubts: tuple[Doubt, ...] = ()  # open disputes of the quarter's figures
    rejections: tuple[Rejection, ...] = ()  # of the quarter's figures
    troubles: tuple[Trouble, ...] = ()  # of the sources that it follows from

    @property
    def stale_itself(self) -> datetime | None:
        """Since when it is stale, where no trouble of a source has said so already."""
        said = {trouble.since for trouble in self.troubles}
        return None if self.stale_since in said else self.stale_since

    @property
    def own_call(self) -> Call | None:
        """The owner's call where it differs from the computed status, which it stands beside."""
        return self.call if self.call and self.call.state is not self.status.state else None

    @property
    def excused(self) -> Acceptance | None:
        """The accepted deviation where the computed status is behind, which is when it says something."""
        return self.accepted if self.status.state in (State.AT_RISK, State.OFF_TRACK) else None

    @property
    def is_remarked(self) -> bool:
        """Whether anything stands beside the computed status."""
        return bool(self.own_call or self.excused or self.doubts or self.rejections)

    @property
    def is_settled(self) -> bool:
        """Behind, and accepted so: nothing that a meeting has to discuss again."""
        return self.excused is not None and not self.excused.exceeded


@dataclass(frozen=True)
class Point:
    """A figure on a time axis. `at` is the last day of its period."""

    start: date
    at: date
    value: float | None
    provisional: bool = False
    numerator: float | None = None
    denominator: float | None = None
    version: int = 0
    disputed: bool = False


@dataclass(frozen=True)
class QuarterChart:
    """The quarter's progress. Totals: `actual` runs up day by day (manual ones by entered period). Levels:
    `actual` holds the judged figures (goal grain), `fine` the weekly ones between them if there are any."""

    metric: MetricHead
    quarter: str
    label: str
    start: date
    end: date
    kind: str
    actual: tuple[Point, ...]
    fine: tuple[Point, ...]
    plan: tuple[tuple[date, float], ...]  # the dashed line, one point a day or a period
    benchmarks: tuple[tuple[date, float], ...]  # the diamonds, at the last day of each month
    target: float | None
    agreed_target: float | None
    last_year: tuple[tuple[date, float], ...]  # same quarter a year back, moved onto this quarter's days
    due_through: date | None
    agreed_benchmarks: tuple[tuple[date, float], ...] = ()  # only where the plan has changed since


@dataclass(frozen=True)
class Words:
    """An owner's dated sentence."""

    text: str
    date: date
    by: str
    confidence: float | None = None
    next_step: str = ""


@dataclass(frozen=True)
class Todo:
    text: str
    person: str
    due_date: date | None
    id: int = 0


@dataclass(frozen=True)
class Latest:
    """The last whole figure in the own rhythm, with its change on the one before and on a year ago."""

    grain: str
    start: date
    end: date
    value: float | None
    change: float | None  # fraction, or points (difference of fractions) for shares
    year_change: float | None
    provisional: bool


@dataclass(frozen=True)
class Row:
    """One line of the board."""

    progress: Progress
    latest: Latest | None
    spark: tuple[Point, ...]  # up to 13 of the own rhythm, oldest first
    words: Words | None
    action: Todo | None
    was: str = ""  # the status word at the last meeting, where it has become better or worse since

    @property
    def metric(self) -> MetricHead:
        return self.progress.metric


@dataclass(frozen=True)
class Change:
    """One thing that has changed since the last meeting, with the page that explains it."""

    kind: str  # worse | better | restated | missing | late | stale | unowned
    count: int
    text: str  # "1 fell to at risk"
    names: tuple[str, ...]
    path: str  # a URL path with its state


@dataclass(frozen=True)
class Board:
    quarter: str
    label: str
    previous: str
    following: str | None  # None when the quarter has not begun
    as_of: date
    since: date  # the start of "what changed"
    due_through: date | None
    north_star: Row | None
    north_star_chart: QuarterChart | None
    rows: tuple[Row, ...]  # focus and supporting, worst first
    guardrails: tuple[Row, ...]
    changes: tuple[Change, ...]
    banners: tuple[str, ...]  # sources that are late or failed, in words
    lenses: tuple[str, ...]
    teams: tuple[tuple[str, str], ...]  # key, name
    owners: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PartLine:
    """A member that somebody answers for, or nobody, with its last whole month."""

    key: str
    name: str  # of the metric
    unit: str
    dimension: str
    member: str
    owner: Leader | None
    since: date
    note: str
    month: date | None
    figure: float | None
    change: float | None  # on the month before: a fraction, points for shares


@dataclass(frozen=True)
class LeaderCard:
    """A line of /leaders/: states counted, no ranking."""

    person: Person
    rows: tuple[Row, ...]
    due: tuple[str, ...]  # what is due from them, in words
    away: Away | None = None  # their leave, on the day of the page


@dataclass(frozen=True)
class Leaders:
    """The page of all leaders; `unowned` are metrics that nobody answers for, `idle` leaders who answer for
    nothing at all, `vacant` members (metric's key, its name, member) that were left to nobody."""

    quarter: str
    label: str
    cards: tuple[LeaderCard, ...]
    unowned: tuple[Row, ...]
    idle: tuple[Person, ...] = ()
    vacant: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class LeaderPage:
    person: Person
    quarter: str
    label: str
    as_of: date
    summary: str  # Markdown as written
    needs: str
    summary_by: str
    summary_at: datetime | None
    rows: tuple[Row, ...]
    charts: dict[str, QuarterChart] = field(default_factory=dict)  # by metric key
    check_ins: tuple[tuple[MetricHead, Words], ...] = ()
    actions: tuple[Todo, ...] = ()
    away: Away | None = None  # their leave, on `as_of`
    stands_in: tuple[Person, ...] = ()  # for whom, on `as_of`
    parts: tuple[PartLine, ...] = ()  # members that they answer for


@dataclass(frozen=True)
class Limits:
    """Process limits of a metric's history, in its unit; see calc.xmr. None: no limit on that side.

    since: the day of the first point that they were drawn from and hold for; None: the history's first.
    slope: per point, where the limits follow a trend; the lines then hold at that point.
    """

    centre: float
    upper: float | None
    lower: float | None
    upper_range: float
    slope: float = 0.0
    since: date | None = None


@dataclass(frozen=True)
class Signal:
    start: date
    at: date
    value: float
    rules: tuple[str, ...]
    disposition: str  # what it was, "" while unexplained
    by: str


@dataclass(frozen=True)
class History:
    grain: str
    points: tuple[Point, ...]
    limits: Limits | None
    signals: tuple[Signal, ...]
    seams: tuple[tuple[date, str], ...]  # version seams: date, words


@dataclass(frozen=True)
class Segment:
    """A member of a dimension: its last whole month, and the change on the one before and on a year back."""

    member: str
    month: date
    figure: float | None
    change: float | None
    year_change: float | None
    spark: tuple[Point, ...]
    owner: str = ""  # who answers for it apart from the metric's owner; "vacant" where nobody does


@dataclass(frozen=True)
class Restatement:
    start: date
    end: date
    grain: str
    segment: str
    before: float | None
    after: float | None
    replaced_at: datetime
    cause: str


@dataclass(frozen=True)
class RunLine:
    id: int
    source: str
    state: str
    cause: str
    window_start: date | None  # None: what has changed
    window_end: date | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    rows_written: int | None
    rows_changed: int | None
    attempts: int
    step: str
    error: str


@dataclass(frozen=True)
class VersionLine:
    number: int
    created_at: datetime
    by: str
    reason: str
    effective_date: date | None
    event: int | None = None  # the change in the metric's history from which it can be had again


@dataclass(frozen=True)
class EntryCell:
    """One cell of a manual metric's grid. `token` names the entry's state, so that a conflict can be seen."""

    start: date
    end: date
    label: str
    value: float | None
    numerator: float | None
    denominator: float | None
    note: str
    by: str
    entered_at: datetime | None
    due_date: date | None
    open: bool  # may be entered: the period has begun
    late: bool
    token: str


@dataclass(frozen=True)
class Neighbour:
    metric: str
    name: str
    relation: str
    lag: str


@dataclass(frozen=True)
class Edit:
    """One change by hand of a target, a month's plan or an entered figure; "" is nothing there."""

    at: datetime
    by: str
    what: str
    before: str
    after: str
    reason: str


@dataclass(frozen=True)
class OwnerLine:
    """From `since` on `who` ("vacant": nobody) answers; `note` is what was said then, by `by`."""

    since: date
    who: str
    note: str
    by: str


@dataclass(frozen=True)
class DisputeLine:
    """A dispute as pages show it. `figure` is what was said to look wrong: `July, Spain: 1 204`."""

    id: int
    metric: str
    name: str
    figure: str
    text: str
    by: str
    raised_at: datetime
    state: str
    outcome: str  # in words, "" while open
    answer: str
    closed_by: str
    closed_at: datetime | None
    may_answer: bool = False
    may_withdraw: bool = False


@dataclass(frozen=True)
class HeldLine:
    """A held figure in words; `token` names it for the form."""

    words: str
    token: str


@dataclass(frozen=True)
class DecisionLine:
    """What somebody decided about a held figure. `ended_at`: since when the source says another."""

    period: str
    value: float
    outcome: str
    reason: str
    by: str
    decided_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class MetricPage:
    row: Row
    chart: QuarterChart
    history: History
    quarters: tuple[tuple[str, float | None, float | None], ...]
    # (quarter's label, figure in the same elapsed part, whole quarter's figure), newest first
    segments: dict[str, tuple[Segment, ...]]  # by dimension
    drivers: tuple[Neighbour, ...]
    drives: tuple[Neighbour, ...]
    check_ins: tuple[Words, ...]
    owners: tuple[OwnerLine, ...]
    restatements: tuple[Restatement, ...]
    versions: tuple[VersionLine, ...]
    runs: tuple[RunLine, ...]
    entries: tuple[EntryCell, ...]  # of a manual metric, newest first
    collect: dict[str, str]  # by, every, due, from, how
    sql: tuple[tuple[str, str], ...]  # (title, text) of how it is computed
    error: str  # of the last failed recompute
    held: tuple[HeldLine, ...]  # implausible figures held for checking, newest first
    edits: tuple[Edit, ...] = ()  # who changed what by hand, newest first
    disputes: tuple[DisputeLine, ...] = ()  # open and closed ones, newest first
    decisions: tuple[DecisionLine, ...] = ()  # about held figures, newest first
    actions: tuple[Todo, ...] = ()  # that are open
    members: dict[str, tuple[Progress, ...]] = field(default_factory=dict)  # with a target, by dimension


@dataclass(frozen=True)
class SourceLine:
    key: str
    warehouse: str
    engine: str
    state: str  # fresh | late | failed | unknown
    watermark: date | None
    checked_at: datetime | None
    late_since: datetime | None
    data_owner: str
    metrics: tuple[tuple[str, str], ...]
    error: str


@dataclass(frozen=True)
class TargetCell:
    """Our plan for one month, and beside it what is known: what it brought (an ended one; see calc.months),
    what it now needs, what was agreed where that is another figure, and the same month a year before."""

    month: date
    value: float | None
    planned: float | None = None  # the stated figure, or the one that follows from the target
    actual: float | None = None
    ended: bool = False
    gap: float | None = None
    behind: bool = False
    needed: float | None = None
    agreed: float | None = None
    last_year: float | None = None


@dataclass(frozen=True)
class Answer:
    """One step of the talk about a target; `kind` as in metrics.models.TargetAnswer."""

    kind: str
    figure: float | None
    growth: str
    text: str
    by: str
    at: datetime


@dataclass(frozen=True)
class TargetRow:
    """A line of the grid metrics x months. `token` names the stored state, so that a conflict can be seen.

    resolved: the target in numbers, a growth counted from the base. agreed: the target that was agreed, in
    numbers. answer: what its owner has answered last, while that waits for a decision.
    """

    metric: MetricHead
    quarter: str
    value: float | None
    agreed_value: float | None
    growth: str
    months: tuple[TargetCell, ...]
    adds_up: bool  # whether the months must add up to the target
    last_year: float | None
    last_quarter: float | None
    token: str
    resolved: float | None = None
    preliminary: bool = False
    baseline: float | None = None
    state: str = ""  # proposed | answered | agreed; "" without a target
    changed: bool = False  # since it was agreed
    agreed_growth: str = ""
    reason: str = ""
    answer: Answer | None = None
    additive: bool = False
    stated_baseline: float | None = None  # the one that was written with the target
    dimension: str = ""
    member: str = ""
    weight: float | None = None  # the denominator of the figure looked back at, where it has one
    needed: str = ""
    owner: Person | None = None  # of a member that has one of its own; else its metric's owner speaks for it
    owned_apart: bool = False  # it has an owner of its own, or is left to nobody
