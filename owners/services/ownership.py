"""Handing a metric, or a member of it, over: who answers for it from which day on."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

import pghistory
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from owners.models import Action, Leader, Ownership, User
from owners.queries.ownership import member_owner_on, owned_by
from owners.rules import require
from owners.services import telling
from owners.services.meanwhile import ChangedMeanwhile

OWNERS_LOCK = 7_411_004  # with a hash of the metric's key: rows that do not exist yet cannot be locked
LONGEST_NOTE = 5_000  # characters


@dataclass(frozen=True)
class MetricRef:
    """What the rules need to know of a metric to judge who may hand it over."""

    key: str
    visible: str = "everyone"


def token_of(metric_key: str) -> str:
    """Names the state of all that is said of a metric's owners and its members'. One statement."""
    rows = Ownership.objects.filter(metric_key=metric_key).order_by("pk")
    said = list(rows.values_list("dimension", "member", "from_date", "leader_id", "is_returned", "note"))
    return sha256(repr(said).encode()).hexdigest()[:16]


@transaction.atomic
def hand_over(
    metric_key: str,
    leader: Leader | None,
    from_date: date,
    *,
    author: User | None,
    note: str = "",
    dimension: str = "",
    member: str = "",
    to_the_whole: bool = False,
    expected: str | None = None,
) -> Ownership:
    """From `from_date` on `leader` (None: nobody) answers for the metric, or for a member of it, until the
    next row if there is a later one.

    to_the_whole: the member goes back to the metric's owner. expected: the `token_of` that the writer saw.
    Raises PermissionDenied without `metric.set_owner`, ValueError for an archived leader, ValidationError for
    what makes no sense, ChangedMeanwhile if the token is not that of what is stored. Who takes over and who
    gives are told, unless they do it themselves.
    """
    giver = member_owner_on(metric_key, dimension, member, from_date) if author else None
    row = _hand_over(metric_key, leader, from_date, author, note, dimension, member, to_the_whole, expected)
    telling.handed_over([row], giver, author)
    return row


def _hand_over(
    metric_key: str,
    leader: Leader | None,
    from_date: date,
    author: User | None,
    note: str,
    dimension: str,
    member: str,
    to_the_whole: bool = False,
    expected: str | None = None,
) -> Ownership:
    require(author, "metric.set_owner", MetricRef(metric_key))
    if leader is not None and leader.archived_at is not None:
        raise ValueError(f"{leader} has left; choose somebody else")
    if to_the_whole and (leader is not None or not dimension):
        raise ValidationError("Only a member without an owner of its own goes back to the metric's owner.")
    if len(note) > LONGEST_NOTE or "\x00" in note:
        raise ValidationError({"note": f"A note is text of {LONGEST_NOTE} characters at most."})
    with _alone(metric_key, author, expected):
        row, _ = Ownership.objects.update_or_create(
            metric_key=metric_key,
            dimension=dimension,
            member=member if dimension else "",
            from_date=from_date,
            defaults={"leader": leader, "note": note, "author": author, "is_returned": to_the_whole},
        )
    return row


@transaction.atomic
def undo_hand_over(
    metric_key: str,
    from_date: date,
    *,
    author: User | None,
    dimension: str = "",
    member: str = "",
    today: date | None = None,
    expected: str | None = None,
) -> None:
    """Takes back a hand-over that lies ahead: whoever answers the day before goes on. Its history remains.

    Raises as `hand_over`; ValidationError for one that has begun, and where there is none.
    """
    require(author, "metric.set_owner", MetricRef(metric_key))
    if from_date <= (today or timezone.localdate()):
        raise ValidationError("This hand-over has begun. Hand over again to change who answers.")
    with _alone(metric_key, author, expected):
        rows = Ownership.objects.filter(
            metric_key=metric_key, dimension=dimension, member=member, from_date=from_date
        )
        row = rows.select_related("leader__user").first()
        if row is None:
            raise ValidationError("This hand-over was taken back already.")
        telling.taken_back(row, author)
        rows.delete()


@transaction.atomic
def move_actions(metric_key: str, giver: Leader, taker: Leader, *, author: User | None) -> int:
    """The open actions on a metric that `giver` was to do are `taker`'s now; returns how many.

    Raises PermissionDenied without `metric.set_owner`.
    """
    require(author, "metric.set_owner", MetricRef(metric_key))
    moved = 0
    with pghistory.context(**_origin(author)):
        found = Action.objects.select_for_update().filter(metric_key=metric_key, leader=giver, done_at=None)
        for action in found:
            action.leader = taker
            action.save(update_fields=["leader"])
            moved += 1
    return moved


@transaction.atomic
def hand_all_over(
    giver: Leader,
    taker: Leader | None,
    from_date: date,
    *,
    author: User | None,
    note: str = "",
    with_actions: bool = False,
) -> int:
    """Everything that `giver` answers for from `from_date` on is `taker`'s (None: nobody's) from that day, or
    from the later day on which it would have begun; returns how many metrics and members changed hands.

    with_actions: the open actions on them go along, where there is a taker. Raises as `hand_over`.
    """
    if taker is not None and taker.pk == giver.pk:
        raise ValidationError("Choose somebody else: this is the person who hands over.")
    rows = owned_by(giver, from_date)
    given = [
        _hand_over(
            row.metric_key,
            taker,
            max(from_date, row.from_date),
            author,
            note,
            row.dimension,
            row.member,
        )
        for row in rows
    ]
    telling.handed_over(given, giver, author)
    if with_actions and taker is not None:
        for key in sorted({row.metric_key for row in rows}):
            move_actions(key, giver, taker, author=author)
    return len({(row.metric_key, row.dimension, row.member) for row in rows})


@transaction.atomic
def state_history(
    metric_key: str, rows: Sequence[tuple[date, Leader | None, str]], *, author: User | None
) -> None:
    """The whole history of a metric's owners as (from, leader or None, note): rows that differ are changed,
    others than these are taken away (their history remains). Members keep theirs."""
    require(author, "metric.set_owner", MetricRef(metric_key))
    with _alone(metric_key, author, None):
        stated = {start: (leader, note) for start, leader, note in rows}
        for row in Ownership.objects.select_for_update().filter(metric_key=metric_key, dimension=""):
            if row.from_date not in stated:
                row.delete()
                continue
            leader, note = stated.pop(row.from_date)
            if (row.leader_id, row.note) != (leader.pk if leader else None, note):
                row.leader, row.note, row.author = leader, note, author
                row.save(update_fields=["leader", "note", "author"])
        Ownership.objects.bulk_create(
            Ownership(metric_key=metric_key, from_date=start, leader=leader, note=note, author=author)
            for start, (leader, note) in stated.items()
        )


@contextmanager
def _alone(metric_key: str, author: User | None, expected: str | None) -> Iterator[None]:
    """Of two who hand one metric over at one moment the second waits, and sees what the first has done."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", [OWNERS_LOCK, metric_key])
    if expected is not None and expected != token_of(metric_key):
        raise ChangedMeanwhile(
            "The owner was changed while you were choosing. Look below, then hand over again."
        )
    with pghistory.context(**_origin(author)):
        yield


def _origin(author: User | None) -> dict[str, object]:
    return {"user": author.pk, "origin": "page"} if author else {}
