"""Setting how often a metric's owner is asked for a word."""

from datetime import date

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction

from calc.cadence import Cadence, Every
from owners import models
from owners.queries.cadences import cadence_of
from owners.rules import MetricLike, require
from owners.services.meanwhile import state_token, unchanged

MOST_WORKING_DAYS = 20
MOST_WEEKS = 26
EARLIEST = date(2000, 1, 1)


def token_of(cadence: Cadence | None) -> str:
    """Names the rhythm that a writer saw."""
    return state_token(cadence)


@transaction.atomic
def set_cadence(
    user: models.User | None, metric: MetricLike, cadence: Cadence | None, *, expected: str | None = None
) -> None:
    """From now on the owner is asked by `cadence`; None: by the rhythm of the metric's figures.

    expected: the token of what the writer saw; ChangedMeanwhile if it is another rhythm by now.
    ValidationError, by field, for what no rhythm is. PermissionDenied without metric.set_cadence.
    """
    require(user, "metric.set_cadence", metric)
    if cadence is not None:
        _check(cadence)
    row = models.Cadence.objects.select_for_update().filter(metric_key=metric.key).first()
    unchanged(expected, token_of(cadence_of(row) if row else None))
    with pghistory.context(origin="page", user=user.pk if user else None):
        if cadence is None:
            models.Cadence.objects.filter(metric_key=metric.key).delete()
            return
        models.Cadence.objects.update_or_create(
            metric_key=metric.key,
            defaults={
                "every": cadence.every.value,
                "weekday": cadence.weekday,
                "working_days": cadence.working_days,
                "weeks": cadence.weeks,
                "first": cadence.first,
            },
        )


def _check(cadence: Cadence) -> None:
    if cadence.every is Every.WEEK and not 0 <= cadence.weekday <= 6:
        raise ValidationError({"weekday": "Choose a day of the week."})
    if not 1 <= cadence.working_days <= MOST_WORKING_DAYS:
        raise ValidationError({"working_days": f"Give a number from 1 to {MOST_WORKING_DAYS}."})
    if cadence.every is not Every.WEEKS:
        return
    if not 1 <= cadence.weeks <= MOST_WEEKS:
        raise ValidationError({"weeks": f"Give a number from 1 to {MOST_WEEKS}."})
    if cadence.first is None:
        raise ValidationError({"first": "Give the first day on which a check-in is due."})
    if not EARLIEST <= cadence.first <= date(2100, 1, 1):
        raise ValidationError({"first": "This day is too far away."})
