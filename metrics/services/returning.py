"""Back to an earlier target or definition: as a new change, which the history shows like any other."""

import dataclasses
from datetime import date

from metrics.definitions.metric import MetricText
from metrics.models import Metric, Target
from metrics.queries.audit import EarlierDefinition, EarlierTarget
from metrics.services import defining
from metrics.services.apply import Outcome
from metrics.services.targets import set_target
from owners.models import User


def return_target(user: User, to: EarlierTarget, *, reason: str, expected: str) -> Target | None:
    """The target and its months are again what they were. Raises as `set_target` does."""
    return set_target(
        to.metric,
        to.quarter,
        to.value,
        to.benchmarks,
        author=user,
        reason=reason,
        growth=to.growth,
        baseline=to.baseline,
        expected=expected,
        dimension=to.dimension,
        member=to.member,
    )


def return_definition(
    user: User, to: EarlierDefinition, *, reason: str, expected: str, today: date
) -> Outcome:
    """The metric or source is again defined as it was; what follows from it is recomputed as a new version.

    The warehouse is asked for its columns first, which may take seconds. Raises DefinitionsError,
    ChangedMeanwhile, PermissionDenied.
    """
    said = to.said
    if isinstance(said, MetricText):
        now = Metric.objects.get(key=to.key)
        computed = now.type == "manual" and said.fields.get("type") != "manual"
        # What was counted by hand stays so up to today.
        said = dataclasses.replace(said, reason=reason, effective=today.isoformat() if computed else "")
    text = defining.text_of(to.section, to.key, said)
    _, ask = defining.check(text, author=user)
    ask()
    return defining.define(text, to.section, to.key, author=user, expected=expected)
