"""A quarter's progress, and what its chart is drawn from."""

from dataclasses import dataclass
from datetime import date, datetime

from calc.months import MonthStanding
from calc.status import State, Status
from metrics.queries.shapes.heads import MetricHead
from metrics.queries.shapes.reasons import Acceptance, Asking, Call, Doubt, Ingredient, Rejection
from metrics.queries.troubles import Trouble


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
    agreed_baseline: float | None = None  # of a level: what it was agreed to climb from
    agreed_changed: bool = False  # target, benchmarks or baseline have changed since they were agreed
    dimension: str = ""  # of a member's progress; "" is the whole
    member: str = ""
    months: tuple[MonthStanding, ...] = ()  # the plan's months as they went
    needed: str = ""  # what the last month that ended behind asks of the others, in words
    shortfall: float | None = None  # how far on the bad side of the plan; positive is behind
    call: Call | None = None  # the owner's own, also where it agrees with `status`
    accepted: Acceptance | None = None
    asking: Asking | None = None
    doubts: tuple[Doubt, ...] = ()  # open disputes of the quarter's figures
    ingredients: tuple[Ingredient, ...] = ()  # in doubt, of those that the quarter's figures are built on
    rejections: tuple[Rejection, ...] = ()  # of the quarter's figures
    troubles: tuple[Trouble, ...] = ()  # of the sources that it follows from
    computed: State | None = None  # what `status` would be, were no figure disputed or held

    @property
    def stale_itself(self) -> datetime | None:
        """Since when it is stale, where no trouble of a source has said so already."""
        said = {trouble.since for trouble in self.troubles}
        return None if self.stale_since in said else self.stale_since

    @property
    def days_left(self) -> int | None:
        """Of the quarter, after the day that is due; None where the plan's months are not known."""
        if self.due_through is None or not self.months:
            return None
        return (self.months[-1].month.end - self.due_through).days - 1

    @property
    def rest(self) -> float | None:
        """What a total still lacks, where less than a month is left to bring it: a rate by the month would be
        a figure that nobody is to reach."""
        left = self.days_left
        if self.required_per_day is None or not left or left >= self.months[-1].month.days:
            return None
        return self.required_per_day * left

    @property
    def own_call(self) -> Call | None:
        """The owner's call where it differs from the computed status, which it stands beside."""
        return self.call if self.call and self.call.state is not self.status.state else None

    @property
    def excused(self) -> Acceptance | None:
        """The accepted deviation where the computed status is behind, which is when it says something; also
        while a figure is held, by the last good one."""
        behind = {State.AT_RISK, State.OFF_TRACK} & {self.status.state, self.computed}
        return self.accepted if behind else None

    @property
    def is_remarked(self) -> bool:
        """Whether anything stands beside the computed status."""
        return bool(self.own_call or self.excused or self.doubts or self.ingredients or self.rejections)

    @property
    def is_settled(self) -> bool:
        """Behind, and accepted so: nothing to discuss again, unless a figure is in doubt."""
        sure = self.status.state is not State.HELD and not self.doubts and not self.ingredients
        return sure and self.excused is not None and not self.excused.exceeded


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
    doubts: tuple[str, ...] = ()  # why it is in doubt, in words: `disputed by Ana: ...`


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
