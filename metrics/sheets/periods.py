"""Figures of a sheet brought to the periods in which a metric is counted."""

from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from calc.calendar import PERIODS, Calendar, Grain
from metrics.sheets.shapes import Figure

_EVERY = {
    Grain.DAY: "daily",
    Grain.WEEK: "weekly",
    Grain.MONTH: "monthly",
    Grain.QUARTER: "quarterly",
    Grain.YEAR: "yearly",
}


@dataclass(frozen=True)
class Placed:
    """A figure with the first day of the period that it is of; None where `figure.problem` says why not."""

    figure: Figure
    start: date | None


def place(figures: tuple[Figure, ...], grain: Grain, calendar: Calendar) -> tuple[Placed, ...]:
    """Each figure in its period of `grain`. A day stands for the week or the month that it lies in, as long
    as it is the only one there; what names a longer period than the metric is counted in has no place."""
    seen: dict[tuple[str, str, str, date], Figure] = {}
    found = []
    for figure in figures:
        start, problem = _start(figure, grain, calendar)
        if start is not None and figure.value is not None:
            key = (figure.name.casefold(), figure.dimension, figure.member, start)
            first = seen.setdefault(key, figure)
            if first is not figure:
                problem = (
                    f"{first.place} is a figure for the same {grain}: "
                    f"this metric is counted {_EVERY[grain]}, one figure each."
                )
        if problem and figure.value is not None and not figure.problem:
            figure = replace(figure, value=None, numerator=None, denominator=None, problem=problem)
        found.append(Placed(figure, None if problem or figure.problem else start))
    return tuple(found)


def _start(figure: Figure, grain: Grain, calendar: Calendar) -> tuple[date | None, str]:
    when = figure.when
    if when.start is None or when.grain is None:
        return None, when.problem or "The date is missing."
    if PERIODS.index(when.grain) > PERIODS.index(grain) or (when.grain, grain) == (Grain.WEEK, Grain.MONTH):
        said = when.text.strip()[:40]
        return None, f"{said} is a {when.grain}, but this metric is counted {_EVERY[grain]}."
    return calendar.period(grain, when.start).start, ""


def grain_of(figures: tuple[Figure, ...]) -> Grain | None:
    """How often a sheet's figures come: as their headings say, days by the distance between them. None for
    fewer than two different days."""
    named = {f.when.grain for f in figures if f.when.grain is not None and f.when.start is not None}
    if len(named) == 1 and (only := next(iter(named))) is not Grain.DAY:
        return only
    days = sorted({f.when.start for f in figures if f.when.start is not None})
    if len(days) < 2:
        return None
    gaps = sorted((b - a).days for a, b in pairwise(days))
    middle = gaps[len(gaps) // 2]
    for most, grain in ((4, Grain.DAY), (18, Grain.WEEK), (45, Grain.MONTH), (135, Grain.QUARTER)):
        if middle <= most:
            return grain
    return Grain.YEAR
