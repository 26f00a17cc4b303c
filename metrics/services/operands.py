"""The figures of one operand as a formula needs them: stored ones, or the equally elapsed part of a
period."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from calc import rollup
from calc.calendar import Calendar, Grain, Period
from calc.clock import equal_part
from metrics.definitions.build import entry_grain, merges_of
from metrics.definitions.specs import Operand
from metrics.models import Metric, Value
from metrics.services.offsets import period_of

DAY = timedelta(days=1)
Segment = tuple[str, str]  # dimension, member
WHOLE: Segment = ("", "")


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of an operand."""

    value: float | None
    final: bool


@dataclass(frozen=True, slots=True)
class Part:
    """`[period.start, through)` of an operand's period; through = period.end is the whole of it."""

    period: Period
    through: date

    @property
    def is_whole(self) -> bool:
        return self.through >= self.period.end


def part_of(
    operand: Operand, period: Period, calendar: Calendar, *, cut: date | None, reaches: date | None
) -> Part | None:
    """What of the operand stands for a period; None where it does not reach.

    cut: the dependent's watermark, where its open periods are cut so that equal parts are compared.
    reaches: the operand's own watermark."""
    found = period_of(operand, period, calendar)
    if found is None or reaches is None:
        return None
    if cut is None or period.end <= cut:
        # Equally far operands: an open period's figures are as old as each other.
        if found.end > reaches and not (cut is None and found.start <= reaches):
            return None
        return Part(found, found.end)
    if cut <= period.start:
        return None  # nothing of it has elapsed for us
    if found == period:
        return Part(found, min(cut, found.end))
    return Part(found, equal_part(period, cut - DAY, found).end)


class Figures:
    """Stored figures of one operand over the span of the given parts; read in one or two statements."""

    def __init__(self, metric: Metric, parts: Iterable[Part], dimensions: Collection[str]) -> None:
        self.merges = merges_of(metric)
        # A level that was entered for a month is that of any part of it.
        self.stands = self.merges == "last" and entry_grain(metric) is not None
        self._stored: dict[
            tuple[str, date, date], dict[Segment, tuple[float | None, float | None, float | None, str]]
        ] = {}
        parts = list(parts)
        if not parts:
            return
        first = min(p.period.start for p in parts)
        last = max(p.period.end for p in parts)
        grains = {str(p.period.grain) for p in parts}
        if any(not p.is_whole or p.period.grain.is_to_date for p in parts):
            grains |= {
                str(p.period.grain.to_date) for p in parts if p.period.grain not in (Grain.DAY, Grain.WEEK)
            }
            grains.add(str(Grain.DAY))
        rows = Value.objects.filter(
            metric=metric,
            grain__in=grains,
            dimension__in=list(dimensions),
            period_start__gte=first,
            period_end__lte=last,
        ).values_list(
            "grain",
            "period_start",
            "period_end",
            "dimension",
            "member",
            "value",
            "numerator",
            "denominator",
            "status",
        )
        for grain, start, end, dimension, member, *figure in rows.iterator(chunk_size=20_000):
            self._stored.setdefault((grain, start, end), {})[dimension, member] = tuple(figure)  # type: ignore[assignment]

    @staticmethod
    def stored_periods(metric: Metric) -> Iterable[Period]:
        """Every period of which the metric has a figure."""
        rows = (
            Value.objects.filter(metric=metric).values_list("grain", "period_start", "period_end").distinct()
        )
        return (Period(start, end, Grain(grain)) for grain, start, end in rows)

    def cells(self, part: Part) -> dict[Segment, Cell]:
        """The figures of a part by segment; segments without one are absent."""
        grain, period = part.period.grain, part.period
        if self.stands or (part.is_whole and not (grain.is_to_date and self.merges != "none")):
            found = self._stored.get((str(grain), period.start, period.end), {})
            return {
                segment: Cell(value, status == "final") for segment, (value, _, _, status) in found.items()
            }
        if self.merges != "none":
            # To-date figures are stored of the whole alone: adding up the members would be in vain.
            only = (WHOLE,) if grain.is_to_date else None
            return self._merged(period.start, min(part.through, period.end), only)
        if grain is Grain.WEEK or grain is Grain.DAY:
            return {}
        found = self._stored.get((str(grain.to_date), period.start, part.through), {})
        return {segment: Cell(value, False) for segment, (value, _, _, _) in found.items()}

    def _merged(self, start: date, end: date, only: Collection[Segment] | None) -> dict[Segment, Cell]:
        """Days rolled up over `[start, end)`; of these segments only, if any are given."""
        days: dict[Segment, list[rollup.Part]] = {}
        final: dict[Segment, bool] = {}
        day = start
        while day < end:
            stored = self._stored.get((str(Grain.DAY), day, day + DAY), {})
            for segment in stored if only is None else (s for s in only if s in stored):
                value, above, below, status = stored[segment]
                days.setdefault(segment, []).append(rollup.Part(value, above, below))
                final[segment] = final.get(segment, True) and status == "final"
            day += DAY
        found: dict[Segment, Cell] = {}
        for segment, parts in days.items():
            merged = rollup.merge(parts, self.merges)
            if merged is not None:
                found[segment] = Cell(merged.value, final[segment])
        return found
