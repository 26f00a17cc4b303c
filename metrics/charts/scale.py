"""Round ticks and a range that shows the figures: the same for the drawing by the server and by Plotly."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from calc.numbers import is_share, parse_unit, short

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_SIGNS = {"count": "number", "percent": "percent", "score": "score", "ratio": "ratio"}


@dataclass(frozen=True)
class Scale:
    """`low` to `high` in the metric's unit, and the ticks between them with their words."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def share_of(self, value: float) -> float:
        """Where a value lies: 0 at `low`, 1 at `high`."""
        return (value - self.low) / (self.high - self.low)


def unit_words(unit: str) -> str:
    """What stands at the axis: `number`, `percent`, `GBP`, `hours`."""
    parsed = parse_unit(unit)
    return _SIGNS.get(parsed.kind, parsed.of)


def scale(values: Iterable[float | None], unit: str, *, from_zero: bool, ticks: int = 4) -> Scale:
    """A range with room above, from zero where lengths are compared; shares stay within 0 and 100 %."""
    known = [v for v in values if v is not None and math.isfinite(v)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    # a share of 100 % is full: no room for more, and no tick above it
    full = 1.0 if is_share(unit) and low >= 0 and high <= 1 else math.inf
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if math.isclose(low, high):
        pad = abs(high) * 0.1 or 1.0
        low, high = (low if from_zero and low == 0 else low - pad), min(high + pad, full)
    room = (high - low) * 0.06
    upper = min(high + room, full + room / 3)  # a point on the edge is still drawn whole
    lower = low if from_zero and low == 0 else low - room
    if full == 1.0:
        lower = max(lower, -room / 3)
    step = _step((upper - lower) / ticks)
    first = math.ceil(max(lower, 0.0 if full == 1.0 else lower) / step - 1e-9)
    last = math.floor(min(upper, full) / step + 1e-9)
    marks = tuple((n * step, short(round(n * step, 12), unit)) for n in range(first, last + 1))
    if all(float(value).is_integer() for value, _ in marks):
        marks = tuple((value, words.removesuffix(".00")) for value, words in marks)  # £500, not £500.00
    return Scale(lower, upper, marks)


def _step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(s * power for s in _STEPS if s * power >= rough * 0.999)
