"""How a metric's figures roll up, and how its quarter is judged, with the defaults of the definitions
file."""

from dataclasses import dataclass

from calc.calendar import PERIODS, Grain
from metrics.definitions.specs import ConversionSpec, ManualSpec, RatioSpec, SimpleSpec, spec_of
from metrics.models import Metric
from warehouse.definitions import Measure

ON_TRACK = 0.97  # pace from which a metric is on track, and
AT_RISK = 0.90  # from which it is at risk rather than off track
MANUAL_MERGES = {"amount": "sum", "level": "last", "share": "share"}


@dataclass(frozen=True)
class Thresholds:
    """Paces (1.0 is exactly on plan) from which a metric is on track, and at risk; below it is off track."""

    on_track: float = ON_TRACK
    at_risk: float = AT_RISK


@dataclass(frozen=True)
class Goal:
    """kind: total (the quarter's own figure) | level (the figure of `grain`, at the last whole period).
    tolerance: how far a held level may stray, in the metric's unit; None leaves it to the thresholds."""

    kind: str
    grain: Grain
    thresholds: Thresholds
    tolerance: float | None = None


def merges_of(metric: Metric) -> str:
    """How coarser figures follow from stored finer ones: sum | min | max | first | last | share | none.

    share: the ratio of summed numerators and denominators. none: each grain is computed by itself (distinct
    counts, percentiles, everything derived), and to-date figures are stored.
    """
    spec = spec_of(metric.type, metric.spec)
    match spec:
        case SimpleSpec(measure):
            return _merges_of_measure(measure)
        case ConversionSpec(conversion):
            return "sum" if conversion.calculation == "count" else "share"
        case ManualSpec(kind=kind):
            return MANUAL_MERGES[kind]
        case RatioSpec(numerator, denominator):
            sides = (numerator, denominator)
            return "share" if all(isinstance(side, Measure) and side.sums for side in sides) else "none"
        case _:
            return "none"


def _merges_of_measure(measure: Measure) -> str:
    if measure.sums:
        return "sum"
    if measure.agg == "avg":
        return "share"
    return measure.agg if measure.agg in ("min", "max", "first", "last") else "none"


def bounds_grain(metric: Metric) -> Grain | None:
    """The grain whose figures the bounds `plausible.low` and `high` are about, or None for every grain.

    What grows with the length of its period (counts, sums, amounts) has bounds for one grain: the one that is
    stated, else the day of a total and the goal's grain of a level. An average, a share, an extreme, a level
    is as large in a month as on a day: its bounds are for all, unless a grain is stated.
    """
    stated = metric.plausible.get("grain")
    if stated:
        return Grain(stated)
    if not grows(metric):
        return None
    goal = goal_of(metric)
    return goal.grain if goal.kind == "level" else Grain.DAY


def grows(metric: Metric) -> bool:
    """Whether a longer period has a larger figure. Of a formula the unit must tell; one that may or may not
    (money, a count) is taken to grow, as bounds that are asked too rarely hold nothing back wrongly."""
    match spec_of(metric.type, metric.spec):
        case SimpleSpec(measure):
            return measure.sums or measure.agg in ("count_distinct", "count_new")
        case ConversionSpec(conversion):
            return conversion.calculation == "count"
        case ManualSpec(kind=kind):
            return kind == "amount"
        case RatioSpec():
            return False
        case _:
            return metric.unit == "count" or metric.unit.startswith("currency:")


def is_additive(metric: Metric) -> bool:
    """Whether the quarter is the sum of its days, so that months' benchmarks add up to the target."""
    return merges_of(metric) == "sum"


def entry_grain(metric: Metric) -> Grain | None:
    """The grain in which a manual metric is entered; None for computed ones."""
    spec = spec_of(metric.type, metric.spec)
    return spec.grain if isinstance(spec, ManualSpec) else None


def goal_of(metric: Metric) -> Goal:
    """The goal as written, its gaps filled: a total for what adds up, else a level by month (or by the
    coarser grain in which it is entered)."""
    written = metric.goal
    kind = written.get("kind") or ("total" if is_additive(metric) else "level")
    grain = Grain(written["grain"]) if written.get("grain") else _default_grain(metric)
    thresholds = written.get("thresholds", {})
    return Goal(
        kind,
        grain,
        Thresholds(thresholds.get("on_track", ON_TRACK), thresholds.get("at_risk", AT_RISK)),
        written.get("tolerance"),
    )


def _default_grain(metric: Metric) -> Grain:
    entered = entry_grain(metric)
    coarsest_first = PERIODS.index
    return entered if entered and coarsest_first(entered) > coarsest_first(Grain.MONTH) else Grain.MONTH
