"""Which of the demo company's targets are agreed, which one was changed since, and which wait for whom."""

from datetime import datetime, time, timedelta

from django.db import transaction

from calc.plan import GoalKind
from calc.splits import rescale
from demo.truth import CALENDAR, Truth
from metrics.definitions.build import goal_of, is_additive
from metrics.models import Target, TargetAnswer
from owners.models import Leader, Notice

WAITS = "success_plans"  # for its owner's answer
ANSWERED = ("new_customers", "maya", 0.95, "The second leaflet is printed three weeks late.")
CHANGED = ("revenue", 1.04, "Bristol opens a month later than planned.")
TALKED = timedelta(days=6)  # before the quarter begins


@transaction.atomic
def agree(facts: Truth) -> int:
    """Writes down what was agreed, and the talk about this quarter's; returns how many targets have changed.

    A repeat changes nothing, and what people have said since stays.
    """
    now = CALENDAR.quarter_name(facts.quarter_start)
    people = {leader.key: leader for leader in Leader.objects.select_related("user")}
    changed = 0
    for target in Target.objects.filter(dimension="").select_related("metric").prefetch_related("benchmarks"):
        if target.agreed_at or target.answers.exclude(kind=TargetAnswer.Kind.PROPOSED).exists():
            continue
        key, current = target.metric.key, target.quarter == now
        if current and key == WAITS:
            continue
        if current and key == ANSWERED[0]:
            _answer(target, people[ANSWERED[1]], facts)
            changed += 1
            continue
        at = datetime.combine(CALENDAR.quarter(target.quarter).start - TALKED, time(15), CALENDAR.zone)
        changed += _agree(target, at, CHANGED if current and key == CHANGED[0] else None)
    # Nobody in the demo company is written to about targets that were settled before it was loaded.
    Notice.objects.filter(kind="target_proposed", sent_at=None).delete()
    return changed


def _agree(target: Target, at: datetime, change: tuple[str, float, str] | None) -> bool:
    months = {row.month: row.value for row in target.benchmarks.all()}
    value = target.value
    if change and value is not None:
        value = round(value * change[1], -2)
        months = rescale(
            months,
            target.value,
            value,
            CALENDAR.quarter(target.quarter),
            kind=GoalKind(goal_of(target.metric).kind),
            additive=is_additive(target.metric),
            unit=target.metric.unit,
        )
    said = {
        "state": Target.State.AGREED.value,
        "agreed_value": value,
        "agreed_baseline": target.baseline,
        "agreed_months": {month.isoformat(): months[month] for month in sorted(months)},
        "agreed_at": at,
    }
    if change:
        said["reason"] = change[2]
    if all(getattr(target, name) == what for name, what in said.items()):
        return False
    for name, what in said.items():
        setattr(target, name, what)
    target.save()
    target.answers.all().delete()  # what the file proposed was agreed to before it was written
    return True


def _answer(target: Target, leader: Leader, facts: Truth) -> None:
    """An owner who would agree to less, which waits for a decision."""
    if target.value is None:
        return
    at = datetime.combine(facts.quarter_start - TALKED, time(16, 10), CALENDAR.zone)
    target.answers.all().delete()
    steps = (
        (TargetAnswer.Kind.PROPOSED, target.value, "", None),
        (TargetAnswer.Kind.ANSWERED, round(target.value * ANSWERED[2], -2), ANSWERED[3], leader.user),
    )
    for kind, figure, text, author in steps:
        made = TargetAnswer.objects.create(target=target, kind=kind, figure=figure, text=text, author=author)
        TargetAnswer.objects.filter(pk=made.pk).update(created_at=at)
    target.state = Target.State.ANSWERED
    target.save(update_fields=["state"])
