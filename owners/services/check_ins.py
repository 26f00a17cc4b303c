"""The owner's dated word on a metric: one a day, corrected in place, with its history kept."""

from datetime import date
from hashlib import sha256

import pghistory
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from owners.models import CheckIn, Leader, User
from owners.queries.days import today_of
from owners.queries.ownership import owner_on
from owners.rules import MetricLike, require
from owners.services.meanwhile import ChangedMeanwhile

LONGEST = 2000  # characters of what changed, of the next step and of the help that is needed
NOTHING_NEW = "Nothing new."


def token_of(said: CheckIn | None) -> str:
    """Names a check-in's state, so that two windows of one person see each other; "" for none."""
    if said is None:
        return ""
    words = repr((said.pk, said.date, said.text, said.confidence, said.next_step, said.help_needed))
    return sha256(words.encode()).hexdigest()[:16]


def last_said(metric_key: str, leader: Leader, by: date) -> CheckIn | None:
    """What `leader` said last on a metric, by that day. One SQL statement."""
    found = CheckIn.objects.filter(metric_key=metric_key, leader=leader, date__lte=by)
    return found.order_by("-date", "-created_at").first()


@transaction.atomic
def check_in(
    user: User,
    metric: MetricLike,
    *,
    text: str,
    same: bool = False,
    confidence: float | None = None,
    next_step: str = "",
    help_needed: str = "",
    on: date | None = None,
    token: str | None = None,
) -> CheckIn:
    """The owner says what changed. A second word of the same owner on the same day corrects the first.

    same: nothing new; the last words, confidence, next step and help stand again, whatever else is given.
    confidence: 0 to 1. on: by default today, where the owner is. token: `token_of` the last words that the
    writer had before them; ChangedMeanwhile if they have changed since, and by field for
    what is wrong. PermissionDenied unless `user` owns the metric, or stands in for its owner: the word is
    then the owner's (`leader`), spoken by the delegate (`author`).
    """
    require(user, "metric.check_in", metric)
    leader = owner_on(metric.key, timezone.localdate())
    if leader is None:
        raise PermissionDenied(f"nobody answers for {metric.key}")
    today = today_of(leader)
    day = on or today
    Leader.objects.select_for_update().get(pk=leader.pk)  # two windows at once wait for each other
    last = last_said(metric.key, leader, day)
    if token is not None and token != token_of(last):
        raise ChangedMeanwhile(
            "You have checked in on this metric in another window meanwhile. Save again to put this over it."
        )
    if same:
        text = last.text if last else NOTHING_NEW
        confidence = last.confidence if last else None
        next_step, help_needed = (last.next_step, last.help_needed) if last else ("", "")
    words = {"text": text.strip(), "next_step": next_step.strip(), "help_needed": help_needed.strip()}
    _check(words, confidence, day, today)
    said = last if last and last.date == day else CheckIn(metric_key=metric.key, leader=leader, date=day)
    said.text, said.next_step, said.help_needed = words["text"], words["next_step"], words["help_needed"]
    said.confidence, said.author = confidence, user
    with pghistory.context(origin="page", user=user.pk):
        said.save()
    return said


def _check(words: dict[str, str], confidence: float | None, day: date, today: date) -> None:
    wrong: dict[str, str] = {}
    if not words["text"]:
        wrong["text"] = "Say in a sentence what changed."
    for field, given in words.items():
        if len(given) > LONGEST:
            wrong[field] = f"This is longer than {LONGEST} characters."
        elif "\x00" in given:
            wrong[field] = "This holds a character that no text has."
    if confidence is not None and not 0 <= confidence <= 1:
        wrong["confidence"] = "Confidence lies between 0 and 100 %."
    if wrong:
        raise ValidationError(wrong)
    if day > today:
        raise ValidationError("A check-in is not dated ahead.")
