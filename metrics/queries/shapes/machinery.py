"""How figures come about: sources, runs, versions."""

from dataclasses import dataclass
from datetime import date, datetime


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
