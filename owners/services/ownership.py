"""Handing a metric over: who answers for it from which day on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pghistory
from django.db import transaction

from owners.models import Leader, Ownership, User
from owners.rules import require


@dataclass(frozen=True)
class MetricRef:
    """What the rules need to know of a metric to judge who may hand it over."""

    key: str
    visible: str = "everyone"


@transaction.atomic
def hand_over(
    metric_key: str, leader: Leader | None, from_date: date, *, author: User | None, note: str = ""
) -> Ownership:
    """From `from_date` on `leader` (None: nobody) answers for the metric, until the next row if there is a
    later one.

    Raises PermissionDenied without `metric.set_owner`, ValueError for an archived leader.
    """
    require(author, "metric.set_owner", MetricRef(metric_key))
    if leader is not None and leader.archived_at is not None:
        raise ValueError(f"{leader} has left; choose somebody else")
    with pghistory.context(**_origin(author)):
        row, _ = Ownership.objects.update_or_create(
            metric_key=metric_key,
            dimension="",
            member="",
            from_date=from_date,
            defaults={"leader": leader, "note": note, "author": author},
        )
    return row


@transaction.atomic
def state_history(
    metric_key: str, rows: Sequence[tuple[date, Leader | None, str]], *, author: User | None
) -> None:
    """The whole history of a metric's owners as (from, leader or None, note): rows that differ are changed,
    others than these are taken away (their history remains)."""
    require(author, "metric.set_owner", MetricRef(metric_key))
    with pghistory.context(**_origin(author)):
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


def _origin(author: User | None) -> dict[str, object]:
    return {"user": author.pk, "origin": "page"} if author else {}
