"""The chart of a dimension's members."""

from collections.abc import Sequence

from calc.numbers import change, full, short
from metrics.charts.parts import ACTUAL, CLEAR, INK, Figure, layout_of
from metrics.charts.scale import scale
from metrics.charts.text import plain
from metrics.queries.shapes import MetricHead, Segment

_BARS = 12  # members of a dimension that are drawn
_FIGURE_ROOM = 56  # pixels right of the longest bar, for its figure


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
        "text": [short(s.figure, unit) for s in rows],
        "textposition": "outside",
        "textfont": {"size": 12, "color": INK},
        "cliponaxis": False,
        "hovertext": [_bar_text(s, unit) for s in rows],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {"color": ACTUAL},
    }
    layout = layout_of(axis, [], [])
    # each bar says its figure, so that the axis need not
    layout["xaxis"] = layout.pop("yaxis") | {"showgrid": False, "showticklabels": False, "ticks": ""}
    layout["margin"] |= {"t": 0, "b": 0, "r": _FIGURE_ROOM}
    layout["yaxis"] = {
        "type": "linear",
        "tickvals": places,
        "ticktext": [plain(s.member or "(none)", 28) for s in rows],
        "range": [len(rows) - 0.5, -0.5],
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "ticks": "outside",
        "ticklen": 6,
        "tickcolor": CLEAR,
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
