"""Who changed what, when, from where: definitions, figures, targets, owners and roles."""

from metrics.queries.audit.changes import (
    FIRST,
    KINDS,
    Change,
    Cut,
    Difference,
    Log,
    changes,
    people,
)
from metrics.queries.audit.earlier import (
    EarlierDefinition,
    EarlierTarget,
    definition_differences,
    earlier_definition,
    earlier_target,
)

__all__ = [
    "FIRST",
    "KINDS",
    "Change",
    "Cut",
    "Difference",
    "EarlierDefinition",
    "EarlierTarget",
    "Log",
    "changes",
    "definition_differences",
    "earlier_definition",
    "earlier_target",
    "people",
]
