"""How pages say figures, dates, states and words."""

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import nh3
from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from calc import numbers
from calc.status import State as Standing
from metrics import charts
from metrics.forms.numbers import write_number
from metrics.queries.shapes import EntryCell, Latest, Point, Progress, QuarterChart

register = template.Library()

_MARKDOWN = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")
_TAGS = {
    "p",
    "br",
    "strong",
    "em",
    "ul",
    "ol",
    "li",
    "a",
    "code",
    "pre",
    "blockquote",
    "h1",
    "h2",
    "h3",
    "h4",
}
_TAGS |= {"hr", "table", "thead", "tbody", "tr", "th", "td"}
_MANY = 10  # from here on the plan for a day is said in whole ones too
_ROLES = {
    "north_star": "North Star",
    "focus": "focus metric",
    "guardrail": "guardrail: must not get worse",
    "supporting": "supporting metric",
}
_TONES = {
    Standing.ON_TRACK: "good",
    Standing.AT_RISK: "warn",
    Standing.OFF_TRACK: "bad",
    Standing.LATE: "late",
    Standing.DISPUTED: "warn",
    Standing.HELD: "warn",
}


@register.simple_tag
def figure(value: float | None, unit: str = "count", unknown: str = "not loaded yet") -> SafeString:
    """The figure in short with the full one on hover; an unknown one says so."""
    if value is None:
        return format_html('<span class="unknown">{}</span>', unknown)
    return format_html(
        '<data value="{}" title="{}">{}</data>',
        repr(value),
        numbers.full(value, unit),
        numbers.short(value, unit),
    )


@register.filter
def full(value: float | None, unit: str = "count") -> str:
    return numbers.full(value, unit)


@register.filter
def short(value: float | None, unit: str = "count") -> str:
    return numbers.short(value, unit)


@register.filter
def change(value: float | None, unit: str = "count") -> str:
    return numbers.change(value, unit)


@register.filter
def gap_size(value: float | None, unit: str = "count") -> str:
    """How far a figure is off, without a sign: `150`, `1.2 points`."""
    return numbers.gap(value, unit, sign=False)


@register.filter
def signed_gap(value: float | None, unit: str = "count") -> str:
    """A difference with its sign: `−150`, `+1.2 points`."""
    return numbers.gap(value, unit)


@register.filter
def of_dimension(found: dict[str, tuple[Progress, ...]], dimension: str) -> tuple[Progress, ...]:
    """The members' progress along one dimension."""
    return found.get(dimension, ())


@register.filter
def plain_number(value: float | None) -> str:
    """A stored number as it stands in its input."""
    return write_number(value)


@register.filter
def entry_text(entry: EntryCell, unit: str) -> str:
    """A stored figure as it stands in its input; a share in percent."""
    return write_number(entry.value, share=numbers.is_share(unit))


@register.simple_tag
def gap(progress: Progress) -> SafeString:
    """The gap to plan in words that follow the metric's `better`: `127 behind`, `1.2 points ahead`."""
    if progress.gap is None:
        return format_html('<span class="unknown">{}</span>', "–")
    unit, better = progress.metric.unit, progress.metric.better
    size = numbers.gap(_whole(progress), unit, sign=False)
    if not any(c in size for c in "123456789"):
        return format_html('<span class="gap">{}</span>', "inside" if better == "band" else "on plan")
    if better == "band":
        word = "above" if progress.gap > 0 else "below"
    else:
        word = "ahead" if (progress.gap > 0) == (better == "up") else "behind"
    planned = numbers.full(progress.planned_to_date, unit)
    title = f"{numbers.full(progress.figure, unit)} against {planned} planned"
    return format_html('<span class="gap" title="{}">{} <small>{}</small></span>', title, size, word)


def _whole(progress: Progress) -> float:
    """The gap; of what comes in whole ones, a whole number: only the plan to a day holds 0.13 of an order."""
    gap, figure, planned = progress.gap or 0.0, progress.figure, progress.planned_to_date
    whole = figure is not None and figure == round(figure) and planned is not None and abs(planned) >= _MANY
    return float(round(gap)) if whole and progress.metric.unit == "count" else gap


@register.simple_tag
def period(start: date | None, end: date | None, grain: str = "", year: bool = False) -> str:
    """`week to 24 Jul`, `July`; a pair that is no whole period is said by its days. `end` is exclusive."""
    if start is None or end is None:
        return ""
    return charts.period(start, end, grain or _grain_of(start, end), year=year)


def _grain_of(start: date, end: date) -> str:
    days = (end - start).days
    if days == 1:
        return "day"
    if days == 7:
        return "week"
    if start.day == 1 and end.day == 1:
        months = (end.year - start.year) * 12 + end.month - start.month
        return {1: "month", 3: "quarter", 12: "year"}.get(months, "")
    return ""


@register.simple_tag
def last_period(latest: Latest) -> str:
    """When the latest figure was: `week to 24 Jul`."""
    return charts.period(latest.start, latest.end, latest.grain)


@register.filter
def day(value: date | datetime | None) -> str:
    return charts.day(value) if value else ""


@register.filter
def day_year(value: date | datetime | None) -> str:
    return charts.day(value, year=True) if value else ""


@register.filter
def last_day(end: date | None) -> str:
    """The last day before an exclusive end, with its year."""
    return charts.day(end - timedelta(days=1), year=True) if end else ""


@register.filter
def role_words(role: str) -> str:
    return _ROLES.get(role, role)


@register.filter
def tone(progress: Progress) -> str:
    """The colour of a state; stale is never green."""
    if progress.status.stale and progress.status.state is Standing.ON_TRACK:
        return "late"
    return _TONES.get(progress.status.state, "none")


@register.filter
def shape(progress: Progress) -> str:
    """The name of a state's shape in the page's sprite."""
    return str(progress.status.state.value)


@register.simple_tag
def spark(points: tuple[Point, ...], unit: str) -> SafeString:
    return charts.spark_svg(points, unit)


@register.simple_tag
def still(chart: QuarterChart) -> SafeString:
    return charts.quarter_svg(chart)


@register.filter
def markdown(text: str) -> SafeString:
    """Markdown as people write it in a summary. Raw HTML is shown as text, and what is left is cleaned."""
    html = nh3.clean(
        _MARKDOWN.render(text or ""),
        tags=_TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    # a summary's own headings stand below those of the page
    for level in (4, 3, 2, 1):
        html = html.replace(f"<h{level}>", f"<h{level + 2}>").replace(f"</h{level}>", f"</h{level + 2}>")
    return mark_safe(html)  # noqa: S308 - cleaned above


@register.simple_tag(takes_context=True)
def link(context: Context, name: str, *args: Any, **changes: Any) -> str:
    """The address of a page with the state of this one (quarter, as-of date), so that a link shows what the
    sender saw; `changes` are put into it, empty ones are left out."""
    state = context.get("state")
    kept = state.carried if state else {}
    query = {k: v for k, v in {**kept, **changes}.items() if v}
    path = reverse(name, args=args)
    return f"{path}?{urlencode(query)}" if query else path


@register.simple_tag(takes_context=True)
def here(context: Context, **changes: Any) -> str:
    """This page with some of its state changed."""
    request, state = context["request"], context.get("state")
    query = {k: v for k, v in {**(state.all if state else {}), **changes}.items() if v}
    return f"{request.path}?{urlencode(query)}" if query else request.path
