"""What one's own confidence was worth in quarters that are over. For that person alone."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from calc.calendar import Calendar
from calc.calibration import FEWEST, Calibration, calibrate
from metrics.models import Metric
from metrics.queries import installation
from metrics.queries.courses import DAY, load
from metrics.queries.progress import judge
from metrics.queries.scope import visible_metrics
from metrics.queries.shapes import Progress
from owners.models import CheckIn, User
from owners.rules import leader_of

QUARTERS = 8  # that are looked back upon
_EQUAL = 1e-9  # relative; a target that was met exactly is met


@dataclass(frozen=True)
class Forecast:
    """A confidence that was given, and what came of it. hit: None where the end is not known."""

    metric: str
    name: str
    quarter: str
    label: str
    date: date
    confidence: float
    hit: bool | None


@dataclass(frozen=True)
class CalibrationPage:
    """forecasts: newest first, those of running quarters left out. open: how many of those there are."""

    forecasts: tuple[Forecast, ...]
    calibration: Calibration | None
    open: int
    fewest: int = FEWEST


def calibration_page(user: User, *, today: date | None = None) -> CalibrationPage:
    """`user`'s own confidences of the last quarters against what happened: the last one of every month, so
    that who says it each week is not counted more often. What a delegate said meanwhile is not theirs. The
    number of SQL statements grows with quarters only, of which there are at most `QUARTERS`."""
    cal = installation.calendar()
    day = today or installation.today(cal)
    leader = leader_of(user)
    if leader is None:
        return CalibrationPage((), None, 0)
    metrics = {m.key: m for m in visible_metrics(user)}
    own = Q(author=user) | Q(author=None)
    said = CheckIn.objects.filter(own, leader=leader, metric_key__in=list(metrics)).exclude(confidence=None)
    newest = {}
    for word in said.order_by("date", "created_at"):
        newest[word.metric_key, word.date.year, word.date.month] = word
    by_quarter: dict[str, list[CheckIn]] = defaultdict(list)
    still_open = 0
    for word in newest.values():
        name = cal.quarter_name(word.date)
        if cal.quarter(name).end <= day:
            by_quarter[name].append(word)
        else:
            still_open += 1
    found: list[Forecast] = []
    for name in sorted(by_quarter, reverse=True)[:QUARTERS]:
        ends = _ends({w.metric_key: metrics[w.metric_key] for w in by_quarter[name]}, name, cal)
        for word in sorted(by_quarter[name], key=lambda w: w.date, reverse=True):
            metric = metrics[word.metric_key]
            found.append(
                Forecast(
                    metric.key,
                    metric.name,
                    name,
                    cal.quarter_label(name),
                    word.date,
                    word.confidence or 0.0,
                    reached(ends[metric.key], metric),
                )
            )
    judged = [(f.confidence, f.hit) for f in found if f.hit is not None]
    return CalibrationPage(tuple(found), calibrate(judged), still_open)


def _ends(metrics: dict[str, Metric], quarter: str, cal: Calendar) -> dict[str, Progress]:
    last = cal.quarter(quarter).end - DAY
    return {c.metric.key: judge(c) for c in load(list(metrics.values()), quarter, cal=cal, as_of=last)}


def reached(end: Progress, metric: Metric) -> bool | None:
    """Whether the quarter's target, the agreed one if there is one, was reached; None while unknown."""
    if end.figure is None or end.provisional or end.due_through is None:
        return None
    if metric.better == "band":
        low, high = metric.low, metric.high
        return (low is None or end.figure >= low) and (high is None or end.figure <= high)
    target = end.agreed_target if end.agreed_target is not None else end.target
    if target is None:
        return None
    slack = abs(target) * _EQUAL
    return end.figure <= target + slack if metric.better == "down" else end.figure >= target - slack
