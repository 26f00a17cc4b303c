"""Words for what the machinery calls by short names."""

import calendar
import re
from datetime import date, datetime, time, timedelta

from django import template
from django.template import Context
from django.utils import timezone

from calc import numbers
from metrics import charts
from metrics.queries.scope import visible_metrics
from metrics.queries.shapes import Acceptance, Answer, Asking, History, MetricHead, Segment, Signal

register = template.Library()

_DATED = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?\+\d\d:\d\d)?\Z")
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
_ANSWERS = {
    "proposed": "proposed",
    "accepted": "accepted",
    "answered": "answered with",
    "taken": "took the answer:",
    "kept": "kept the proposal:",
    "changed": "changed it to",
}
_COLLECT = {"by": "Counted by", "every": "Every", "due": "Due", "from": "From", "how": "How"}


@register.simple_tag(takes_context=True)
def metric_names(context: Context) -> dict[str, str]:
    """Names of the metrics that the reader may see, by key (one query)."""
    return dict(visible_metrics(context["request"].user).values_list("key", "name"))


@register.filter
def named(names: dict[str, str], key: str) -> str:
    return names.get(key, key)


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
def answer_words(said: Answer, unit: str) -> str:
    """`proposed 9 300`, `answered with 8 000`, `changed it to 10%`."""
    figure = numbers.short(said.figure, unit) if said.figure is not None else said.growth or "no target"
    return f"{_ANSWERS.get(said.kind, said.kind)} {figure}"


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
def told(text: str) -> str:
    """A value of the list of changes as people read it: a time or day in words, all else as it is."""
    try:
        value = datetime.fromisoformat(text) if _DATED.match(text) else None
    except ValueError:
        return text
    if value is None:
        return text
    return moment(value) if value.tzinfo else charts.day(value.date(), year=True)


@register.filter
def clock_text(value: time | str | None) -> str:
    """A time of day as a field of that type wants it, `07:00`; what somebody typed stays."""
    return f"{value:%H:%M}" if isinstance(value, time) else value or ""


@register.filter
def after(day: date) -> date:
    """The day after: from a period's last day to its exclusive end."""
    return day + timedelta(days=1)


@register.filter
def episodes(history: History) -> list[list[Signal]]:
    """Signals in neighbouring periods as one, the newest first: ten weeks under the limit are one change.

    One that is explained stands by itself, and one that is no more than a jump opens a new one.
    """
    place = {point.start: n for n, point in enumerate(history.points)}
    found: list[list[Signal]] = []
    for signal in sorted(history.signals, key=lambda s: s.start):
        before = found[-1][-1] if found else None
        together = (
            before is not None
            and place.get(signal.start, -1) == place.get(before.start, -3) + 1
            and not (signal.disposition or before.disposition)
            and _side(signal, history, place) == _side(before, history, place)
        )
        if together:
            found[-1].append(signal)
        else:
            found.append([signal])
    return found[::-1]


def _side(signal: Signal, history: History, place: dict[date, int]) -> bool:
    """Whether it lies above the centre, which may follow a trend."""
    limits = history.limits
    return limits is not None and signal.value > limits.centre + limits.slope * place.get(signal.start, 0)


@register.filter
def rules_of(signals: list[Signal]) -> list[str]:
    """What the signals of an episode have broken, each said once."""
    return list(dict.fromkeys(rule for signal in signals for rule in signal.rules))


@register.filter
def share_of(segment: Segment, segments: tuple[Segment, ...]) -> str:
    """A member's share of all members of its dimension; for figures that add up."""
    whole = sum(s.figure for s in segments if s.figure is not None)
    return numbers.short(segment.figure / whole if segment.figure is not None and whole else None, "percent")


@register.filter
def deviation_words(terms: Acceptance | Asking, metric: MetricHead) -> str:
    """`up to 127 behind plan until 30 Sep`; of a band how far outside it."""
    where = "outside the band" if metric.better == "band" else "behind plan"
    size = numbers.gap(terms.shortfall, metric.unit, sign=False)
    return f"up to {size} {where} until {charts.day(terms.until_date)}"
