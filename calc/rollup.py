"""Combining finer figures into a coarser one, and refusing where that would be wrong.

Additive figures add up; shares are a ratio of sums, never a mean of ratios; distinct counts, percentiles and
ratios of unknown parts are computed at their grain or not at all.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from calc.calendar import Period
from calc.numbers import is_share


class Merge(StrEnum):
    """How finer figures become a coarser one; NONE means that they cannot."""

    SUM = "sum"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"
    SHARE = "share"
    NONE = "none"


MANUAL = {"amount": Merge.SUM, "level": Merge.LAST, "share": Merge.SHARE}
_BY_AGGREGATION = {
    "count": Merge.SUM,
    "count_new": Merge.SUM,
    "sum": Merge.SUM,
    "sum_boolean": Merge.SUM,
    "min": Merge.MIN,
    "max": Merge.MAX,
    "first": Merge.FIRST,
    "last": Merge.LAST,
    "avg": Merge.SHARE,
}
_REASONS = {
    "count_distinct": "distinct counts do not add up: someone in two of the periods would count twice",
    "median": "a median cannot be computed from medians of shorter periods",
    "ratio": "a ratio needs the numerators and denominators of the shorter periods, not their ratios",
}


class RollupRefused(ValueError):
    """These figures cannot be combined; the message says why, in words for people."""


@dataclass(frozen=True, slots=True)
class Part:
    """One finer figure. A share or an average carries what it was divided from; None is unknown."""

    value: float | None
    numerator: float | None = None
    denominator: float | None = None


@dataclass(frozen=True, slots=True)
class Rolled:
    """A coarser figure, and the elapsed days whose missing figure made it unknown."""

    part: Part
    missing: tuple[date, ...] = ()

    @property
    def reason(self) -> str:
        """Names the missing days: `no figure for 3, 4 and 9 Aug 2011`; "" where none is missing."""
        return f"no figure for {say_days(self.missing)}" if self.missing else ""


def rule(aggregation: str, *, additive: bool = False) -> Merge:
    """How figures of an aggregation combine over time; `additive` is the promise of a distinct count."""
    if aggregation == "count_distinct" and additive:
        return Merge.SUM
    return _BY_AGGREGATION.get(aggregation, Merge.NONE)


def why_not(aggregation: str) -> str:
    """The reason, in words, for which an aggregation has no roll-up."""
    if aggregation[:1] == "p" and aggregation[1:].isdigit():
        return "a percentile cannot be computed from percentiles of shorter periods"
    return _REASONS.get(aggregation, f"figures of {aggregation} cannot be combined into a longer period")


def merge(parts: Sequence[Part | None], how: Merge | str, *, aggregation: str = "") -> Part | None:
    """Combine figures in the order of time. Unknown parts are left out; None if there is none at all.

    Sums of parts that carry a denominator are ratios of sums (null where the denominator is 0). RollupRefused
    for `none` and for shares without numerator and denominator; `aggregation` makes its reason exact.
    """
    how = Merge(how)
    if how is Merge.NONE:
        raise RollupRefused(why_not(aggregation) if aggregation else "these figures do not add up over time")
    present = [part for part in parts if part is not None]
    if not present:
        return None
    if how is Merge.SHARE or (how is Merge.SUM and any(part.denominator is not None for part in present)):
        return _share(present)
    known = [part for part in present if part.value is not None]
    if not known:
        return Part(None)
    if how is Merge.FIRST:
        return known[0]
    if how is Merge.LAST:
        return known[-1]
    values = [part.value for part in known if part.value is not None]
    if how is Merge.SUM:
        return Part(math.fsum(values))
    return Part(min(values) if how is Merge.MIN else max(values))


def merge_days(
    figures: Mapping[date, Part],
    period: Period,
    how: Merge | str,
    *,
    through: date,
    daily: bool = False,
    aggregation: str = "",
) -> Rolled:
    """One period's figure from its days' figures, up to `through`, exclusive (the watermark, say).

    daily: the source promises a row a day, so that one absent or null elapsed day makes the figure unknown
    and names itself; without the promise a day without a figure is left out.
    """
    end = min(period.end, through)
    days = [period.start + timedelta(days=n) for n in range((end - period.start).days)]
    parts = [figures.get(day) for day in days]
    if daily:
        missing = tuple(d for d, part in zip(days, parts, strict=True) if part is None or part.value is None)
        if missing:
            return Rolled(Part(None), missing)
    return Rolled(merge(parts, how, aggregation=aggregation) or Part(None))


def compare(now: float | None, then: float | None, unit: str = "count") -> float | None:
    """The change: for amounts a fraction (0.1 is 10 % more), for shares the difference of fractions.

    None where a side is unknown, or where an amount was 0. From a negative amount the fraction is of its
    size, so that its sign still says the direction; for positive ones it is now / then - 1.
    """
    if now is None or then is None or not (math.isfinite(now) and math.isfinite(then)):
        return None
    if is_share(unit):
        return now - then
    if then == 0:
        return None
    return now / then - 1 if then > 0 else (now - then) / -then


def say_days(days: Iterable[date]) -> str:
    """Days in words, a few by name: `3, 4 and 9 Aug 2011`, or `12 days from 1 to 30 Aug 2011`."""
    ordered = sorted(days)
    if not ordered:
        return ""
    last = ordered[-1]
    if len(ordered) > 5:
        return f"{len(ordered)} days from {ordered[0].day} {ordered[0]:%b %Y} to {last.day} {last:%b %Y}"
    same_month = all((d.year, d.month) == (last.year, last.month) for d in ordered)
    words = [str(d.day) if same_month else f"{d.day} {d:%b %Y}" for d in ordered]
    words[-1] = f"{last.day} {last:%b %Y}"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _share(parts: list[Part]) -> Part:
    """Ratio of sums. A part with a figure but without its two numbers cannot take part, so all is refused."""
    pairs: list[tuple[float, float]] = []
    for part in parts:
        if part.numerator is not None and part.denominator is not None:
            pairs.append((part.numerator, part.denominator))
        elif part.value is not None:
            raise RollupRefused(_REASONS["ratio"])
    if not pairs:
        return Part(None)
    numerator = math.fsum(n for n, _ in pairs)
    denominator = math.fsum(d for _, d in pairs)
    return Part(numerator / denominator if denominator else None, numerator, denominator)
