"""What was handed to somebody and is new to them: shown until they have said their first word on it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Max

from owners.models import CheckIn, Leader, Ownership
from owners.queries.ownership import owned_keys

NEW_FOR = timedelta(days=92)  # a metric whose owner is never asked for a word is not new for ever


@dataclass(frozen=True)
class Handed:
    """`leader` answers for the metric since `since`; before them `giver` did (None: nobody)."""

    metric_key: str
    leader: Leader
    since: date
    giver: Leader | None
    by: str  # who handed it over, "" for the definitions file
    note: str


def handed_to(leader: Leader, day: date) -> dict[str, Handed]:
    """What `leader` owns on `day` and has not checked in on since it was handed over, by metric key.

    A metric's first owner was handed nothing, unless there is a note. Two statements.
    """
    keys = owned_keys(day, pk=leader.pk)
    rows: dict[str, list[Ownership]] = defaultdict(list)
    said = (
        Ownership.objects.filter(metric_key__in=keys, dimension="", from_date__lte=day)
        .select_related("leader", "author")
        .order_by("from_date")
    )
    for row in said:
        rows[row.metric_key].append(row)
    words = dict(
        CheckIn.objects.filter(metric_key__in=list(rows), leader=leader, date__lte=day)
        .values_list("metric_key")
        .annotate(Max("date"))
        .order_by()
    )
    found = {}
    for key, told in rows.items():
        handed = _handed(told)
        spoken = words.get(key)
        if handed and handed.since > day - NEW_FOR and (spoken is None or spoken < handed.since):
            found[key] = handed
    return found


def _handed(told: list[Ownership]) -> Handed | None:
    """How the last owner of these rows, oldest first, came to it."""
    last = told[-1]
    first = len(told) - 1
    while first and told[first - 1].leader_id == last.leader_id:
        first -= 1
    begun, before = told[first], told[first - 1] if first else None
    if last.leader is None or (before is None and not begun.note):
        return None
    by = str(begun.author or "")
    return Handed(
        begun.metric_key, last.leader, begun.from_date, before.leader if before else None, by, begun.note
    )
