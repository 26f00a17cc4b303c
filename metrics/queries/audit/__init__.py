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

__all__ = ["FIRST", "KINDS", "Change", "Cut", "Difference", "Log", "changes", "people"]
