"""Plotly figures as plain dicts. Nothing here imports plotly: building through it costs 14 times as much.

Colours are names of CSS variables, which the page resolves when it draws: one figure serves light and dark.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from calc.numbers import change, full, short
from metrics.charts.scale import Scale, scale, unit_words
from metrics.charts.text import day, period, plain
from metrics.queries.shapes import History, MetricHead, Point, QuarterChart, Segment

Figure = dict[str, Any]

ACTUAL = "var(--chart-actual)"
FINE = "var(--chart-fine)"
PLAN = "var(--chart-plan)"
TARGET = "var(--chart-target)"
LAST_YEAR = "var(--chart-last-year)"
LIMIT = "var(--chart-limit)"
SIGNAL = "var(--chart-signal)"
HOLE = "var(--chart-hole)"
INK = "var(--chart-ink)"
GRID = "var(--chart-grid)"
CLEAR = "rgba(0,0,0,0)"

RULES = {
    "beyond_limit": "outside the limits of routine change",
    "run_of_eight": "eight in a row on one side of the centre",
    "three_of_four": "three of four nearer to a limit than to the centre",
    "range_beyond_limit": "a larger jump than routine ones",
}
_BARS = 12  # members of a dimension that are drawn
_MARKERS_UP_TO = 40  # with more points than that, markers hide the line
_APART = 0.08  # of the chart's height; labels closer than that would be written over each other
_STRONG = ("beyond_limit", "range_beyond_limit")  # a point by itself; the other rules are about many
_HISTORY_YEARS_FROM = 300  # days from which ticks say the year


def quarter_chart(chart: QuarterChart) -> Figure:
    """The quarter's progress: actual, plan with benchmarks, target, the same quarter a year back."""
    unit = chart.metric.unit
    axis = quarter_scale(chart)
    data: list[Figure] = []
    if chart.last_year:
        data.append(_line("Last year", chart.last_year, unit, color=LAST_YEAR, width=1.25))
    if fine_shown(chart):
        fine = [(p.at, p.value) for p in chart.fine]
        data.append(_line("By week", fine, unit, color=FINE, width=1.25))
    if chart.plan:
        data.append(_line("Plan", chart.plan, unit, color=PLAN, width=1.5, dash="dash"))
    if chart.agreed_benchmarks:
        marks = _markers(
            "Agreed", chart.agreed_benchmarks, unit, symbol="diamond-open", size=8, color=PLAN, edge=PLAN
        )
        data.append(marks | {"opacity": 0.55})
    if chart.benchmarks:
        data.append(
            _markers("Benchmark", chart.benchmarks, unit, symbol="diamond", size=9, color=HOLE, edge=PLAN)
        )
    data += _actual(chart.actual, unit, few=chart.kind == "level")
    last = chart.end - timedelta(days=1)
    shapes: list[Figure] = []
    notes: list[Figure] = [_unit_note(unit, "running total" if chart.kind == "total" else "")]
    if chart.target is not None:
        shapes.append(_level(chart.target, TARGET, "solid", 1.25))
        words = f"target {short(chart.target, unit)}"
        # the last benchmark's diamond stands at the line's end: the label stays clear of it
        notes.append(_end_note(chart.target, words, TARGET, above=True) | {"xshift": -10})
    if chart.agreed_target is not None and chart.agreed_target != chart.target:
        shapes.append(_level(chart.agreed_target, TARGET, "dot", 1))
        agreed = f"agreed {short(chart.agreed_target, unit)}"
        over = chart.target is None or chart.agreed_target > chart.target  # away from the target's line
        # at the other end, so that it is not written over the target's
        notes.append(_end_note(chart.agreed_target, agreed, TARGET, above=over) | {"x": 0, "xanchor": "left"})
    layout = _layout(axis, shapes, notes)
    layout["xaxis"] |= {
        "range": [_iso(chart.start), _iso(last, hours=23)],
        "dtick": "M1",
        "tick0": chart.start.isoformat(),
        "tickformat": "%b",
        "ticklabelmode": "period",
        "fixedrange": True,
    }
    return {"data": data, "layout": layout}


def fine_shown(chart: QuarterChart) -> bool:
    """Whether the weekly line says more than the judged figures, which may be weekly themselves."""
    return not {p.at for p in chart.fine} <= {p.at for p in chart.actual}


def quarter_scale(chart: QuarterChart) -> Scale:
    """The vertical range that holds everything that the quarter's chart draws."""
    values: list[float | None] = [p.value for p in (*chart.actual, *chart.fine)]
    values += [v for _, v in (*chart.plan, *chart.benchmarks, *chart.agreed_benchmarks, *chart.last_year)]
    values += [chart.target, chart.agreed_target]
    return scale(values, chart.metric.unit, from_zero=chart.kind == "total")


def history_chart(history: History, metric: MetricHead) -> Figure:
    """All periods of one grain with process limits, ringed signals and seams between definition versions."""
    unit = metric.unit
    lines = _limit_lines(history, unit)
    values = [p.value for p in history.points]
    values += [at for _, start, end in lines for at in (start, end)]
    axis = scale(values, unit, from_zero=False)
    shapes: list[Figure] = []
    notes: list[Figure] = [_unit_note(unit, f"by {history.grain}")]
    since = history.limits.since if history.limits else None
    for n, (words, start, end) in enumerate(lines):
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
        said = [note["y"] for note in notes if note["yref"] == "y"]
        if all(abs(end - other) > _APART * (axis.high - axis.low) for other in said):
            notes.append(_end_note(end, words, INK, above=True))
    for seam, words in history.seams:
        shapes.append(
            {
                "type": "line",
                "xref": "x",
                "yref": "paper",
                "x0": seam.isoformat(),
                "x1": seam.isoformat(),
                "y0": 0,
                "y1": 1,
                "line": {"color": PLAN, "width": 1, "dash": "dot"},
            }
        )
        notes.append(
            {
                "xref": "x",
                "yref": "paper",
                "x": seam.isoformat(),
                "y": 1,
                "xanchor": "left",
                "yanchor": "top",
                "text": plain(words),
                "showarrow": False,
                "font": {"size": 11, "color": INK},
            }
        )
    data = _actual(history.points, unit, few=False, grain=history.grain)
    if history.signals:
        alone = [any(rule in _STRONG for rule in s.rules) for s in history.signals]
        hovers = [
            f"{full(s.value, unit)}: {'; '.join(RULES.get(r, r) for r in s.rules)}"
            + (f"<br>{plain(s.disposition)}" if s.disposition else "<br>not explained yet")
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
                "hovertemplate": "%{text}",
                "marker": {
                    "symbol": "circle-open",
                    "size": [15 if strong else 9 for strong in alone],
                    "line": {"width": [2 if strong else 1.25 for strong in alone]},
                    "color": SIGNAL,
                },
            }
        )
    layout = _layout(axis, shapes, notes)
    if history.points:
        first, last = history.points[0].at, history.points[-1].at
        room = max((last - first) * 0.02, timedelta(days=1))
        layout["xaxis"] |= {
            "range": [_iso(first - room), _iso(last + room)],
            "tickformat": "%b\n%Y" if (last - first).days > _HISTORY_YEARS_FROM else "%-d %b",
            "nticks": 10,
        }
    return {"data": data, "layout": layout}


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
    layout = _layout(axis, [], [])
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


def _limit_lines(history: History, unit: str) -> list[tuple[str, float, float]]:
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
        ("upper limit", limits.upper),
        ("lower limit", limits.lower),
    ):
        if level is not None:
            found.append((f"{words} {short(level + climb, unit)}", level, level + climb))
    return found


def _span(history: History, since: date | None) -> Figure:
    """How far limits reach: from the first point that they hold for to the last, or over the whole width."""
    if since is None or not history.points:
        return {"xref": "paper", "x0": 0, "x1": 1}
    return {"xref": "x", "x0": since.isoformat(), "x1": history.points[-1].at.isoformat()}


def _actual(points: Sequence[Point], unit: str, *, few: bool, grain: str = "") -> list[Figure]:
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
        texts = [_point_text(p, unit, grain) for p in joined]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": "Still filling",
                "x": [p.at.isoformat() for p in joined],
                "y": [p.value for p in joined],
                "text": texts,
                "hovertemplate": "%{text}",
                "line": {"color": ACTUAL, "width": 1.5, "dash": "dot"},
                "marker": {
                    "size": [0.1 if not p.provisional else 7 for p in joined],
                    "color": HOLE,
                    "line": {"color": ACTUAL, "width": 1.5},
                },
            }
        )
        if before:
            traces[0]["hoverinfo"] = "skip" if len(joined) == 1 else "all"
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
                "hovertemplate": "%{text}",
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
    text += ", ? disputed" if point.disputed else ""
    return f"{text}, still filling" if point.provisional else text


def _line(
    name: str,
    points: Sequence[tuple[date, float | None]],
    unit: str,
    *,
    color: str,
    width: float,
    dash: str = "solid",
) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [d.isoformat() for d, _ in points],
        "y": [v for _, v in points],
        "text": [full(v, unit) for _, v in points],
        "hovertemplate": "%{text}",
        "line": {"color": color, "width": width, "dash": dash},
    }


def _markers(
    name: str,
    points: Sequence[tuple[date, float]],
    unit: str,
    *,
    symbol: str,
    size: int,
    color: str,
    edge: str,
) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [d.isoformat() for d, _ in points],
        "y": [v for _, v in points],
        "text": [f"{full(v, unit)} by {day(d)}" for d, v in points],
        "hovertemplate": "%{text}",
        "cliponaxis": False,
        "marker": {"symbol": symbol, "size": size, "color": color, "line": {"color": edge, "width": 1.75}},
    }


def _level(value: float, color: str, dash: str, width: float) -> Figure:
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


def _end_note(value: float, text: str, color: str, *, above: bool) -> Figure:
    return {
        "xref": "paper",
        "x": 1,
        "xanchor": "right",
        "yref": "y",
        "y": value,
        "yanchor": "bottom" if above else "top",
        "text": plain(text),
        "showarrow": False,
        "font": {"size": 12, "color": color},
    }


def _unit_note(unit: str, how: str) -> Figure:
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


def _layout(axis: Scale, shapes: list[Figure], notes: list[Figure]) -> Figure:
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
            "gridcolor": GRID,
            "gridwidth": 1,
            "zeroline": False,
            "automargin": True,
            "fixedrange": True,
        },
    }


def _iso(day_: date, hours: int = 0) -> str:
    return f"{day_.isoformat()} {hours:02d}:00"
