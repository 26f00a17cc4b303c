"""What somebody's confidence was worth: how often that happened of which they were so and so sure."""

from collections.abc import Sequence
from dataclasses import dataclass

BANDS = ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0))
FEWEST = 5  # forecasts; of fewer nothing is said


@dataclass(frozen=True)
class Band:
    """Forecasts of at least `low` and below `high` (1.0 is in the last): how many, how sure on average, and
    the share that came true."""

    low: float
    high: float
    count: int
    said: float
    happened: float


@dataclass(frozen=True)
class Calibration:
    """brier: mean (p - hit)^2, 0 is perfect. base: the same of one who always says the overall share of hits.

    mean_said, mean_happened: fractions; said above happened is too sure.
    """

    count: int
    brier: float
    base: float
    mean_said: float
    mean_happened: float
    bands: tuple[Band, ...]


def calibrate(forecasts: Sequence[tuple[float, bool]]) -> Calibration | None:
    """From (confidence 0 to 1, whether it happened); None of fewer than `FEWEST`.

    Brier, G. W. (1950): Verification of forecasts expressed in terms of probability.
    """
    count = len(forecasts)
    if count < FEWEST:
        return None
    if not all(0 <= p <= 1 for p, _ in forecasts):
        raise ValueError("a confidence lies between 0 and 1")
    happened = sum(hit for _, hit in forecasts) / count
    bands = []
    for low, high in BANDS:
        inside = [(p, hit) for p, hit in forecasts if low <= p < high or (p == high == 1.0)]
        if inside:
            said = sum(p for p, _ in inside) / len(inside)
            bands.append(Band(low, high, len(inside), said, sum(hit for _, hit in inside) / len(inside)))
    return Calibration(
        count=count,
        brier=sum((p - hit) ** 2 for p, hit in forecasts) / count,
        base=happened * (1 - happened),
        mean_said=sum(p for p, _ in forecasts) / count,
        mean_happened=happened,
        bands=tuple(bands),
    )
