"""The frame of every page: whose installation it is, who is signed in, states and charts as components."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString

from metrics import charts
from metrics.queries import installation as installation_query
from metrics.queries.me import count_due
from metrics.queries.shapes import History, MetricHead, Progress, QuarterChart, Segment
from metrics.templatetags.figures import shape, tone
from owners.models import User
from owners.rules import can

register = template.Library()


@dataclass(frozen=True)
class Site:
    name: str
    demo: bool


@dataclass(frozen=True)
class Link:
    path: str
    words: str


@register.simple_tag
def installation() -> Site:
    """The installation's name and whether it shows a demo (one query)."""
    return Site(*installation_query.head())


@register.filter
def initials(user: Any) -> str:
    """Up to two letters for a small round: `MC` of Maya Chen, `m` of maya@example.com."""
    words = [w for w in str(user).split("@")[0].replace(".", " ").split() if w[:1].isalnum()]
    return "".join(w[0] for w in (words[:1] + words[-1:] if len(words) > 1 else words))[:2].upper() or "?"


@register.simple_tag
def account_links() -> list[Link]:
    """The pages about one's own account that this installation has."""
    pages = (("account", "Your account"), ("account_change_password", "Password"), ("tokens", "Tokens"))
    links = []
    for name, words in pages:
        try:
            links.append(Link(reverse(name), words))
        except NoReverseMatch:
            continue
    return links


@register.simple_tag(takes_context=True)
def my_due(context: Context) -> int | None:
    """How much waits for the reader's word; None if they answer for nothing and need no way there."""
    user = context["request"].user
    return count_due(user) if isinstance(user, User) else None


@register.inclusion_tag("parts/status.html")
def status(progress: Progress) -> dict[str, Any]:
    """Shape, word and colour; the reason is on hover, and pages with room write it out."""
    return {
        "tone": tone(progress),
        "shape": shape(progress),
        "word": progress.status.word,
        "reason": progress.reason,
        "stale": progress.status.stale,
    }


@register.inclusion_tag("parts/chart.html")
def quarter_chart(chart: QuarterChart, name: str = "") -> dict[str, Any]:
    """The quarter's chart: a still drawing, the Plotly figure that replaces it, and a table of the same."""
    metric = chart.metric
    lines = charts.quarter_table(chart)
    return {
        "id": f"quarter-{metric.key}{name}",
        "data_id": f"quarter-{metric.key}{name}-data",
        "figure": charts.quarter_chart(chart),
        "still": charts.quarter_svg(chart),
        "caption": f"{metric.name}, {chart.label}: progress against plan and target",
        "unit": metric.unit,
        "lines": lines,
        "columns": {
            "plan": any(line.plan is not None for line in lines),
            "note": any(line.note for line in lines),
            "benchmark": any(line.benchmark is not None for line in lines),
            "agreed": any(line.agreed is not None for line in lines),
            "last_year": any(line.last_year is not None for line in lines),
        },
        "legend": _quarter_legend(chart),
        "empty": not any(p.value is not None for p in chart.actual) and not chart.plan,
    }


def _quarter_legend(chart: QuarterChart) -> list[tuple[str, str]]:
    legend = [("actual", "actual")]
    if any(p.provisional for p in chart.actual):
        legend.append(("open", "still filling"))
    if any(p.doubts and p.value is not None for p in chart.actual):
        legend.append(("doubt", "in doubt"))
    if charts.fine_shown(chart):
        legend.append(("fine", "by week"))
    if chart.plan:
        legend.append(("plan", "our plan"))
    if chart.benchmarks:
        legend.append(("benchmark", "benchmark"))
    if chart.agreed_benchmarks:
        legend.append(("benchmark agreed", "as agreed"))
    # for narrow charts, which write only figures beside the lines
    legend += [(f"narrow {label.words}", label.words) for label in charts.quarter_labels(chart)]
    if chart.last_year:
        legend.append(("last-year", "last year"))
    return legend


@register.inclusion_tag("parts/chart.html")
def history_chart(history: History, metric: MetricHead) -> dict[str, Any]:
    """All periods of one rhythm with limits, signals and seams, and a table of the same."""
    lines = charts.history_table(history)
    legend = [("actual", "actual")]
    if any(p.provisional for p in history.points):
        legend.append(("open", "still filling"))
    if any(p.doubts and p.value is not None for p in history.points):
        legend.append(("doubt", "in doubt"))
    if history.limits:
        legend.append(("limit", "limits of routine change"))
    if history.signals:
        legend.append(("signal", "unusual change"))
    return {
        "id": f"history-{metric.key}",
        "data_id": f"history-{metric.key}-data",
        "figure": charts.history_chart(history, metric),
        "still": "",
        "caption": f"{metric.name} by {history.grain}",
        "unit": metric.unit,
        "lines": lines,
        "columns": {"note": any(line.note for line in lines)},
        "legend": legend,
        "empty": not any(p.value is not None for p in history.points),
    }


@register.inclusion_tag("parts/chart.html")
def segment_chart(metric: MetricHead, dimension: str, segments: tuple[Segment, ...]) -> dict[str, Any]:
    """Bars of a dimension's members. The page's own table says the same figures."""
    return {
        "id": f"segments-{metric.key}-{dimension}",
        "data_id": f"segments-{metric.key}-{dimension}-data",
        "figure": charts.segment_chart(metric, segments),
        "still": "",
        "caption": f"{metric.name} by {dimension}",
        "unit": metric.unit,
        "lines": (),
        "legend": [("bars", _bars_words(segments))],
        "empty": not any(s.figure is not None for s in segments),
        "rows": len(charts.charted(segments)),
    }


def _bars_words(segments: tuple[Segment, ...]) -> str:
    known, drawn = sum(s.figure is not None for s in segments), len(charts.charted(segments))
    return "last whole month" + (f", the largest {drawn} of {known}" if drawn < known else "")


@register.simple_tag
def chart_of(figures: dict[str, QuarterChart], key: str) -> SafeString:
    """The quarter's chart of one of several metrics; nothing where there is none."""
    chart = figures.get(key)
    return render_to_string("parts/chart.html", quarter_chart(chart)) if chart else SafeString("")


@register.simple_tag(takes_context=True)
def if_can(context: Context, permission: str) -> bool:
    """Whether the reader has a right that is about no object."""
    return can(context["request"].user, permission)
