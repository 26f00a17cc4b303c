"""The line of actual figures, in the quarter's chart and in the history's."""

from collections.abc import Sequence
from datetime import timedelta

from calc.numbers import full
from metrics.charts.parts import ACTUAL, HOLE, Figure, hover
from metrics.charts.text import period, wrapped
from metrics.queries.shapes import Point

_MARKERS_UP_TO = 40  # with more points than that, markers hide the line


def actual_traces(points: Sequence[Point], unit: str, *, few: bool, grain: str = "") -> list[Figure]:
    """The line of figures: solid while final, thin with hollow points where rows may yet come."""
    known = [p for p in points if p.value is not None]
    final = [p for p in known if not p.provisional]
    open_ = [p for p in known if p.provisional]
    marked = few or len(known) <= _MARKERS_UP_TO
    traces: list[Figure] = []
    if open_:
        # begins at the last final point, so that the line is not torn
        before = [p for p in final if p.at < open_[0].at][-1:]
        joined = before + [p for p in known if p.at >= open_[0].at]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "To the newest",
                "x": [p.at.isoformat() for p in joined],
                "y": [p.value for p in joined],
                "hoverinfo": "skip",
                "line": {"color": ACTUAL, "width": 1.5, "dash": "dot"},
            }
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "Still filling",
                "x": [p.at.isoformat() for p in open_],
                "y": [p.value for p in open_],
                "text": [_point_text(p, unit, grain) for p in open_],
                "hovertemplate": hover("Still filling"),
                "marker": {"size": 7, "color": HOLE, "line": {"color": ACTUAL, "width": 1.5}},
            }
        )
    if final:
        # gaps stay gaps: an unknown figure tears the line
        shown = [p for p in points if p.value is None or not p.provisional]
        while shown and shown[-1].value is None:
            shown.pop()
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if marked else "lines",
                "name": "Actual",
                "x": [p.at.isoformat() for p in shown],
                "y": [p.value for p in shown],
                "text": [_point_text(p, unit, grain) for p in shown],
                "hovertemplate": hover("Actual"),
                "connectgaps": False,
                "line": {"color": ACTUAL, "width": 2.5},
                "marker": {"size": (9 if few else 6) if marked else 1, "color": ACTUAL},
            }
        )
    return traces


def _point_text(point: Point, unit: str, grain: str) -> str:
    if point.value is None:
        return "not known"
    text = full(point.value, unit)
    if point.numerator is not None and point.denominator is not None:
        text += f" ({full(point.numerator)} of {full(point.denominator)})"
    if grain and grain != "day":
        text += f", {period(point.start, point.at + timedelta(days=1), grain)}"
    return "<br>".join([wrapped(text), *(wrapped(f"? {why}") for why in point.doubts)])
