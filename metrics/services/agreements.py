"""A target becomes agreed: its owner accepts it or answers with a figure, and the executive decides."""

from datetime import datetime

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from calc.numbers import short
from calc.plan import GoalKind
from calc.splits import rescale
from metrics.definitions.build import calendar_of, goal_of, is_additive
from metrics.definitions.fields import text_problem
from metrics.models import Benchmark, Installation, Metric, Target, TargetAnswer
from metrics.queries.courses import load
from metrics.queries.targets import post_of
from metrics.services.apply import reviewed_quarters
from metrics.services.storing import write_benchmarks
from metrics.services.talking import figure_of, name_of, owner_of, tell, tell_deciders
from metrics.services.targets import check_target, locked, token_of
from owners.models import User
from owners.rules import TargetRef, require
from owners.services.meanwhile import ChangedMeanwhile

LONGEST = 2_000  # characters of what is said
Kind, State = TargetAnswer.Kind, Target.State


@transaction.atomic
def accept(
    user: User | None,
    metric: Metric,
    quarter: str,
    *,
    text: str = "",
    dimension: str = "",
    member: str = "",
    expected: str | None = None,
    now: datetime | None = None,
) -> Target:
    """The owner agrees to what is proposed: target and benchmarks are written down as agreed.

    expected: the token of what the owner saw. Raises PermissionDenied unless `user` owns the metric,
    ValidationError where there is nothing to accept, ChangedMeanwhile where it is another proposal by now.
    """
    require(user, "metric.agree_target", TargetRef.of(metric, dimension, member))
    target = _open(metric, quarter, dimension, member, expected, text)
    with pghistory.context(origin="page", user=user.pk if user else None):
        _agree(target, user, now)
        said = TargetAnswer.objects.create(
            target=target,
            kind=Kind.ACCEPTED,
            figure=target.value,
            growth=target.growth,
            text=text.strip(),
            author=user,
        )
        tell(
            said,
            "target_agreed",
            target.author,
            f"{user} agrees to the target of {name_of(target)}",
            f"{quarter}: {figure_of(target)}. {text.strip()}",
        )
    return target


@transaction.atomic
def answer(
    user: User | None,
    metric: Metric,
    quarter: str,
    figure: float,
    text: str,
    *,
    dimension: str = "",
    member: str = "",
    expected: str | None = None,
) -> TargetAnswer:
    """The owner answers with a figure of their own and says why; the proposal counts until it is decided.

    Raises as `accept`, and ValidationError for a figure that no target can be or without a sentence.
    """
    require(user, "metric.agree_target", TargetRef.of(metric, dimension, member))
    target = _open(metric, quarter, dimension, member, expected, text)
    if not text.strip():
        raise ValidationError({"text": "Say in a sentence why."})
    try:
        check_target(metric, quarter, figure, "", target.baseline, {}, "")
    except ValidationError as wrong:
        raise ValidationError({"figure": wrong.messages}) from None
    if target.value is not None and figure == target.value:
        raise ValidationError({"figure": "This is the figure that is proposed; accept it."})
    with pghistory.context(origin="page", user=user.pk if user else None):
        said = TargetAnswer.objects.create(
            target=target, kind=Kind.ANSWERED, figure=figure, text=text.strip(), author=user
        )
        target.state = State.ANSWERED
        target.save(update_fields=["state", "updated_at"])
        tell_deciders(
            said,
            "target_answered",
            f"{user} answers with another target for {name_of(target)}",
            f"{quarter}: {short(figure, metric.unit)} instead of {figure_of(target)}. {text.strip()}",
        )
    return said


@transaction.atomic
def decide(
    user: User | None,
    metric: Metric,
    quarter: str,
    *,
    take: bool,
    text: str = "",
    dimension: str = "",
    member: str = "",
    expected: str | None = None,
    now: datetime | None = None,
) -> Target:
    """The executive takes the owner's figure (the months keep their shape) or keeps the own one, which needs
    a sentence; the target is then agreed.

    Raises PermissionDenied without `metric.decide_target`, ValidationError where no answer waits or without
    the sentence, ChangedMeanwhile where the proposal is another one by now.
    """
    require(user, "metric.decide_target", metric)
    target = _open(metric, quarter, dimension, member, expected, text)
    said = target.answers.filter(kind=Kind.ANSWERED).last()
    if target.state != State.ANSWERED or said is None or said.figure is None:
        raise ValidationError("no answer waits for a decision")
    if not take and not text.strip():
        raise ValidationError({"text": "Say in a sentence why the proposal stays."})
    with pghistory.context(origin="page", user=user.pk if user else None):
        if take:
            _take(target, said.figure)
        _agree(target, user, now)
        decided = TargetAnswer.objects.create(
            target=target,
            kind=Kind.TAKEN if take else Kind.KEPT,
            figure=target.value,
            growth=target.growth,
            text=text.strip(),
            author=user,
        )
        verb = "takes your figure" if take else "keeps the proposal"
        words = f" {text.strip()}" if text.strip() else ""
        tell(
            decided,
            "target_agreed",
            owner_of(target),
            f"The target of {name_of(target)} is decided",
            f"{quarter}: {user} {verb}, {figure_of(target)}.{words}",
        )
    return target


def _open(
    metric: Metric, quarter: str, dimension: str, member: str, expected: str | None, text: str
) -> Target:
    """The target while it can still be talked about."""
    target = locked(metric, quarter, dimension, member)
    if target is None or (target.value is None and not target.growth):
        raise ValidationError("there is no target to agree on")
    if target.agreed_at is not None:
        raise ValidationError("this target is agreed already")
    if quarter in reviewed_quarters():
        raise ValidationError(f"{quarter} is reviewed; its targets are settled")
    if problem := text_problem(text, LONGEST):
        raise ValidationError({"text": problem})
    if expected is not None and expected != token_of(target):
        who = f" by {target.author}" if target.author else ""
        raise ChangedMeanwhile(f"this proposal was changed meanwhile{who}: read it again")
    return target


def _agree(target: Target, user: User | None, now: datetime | None) -> None:
    """Writes down what stands as agreed."""
    months = dict(Benchmark.objects.filter(target=target).values_list("month", "value"))
    # A growth from a stated baseline has its number already: another baseline later is another target.
    target.agreed_value = post_of(target).target(target.baseline)
    target.agreed_growth = target.growth if target.value is None else ""
    target.agreed_baseline = target.baseline if target.baseline is not None else _starts_from(target)
    target.agreed_months = {month.isoformat(): months[month] for month in sorted(months)}
    target.agreed_at, target.agreed_by = now or timezone.now(), user
    target.state = State.AGREED
    target.save()


def _starts_from(target: Target) -> float | None:
    """The level that a stated target climbs from: the last one before the quarter, once it is final. A growth
    is agreed as it is written, and counted from whatever its base turns out to be."""
    metric = target.metric
    if target.value is None or goal_of(metric).kind != "level":
        return None
    cal = calendar_of(Installation.objects.filter(id=1).first())
    today = cal.day_of(timezone.now())
    segment = (target.dimension, target.member)
    (course,) = load([metric], target.quarter, cal=cal, as_of=today, segments=[segment])
    return course.settled_base


def _take(target: Target, figure: float) -> None:
    """The owner's figure as the target, with the months on the same way to it."""
    metric = target.metric
    goal = goal_of(metric)
    calendar = calendar_of(Installation.objects.filter(id=1).first())
    months = rescale(
        {row.month: row.value for row in target.benchmarks.all()},
        target.value,
        figure,
        calendar.quarter(target.quarter),
        kind=GoalKind(goal.kind),
        additive=is_additive(metric),
        unit=metric.unit,
        baseline=target.baseline,
    )
    check_target(metric, target.quarter, figure, "", target.baseline, months, "")
    target.value, target.growth = figure, ""
    write_benchmarks(target, months)
