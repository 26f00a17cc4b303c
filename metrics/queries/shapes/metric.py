"""One metric's page."""

from dataclasses import dataclass, field
from datetime import date, datetime

from metrics.queries.shapes.board import Row
from metrics.queries.shapes.entries import Edit, EntryCell
from metrics.queries.shapes.heads import Todo, Words
from metrics.queries.shapes.history import History, Restatement, Segment
from metrics.queries.shapes.machinery import RunLine, VersionLine
from metrics.queries.shapes.progress import Progress, QuarterChart


@dataclass(frozen=True)
class Neighbour:
    metric: str
    name: str
    relation: str
    lag: str


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
