"""What people say beside a computed status."""

from dataclasses import dataclass
from datetime import date

from calc.status import State


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
class Ingredient:
    """A figure that this metric is built on, through whatever other metrics, and that is disputed or held for
    checking. Where the reader may not see that metric, all after `raised_date` is empty.

    words: `built on Revenue, whose figure for July is disputed`.
    """

    words: str
    held: bool
    raised_date: date | None
    metric: str = ""  # its key
    name: str = ""
    grain: str = ""
    start: date | None = None
    end: date | None = None
    member: str = ""
    text: str = ""  # what is said of it, by whom
    by: str = ""
