"""Parts that every Plotly figure is made of, as plain dicts. Nothing here imports plotly: building through it
costs 14 times as much.

Colours are names of CSS variables, which the page resolves when it draws: one figure serves light and dark.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from calc.numbers import full
from metrics.charts.scale import Scale, unit_words
from metrics.charts.text import day, plain

Figure = dict[str, Any]

ACTUAL = "var(--chart-actual)"
FINE = "var(--chart-fine)"
PLAN = "var(--chart-plan)"
TARGET = "var(--chart-target)"
LAST_YEAR = "var(--chart-last-year)"
LIMIT = "var(--chart-limit)"
SIGNAL = "var(--chart-signal)"
DOUBT = "var(--chart-doubt)"
DOUBT_SOFT = "var(--chart-doubt-soft)"
HOLE = "var(--chart-hole)"
INK = "var(--chart-ink)"
GRID = "var(--chart-grid)"
CLEAR = "rgba(0,0,0,0)"


def line(
    name: str,
    points: Sequence[tuple[date, float | None]],
    unit: str,
    *,
    color: str,
    width: float,
    dash: str = "solid",
) -> Figure:
    """A line without points; `color` is one of the names above, an unknown figure tears it."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [d.isoformat() for d, _ in points],
        "y": [v for _, v in points],
        "text": [full(v, unit) for _, v in points],
        "hovertemplate": hover(name),
        "line": {"color": color, "width": width, "dash": dash},
    }


def markers(
    name: str,
    points: Sequence[tuple[date, float]],
    unit: str,
    *,
    symbol: str,
    size: int,
    color: str,
    edge: str,
) -> Figure:
    """Points without a line, filled with `color` and drawn round in `edge`; the hover says by which day."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [d.isoformat() for d, _ in points],
        "y": [v for _, v in points],
        "text": [f"{full(v, unit)} by {day(d)}" for d, v in points],
        "hovertemplate": hover(name),
        "cliponaxis": False,
        "marker": {"symbol": symbol, "size": size, "color": color, "line": {"color": edge, "width": 1.75}},
    }


def level(value: float, color: str, dash: str, width: float) -> Figure:
    """A shape: a level line over the whole width."""
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "yref": "y",
        "y0": value,
        "y1": value,
        "layer": "above",
        "line": {"color": color, "width": width, "dash": dash},
    }


def hover(name: str) -> str:
    """What a hover says of a point: whose it is, and the point's text."""
    return f"{name}: %{{text}}<extra></extra>"


def unit_note(unit: str, how: str) -> Figure:
    """What the vertical axis counts, written over it; `how` says more: `by week`."""
    words = ", ".join(w for w in (unit_words(unit), how) if w)
    return {
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "yshift": 6,
        "text": plain(words),
        "showarrow": False,
        "font": {"size": 12, "color": INK},
    }


def layout_of(axis: Scale, shapes: list[Figure], notes: list[Figure]) -> Figure:
    """The layout of a chart over time with the axis' range and ticks; `shapes` and `notes` lie on it."""
    return {
        "shapes": shapes,
        "annotations": notes,
        "showlegend": False,
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": HOLE, "bordercolor": GRID, "font": {"color": TARGET, "size": 13}},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "font": {"color": INK, "size": 12},
        "margin": {"l": 8, "r": 10, "t": 28, "b": 8},
        "dragmode": False,
        "xaxis": {
            "type": "date",
            "spikethickness": 1,
            "spikedash": "solid",
            "spikecolor": PLAN,
            "showgrid": False,
            "zeroline": False,
            "showline": True,
            "linecolor": PLAN,
            "linewidth": 1,
            "ticks": "outside",
            "ticklen": 4,
            "tickcolor": GRID,
            "hoverformat": "%a %-d %b %Y",
            "automargin": True,
            "fixedrange": True,
        },
        "yaxis": {
            "range": [axis.low, axis.high],
            "tickvals": [v for v, _ in axis.ticks],
            "ticktext": [t for _, t in axis.ticks],
            "ticks": "outside",
            "ticklen": 5,
            "tickcolor": CLEAR,
            "gridcolor": GRID,
            "gridwidth": 1,
            "zeroline": False,
            "automargin": True,
            "fixedrange": True,
        },
    }


def moment(day_: date, hours: int = 0) -> str:
    """A place on the time axis: the day at that hour."""
    return f"{day_.isoformat()} {hours:02d}:00"
