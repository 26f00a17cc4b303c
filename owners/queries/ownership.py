"""Who answers for a metric on a day. Rows of (metric, from, leader or vacant) hold until the next row."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet

from owners.models import Leader, Ownership


@dataclass(frozen=True)
class Tenure:
    """`leader` (None: vacant) answers from `from_date` until before `to_date` (None: still)."""

    from_date: date
    to_date: date | None
    leader: Leader | None
    note: str


def rows_on(day: date) -> QuerySet[Ownership]:
    """The row in force on `day` of each metric that has one by then; lazy, at most one per metric."""
    return (
        Ownership.objects.filter(from_date__lte=day)
        .order_by("metric_key", "-from_date")
        .distinct("metric_key")
    )


def owned_keys(day: date, **leader: object) -> QuerySet[Ownership, str]:
    """Keys of the metrics whose owner on `day` matches `leader` (lookups on Leader), as a subquery.

    The row in force is chosen first and its leader compared second: a former owner does not match.
    """
    lookups = {f"leader__{name}": value for name, value in leader.items()}
    in_force = rows_on(day).values("pk")
    return Ownership.objects.filter(pk__in=in_force, **lookups).values_list("metric_key", flat=True)


def owners_on(metric_keys: Iterable[str], day: date) -> dict[str, Leader]:
    """The owner of each of these metrics on `day`; a metric without one is absent. One statement."""
    rows = rows_on(day).filter(metric_key__in=list(metric_keys)).select_related("leader__team")
    return {row.metric_key: row.leader for row in rows if row.leader is not None}


def owner_on(metric_key: str, day: date) -> Leader | None:
    """Who answers for the metric on `day`; None if nobody does. One statement."""
    return owners_on([metric_key], day).get(metric_key)


def history(metric_key: str) -> tuple[Tenure, ...]:
    """All tenures of a metric, oldest first, vacant ones among them. One statement."""
    rows = list(
        Ownership.objects.filter(metric_key=metric_key).select_related("leader").order_by("from_date")
    )
    ends: list[date | None] = [row.from_date for row in rows[1:]]
    return tuple(
        Tenure(row.from_date, end, row.leader, row.note)
        for row, end in zip(rows, [*ends, None][: len(rows)], strict=True)
        if end is None or end - row.from_date >= timedelta(days=1)
    )
