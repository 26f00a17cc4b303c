"""What was said about targets until they were agreed, and which of them wait for whom."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import OuterRef, Q, QuerySet, Subquery

from calc.calendar import Calendar
from metrics.models import Metric, Target, TargetAnswer
from metrics.queries import installation
from metrics.queries.scope import visible_metrics
from metrics.queries.shapes import Answer
from metrics.queries.targets import Goalpost, post_of
from owners.models import Leader, User
from owners.queries.ownership import owned_keys, part_rows_on
from owners.rules import can, leader_of, writes

_OWNERS = (TargetAnswer.Kind.ACCEPTED, TargetAnswer.Kind.ANSWERED)


@dataclass(frozen=True)
class OpenTarget:
    """A target that waits for its owner's word, or for a decision about it."""

    metric: Metric
    quarter: str
    label: str  # Q3 2026 (Jul-Sep)
    post: Goalpost
    dimension: str
    member: str
    by: str  # who proposed it; "" is the definitions file or the roll-over
    answer: Answer | None  # the owner's, where one waits
    target: float | None  # in numbers; None of a growth whose base is not known here


def waiting_for_owner(user: User | None, today: date | None = None) -> tuple[OpenTarget, ...]:
    """Proposals of this quarter and later ones for what `user` owns today: metrics, and members of them. A
    member with an owner of its own, or left vacant, is not its metric's owner's to answer for."""
    leader = leader_of(user)
    if leader is None or user is None or not writes.test(user):
        return ()
    cal = installation.calendar()
    day = today or installation.today(cal)
    return _open(_of_owner(user, leader, day), Target.State.PROPOSED, cal, day)


def count_waiting_for_owner(user: User, cal: Calendar, today: date) -> int:
    """How many `waiting_for_owner` has. One SQL statement."""
    leader = leader_of(user)
    if leader is None or not writes.test(user):
        return 0
    return _open_rows(_of_owner(user, leader, today), Target.State.PROPOSED, cal, today).count()


def _of_owner(user: User, leader: Leader, day: date) -> QuerySet[Target]:
    """Targets of what `leader` owns on `day`, as far as `user` sees it: by the owner of a member's own, else
    by that of its metric."""
    place = part_rows_on(day).filter(
        metric_key=OuterRef("metric__key"), dimension=OuterRef("dimension"), member=OuterRef("member")
    )
    found = Target.objects.filter(metric__in=visible_metrics(user).order_by().values("pk")).annotate(
        own=Subquery(place.values("leader_id")[:1]),
        returned=Subquery(place.values("is_returned")[:1]),  # None: it never had an owner of its own
    )
    whole = Q(metric__key__in=owned_keys(day, pk=leader.pk))
    return found.filter(Q(own=leader.pk) | (whole & (Q(returned=None) | Q(returned=True))))


def waiting_for_decision(user: User | None, today: date | None = None) -> tuple[OpenTarget, ...]:
    """Owners' answers that wait for an executive, of this quarter and later ones; () for anybody else."""
    if not can(user, "metric.decide_target"):
        return ()
    cal = installation.calendar()
    day = today or installation.today(cal)
    seen = Target.objects.filter(metric__in=visible_metrics(user).order_by().values("pk"))
    return _open(seen, Target.State.ANSWERED, cal, day)


def conversation(metric: Metric, quarter: str, dimension: str = "", member: str = "") -> tuple[Answer, ...]:
    """Everything said about one target, oldest first. One SQL statement."""
    found = TargetAnswer.objects.filter(
        target__metric=metric, target__quarter=quarter, target__dimension=dimension, target__member=member
    )
    return tuple(_answer(row) for row in found.select_related("author"))


def open_answers(metric_ids: Iterable[int], quarter: str) -> dict[tuple[int, str, str], Answer]:
    """The newest answer of each target's owner, by metric id, dimension and member. One SQL statement."""
    found = (
        TargetAnswer.objects.filter(
            target__metric_id__in=list(metric_ids), target__quarter=quarter, kind=TargetAnswer.Kind.ANSWERED
        )
        .select_related("author", "target")
        .order_by("target_id", "-id")
        .distinct("target_id")
    )
    return {(row.target.metric_id, row.target.dimension, row.target.member): _answer(row) for row in found}


def _open_rows(targets: QuerySet[Target], state: str, cal: Calendar, day: date) -> QuerySet[Target]:
    """Those of `targets` that are in a state, of this quarter and later ones."""
    return targets.filter(state=state, quarter__gte=cal.quarter_name(day)).exclude(value=None, growth="")


def _open(targets: QuerySet[Target], state: str, cal: Calendar, day: date) -> tuple[OpenTarget, ...]:
    found = list(
        _open_rows(targets, state, cal, day)
        .select_related("metric", "author")
        .prefetch_related("benchmarks")
        .order_by("quarter", "metric__position", "metric__key", "dimension", "member")
    )
    newest = (
        TargetAnswer.objects.filter(
            target__in=[t.pk for t in found if t.state == Target.State.ANSWERED],
            kind=TargetAnswer.Kind.ANSWERED,
        )
        .select_related("author")
        .order_by("target_id", "-id")
        .distinct("target_id")
    )
    answers = {row.target_id: _answer(row) for row in newest}
    return tuple(
        OpenTarget(
            metric=target.metric,
            quarter=target.quarter,
            label=cal.quarter_label(target.quarter),
            post=post_of(target),
            dimension=target.dimension,
            member=target.member,
            by=str(target.author or ""),
            answer=answers.get(target.pk),
            target=target.value,
        )
        for target in found
    )


def _answer(row: TargetAnswer) -> Answer:
    return Answer(
        kind=row.kind,
        figure=row.figure,
        growth=row.growth,
        text=row.text,
        by=str(row.author or ("The owner" if row.kind in _OWNERS else "")),
        at=row.created_at,
    )
