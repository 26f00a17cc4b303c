"""To-dos with a text, a person, a date and a metric: one kind everywhere."""

from datetime import date, datetime

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from owners.models import Action, Leader, User
from owners.rules import MetricLike, require

LONGEST = 500  # characters


@transaction.atomic
def add_action(
    user: User | None,
    *,
    text: str,
    leader: Leader | None = None,
    metric: MetricLike | None = None,
    due: date | None = None,
) -> Action:
    """Notes what `leader` does, by `due` and about `metric`, where these are given.

    ValidationError, by field, for what is wrong. PermissionDenied unless `user` is that leader or owns the
    metric, and may see it.
    """
    if metric is not None:
        require(user, "metric.read", metric)
    key = metric.key if metric is not None else ""
    action = Action(text=text.strip(), leader=leader, metric_key=key, due_date=due)
    require(user, "action.edit", action)
    if not action.text:
        raise ValidationError({"text": "Say what is to be done."})
    if len(action.text) > LONGEST:
        raise ValidationError({"text": f"This is longer than {LONGEST} characters."})
    if "\x00" in action.text:
        raise ValidationError({"text": "This holds a character that no text has."})
    with pghistory.context(origin="page", user=user.pk if user else None):
        action.save()
    return action


def finish_action(user: User | None, action: Action, *, now: datetime | None = None) -> Action:
    """It is done; finishing it again changes nothing. PermissionDenied unless it concerns `user`."""
    return _set_done(user, action, now or timezone.now())


def reopen(user: User | None, action: Action) -> Action:
    """It is not done after all. PermissionDenied unless it concerns `user`."""
    return _set_done(user, action, None)


@transaction.atomic
def _set_done(user: User | None, action: Action, at: datetime | None) -> Action:
    require(user, "action.edit", action)
    held = Action.objects.select_for_update().get(pk=action.pk)
    if (held.done_at is None) != (at is None):
        held.done_at = at
        with pghistory.context(origin="page", user=user.pk if user else None):
            held.save(update_fields=["done_at"])
    return held
