"""Words for what the machinery calls by short names."""

import calendar
from datetime import date, datetime, timedelta

from django import template
from django.utils import timezone

from metrics import charts
from metrics.queries.shapes import Signal

register = template.Library()

_CAUSES = {
    "schedule": "on schedule",
    "request": "asked for",
    "definition": "changed definition",
    "late_data": "late data",
    "source": "changed at the source",
    "correction": "corrected",
    "backfill": "history",
}
_RUNS = {
    "due": ("waiting", "none"),
    "running": ("running", "late"),
    "done": ("done", "good"),
    "failed": ("failed", "bad"),
    "superseded": ("replaced by a newer one", "none"),
    "quarantined": ("put aside after several failures", "bad"),
}
_SOURCES = {
    "fresh": ("fresh", "good", "on_track"),
    "late": ("late", "warn", "at_risk"),
    "failed": ("could not be read", "bad", "off_track"),
    "unknown": ("not loaded yet", "none", "no_target"),
}
_COLLECT = {"by": "Counted by", "every": "Every", "due": "Due", "from": "From", "how": "How"}


@register.filter
def rule_words(rule: str) -> str:
    return charts.RULES.get(rule, rule)


@register.filter
def cause_words(cause: str) -> str:
    return _CAUSES.get(cause, cause.replace("_", " "))


@register.filter
def run_words(state: str) -> str:
    return _RUNS.get(state, (state, ""))[0]


@register.filter
def run_tone(state: str) -> str:
    return _RUNS.get(state, ("", "none"))[1]


@register.filter
def source_words(state: str) -> str:
    return _SOURCES.get(state, (state, "", ""))[0]


@register.filter
def source_tone(state: str) -> str:
    return _SOURCES.get(state, ("", "none", ""))[1]


@register.filter
def source_shape(state: str) -> str:
    return _SOURCES.get(state, ("", "", "no_target"))[2]


@register.filter
def collect_words(key: str) -> str:
    return _COLLECT.get(key, key.capitalize())


@register.filter
def weekday(number: int) -> str:
    return calendar.day_name[number]


@register.filter
def month_name(number: int) -> str:
    return calendar.month_name[number]


@register.filter
def moment(value: datetime | None) -> str:
    """`today 09:30`, `14 Aug 09:30`, `14 Aug 2011 09:30`, in the installation's time zone."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    today = timezone.localdate()
    if local.date() == today:
        return f"today {local:%H:%M}"
    return f"{charts.day(local.date(), year=local.year != today.year)} {local:%H:%M}"


@register.filter
def after(day: date) -> date:
    """The day after: from a period's last day to its exclusive end."""
    return day + timedelta(days=1)


@register.filter
def newest(signals: tuple[Signal, ...]) -> list[Signal]:
    """The newest first."""
    return sorted(signals, key=lambda signal: signal.start, reverse=True)
