"""The quarter's targets and benchmarks, as set on pages and by API."""

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction

from metrics.definitions.build import calendar_of
from metrics.definitions.checks import target_mistakes
from metrics.definitions.fields import compact, text_problem
from metrics.definitions.quantities import parse_growth
from metrics.models import Installation, Metric, Target
from metrics.queries.targets import Goalpost, post_of
from metrics.services.apply import reviewed_quarters
from metrics.services.storing import write_benchmarks
from metrics.services.talking import tell_of_change
from owners.models import User
from owners.rules import require
from owners.services.meanwhile import ChangedMeanwhile

REASON = "this target is agreed; say why it changes"


def token_of(target: Target | None) -> str:
    """Names a target's state with its benchmarks, as `Goalpost.token` does; of none that of an empty one."""
    return Goalpost().token if target is None else post_of(target).token


@transaction.atomic
def set_target(
    metric: Metric,
    quarter: str,
    value: float | None,
    benchmarks: Mapping[date, float] | None = None,
    *,
    author: User | None,
    reason: str = "",
    growth: str = "",
    baseline: float | None = None,
    expected: str | None = None,
    dimension: str = "",
    member: str = "",
) -> Target | None:
    """Sets a quarter's target and the months' benchmarks on the way to it (by the month's first day), of the
    whole or of a member of a dimension.

    Without value and growth the target is taken away (its history remains) and None returned. What its owner
    has agreed to stays beside it: a change of that needs a reason, and one that is taken away leaves a row
    that holds only what was agreed. Another figure before it is agreed is a new proposal. expected: the token
    that the writer saw. Raises PermissionDenied without `metric.set_target`, ValidationError in words for an
    unknown quarter, a sum that misses the target, a share beyond 100 %, a reviewed quarter, a missing reason;
    ChangedMeanwhile if the token is not that of what is stored.
    """
    require(author, "metric.set_target", metric)
    months = dict(benchmarks or {})
    target = locked(metric, quarter, dimension, member)
    if expected is not None and expected != token_of(target):
        who = f" by {target.author}" if target and target.author else ""
        raise ChangedMeanwhile(f"this target was changed meanwhile{who}")
    check_target(metric, quarter, value, growth, baseline, months, reason)
    _check_segment(metric, dimension, member)
    said: dict[str, Any] = {"value": value, "growth": growth, "baseline": baseline}
    other = target is None or any(getattr(target, name) != what for name, what in said.items())
    before = {} if target is None else {row.month: row.value for row in target.benchmarks.all()}
    if target is not None and target.agreed_at and (other or months != before) and not reason.strip():
        raise ValidationError(REASON, code="reason")
    with pghistory.context(origin="page", user=author.pk if author else None):
        if value is None and not growth and (target is None or not target.agreed_at):
            if target is not None:
                target.delete()
            return None
        figure_changed = target is None or (target.value, target.growth) != (value, growth)
        if target is None:
            of = {"metric": metric, "quarter": quarter, "dimension": dimension, "member": member}
            target = Target.objects.create(**of, **said, reason=reason, author=author)
        elif reason or other:
            for name, what in said.items():
                setattr(target, name, what)
            target.reason, target.author = reason, author
            if figure_changed and not target.agreed_at:
                target.state = Target.State.PROPOSED
            target.save()
        write_benchmarks(target, months)
        tell_of_change(target, author, reason, figure_changed, months != before)
    return Target.objects.prefetch_related("benchmarks").get(pk=target.pk)


def locked(metric: Metric, quarter: str, dimension: str = "", member: str = "") -> Target | None:
    """The target with its benchmarks, or None; whoever writes targets of this metric waits for the
    transaction's end."""
    Metric.objects.select_for_update(of=("self",)).get(pk=metric.pk)
    of = {"metric": metric, "quarter": quarter, "dimension": dimension, "member": member}
    return (
        Target.objects.filter(**of).prefetch_related("benchmarks").select_related("author", "metric").first()
    )


def set_benchmarks(
    metric: Metric,
    quarter: str,
    benchmarks: Mapping[date, float],
    *,
    author: User | None,
    reason: str = "",
    expected: str | None = None,
) -> Target | None:
    """Sets the months of a target that stays as it is; raises as `set_target`, and where there is no
    target."""
    target = Target.objects.filter(metric=metric, quarter=quarter, dimension="").first()
    if target is None:
        raise ValidationError(f"{metric.name} has no target for {quarter}; benchmarks lead to a target")
    return set_target(
        metric,
        quarter,
        target.value,
        benchmarks,
        author=author,
        reason=reason,
        growth=target.growth,
        baseline=target.baseline,
        expected=expected,
    )


def _check_segment(metric: Metric, dimension: str, member: str) -> None:
    if dimension and dimension not in metric.by:
        raise ValidationError(f"{metric.name} is not kept by {dimension}")
    if bool(dimension) != bool(member):
        raise ValidationError("a dimension and its member belong together")
    if problem := text_problem(member, 200):
        raise ValidationError(problem)


def check_target(
    metric: Metric,
    quarter: str,
    value: float | None,
    growth: str,
    baseline: float | None,
    benchmarks: Mapping[date, float],
    reason: str,
) -> None:
    """ValidationError in words for what no target can be."""
    numbers = [value, baseline, *benchmarks.values()]
    if any(number is not None and not math.isfinite(number) for number in numbers):
        raise ValidationError("a target must be a finite number")
    if problem := text_problem(reason, 5_000):
        raise ValidationError(problem)
    if quarter in reviewed_quarters():
        raise ValidationError(f"{quarter} is reviewed; its targets are settled")
    if strange := [day for day in benchmarks if day.day != 1]:
        raise ValidationError(f"a benchmark belongs to a month; {strange[0]} is not its first day")
    if value is None and not growth and benchmarks:
        raise ValidationError("benchmarks lead to a target; write it too")
    if growth:
        try:
            parse_growth(growth)
        except ValueError as error:
            raise ValidationError(str(error)) from None
    said = compact(
        {
            "value": value,
            "growth": growth if value is None else "",
            "baseline": baseline,
            "benchmarks": {f"{month:%Y-%m}": amount for month, amount in benchmarks.items()},
        }
    )
    calendar = calendar_of(Installation.objects.filter(id=1).first())
    found = [message for _, message in target_mistakes(metric, quarter, said, calendar)]
    if found:
        raise ValidationError(found)
