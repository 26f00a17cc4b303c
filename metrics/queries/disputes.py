"""Disputes about figures: which figures can be disputed, what is open, who keeps the data behind them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from calc.calendar import Calendar, Grain, Period
from calc.numbers import full
from metrics.charts.text import period as say_period
from metrics.models import Dispute, Metric, Source, Value
from metrics.models.disputes import OUTCOMES
from metrics.queries import installation
from metrics.queries.clocks import Clock, clocks
from metrics.queries.scope import visible_metrics
from metrics.queries.shapes import DisputeLine, Point, Row
from owners.models import Leader, User
from owners.rules import can

LISTED = 20  # disputes on a metric's page; recent periods that its form offers
CLOSED = 10  # answered ones on the page of all


@dataclass(frozen=True)
class Disputed:
    """A dispute with its metric and the keys of the leaders who keep the data; what the rules ask of."""

    dispute: Dispute
    metric: Metric
    keepers: frozenset[str]

    @property
    def author_id(self) -> int | None:
        return self.dispute.author_id


@dataclass(frozen=True)
class Choice:
    """A figure that can be disputed; `token` names its grain and first day."""

    token: str
    words: str


def disputed(pk: int, user: User) -> Disputed | None:
    """A dispute about a metric that `user` may see; None for any other."""
    found = Dispute.objects.select_related("metric", "author").filter(pk=pk).first()
    if found is None or not visible_metrics(user).filter(pk=found.metric_id).exists():
        return None
    people = keepers([found.metric])[found.metric_id]
    return Disputed(found, found.metric, frozenset(leader.key for leader in people))


def keepers(metrics: Collection[Metric]) -> dict[int, tuple[Leader, ...]]:
    """Who looks after the data that these metrics come from, through their operands; a constant number of
    SQL statements."""
    known = clocks(installation.calendar())
    people: dict[str, Leader] = {
        source.key: source.data_owner
        for source in Source.objects.exclude(data_owner=None).select_related("data_owner__user")
        if source.data_owner is not None
    }
    found = {}
    for metric in metrics:
        named = {people[k].pk: people[k] for k in known.get(metric.pk, Clock(None)).sources if k in people}
        found[metric.pk] = tuple(named.values())
    return found


def of_metric(metric: Metric, cal: Calendar) -> tuple[DisputeLine, ...]:
    """A metric's disputes, the newest first. One SQL statement."""
    found = Dispute.objects.filter(metric=metric).select_related("metric", "author", "closed_by")
    return tuple(_line(d, cal) for d in found[:LISTED])


def listed(user: User) -> tuple[tuple[DisputeLine, ...], tuple[DisputeLine, ...]]:
    """Open disputes about the metrics that `user` may see, and those that were closed last."""
    cal = installation.calendar()
    seen = visible_metrics(user).values("pk")
    found = Dispute.objects.filter(metric__in=seen).select_related("metric", "author", "closed_by")
    waiting = list(found.filter(state=Dispute.State.OPEN))
    people = keepers([d.metric for d in waiting])
    open_ = []
    for one in waiting:
        about = Disputed(one, one.metric, frozenset(leader.key for leader in people[one.metric_id]))
        open_.append(
            replace(
                _line(one, cal),
                may_answer=can(user, "dispute.answer", about),
                may_withdraw=can(user, "dispute.withdraw", about),
            )
        )
    closed = found.exclude(state=Dispute.State.OPEN).order_by("-closed_at")[:CLOSED]
    return tuple(open_), tuple(_line(d, cal) for d in closed)


def choices(row: Row, points: Sequence[Point], grain: str, cal: Calendar) -> tuple[Choice, ...]:
    """The figures that a form offers: the one due, the latest, and the recent ones of a rhythm."""
    progress, unit = row.progress, row.metric.unit
    found: dict[str, str] = {}
    if progress.figure is not None and progress.period_start:
        judged = "quarter" if row.metric.goal_kind == "total" else row.metric.goal_grain
        words = "the quarter so far" if judged == "quarter" else _said(cal, progress.period_start, judged)
        found[f"{judged}:{progress.period_start}"] = f"{words}: {full(progress.figure, unit)}"
    shown = [(grain, p) for p in reversed(points[-LISTED:]) if p.value is not None]
    if row.latest and row.latest.value is not None:
        start, end = row.latest.start, row.latest.end
        words = say_period(start, end, row.latest.grain, year=True)
        found.setdefault(f"{row.latest.grain}:{start}", f"{words}: {full(row.latest.value, unit)}")
    for each, point in shown:
        words = _said(cal, point.start, each)
        found.setdefault(f"{each}:{point.start}", f"{words}: {full(point.value, unit)}")
    return tuple(Choice(token, words) for token, words in found.items())


def figure_at(metric: Metric, period: Period, dimension: str, member: str) -> Value | None:
    """The stored figure of a period, whole or of a member."""
    place = {"grain": str(period.grain), "period_start": period.start, "period_end": period.end}
    return Value.objects.filter(metric=metric, dimension=dimension, member=member, **place).first()


def figure_words(dispute: Dispute, cal: Calendar) -> str:
    """`July 2026, Spain: 1 204`, as it stood when it was disputed."""
    words = _said(cal, dispute.period_start, dispute.grain)
    member = f", {dispute.member}" if dispute.member else ""
    return f"{words}{member}: {full(dispute.figure, dispute.metric.unit)}"


def _said(cal: Calendar, start: date, grain: str) -> str:
    return say_period(start, cal.period(Grain(grain), start).end, grain, year=True)


def _line(dispute: Dispute, cal: Calendar) -> DisputeLine:
    return DisputeLine(
        id=dispute.pk,
        metric=dispute.metric.key,
        name=dispute.metric.name,
        figure=figure_words(dispute, cal),
        text=dispute.text,
        by=str(dispute.author or "somebody"),
        raised_at=dispute.raised_at,
        state=dispute.state,
        outcome=OUTCOMES.get(dispute.outcome, "withdrawn" if dispute.state == "withdrawn" else ""),
        answer=dispute.answer,
        closed_by=str(dispute.closed_by or ""),
        closed_at=dispute.closed_at,
    )
