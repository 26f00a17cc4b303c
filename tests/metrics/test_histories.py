"""Process limits of a page: few false alarms on routine noise with growth and seasons, and true ones kept."""

import math
import random
from dataclasses import replace
from datetime import date, timedelta
from statistics import mean, median

from calc import xmr
from metrics import charts
from metrics.queries.histories import process_limits, recent
from metrics.queries.shapes import Limits, Point
from tests.metrics import page_shapes as shapes

WEEKS = 78
FIRST = date(2024, 1, 1)


def weeks(seed: int) -> list[float]:
    """A year and a half of a healthy business: a fifth of growth a year, a season of 8 %, noise of 2 %."""
    chance = random.Random(seed)
    return [
        1000 * 1.2 ** (n / 52) * (1 + 0.08 * math.sin(2 * math.pi * n / 52)) * chance.gauss(1, 0.02)
        for n in range(WEEKS)
    ]


def points(values: list[float | None]) -> list[Point]:
    starts = [FIRST + timedelta(days=7 * n) for n in range(len(values))]
    return [Point(s, s + timedelta(days=6), v, False) for s, v in zip(starts, values, strict=True)]


def rules(values: list[float | None]) -> list[tuple[xmr.Rule, ...]]:
    judged = [p.value for p in recent(points(values))]
    return xmr.signals(judged, process_limits(judged, "count"))


def test_growth_and_seasons_are_no_signals() -> None:
    alarms = [mean(bool(r) for r in rules(weeks(seed))) for seed in range(40)]
    assert mean(alarms) < 0.15
    assert median(alarms) < 0.05
    over_all = weeks(0)
    years = xmr.signals(over_all, process_limits(over_all, "count"))
    assert sum(map(bool, years)) > WEEKS / 3  # what limits of all points would say


def test_an_odd_week_is_one() -> None:
    for seed in range(10):
        values = weeks(seed)
        values[-9] *= 1.3
        assert xmr.Rule.BEYOND_LIMIT in rules(values)[-9]


def test_as_many_points_as_limits_need_to_settle_unknown_ones_aside() -> None:
    values: list[float | None] = [*weeks(1)]
    values[-5] = None
    kept = recent(points(values))
    assert len(kept) == 21
    assert sum(p.value is not None for p in kept) == 20
    assert list(recent(points(values[:12]))) == points(values[:12])


def test_limits_are_drawn_over_the_points_that_they_hold_for() -> None:
    history = shapes.history()
    fifth = history.points[4].at
    history = replace(history, limits=Limits(100.0, 130.0, None, 30.0, slope=2.0, since=fifth))
    drawn = charts.history_chart(history, shapes.head())["layout"]["shapes"]
    lines = [s for s in drawn if s["xref"] == "x" and s["yref"] == "y"]
    climb = 2.0 * (len(history.points) - 5)
    assert [(s["x0"], s["x1"]) for s in lines] == [(fifth.isoformat(), history.points[-1].at.isoformat())] * 2
    assert [(s["y0"], s["y1"]) for s in lines] == [(100.0, 100.0 + climb), (130.0, 130.0 + climb)]
