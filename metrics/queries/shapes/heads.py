"""Who and what: the parts of every page that do not move."""

from dataclasses import dataclass
from datetime import date


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
