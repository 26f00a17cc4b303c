"""Disputes about computed figures: raised with a sentence, answered by who keeps the data, or taken back."""

from datetime import date, datetime

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from calc.calendar import Grain
from metrics.models import Dispute, Metric
from metrics.models.disputes import OUTCOMES
from metrics.queries import installation
from metrics.queries.disputes import Disputed, figure_at, figure_words, keepers
from metrics.queries.standing import now as standing
from metrics.services import notices
from metrics.services.sentences import sentence
from owners.models import User
from owners.rules import require


@transaction.atomic
def dispute(
    user: User | None,
    metric: Metric,
    grain: str,
    start: date,
    text: str,
    *,
    dimension: str = "",
    member: str = "",
    now: datetime | None = None,
) -> Dispute:
    """`user` says that the figure of a period looks wrong; who keeps its data is told.

    start: the period's first day. dimension, member: "" for the whole. ValidationError, by field, for what is
    wrong, also where the figure is disputed already. PermissionDenied without `metric.dispute`.
    """
    require(user, "metric.dispute", metric)
    if metric.type == "manual":
        raise ValidationError("A figure entered by hand is corrected where it was entered.")
    said = sentence(text, "Say in a sentence what looks wrong.", field="text")
    cal = installation.calendar()
    Metric.objects.select_for_update(of=("self",), no_key=True).get(pk=metric.pk)
    period = cal.period(Grain(grain), start)
    value = figure_at(metric, period, dimension, member) if period.start == start else None
    figure = value.value if value else None
    if figure is None and grain == Grain.QUARTER and not member:  # a quarter may be known by its days alone
        there = standing(metric)
        figure = there.progress.figure if there.period.start == start else None
    if figure is None:
        raise ValidationError({"figure": "There is no such figure to dispute."})
    place = {
        "metric": metric,
        "grain": str(period.grain),
        "period_start": period.start,
        "period_end": period.end,
        "dimension": dimension,
        "member": member,
    }
    before = Dispute.objects.filter(state=Dispute.State.OPEN, **place).select_related("author").first()
    if before is not None:
        raise ValidationError({"figure": f"{before.author or 'Somebody'} has disputed this figure already."})
    with pghistory.context(origin="page", user=user.pk if user else None):
        made = Dispute.objects.create(
            **place, figure=figure, text=said, author=user, raised_at=now or timezone.now()
        )
    notices.disputed(made, keepers([metric])[metric.pk], figure_words(made, cal))
    return made


@transaction.atomic
def answer(
    user: User | None, about: Disputed, *, outcome: str, text: str, now: datetime | None = None
) -> bool:
    """The keeper of the data, or an analyst, answers; who raised it is told. False if it is closed already.

    outcome: corrected | right | known. ValidationError, by field; PermissionDenied without `dispute.answer`.
    """
    require(user, "dispute.answer", about)
    if outcome not in OUTCOMES:
        raise ValidationError({"outcome": "Say whether it is corrected, right as it is, or a known problem."})
    said = sentence(text, "Say in a sentence what you have found.", field="text")
    row = _close(user, about, Dispute.State.ANSWERED, now, outcome=outcome, answer=said)
    if row is not None:
        notices.dispute_answered(row, OUTCOMES[outcome])
    return row is not None


@transaction.atomic
def withdraw(user: User | None, about: Disputed, *, now: datetime | None = None) -> bool:
    """Whoever raised it takes it back. False if it is closed already."""
    require(user, "dispute.withdraw", about)
    return _close(user, about, Dispute.State.WITHDRAWN, now) is not None


def _close(
    user: User | None,
    about: Disputed,
    state: Dispute.State,
    now: datetime | None,
    *,
    outcome: str = "",
    answer: str = "",
) -> Dispute | None:
    locked = Dispute.objects.select_for_update(of=("self",)).select_related("metric", "author")
    row = locked.get(pk=about.dispute.pk)
    if row.state != Dispute.State.OPEN:
        return None
    row.state, row.outcome, row.answer = state, outcome, answer
    row.closed_by, row.closed_at = user, now or timezone.now()
    with pghistory.context(origin="page", user=user.pk if user else None):
        row.save()
    return row
