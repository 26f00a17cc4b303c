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
from metrics.queries.targets import Goalpost
from metrics.services.apply import reviewed_quarters
from metrics.services.storing import write_benchmarks
from owners.models import User
from owners.rules import require


class ChangedMeanwhile(ValidationError):
    """Somebody else has set this target since the writer read it."""


def token_of(target: Target | None) -> str:
    """Names a target's state with its benchmarks, as `Goalpost.token` does; of none that of an empty one."""
    if target is None:
        return Goalpost().token
    months = {row.month: row.value for row in target.benchmarks.all()}
    post = Goalpost(target.value, target.growth, target.baseline, target.agreed_value, months)
    return post.token


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
) -> Target | None:
    """Sets a quarter's target and the months' benchmarks on the way to it (by the month's first day).

    Without value and growth the target is taken away (its history remains) and None returned. What its owner
    has agreed to stays beside it. expected: the token that the writer saw. Raises PermissionDenied without
    `metric.set_target`, ValidationError in words for an unknown quarter, a sum that misses the target, a
    share beyond 100 %, a reviewed quarter; ChangedMeanwhile if the token is not that of what is stored.
    """
    require(author, "metric.set_target", metric)
    Metric.objects.select_for_update(of=("self",)).get(pk=metric.pk)
    of = {"metric": metric, "quarter": quarter, "dimension": "", "member": ""}
    target = Target.objects.filter(**of).prefetch_related("benchmarks").first()
    if expected is not None and expected != token_of(target):
        who = f" by {target.author}" if target and target.author else ""
        raise ChangedMeanwhile(f"this target was changed meanwhile{who}")
    _check(metric, quarter, value, growth, baseline, benchmarks or {}, reason)
    with pghistory.context(origin="page", user=author.pk if author else None):
        if value is None and not growth:
            if target is not None:
                target.delete()
            return None
        said: dict[str, Any] = {"value": value, "growth": growth, "baseline": baseline}
        if target is None:
            target = Target.objects.create(**of, **said, reason=reason, author=author)
        elif reason or any(getattr(target, name) != what for name, what in said.items()):
            for name, what in said.items():
                setattr(target, name, what)
            target.reason, target.author = reason, author
            target.save()
        write_benchmarks(target, benchmarks or {})
    return Target.objects.prefetch_related("benchmarks").get(pk=target.pk)


def set_benchmarks(
    metric: Metric,
    quarter: str,
    benchmarks: Mapping[date, float],
    *,
    author: User | None,
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
        growth=target.growth,
        baseline=target.baseline,
        expected=expected,
    )


def _check(
    metric: Metric,
    quarter: str,
    value: float | None,
    growth: str,
    baseline: float | None,
    benchmarks: Mapping[date, float],
    reason: str,
) -> None:
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
            "benchmarks": {f"{month:%Y-%m}": amount for month, amount in benchmarks.items()},
        }
    )
    calendar = calendar_of(Installation.objects.filter(id=1).first())
    found = [message for _, message in target_mistakes(metric, quarter, said, calendar)]
    if found:
        raise ValidationError(found)
