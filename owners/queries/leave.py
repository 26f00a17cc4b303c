"""Who is away on a day, and who stands in. The owner stays the owner; a delegate who is away too stands in
for nobody, and nobody else takes their place."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, QuerySet

from owners.models import Leader, Leave


@dataclass(frozen=True)
class Away:
    """`leader` is away through `until_date`. delegate: whom they named. stand_in: who speaks for them on the
    day that was asked for; None if nobody was named, or the delegate is away or has left."""

    leader: Leader
    from_date: date
    until_date: date
    delegate: Leader | None
    stand_in: Leader | None
    note: str

    @property
    def why_nobody(self) -> str:
        """In words, where nobody stands in: "Grace is away too"."""
        if self.stand_in is not None:
            return ""
        if self.delegate is None:
            return "nobody was named"
        return f"{self.delegate.name} {'has left' if self.delegate.archived_at else 'is away too'}"


def leaves_on(day: date) -> QuerySet[Leave]:
    """The leaves that cover `day`; lazy, at most one a leader."""
    return Leave.objects.filter(from_date__lte=day, until_date__gte=day)


def away_on(day: date) -> dict[int, Away]:
    """Who is away on `day`, by the leader's id. One statement."""
    found = list(leaves_on(day).select_related("leader__team", "delegate__team"))
    absent = {leave.leader_id for leave in found}
    away = {}
    for leave in found:
        delegate = leave.delegate
        here = delegate is not None and delegate.pk not in absent and delegate.archived_at is None
        away[leave.leader_id] = Away(
            leave.leader, leave.from_date, leave.until_date, delegate, delegate if here else None, leave.note
        )
    return away


def delegate_on(leader: Leader, day: date) -> Leader | None:
    """Who stands in for `leader` on `day`; None if they are here, or nobody does. One statement."""
    found = (
        _in_force(day)
        .filter(leader=leader, delegate__archived_at=None)
        .select_related("delegate__team")
        .first()
    )
    return found.delegate if found else None


def standing_in(leader: Leader, day: date) -> tuple[Leader, ...]:
    """For whom `leader` stands in on `day`, by name. One statement."""
    if leader.archived_at is not None:
        return ()
    found = _in_force(day).filter(delegate=leader).select_related("leader__team")
    return tuple(sorted((leave.leader for leave in found), key=lambda absent: absent.name))


def absent_pks(leader: Leader, day: date) -> QuerySet[Leave, int]:
    """`standing_in` as a subquery of the absent leaders' ids."""
    return (
        _in_force(day).filter(delegate=leader, delegate__archived_at=None).values_list("leader_id", flat=True)
    )


def upcoming(leader: Leader, day: date) -> tuple[Leave, ...]:
    """The leader's leaves that end on `day` or later, the next first. One statement."""
    found = Leave.objects.filter(leader=leader, until_date__gte=day).select_related("delegate")
    return tuple(found.order_by("from_date"))


def _in_force(day: date) -> QuerySet[Leave]:
    """Leaves that cover `day` and whose delegate is here on it."""
    away_too = Leave.objects.filter(
        leader_id=OuterRef("delegate_id"), from_date__lte=day, until_date__gte=day
    )
    return leaves_on(day).exclude(delegate=None).filter(~Exists(away_too))
