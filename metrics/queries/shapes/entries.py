"""What is entered by hand, targets among it."""

from dataclasses import dataclass
from datetime import date, datetime

from metrics.queries.shapes.heads import MetricHead, Person


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

    @property
    def shown(self) -> float | None:
        """The figure as the board says it: of a share, its two numbers divided."""
        if self.numerator is not None and self.denominator:
            return self.numerator / self.denominator
        return self.value


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

    last_quarter_runs: the quarter before is not over, and its figure is that so far. resolved: the target in
    numbers, a growth counted from the base. agreed: the target that was agreed, in numbers. answer: what its
    owner has answered last, while that waits for a decision.
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
    last_quarter_runs: bool = False
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
