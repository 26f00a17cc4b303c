"""Deciding about held figures: released, so that the next update takes them, or rejected; with a reason."""

from collections.abc import Collection
from datetime import date, datetime

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from metrics.models import HeldDecision, Metric, MetricState
from metrics.models.held import held_token
from metrics.services.health import earlier, record
from metrics.services.sentences import sentence
from owners.models import User
from owners.rules import require


@transaction.atomic
def decide(
    user: User | None,
    metric: Metric,
    outcome: str,
    reason: str,
    *,
    figures: Collection[str] | None = None,
    now: datetime | None = None,
) -> int:
    """Releases or rejects held figures (all, or those whose `held_token` is in `figures`); returns how many.

    outcome: released | rejected. A released figure is taken by the next update; a rejected one is not asked
    about again while the source says the same, and the last good one stays. ValidationError for what is
    wrong; PermissionDenied without `metric.annotate`.
    """
    require(user, "metric.annotate", metric)
    if outcome not in HeldDecision.Outcome.values:
        raise ValidationError({"outcome": "Release the figure or reject it."})
    said = sentence(reason, "Say in a sentence why.")
    moment = now or timezone.now()
    state = MetricState.objects.select_for_update().filter(metric=metric).first()
    held = state.held if state else []
    chosen = [entry for entry in held if figures is None or held_token(entry) in figures]
    if state is None or not chosen:
        return 0
    with pghistory.context(origin="page", user=user.pk if user else None):
        for entry in chosen:
            place = {
                "metric": metric,
                "grain": entry["grain"],
                "period_start": date.fromisoformat(entry["period_start"]),
                "period_end": date.fromisoformat(entry["period_end"]),
            }
            for row in HeldDecision.objects.filter(ended_at=None, **place):
                row.ended_at = moment  # about another figure of the same period
                row.save(update_fields=["ended_at"])
            HeldDecision.objects.create(
                **place,
                value=entry["value"],
                check_words=entry["reason"][:300],
                outcome=outcome,
                reason=said,
                author=user,
                decided_at=moment,
            )
    state.held = [entry for entry in held if entry not in chosen]
    if outcome == HeldDecision.Outcome.RELEASED:
        first = min(date.fromisoformat(entry["period_start"]) for entry in chosen)
        state.dirty_from = earlier(state.dirty_from, first)
    state.save()
    record(state, moment)
    return len(chosen)
