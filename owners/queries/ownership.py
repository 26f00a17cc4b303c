"""Who answers for a metric, or a member of one of its dimensions, on a day. A row holds until the next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet

from owners.models import Leader, Ownership


@dataclass(frozen=True)
class Tenure:
    """`leader` (None: vacant) answers from `from_date` until before `to_date` (None: still).

    is_returned: of a member, that the metric's owner answers for it again. by: who said so, "" for a file.
    """

    from_date: date
    to_date: date | None
    leader: Leader | None
    note: str
    by: str = ""
    is_returned: bool = False


@dataclass(frozen=True)
class Part:
    """A member of a dimension; `leader` None says that it is vacant."""

    metric_key: str
    dimension: str
    member: str
    leader: Leader | None
    since: date
    note: str


def rows_on(day: date) -> QuerySet[Ownership]:
    """The row in force on `day` of each whole metric that has one by then; lazy, at most one per metric."""
    return (
        Ownership.objects.filter(dimension="", from_date__lte=day)
        .order_by("metric_key", "-from_date")
        .distinct("metric_key")
    )


def owned_keys(day: date, **leader: object) -> QuerySet[Ownership, str]:
    """Keys of the metrics whose owner on `day` matches `leader` (lookups on Leader), as a subquery.

    The row in force is chosen first and its leader compared second: a former owner does not match. A member's
    owner is not the metric's.
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


def part_rows_on(day: date) -> QuerySet[Ownership]:
    """The row in force on `day` of each member that has one by then; lazy, at most one per member.

    Rows that returned a member to its metric's owner are among them.
    """
    return (
        Ownership.objects.filter(from_date__lte=day)
        .exclude(dimension="")
        .order_by("metric_key", "dimension", "member", "-from_date")
        .distinct("metric_key", "dimension", "member")
    )


def parts_on(day: date, metric_keys: Iterable[str] | None = None) -> tuple[Part, ...]:
    """Members with an owner of their own on `day`, and those left vacant; of all metrics or of these. A
    member that is not here belongs to its metric's owner. One statement."""
    rows = part_rows_on(day).select_related("leader__team")
    if metric_keys is not None:
        rows = rows.filter(metric_key__in=list(metric_keys))
    return tuple(
        Part(row.metric_key, row.dimension, row.member, row.leader, row.from_date, row.note)
        for row in rows
        if not row.is_returned
    )


def part_keys(day: date, **leader: object) -> QuerySet[Ownership, str]:
    """Keys of the metrics of which a member is owned on `day` by a leader who matches, as a subquery."""
    lookups = {f"leader__{name}": value for name, value in leader.items()}
    in_force = part_rows_on(day).values("pk")
    return Ownership.objects.filter(pk__in=in_force, **lookups).values_list("metric_key", flat=True)


def member_owner_on(metric_key: str, dimension: str, member: str, day: date) -> Leader | None:
    """Who answers for a member on `day`: its own owner, else the metric's; None if it, or then the metric, is
    vacant. Two statements at most."""
    row = part_rows_on(day).filter(metric_key=metric_key, dimension=dimension, member=member)
    found = row.select_related("leader__team").first()
    if found is None or found.is_returned:
        return owner_on(metric_key, day)
    return found.leader


def owned_by(leader: Leader, day: date) -> tuple[Ownership, ...]:
    """What `leader` answers for on `day` or is to answer for later: rows in force and rows ahead, of metrics
    and of their members. Three statements."""
    rows = [
        *rows_on(day),
        *part_rows_on(day),
        *Ownership.objects.filter(from_date__gt=day, leader=leader).order_by("metric_key", "from_date"),
    ]
    return tuple(row for row in rows if row.leader_id == leader.pk)


def history(metric_key: str, dimension: str = "", member: str = "") -> tuple[Tenure, ...]:
    """All tenures of a metric, or of a member of it, oldest first, vacant ones among them. One statement."""
    rows = list(
        Ownership.objects.filter(metric_key=metric_key, dimension=dimension, member=member)
        .select_related("leader", "author")
        .order_by("from_date")
    )
    ends: list[date | None] = [row.from_date for row in rows[1:]]
    return tuple(
        Tenure(row.from_date, end, row.leader, row.note, str(row.author or ""), row.is_returned)
        for row, end in zip(rows, [*ends, None][: len(rows)], strict=True)
        if end is None or end - row.from_date >= timedelta(days=1)
    )
