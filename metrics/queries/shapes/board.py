"""The board, its rows, and the pages of leaders."""

from dataclasses import dataclass, field
from datetime import date, datetime

from metrics.queries.shapes.heads import MetricHead, Person, Todo, Words
from metrics.queries.shapes.progress import Point, Progress, QuarterChart
from owners.models import Leader
from owners.queries.leave import Away


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
    settled: int  # lines that are behind, and accepted so, whether they are listed or left out
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
