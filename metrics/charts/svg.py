"""Drawings that the server sends with the page, so that it shows its figures before any script has run."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from calc.calendar import add_months
from calc.numbers import short
from metrics.charts.doubts import runs_in_doubt
from metrics.charts.labels import BESIDE, placed, room_for
from metrics.charts.quarter import fine_shown, quarter_labels, quarter_scale
from metrics.charts.scale import Scale, scale, unit_words
from metrics.queries.shapes import Point, QuarterChart

_W, _H = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 26, 24


def spark_svg(points: Sequence[Point], unit: str, width: int = 120, height: int = 28) -> SafeString:
    """The latest figures as a line without axes; its last point stands out, hollow while still filling."""
    known = [(n, p) for n, p in enumerate(points) if p.value is not None]
    if len(known) < 2:
        return mark_safe('<span class="spark-none">too few figures yet</span>')
    axis = scale([p.value for _, p in known], unit, from_zero=False)
    pad = 4

    def place(n: int, value: float) -> tuple[float, float]:
        x = pad + (width - 2 * pad) * n / max(len(points) - 1, 1)
        return x, height - pad - (height - 2 * pad) * axis.share_of(value)

    runs: list[list[str]] = [[]]
    for n, p in enumerate(points):
        if p.value is None:
            runs.append([])
        else:
            x, y = place(n, p.value)
            runs[-1].append(f"{x:.1f},{y:.1f}")
    lines = "".join(f'<polyline points="{" ".join(run)}"/>' for run in runs if len(run) > 1)
    n, last = known[-1]
    x, y = place(n, last.value or 0.0)
    kind = ' class="open"' if last.provisional else ""
    first, final = short(known[0][1].value, unit), short(last.value, unit)
    words = escape(f"last {len(known)} figures, from {first} to {final}")
    return mark_safe(  # noqa: S308 - numbers, and words escaped above
        f'<svg class="spark" viewBox="0 0 {width} {height}" role="img" aria-label="{words}" '
        f'preserveAspectRatio="none">{lines}<circle{kind} cx="{x:.1f}" cy="{y:.1f}" r="2.75"/></svg>'
    )


def quarter_svg(chart: QuarterChart) -> SafeString:
    """The quarter's chart as a still drawing with the same lines, ticks and labels as the Plotly one."""
    axis = quarter_scale(chart)
    days = (chart.end - chart.start).days
    labels = quarter_labels(chart)
    right = _RIGHT + room_for(labels)

    def x(at: date) -> float:
        return _LEFT + (_W - _LEFT - right) * min(max((at - chart.start).days / max(days - 1, 1), 0), 1)

    def y(value: float) -> float:
        return _H - _BOTTOM - (_H - _TOP - _BOTTOM) * axis.share_of(value)

    parts = [_axes(chart, axis, right)]
    parts.append(_path("last-year", ((x(d), y(v)) for d, v in chart.last_year)))
    if fine_shown(chart):
        parts.append(_path("fine", ((x(p.at), y(p.value)) for p in chart.fine if p.value is not None)))
    parts.append(_path("plan", ((x(d), y(v)) for d, v in chart.plan)))
    for label, at in placed(labels, axis):
        line = f"{y(label.value):.1f}"
        parts.append(f'<path class="{label.words}" d="M{_LEFT} {line}H{_W - right}"/>')
        spot = f'x="{_W - right + BESIDE}" y="{y(at) + 4:.1f}"'
        parts.append(f'<text class="end" {spot}>{escape(label.text)}</text>')
    known = [p for p in chart.actual if p.value is not None]
    final = [(x(p.at), y(p.value or 0.0)) for p in known if not p.provisional]
    open_ = [(x(p.at), y(p.value or 0.0)) for p in known if p.provisional]
    runs = runs_in_doubt(chart.actual)
    parts += [_path("doubt", ((x(p.at), y(p.value or 0.0)) for p in run)) for run in runs]
    parts.append(_path("actual", final))
    parts.append(_path("open", final[-1:] + open_ if open_ else ()))
    for d, v in chart.agreed_benchmarks:
        cx, cy = x(d), y(v)
        parts.append(f'<path class="benchmark agreed" d="M{cx:.1f} {cy - 4:.1f}l4 4l-4 4l-4 -4z"/>')
    for d, v in chart.benchmarks:
        cx, cy = x(d), y(v)
        parts.append(f'<path class="benchmark" d="M{cx:.1f} {cy - 5:.1f}l5 5l-5 5l-5 -5z"/>')
    if chart.kind == "level" or len(known) <= 40:
        parts += [f'<circle class="actual" cx="{a:.1f}" cy="{b:.1f}" r="3.5"/>' for a, b in final]
    parts += [f'<circle class="open" cx="{a:.1f}" cy="{b:.1f}" r="3.5"/>' for a, b in open_]
    for run in runs:
        cx, cy = x(run[-1].at), y(run[-1].value or 0.0)
        parts.append(f'<circle class="doubt" cx="{cx:.1f}" cy="{cy:.1f}" r="7.5"/>')
        parts.append(f'<text class="doubt" x="{cx:.1f}" y="{cy + 4:.1f}" text-anchor="middle">?</text>')
    drawing = "".join(parts)
    return mark_safe(  # noqa: S308 - numbers, and words escaped above
        f'<svg class="still" viewBox="0 0 {_W} {_H}" aria-hidden="true" focusable="false">{drawing}</svg>'
    )


def _axes(chart: QuarterChart, axis: Scale, right: int) -> str:
    parts = []
    for value, words in axis.ticks:
        at = _H - _BOTTOM - (_H - _TOP - _BOTTOM) * axis.share_of(value)
        parts.append(f'<path class="grid" d="M{_LEFT} {at:.1f}H{_W - right}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{escape(words)}</text>')
    days = (chart.end - chart.start).days
    month = chart.start
    while month < chart.end:
        following = min(add_months(month, 1), chart.end)
        middle = (month - chart.start + (following - month) / 2) / timedelta(days=1) / days
        at = _LEFT + (_W - _LEFT - right) * middle
        parts.append(f'<text x="{at:.1f}" y="{_H - 6}" text-anchor="middle">{month:%b}</text>')
        month = following
    how = ", running total" if chart.kind == "total" else ""
    parts.append(f'<text x="0" y="13">{escape(unit_words(chart.metric.unit) + how)}</text>')
    return "".join(parts)


def _path(kind: str, places: Iterable[tuple[float, float]]) -> str:
    at = [f"{a:.1f} {b:.1f}" for a, b in places]
    return f'<path class="{kind}" d="M{"L".join(at)}"/>' if len(at) > 1 else ""
