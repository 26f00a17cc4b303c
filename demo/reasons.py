"""What people of the demo company say beside the figures: a call, an accepted deviation, two disputes.

The words stand in words.yaml, which counts days from the quarter's first. A repeat changes nothing.
"""

from datetime import date, datetime, time, timedelta
from typing import Any

import yaml
from django.db import transaction

from calc.calendar import Grain, Period
from demo.truth import CALENDAR, Truth
from demo.words import WORDS
from metrics.models import Dispute, Metric, Revision, Value
from owners.models import Deviation, Leader, StatusCall, User

DOUBTED_WEEK = timedelta(days=7)  # the open dispute is about the week of the quarter's eighth day


@transaction.atomic
def doubt(facts: Truth, today: date) -> int:
    """Stores what was said by `today` and is not stored yet; returns how much."""
    words = yaml.safe_load(WORDS.read_text())
    users = {
        user.email.partition("@")[0]: user for user in User.objects.filter(email__endswith="@demo.example")
    }
    return (
        _call(words["call"], users, facts, today)
        + _deviation(words["deviation"], users, facts, today)
        + _open(words["dispute"], users, facts, today)
        + _answered(words["answered_dispute"], users, facts)
    )


def _call(said: dict[str, Any], users: dict[str, User], facts: Truth, today: date) -> int:
    """An owner who knows more than the figure shows."""
    made = _at(facts, said["day"])
    if made.date() > today:
        return 0
    place = {"metric_key": said["metric"], "quarter": CALENDAR.quarter_name(facts.quarter_start)}
    if StatusCall.objects.filter(**place).exists():
        return 0
    StatusCall.objects.create(
        **place,
        leader=Leader.objects.get(key=said["leader"]),
        status=said["status"],
        reason=said["reason"],
        until_date=facts.quarter_end - timedelta(days=1),
        author=users[said["by"]],
        made_at=made,
    )
    return 1


def _deviation(said: dict[str, Any], users: dict[str, User], facts: Truth, today: date) -> int:
    """Asked for by the owner, accepted the day after, until a day before the quarter's end."""
    asked, accepted = _at(facts, said["day"]), _at(facts, said["day"] + 1)
    if accepted.date() > today:
        return 0
    place = {"metric_key": said["metric"], "quarter": CALENDAR.quarter_name(facts.quarter_start)}
    if Deviation.objects.filter(**place).exists():
        return 0
    Deviation.objects.create(
        **place,
        shortfall=said["shortfall"],
        reason=said["reason"],
        until_date=facts.quarter_start + timedelta(days=said["until"]),
        asked_by=users[said["asked_by"]],
        asked_at=asked,
        accepted_by=users[said["by"]],
        accepted_at=accepted,
    )
    return 1


def _open(said: dict[str, Any], users: dict[str, User], facts: Truth, today: date) -> int:
    """About the second week of the quarter, two days after it; nobody has answered."""
    week = CALENDAR.period(Grain.WEEK, facts.quarter_start + DOUBTED_WEEK)
    raised = datetime.combine(week.end + timedelta(days=1), time(16, 20), CALENDAR.zone)
    if raised.date() > today:
        return 0
    metric = Metric.objects.get(key=said["metric"])
    value = Value.objects.filter(metric=metric, dimension="", **_place(week)).first()
    if value is None or value.value is None or Dispute.objects.filter(metric=metric, **_place(week)).exists():
        return 0
    _dispute(metric, week, value.value, said["text"], users[said["by"]], raised)
    return 1


def _answered(said: dict[str, Any], users: dict[str, User], facts: Truth) -> int:
    """About the month that was restated: somebody saw it first, and the corrected file answered it."""
    month = CALENDAR.period(Grain.MONTH, facts.restated_month[0])
    metric = Metric.objects.get(key=said["metric"])
    place = {"metric": metric, **_place(month)}
    figures = Revision.objects.filter(dimension="", **place).exclude(cause="status")
    before = figures.order_by("replaced_at").first()
    if before is None or before.value is None or Dispute.objects.filter(**place).exists():
        return 0
    closed = facts.corrected_at.replace(tzinfo=CALENDAR.zone) + timedelta(hours=2)
    raised = closed - timedelta(days=3, hours=5)
    row = _dispute(metric, month, before.value, said["text"], users[said["by"]], raised)
    row.state, row.outcome, row.answer = Dispute.State.ANSWERED, said["outcome"], said["answer"]
    row.closed_by, row.closed_at = users[said["answered_by"]], closed
    row.save()
    return 1


def _dispute(metric: Metric, period: Period, figure: float, text: str, author: User, at: datetime) -> Dispute:
    return Dispute.objects.create(
        metric=metric, figure=figure, text=text, author=author, raised_at=at, **_place(period)
    )


def _place(period: Period) -> dict[str, Any]:
    return {"grain": str(period.grain), "period_start": period.start, "period_end": period.end}


def _at(facts: Truth, day: int) -> datetime:
    """In the afternoon, local time, `day` days after the quarter's first."""
    return datetime.combine(facts.quarter_start + timedelta(days=day), time(14, 15), CALENDAR.zone)
