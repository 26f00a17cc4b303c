"""The kinds of notices, and the topics under which a person chooses how, or whether, they come.

A kind that is added needs a line here. Nobody can turn the topic "security" off, and it is never delayed.
"""

from django.db.models import TextChoices


class Topic(TextChoices):
    """What a person can choose a way for."""

    CHECK_INS = "check_ins", "Check-ins due from me"
    OWNING = "owning", "Hand-overs, targets and actions that concern me"
    DATA = "data", "Data that I look after: late, failed, recovered, disputed"
    DIGEST = "digest", "Digest of what is overdue"
    SECURITY = "security", "Security of my account"


KINDS: dict[str, Topic] = {
    # What is due.
    "check_ins": Topic.CHECK_INS,
    # Who answers for what, and for how much.
    "handover": Topic.OWNING,
    "leave": Topic.OWNING,
    "action": Topic.OWNING,
    "target_proposed": Topic.OWNING,
    "target_answered": Topic.OWNING,
    "target_agreed": Topic.OWNING,
    "target_changed": Topic.OWNING,
    "deviation": Topic.OWNING,
    "dispute_answered": Topic.OWNING,
    # Sources and figures, told to whoever looks after them.
    "source_late": Topic.DATA,
    "source_loaded": Topic.DATA,
    "source_failed": Topic.DATA,
    "source_back": Topic.DATA,
    "metric_failed": Topic.DATA,
    "metric_quarantined": Topic.DATA,
    "metric_back": Topic.DATA,
    "figure_held": Topic.DATA,
    "dispute": Topic.DATA,
    # For whoever steers.
    "digest": Topic.DIGEST,
    # Accounts.
    "security": Topic.SECURITY,
    "invitation": Topic.SECURITY,
    "password": Topic.SECURITY,
    "test": Topic.SECURITY,
}


def topic_of(kind: str) -> Topic:
    """The topic of a kind; ValueError for one that is not in the table."""
    try:
        return KINDS[kind]
    except KeyError:
        raise ValueError(f"{kind} is not a kind of notice; owners/kinds.py lists them") from None
