"""What confidence was worth, by hand arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.calibration import FEWEST, calibrate


def test_by_hand() -> None:
    # 0.9 hit, 0.9 missed, 0.7 hit, 0.3 missed, 1.0 hit: squares .01 .81 .09 .09 0 = 1.00, of five 0.2
    found = calibrate([(0.9, True), (0.9, False), (0.7, True), (0.3, False), (1.0, True)])
    assert found is not None
    assert found.brier == pytest.approx(0.2)
    assert found.base == pytest.approx(0.24)  # three of five: 0.6 * 0.4
    assert (found.mean_said, found.mean_happened) == (pytest.approx(0.76), pytest.approx(0.6))
    told = [(b.low, b.high, b.count, round(b.said, 4), round(b.happened, 4)) for b in found.bands]
    assert told == [(0.2, 0.4, 1, 0.3, 0.0), (0.6, 0.8, 1, 0.7, 1.0), (0.8, 1.0, 3, 0.9333, 0.6667)]


def test_little_is_said_of_few() -> None:
    assert calibrate([(0.5, True)] * (FEWEST - 1)) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        calibrate([(1.5, True)] * FEWEST)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=FEWEST, max_size=40))
def test_laws(forecasts: list[tuple[float, bool]]) -> None:
    found = calibrate(forecasts)
    assert found is not None
    assert sum(b.count for b in found.bands) == len(forecasts)
    assert 0 <= found.brier <= 1 and 0 <= found.base <= 0.25
    hits = sum(b.happened * b.count for b in found.bands)
    assert hits == pytest.approx(sum(hit for _, hit in forecasts))
    always = calibrate([(found.mean_happened, hit) for _, hit in forecasts])
    assert always is not None and always.brier == pytest.approx(found.base)
