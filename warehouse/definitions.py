"""What can be asked of a warehouse, as frozen dataclasses; nothing here knows of owners or targets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from calc.calendar import Calendar, Grain
from warehouse.reach import Reach

ADDITIVE = frozenset({"count", "sum", "sum_boolean", "count_new"})
ZERO_FILLED = frozenset({"count", "sum", "sum_boolean", "count_distinct", "count_new"})
AGGREGATIONS = frozenset(
    {
        "count",
        "count_distinct",
        "count_new",
        "sum",
        "sum_boolean",
        "avg",
        "min",
        "max",
        "median",
        "first",
        "last",
    }
    | {f"p{n}" for n in range(50, 100)}
)


@dataclass(frozen=True)
class WarehouseDef:
    """One connection. `options` is structured per engine (path, files; host, port, database, user, password);
    secrets are resolved before it is built. reach: where it may lead; None is anywhere."""

    key: str
    engine: str  # duckdb | postgres
    options: Mapping[str, object] = field(default_factory=dict)
    timeout: float = 300.0  # seconds per statement
    row_cap: int = 5_000_000
    reach: Reach | None = None


@dataclass(frozen=True)
class SourceDef:
    """A table or query with a time column, an entity and dimensions. Expressions are PostgreSQL's dialect."""

    key: str
    warehouse: str
    time: str
    table: str = ""
    sql: str = ""
    timezone: str = "UTC"  # what a naive timestamp means; a DATE is already local
    changed_at: str = ""
    entity: str = ""
    dimensions: Mapping[str, str] = field(default_factory=dict)
    rows: str = "events"  # events | daily
    loaded_to: str = ""
    lateness: timedelta = timedelta(0)


@dataclass(frozen=True)
class Measure:
    """An aggregate over a source's rows. `agg` is one of AGGREGATIONS; `expr` is empty only for count.

    additive: for count_distinct a promise (each value lies on one day and in one member) that is checked.
    fill: "zero", "null", or "" for the aggregation's own default.
    """

    source: str
    agg: str
    expr: str = ""
    where: str = ""
    additive: bool = False
    fill: str = ""

    @property
    def sums(self) -> bool:
        """Whether coarser periods are the sum of finer ones."""
        return self.agg in ADDITIVE or (self.agg == "count_distinct" and self.additive)

    @property
    def zero_fills(self) -> bool:
        """Whether a loaded period without rows is 0 rather than unknown."""
        return self.fill == "zero" or (not self.fill and self.agg in ZERO_FILLED)


@dataclass(frozen=True)
class Within:
    """A conversion window: days or calendar months."""

    days: int = 0
    months: int = 0


@dataclass(frozen=True)
class Conversion:
    """Base events credited with a conversion in [base, base + within); see definitions.md."""

    base: Measure
    conversion: Measure
    within: Within
    calculation: str = "rate"  # rate | count
    match: tuple[str, ...] = ()  # columns that must be equal besides the entity
    period_by: str = "start"  # start | due


@dataclass(frozen=True)
class Atom:
    """One figure to compute from one source: a measure, a ratio of two measures, or a conversion."""

    key: str
    numerator: Measure | None = None
    denominator: Measure | None = None
    conversion: Conversion | None = None
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """All atoms of one source over `[start, end)` local dates, already widened to whole periods.

    grains: which to compute; to-date grains are computed for atoms that do not sum, without dimensions.
    first_day: of the source's rows (zero-fill begins there); watermark: exclusive, zero-fill ends there.
    top: dimension -> members kept by name; all others are one "(other)" where additive. Absent: all kept.
    members: dimension -> members known from elsewhere, which get figures (of 0, say) without a row in the
    window. sources: other sources of the same warehouse, by key, that atoms' measures read (a ratio's
    denominator, a conversion's second event). watermarks: those of the other sources, by key: a conversion's
    window has not passed before the source of the second event has reached its end.
    """

    source: SourceDef
    atoms: tuple[Atom, ...]
    calendar: Calendar
    start: date
    end: date
    grains: tuple[Grain, ...]
    first_day: date | None
    watermark: date
    top: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sources: Mapping[str, SourceDef] = field(default_factory=dict)
    watermarks: Mapping[str, date] = field(default_factory=dict)

    def source_of(self, measure: Measure) -> SourceDef:
        """The source that a measure reads; WarehouseError if the request does not know it."""
        if not measure.source or measure.source == self.source.key:
            return self.source
        if measure.source not in self.sources:
            raise WarehouseError(f"the source {measure.source!r} is not known", source=self.source.key)
        return self.sources[measure.source]


@dataclass(frozen=True, slots=True)
class Figure:
    """One computed figure. `value` is None where unknown (0 denominators, no rows); `dimension` and `member`
    are "" for the whole. numerator and denominator stand for ratios, averages and conversion rates;
    `immature` counts base events whose window has not passed. `missing` names the days (the first 31) for
    which a source with `rows: daily` lacks a row or a figure, which makes the value None."""

    key: str
    grain: Grain
    start: date
    end: date
    dimension: str
    member: str
    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    immature: int | None = None
    missing: tuple[date, ...] = ()


class WarehouseError(Exception):
    """A fault of a warehouse, naming warehouse, source, metric and the engine's message."""

    def __init__(self, message: str, *, warehouse: str = "", source: str = "", metric: str = "") -> None:
        self.warehouse, self.source, self.metric, self.message = warehouse, source, metric, message
        where = ", ".join(
            f"{kind} {name}"
            for kind, name in (("warehouse", warehouse), ("source", source), ("metric", metric))
            if name
        )
        super().__init__(f"{where}: {message}" if where else message)


class WarehouseDown(WarehouseError):
    """The warehouse itself cannot be reached, so that no smaller question would be answered either."""
