"""Going on leave: from when until when, and who speaks and counts meanwhile."""

from datetime import date, timedelta

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from owners.models import Leader, Leave, User
from owners.rules import require
from owners.services import telling
from owners.services.meanwhile import state_token, unchanged

LONGEST_NOTE = 500  # characters
LONGEST = timedelta(days=3 * 366)  # of a leave, and how far ahead it may begin: a slip in the year is caught


@transaction.atomic
def take_leave(
    author: User | None,
    leader: Leader,
    from_date: date,
    until_date: date,
    delegate: Leader | None,
    *,
    note: str = "",
    today: date | None = None,
) -> Leave:
    """`leader` is away from `from_date` through `until_date`, and `delegate` (None: nobody) stands in.

    Raises PermissionDenied without `leader.set_leave`; ValidationError, by field, for days that make no
    sense, a leave that overlaps another, a delegate who has left or is the person themself.
    """
    return _save(author, Leave(leader=leader), from_date, until_date, delegate, note, today)


@transaction.atomic
def change_leave(
    author: User | None,
    leave: Leave,
    from_date: date,
    until_date: date,
    delegate: Leader | None,
    *,
    note: str = "",
    token: str | None = None,
    today: date | None = None,
) -> Leave:
    """Moves a leave, or names another delegate; raises as `take_leave`.

    token: `token_of` what the writer saw; ChangedMeanwhile if it is another leave by now.
    """
    return _save(author, leave, from_date, until_date, delegate, note, today, token)


def token_of(leave: Leave) -> str:
    """Names the state of a leave."""
    return state_token(leave.from_date, leave.until_date, leave.delegate_id, leave.note)


@transaction.atomic
def cancel_leave(author: User | None, leave: Leave, *, today: date | None = None) -> None:
    """A leave that has not begun is taken away, one that has ends yesterday; its history remains.

    Raises PermissionDenied as `take_leave`, ValidationError for one that is over.
    """
    require(author, "leader.set_leave", leave.leader)
    today = today or timezone.localdate()
    _lock(leave.leader)
    held = Leave.objects.select_for_update().filter(pk=leave.pk).first()
    if held is None:
        return
    if held.until_date < today:
        raise ValidationError("This leave is over.")
    telling.stands_in_no_more(held, held.delegate, author)
    with pghistory.context(**_origin(author)):
        if held.from_date >= today:
            held.delete()
        else:
            held.until_date = today - timedelta(days=1)
            held.save(update_fields=["until_date"])


def warnings(leave: Leave) -> tuple[str, ...]:
    """What to know of a leave that is stored, in words: who stands in for nobody. One statement."""
    if leave.delegate is None:
        return (f"Nobody stands in for {leave.leader.name} meanwhile: name a delegate.",)
    found = Leave.objects.filter(
        leader=leave.delegate, from_date__lte=leave.until_date, until_date__gte=leave.from_date
    )
    return tuple(
        f"{leave.delegate.name} is away too from {_say(max(leave.from_date, own.from_date))} to "
        f"{_say(min(leave.until_date, own.until_date))}: nobody stands in for {leave.leader.name} then."
        for own in found.order_by("from_date")
    )


def _save(
    author: User | None,
    leave: Leave,
    from_date: date,
    until_date: date,
    delegate: Leader | None,
    note: str,
    today: date | None,
    token: str | None = None,
) -> Leave:
    require(author, "leader.set_leave", leave.leader)
    _lock(leave.leader)
    if leave.pk:
        held = Leave.objects.select_for_update(of=("self",)).filter(pk=leave.pk).first()
        if held is None:
            raise ValidationError("This leave was taken away meanwhile.")
        unchanged(token, token_of(held))
    _check(leave, from_date, until_date, delegate, note.strip(), today or timezone.localdate())
    before = leave.delegate
    leave.from_date, leave.until_date = from_date, until_date
    leave.delegate, leave.note = delegate, note.strip()
    with pghistory.context(**_origin(author)):
        leave.save()
    telling.stands_in(leave, before, author)
    return leave


def _check(
    leave: Leave, from_date: date, until_date: date, delegate: Leader | None, note: str, today: date
) -> None:
    wrong: dict[str, str] = {}
    if leave.leader.archived_at is not None:
        raise ValidationError(f"{leave.leader.name} has left.")
    if until_date < from_date:
        wrong["until_date"] = "The last day away lies before the first."
    elif until_date < today and not leave.pk:
        wrong["until_date"] = "This leave would be over already."
    elif until_date - from_date > LONGEST or from_date - today > LONGEST:
        wrong["until_date"] = "A leave is planned for three years at most."
    if delegate is not None and delegate.pk == leave.leader.pk:
        wrong["delegate"] = "Somebody else has to stand in."
    elif delegate is not None and delegate.archived_at is not None:
        wrong["delegate"] = f"{delegate.name} has left; choose somebody else."
    if len(note) > LONGEST_NOTE:
        wrong["note"] = f"This is longer than {LONGEST_NOTE} characters."
    elif "\x00" in note:
        wrong["note"] = "This holds a character that no text has."
    if wrong:
        raise ValidationError(wrong)
    others = Leave.objects.filter(leader=leave.leader, from_date__lte=until_date, until_date__gte=from_date)
    other = others.exclude(pk=leave.pk).first()
    if other is not None:
        raise ValidationError(
            f"{leave.leader.name} is on leave from {_say(other.from_date)} to {_say(other.until_date)} "
            "already. Change that one, or choose other days."
        )


def _lock(leader: Leader) -> None:
    """Two leaves of one person at once wait for each other; the database would refuse the second anyway."""
    Leader.objects.select_for_update(of=("self",)).get(pk=leader.pk)


def _say(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _origin(author: User | None) -> dict[str, object]:
    return {"user": author.pk, "origin": "page"} if author else {}
