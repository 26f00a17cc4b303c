"""The chart of a dimension's members."""

from collections.abc import Sequence

from calc.numbers import change, full
from metrics.charts.parts import ACTUAL, Figure, layout_of
from metrics.charts.scale import scale
from metrics.charts.text import plain
from metrics.queries.shapes import MetricHead, Segment

_BARS = 12  # members of a dimension that are drawn


def segment_chart(metric: MetricHead, segments: Sequence[Segment]) -> Figure:
    """One bar a member: its last whole month; of many members the largest."""
    unit = metric.unit
    rows = charted(segments)
    axis = scale([s.figure for s in rows], unit, from_zero=True)
    # members are told apart by their place, as two long names may be cut to the same words
    places = list(range(len(rows)))
    bars = {
        "type": "bar",
        "orientation": "h",
        "name": "",
        "y": places,
        "x": [s.figure for s in rows],
        "text": [_bar_text(s, unit) for s in rows],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": ACTUAL},
    }
    layout = layout_of(axis, [], [])
    layout["xaxis"] = layout.pop("yaxis") | {"showgrid": True}
    layout["yaxis"] = {
        "type": "linear",
        "tickvals": places,
        "ticktext": [plain(s.member or "(none)", 28) for s in rows],
        "autorange": "reversed",
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "ticks": "",
    }
    layout["hovermode"] = "closest"
    layout["bargap"] = 0.35
    return {"data": [bars], "layout": layout}


def charted(segments: Sequence[Segment]) -> list[Segment]:
    """The members that have a bar, the largest first as given; a table beside it has them all."""
    known = [s for s in segments if s.figure is not None]
    return ([s for s in known if s.figure] or known)[:_BARS]


def _bar_text(segment: Segment, unit: str) -> str:
    words = f"{full(segment.figure, unit)} in {segment.month:%B %Y}"
    if segment.change is not None:
        words += f"<br>{change(segment.change, unit)} on the month before"
    return words
