"""The history's chart: every period of one rhythm, and what was not routine among them."""

import math
from datetime import date, timedelta

from calc.numbers import short
from metrics.charts.actual import actual_traces
from metrics.charts.doubts import doubt_marks
from metrics.charts.labels import Label, room_for, side_notes
from metrics.charts.parts import (
    INK,
    LIMIT,
    PLAN,
    SIGNAL,
    Figure,
    hover,
    layout_of,
    moment,
    unit_note,
)
from metrics.charts.scale import scale
from metrics.charts.text import plain, wrapped
from metrics.queries.shapes import History, MetricHead

RULES = {
    "beyond_limit": "outside the limits of routine change",
    "run_of_eight": "eight in a row on one side of the centre",
    "three_of_four": "three of four nearer to a limit than to the centre",
    "range_beyond_limit": "a larger jump than routine ones",
}
_STRONG = ("beyond_limit", "range_beyond_limit")  # a point by itself; the other rules are about many
_SEAM_LETTERS = 28  # of what changed, beside its line; all of it on hover and among the versions
_SEAM_WIDE = 0.5  # of a narrow chart's width that they may take
_SEAM_ROWS = 4
_LINE = 15  # pixels
_MIDDLE = 0.5
_HISTORY_YEARS_FROM = 300  # days from which ticks say the year


def history_chart(history: History, metric: MetricHead) -> Figure:
    """All periods of one grain with process limits, ringed signals and seams between definition versions."""
    unit = metric.unit
    lines = _limit_lines(history)
    values = [p.value for p in history.points]
    values += [at for _, start, end in lines for at in (start, end)]
    axis = scale(values, unit, from_zero=False)
    shapes: list[Figure] = []
    labels = [Label(end, words, short(end, unit), INK) for words, _, end in lines]
    notes = [unit_note(unit, f"by {history.grain}"), *side_notes(labels, axis)]
    since = history.limits.since if history.limits else None
    for n, (_, start, end) in enumerate(lines):
        shapes.append(
            {
                "type": "line",
                **_span(history, since),
                "yref": "y",
                "y0": start,
                "y1": end,
                "layer": "between",
                "line": {"color": LIMIT, "width": 1, "dash": "dash" if n else "solid"},
            }
        )
    shapes += [_seam_line(at) for at, _ in history.seams]
    notes += _seam_notes(history)
    data = actual_traces(history.points, unit, few=False, grain=history.grain)
    if history.signals:
        alone = [any(rule in _STRONG for rule in s.rules) for s in history.signals]
        hovers = [
            wrapped("; ".join(RULES.get(r, r) for r in s.rules))
            + f"<br>{wrapped(s.disposition or 'not explained yet')}"
            for s in history.signals
        ]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "Unusual change",
                "x": [s.at.isoformat() for s in history.signals],
                "y": [s.value for s in history.signals],
                "text": hovers,
                "hovertemplate": hover("Unusual change"),
                "marker": {
                    "symbol": "circle-open",
                    "size": [15 if strong else 9 for strong in alone],
                    "line": {"width": [2 if strong else 1.25 for strong in alone]},
                    "color": SIGNAL,
                },
            }
        )
    data += doubt_marks(history.points)
    layout = layout_of(axis, shapes, notes)
    layout["margin"] |= {"r": layout["margin"]["r"] + room_for(labels)}
    if history.points:
        first, last = history.points[0].at, history.points[-1].at
        room = max((last - first) * 0.02, timedelta(days=1))
        layout["xaxis"] |= {
            "range": [moment(first - room), moment(last + room)],
            "tickformat": "%b\n%Y" if (last - first).days > _HISTORY_YEARS_FROM else "%-d %b",
            "nticks": 10,
        }
    return {"data": data, "layout": layout}


def _seam_line(at: date) -> Figure:
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": at.isoformat(),
        "x1": at.isoformat(),
        "y0": 0,
        "y1": 1,
        "line": {"color": PLAN, "width": 1, "dash": "dot"},
    }


def _seam_notes(history: History) -> list[Figure]:
    """What changed at each seam, at the top and turned inward; one beside another stands a line lower."""
    if not history.points:
        return []
    first, last = history.points[0].at, history.points[-1].at
    days = max((last - first).days, 1)
    notes: list[Figure] = []
    before, row = -math.inf, 0
    for at, words in sorted(history.seams):
        share = (at - first).days / days
        row = row + 1 if share - before < _SEAM_WIDE else 0
        before = share
        notes.append(
            {
                "xref": "x",
                "yref": "paper",
                "x": at.isoformat(),
                "y": 1,
                "xanchor": "left" if share < _MIDDLE else "right",
                "yanchor": "top",
                "yshift": -_LINE * (row % _SEAM_ROWS),
                "text": plain(words, _SEAM_LETTERS),
                "hovertext": wrapped(words),
                "showarrow": False,
                "font": {"size": 11, "color": INK},
            }
        )
    return notes


def _limit_lines(history: History) -> list[tuple[str, float, float]]:
    """(words, at the first point they hold for, at the last point) of centre and limits; they follow a
    trend."""
    limits = history.limits
    if limits is None:
        return []
    held = sum(limits.since is None or p.at >= limits.since for p in history.points)
    climb = limits.slope * max(held - 1, 0)
    found = []
    for words, level in (
        ("centre", limits.centre),
        ("upper", limits.upper),
        ("lower", limits.lower),
    ):
        if level is not None:
            found.append((words, level, level + climb))
    return found


def _span(history: History, since: date | None) -> Figure:
    """How far limits reach: from the first point that they hold for to the last, or over the whole width."""
    if since is None or not history.points:
        return {"xref": "paper", "x0": 0, "x1": 1}
    return {"xref": "x", "x0": since.isoformat(), "x1": history.points[-1].at.isoformat()}
