"""Gaps to plan that are accepted for a while: asked for by the owner, accepted by an executive."""

import math
from datetime import date, datetime

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from calc.numbers import gap
from metrics.models import Metric
from metrics.queries.standing import Now
from metrics.queries.standing import now as standing
from metrics.services import notices
from metrics.services.sentences import last_day, sentence
from owners.models import Deviation, User
from owners.queries.ownership import owner_on
from owners.rules import require

SLACK = 1e-9  # relative; what was read from a page in decimals may miss the stored gap by a hair


@transaction.atomic
def ask(
    user: User | None,
    metric: Metric,
    *,
    shortfall: float | None,
    reason: str,
    until: date | None = None,
    today: date | None = None,
    now: datetime | None = None,
) -> Deviation:
    """The owner asks that the running quarter may be `shortfall` behind plan; executives are told.

    shortfall: in the metric's unit, a share's as a fraction. It replaces what was asked for and not answered.
    ValidationError, by field; PermissionDenied unless `user` owns the metric.
    """
    require(user, "metric.check_in", metric)
    moment = now or timezone.now()
    there = _standing(metric, today)
    size, said, through = _terms(there, shortfall, reason, until)
    with pghistory.context(origin="page", user=user.pk if user else None):
        _end(_asked(metric, there), user, moment)
        row = Deviation.objects.create(
            metric_key=metric.key,
            quarter=there.quarter,
            shortfall=size,
            reason=said,
            until_date=through,
            asked_by=user,
            asked_at=moment,
        )
    notices.deviation_asked(row, metric, _terms_in_words(row, metric), str(user or ""))
    return row


@transaction.atomic
def accept(
    user: User | None,
    metric: Metric,
    *,
    shortfall: float | None,
    reason: str,
    until: date | None = None,
    today: date | None = None,
    now: datetime | None = None,
) -> Deviation:
    """An executive accepts that the running quarter is up to `shortfall` behind plan, through `until`.

    It answers what the owner has asked for and replaces what was accepted before; the owner is told.
    ValidationError, by field; PermissionDenied without `metric.accept_deviation`.
    """
    require(user, "metric.accept_deviation", metric)
    moment = now or timezone.now()
    there = _standing(metric, today)
    size, said, through = _terms(there, shortfall, reason, until)
    with pghistory.context(origin="page", user=user.pk if user else None):
        _end(_accepted(metric, there), user, moment)
        row = _asked(metric, there) or Deviation(metric_key=metric.key, quarter=there.quarter)
        row.shortfall, row.reason, row.until_date = size, said, through
        row.accepted_by, row.accepted_at = user, moment
        row.save()
    owner = owner_on(metric.key, there.today)
    notices.deviation_answered(row, metric, owner, f"accepted by {user}", _terms_in_words(row, metric))
    return row


@transaction.atomic
def decline(
    user: User | None,
    metric: Metric,
    *,
    answer: str,
    today: date | None = None,
    now: datetime | None = None,
) -> bool:
    """An executive says no to what the owner asks for, with a sentence; False if nothing is asked for."""
    require(user, "metric.accept_deviation", metric)
    there = _standing(metric, today)
    said = sentence(answer, "Say in a sentence why not.", field="answer")
    row = _asked(metric, there)
    if row is None:
        return False
    row.answer = said
    with pghistory.context(origin="page", user=user.pk if user else None):
        _end(row, user, now or timezone.now())
    owner = owner_on(metric.key, there.today)
    notices.deviation_answered(row, metric, owner, f"not accepted by {user}", said)
    return True


@transaction.atomic
def end(user: User | None, metric: Metric, *, today: date | None = None, now: datetime | None = None) -> bool:
    """An executive no longer accepts the deviation; False if none is. The owner is told."""
    require(user, "metric.accept_deviation", metric)
    there = _standing(metric, today)
    row = _accepted(metric, there)
    if row is None:
        return False
    with pghistory.context(origin="page", user=user.pk if user else None):
        _end(row, user, now or timezone.now())
    owner = owner_on(metric.key, there.today)
    words = f"It had been accepted for this reason: {row.reason}"
    notices.deviation_answered(row, metric, owner, f"no longer accepted by {user}", words)
    return True


@transaction.atomic
def take_back(
    user: User | None, metric: Metric, *, today: date | None = None, now: datetime | None = None
) -> bool:
    """The owner no longer asks; False if nothing is asked for."""
    require(user, "metric.check_in", metric)
    row = _asked(metric, _standing(metric, today))
    with pghistory.context(origin="page", user=user.pk if user else None):
        _end(row, user, now or timezone.now())
    return row is not None


def _standing(metric: Metric, today: date | None) -> Now:
    """Where it stands; whoever writes about one metric's deviations comes one after the other."""
    Metric.objects.select_for_update(of=("self",), no_key=True).get(pk=metric.pk)
    return standing(metric, today)


def _terms(there: Now, shortfall: float | None, reason: str, until: date | None) -> tuple[float, str, date]:
    behind, metric = there.progress.shortfall, there.progress.metric
    if behind is None or behind <= 0:
        raise ValidationError("It is not behind its plan: there is nothing to accept.")
    wrong: dict[str, str] = {}
    said, through = "", there.last_day
    if shortfall is None or not math.isfinite(shortfall) or shortfall <= 0:
        wrong["shortfall"] = "Say how far behind plan it may be."
    elif shortfall < behind * (1 - SLACK):
        now = gap(behind, metric.unit, sign=False)
        wrong["shortfall"] = f"It is {now} behind already: accept at least that."
    elif shortfall > 1e15:
        wrong["shortfall"] = "This figure is too large to be right."
    try:
        said = sentence(reason, "Say in a sentence why this is accepted.")
    except ValidationError as refused:
        wrong["reason"] = refused.messages[0]
    try:
        through = last_day(until, there.today, there.last_day)
    except ValidationError as refused:
        wrong["until"] = refused.messages[0]
    if wrong:
        raise ValidationError(wrong)
    assert shortfall is not None
    return shortfall, said, through


def _asked(metric: Metric, there: Now) -> Deviation | None:
    found = Deviation.objects.filter(metric_key=metric.key, quarter=there.quarter, ended_at=None)
    return found.filter(accepted_at=None).select_for_update().first()


def _accepted(metric: Metric, there: Now) -> Deviation | None:
    found = Deviation.objects.filter(metric_key=metric.key, quarter=there.quarter, ended_at=None)
    return found.exclude(accepted_at=None).select_for_update().first()


def _end(row: Deviation | None, user: User | None, moment: datetime) -> None:
    if row is not None:
        row.ended_at, row.ended_by = moment, user
        row.save(update_fields=["ended_at", "ended_by", "answer"])


def _terms_in_words(row: Deviation, metric: Metric) -> str:
    size, day = gap(row.shortfall, metric.unit, sign=False), row.until_date
    return f"Up to {size} behind plan until {day.day} {day:%b %Y}: {row.reason}"
