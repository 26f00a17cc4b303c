"""Takes proposals for the next quarter over as proposed targets; what is there is never written over."""

from collections.abc import Collection
from datetime import date, datetime

import structlog
from django.core.exceptions import ValidationError

from calc.calendar import Calendar
from metrics.models import Target
from metrics.queries.rollover import proposals, quarter_to_plan
from metrics.services.targets import set_target, token_of
from owners.models import User
from owners.rules import require

log = structlog.get_logger(__name__)
ORIGIN = "Rolled over: "  # how the reason of such a target begins


def roll_over(
    user: User | None,
    quarter: str,
    cal: Calendar,
    day: date,
    *,
    keys: Collection[str] | None = None,
    once: bool = False,
) -> list[Target]:
    """Stores the proposals for `quarter` (those with these keys) as proposed targets; returns them.

    Repeating it changes nothing: a metric or member that has a target by then is left as it is. once: so is
    one that ever had. Raises PermissionDenied without `metric.set_target`.
    """
    require(user, "metric.set_target", None)
    made = []
    for found in proposals(user, quarter, cal, day, once=once):
        if keys is not None and found.key not in keys:
            continue
        try:
            target = set_target(
                found.metric,
                quarter,
                found.value,
                found.months,
                author=user,
                reason=f"{ORIGIN}{found.words}",
                expected=token_of(None),
                dimension=found.dimension,
                member=found.member,
            )
        except ValidationError as refused:
            log.info("not rolled over", key=found.key, why=refused.messages)
            continue
        if target is not None:
            made.append(target)
    return made


def tick(cal: Calendar, now: datetime) -> int:
    """In the last two weeks of a quarter: proposes the next one's targets, once each. How many are new."""
    day = cal.day_of(now)
    quarter = quarter_to_plan(cal, day)
    return len(roll_over(None, quarter, cal, day, once=True)) if quarter else 0
