"""To-dos with a text, a person, a date and a metric: one kind everywhere."""

from datetime import date, datetime
from hashlib import sha256

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from owners.models import Action, Leader, User
from owners.rules import MetricLike, require
from owners.services import telling
from owners.services.meanwhile import ChangedMeanwhile

LONGEST = 500  # characters
FIRST_YEAR, LAST_YEAR = 2000, 2100


def token_of(action: Action) -> str:
    """Names an action's state, so that two people who edit it see each other."""
    words = repr((action.text, action.leader_id, action.due_date, action.metric_key, action.done_at))
    return sha256(words.encode()).hexdigest()[:16]


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

    ValidationError, by field, for what is wrong. PermissionDenied unless it concerns `user`, or they may give
    actions to anybody; and unless they may see the metric.
    """
    if metric is not None:
        require(user, "metric.read", metric)
    key = metric.key if metric is not None else ""
    action = Action(text=text.strip(), leader=leader, metric_key=key, due_date=due)
    require(user, "action.edit", action)
    _check(action)
    with pghistory.context(origin="page", user=user.pk if user else None):
        action.save()
    telling.given(action, user)
    return action


@transaction.atomic
def edit_action(
    user: User | None,
    action: Action,
    *,
    text: str,
    leader: Leader | None,
    metric: MetricLike | None,
    due: date | None,
    token: str | None = None,
) -> Action:
    """Says anew what is done, by whom, until when and about what: whom it concerned may give it to others.

    token: `token_of` what the writer saw; ChangedMeanwhile if it has changed since, and by
    field for what is wrong. PermissionDenied unless it concerns `user` before the change, and they may see a
    metric that is named anew.
    """
    held = Action.objects.select_for_update().get(pk=action.pk)
    require(user, "action.edit", held)
    key = metric.key if metric is not None else ""
    if metric is not None and key != held.metric_key:
        require(user, "metric.read", metric)
    if token is not None and token != token_of(held):
        raise ChangedMeanwhile("Somebody has changed this action meanwhile. Save again to put yours over it.")
    kept_leader = held.leader_id
    held.text, held.leader, held.metric_key, held.due_date = text.strip(), leader, key, due
    _check(held, kept_leader)
    with pghistory.context(origin="page", user=user.pk if user else None):
        held.save()
    if held.leader_id != kept_leader:
        telling.given(held, user)
    return held


@transaction.atomic
def drop_action(user: User | None, action: Action) -> None:
    """It is not to be done; its history remains. PermissionDenied unless it concerns `user`."""
    held = Action.objects.select_for_update().filter(pk=action.pk).first()
    if held is None:
        return
    require(user, "action.edit", held)
    with pghistory.context(origin="page", user=user.pk if user else None):
        held.delete()


def _check(action: Action, kept_leader: int | None = None) -> None:
    wrong: dict[str, str] = {}
    if not action.text:
        wrong["text"] = "Say what is to be done."
    elif len(action.text) > LONGEST:
        wrong["text"] = f"This is longer than {LONGEST} characters."
    elif "\x00" in action.text:
        wrong["text"] = "This holds a character that no text has."
    leader = action.leader
    if leader is not None and leader.archived_at is not None and leader.pk != kept_leader:
        wrong["leader"] = f"{leader} has left; choose somebody else."
    if action.due_date is not None and not FIRST_YEAR <= action.due_date.year <= LAST_YEAR:
        wrong["due"] = "This date is too far away."
    if wrong:
        raise ValidationError(wrong)


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
