"""The stored figures of which a metric that is not stored yet would be made: as a run would read them, with
open periods cut so that equal parts are compared, but without computing anything anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from calc.calendar import Calendar, Grain, Period
from metrics.definitions.build import operands_of, parts_of
from metrics.models import Metric
from metrics.services.offsets import last_periods
from metrics.services.operands import WHOLE, Figures, part_of
from metrics.services.standing import Standings


@dataclass(frozen=True)
class Recalled:
    """ends: to which day (exclusive) each operand's figures reach, None for one without any; figures: by the
    operand's name in the formula and the period of the metric."""

    ends: Mapping[str, date | None] = field(default_factory=dict)
    figures: Mapping[tuple[str, Period], float | None] = field(default_factory=dict)


def recall(metric: Metric, grain: Grain, calendar: Calendar, count: int) -> Recalled:
    """For the last `count` periods of the metric; its own measures are no operands of this kind."""
    operands, own = operands_of(metric), parts_of(metric)
    others = [o for o in operands.inputs if o.metric not in own] if operands else []
    if operands is None or not others:
        return Recalled()
    metrics = {m.key: m for m in Metric.objects.filter(archived_at=None)}
    standings = Standings(calendar, metrics)
    ends = {o.metric: standings.of(o.metric).now for o in others}
    known = [end for end in ends.values() if end is not None]
    if len(known) < len(ends):
        return Recalled(ends)
    apart = len(set(known)) > 1 or any(o.offset or o.to for o in others)
    cut = min(known) if apart and len(others) == len(operands.inputs) else None
    figures: dict[tuple[str, Period], float | None] = {}
    for operand in others:
        periods = last_periods(calendar, grain, min(known), count)
        parts = {
            period: part
            for period in periods
            if (part := part_of(operand, period, calendar, cut=cut, reaches=ends[operand.metric]))
        }
        stored = Figures(metrics[operand.metric], parts.values(), ("",))
        found = {period: stored.cells(part).get(WHOLE) for period, part in parts.items()}
        figures |= {(operand.name, period): cell.value for period, cell in found.items() if cell}
        if not any(found.values()):
            ends[operand.metric] = None
    return Recalled(ends, figures)
