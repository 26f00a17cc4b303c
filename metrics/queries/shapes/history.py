"""A metric's past: points, limits, signals, segments, restatements."""

from dataclasses import dataclass
from datetime import date, datetime

from metrics.queries.shapes.progress import Point


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
