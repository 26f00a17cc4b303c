"""Marks of figures that are disputed, held for checking, or built on such ones."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from metrics.charts.parts import DOUBT, DOUBT_SOFT, HOLE, Figure
from metrics.queries.shapes import Point

_DAY = timedelta(days=1)


def runs_in_doubt(points: Iterable[Point]) -> list[list[Point]]:
    """The known points in doubt. Days of one running total that follow each other are in doubt for the same
    reason together: one mark, at the last of them, says it for all."""
    runs: list[list[Point]] = []
    for point in points:
        if point.value is None or not point.doubts:
            continue
        before = runs[-1][-1] if runs else None
        if before and before.doubts == point.doubts and point.at - before.at == _DAY:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def doubt_bands(points: Sequence[Point]) -> list[Figure]:
    """A broad soft line under each run of days in doubt, so that one sees where it begins."""
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "In doubt",
            "x": [p.at.isoformat() for p in run],
            "y": [p.value for p in run],
            "hoverinfo": "skip",
            "line": {"color": DOUBT_SOFT, "width": 11},
        }
        for run in runs_in_doubt(points)
        if len(run) > 1
    ]


def doubt_marks(points: Sequence[Point]) -> list[Figure]:
    """A round with a question mark on each figure in doubt; why, its hover says with the figure."""
    marked = [run[-1] for run in runs_in_doubt(points)]
    if not marked:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers+text",
            "name": "In doubt",
            "x": [p.at.isoformat() for p in marked],
            "y": [p.value for p in marked],
            "text": ["<b>?</b>"] * len(marked),
            "textposition": "middle center",
            "textfont": {"size": 11, "color": DOUBT},
            "hoverinfo": "skip",
            "cliponaxis": False,
            "marker": {
                "symbol": "circle",
                "size": 15,
                "color": HOLE,
                "opacity": 1,
                "line": {"color": DOUBT, "width": 1.5},
            },
        }
    ]
