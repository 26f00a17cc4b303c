"""A metric that is counted by hand beside the computed one that may take its place, period by period."""

from dataclasses import dataclass
from datetime import date

from calc.calendar import Calendar
from metrics.definitions.build import entry_grain
from metrics.models import Metric, Value
from metrics.queries.entries import label
from metrics.queries.scope import visible_metrics
from owners.models import User

SAME = 1e-9  # relative; figures that differ by less agree


@dataclass(frozen=True)
class Pair:
    """One period. None: that side has no figure. agrees is None unless both have one."""

    start: date
    label: str
    hand: float | None
    computed: float | None
    agrees: bool | None


@dataclass(frozen=True)
class Comparison:
    """Periods that either side has a figure of, oldest first; starts: days from which the computed one may
    count, the period after the last figure by hand first."""

    grain: str
    pairs: tuple[Pair, ...]
    starts: tuple[date, ...]

    @property
    def both(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.pairs if pair.agrees is not None)

    @property
    def agreeing(self) -> int:
        return sum(bool(pair.agrees) for pair in self.pairs)

    @property
    def apart(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.pairs if pair.agrees is False)


def candidates(user: User, metric: Metric) -> tuple[Metric, ...]:
    """The computed metrics that may take a manual one's place: of the same unit, the most alike first by
    name."""
    computed = visible_metrics(user).exclude(type="manual").filter(unit=metric.unit)
    return tuple(computed.exclude(pk=metric.pk).order_by("name", "key"))


def compare(metric: Metric, successor: Metric, calendar: Calendar, tolerance: float = 0.0) -> Comparison:
    """Both side by side at the grain at which the manual one is counted. tolerance: relative, of the figure
    by hand. Two statements."""
    grain = entry_grain(metric)
    assert grain is not None
    hand, computed = (_figures(one, grain) for one in (metric, successor))
    starts = sorted(set(hand) | set(computed))
    pairs = tuple(
        Pair(
            start,
            label(calendar, calendar.period(grain, start)),
            hand.get(start),
            computed.get(start),
            _agrees(hand.get(start), computed.get(start), tolerance),
        )
        for start in starts
    )
    last = max(hand, default=None)
    after = [calendar.next(calendar.period(grain, last)).start] if last else []
    return Comparison(str(grain), pairs, tuple(dict.fromkeys([*after, *reversed(starts)])))


def _figures(metric: Metric, grain: str) -> dict[date, float]:
    rows = Value.objects.filter(metric=metric, grain=grain, dimension="", value__isnull=False)
    return {start: value for start, value in rows.values_list("period_start", "value") if value is not None}


def _agrees(hand: float | None, computed: float | None, tolerance: float) -> bool | None:
    if hand is None or computed is None:
        return None
    return abs(computed - hand) <= max(tolerance, SAME) * abs(hand)
