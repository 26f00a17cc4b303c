"""The owner's own call: made with a sentence, for the running quarter at most, and taken back."""

from datetime import date, datetime

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from calc.status import State
from metrics.models import Metric
from metrics.queries.standing import Now
from metrics.queries.standing import now as standing
from metrics.services.sentences import last_day, sentence
from owners.models import Leader, StatusCall, User
from owners.models.calls import STATUSES
from owners.queries.ownership import owner_on
from owners.rules import require


@transaction.atomic
def make_call(
    user: User | None,
    metric: Metric,
    *,
    status: str,
    reason: str = "",
    until: date | None = None,
    today: date | None = None,
    now: datetime | None = None,
) -> StatusCall | None:
    """The owner calls the running quarter on track, at risk or off track, beside the computed status.

    until: the last day that it holds, by default the quarter's. A call that says what is computed needs no
    sentence and is not kept: it takes the standing one back (None). The same call again changes nothing.
    ValidationError, by field, for what is wrong; PermissionDenied unless `user` owns the metric.
    """
    require(user, "metric.check_in", metric)
    if status not in STATUSES:
        raise ValidationError({"status": "Call it on track, at risk or off track."})
    there = standing(metric, today)
    owner = _locked_owner(metric, there)
    if status == there.progress.status.state.value:
        _take_back(user, metric, there, now)
        return None
    said = sentence(reason, f"Say in a sentence why you call it {State(status).word}.")
    through = last_day(until, there.today, there.last_day)
    open_ = StatusCall.objects.filter(metric_key=metric.key, quarter=there.quarter, withdrawn_at=None).first()
    wanted = (owner.pk, status, said, through)
    if open_ and (open_.leader_id, open_.status, open_.reason, open_.until_date) == wanted:
        return open_
    _take_back(user, metric, there, now)
    with pghistory.context(origin="page", user=user.pk if user else None):
        return StatusCall.objects.create(
            metric_key=metric.key,
            quarter=there.quarter,
            leader=owner,
            status=status,
            reason=said,
            until_date=through,
            author=user,
            made_at=now or timezone.now(),
        )


@transaction.atomic
def withdraw_call(
    user: User | None, metric: Metric, *, today: date | None = None, now: datetime | None = None
) -> bool:
    """Takes the running quarter's call back; False if there was none."""
    require(user, "metric.check_in", metric)
    there = standing(metric, today)
    _locked_owner(metric, there)
    return _take_back(user, metric, there, now)


def _locked_owner(metric: Metric, there: Now) -> Leader:
    """The owner, under a lock, so that two windows at once wait for each other."""
    owner = owner_on(metric.key, there.today)
    if owner is None:
        raise ValidationError("Nobody answers for this metric today, so nobody can call it.")
    return Leader.objects.select_for_update().get(pk=owner.pk)


def _take_back(user: User | None, metric: Metric, there: Now, now: datetime | None) -> bool:
    taken = False
    with pghistory.context(origin="page", user=user.pk if user else None):
        for row in StatusCall.objects.filter(
            metric_key=metric.key, quarter=there.quarter, withdrawn_at=None
        ).select_for_update():
            row.withdrawn_at = now or timezone.now()
            row.save(update_fields=["withdrawn_at"])
            taken = True
    return taken
