"""Metrics that people count: defined and changed on pages, in the same form as in the definitions file."""

from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from metrics.definitions.build import calendar_of
from metrics.definitions.fields import compact
from metrics.definitions.metric import MetricText
from metrics.models import Entry, Installation, Metric
from metrics.queries.dump import metric_fields
from metrics.services.defining import settle, token
from owners.models import User
from owners.rules import require
from owners.services.meanwhile import ChangedMeanwhile
from owners.services.names import key_of
from owners.services.newcomers import leader_for
from owners.services.ownership import hand_over

STAR = "north_star"


@dataclass(frozen=True)
class Counted:
    """A manual metric as a page says it. kind: amount | level | share; grain: how often it is counted; by:
    the key of the leader who counts it ("" for the owner); due: days (working ones, if `working`) after the
    period, None for never. low, high: of a band. All words as in the definitions file."""

    name: str
    kind: str = "amount"
    grain: str = "month"
    role: str = "focus"
    unit: str = "count"
    better: str = "up"
    low: float | None = None
    high: float | None = None
    lens: str = ""
    stage: str = ""
    definition: str = ""
    success: str = ""
    segment: str = ""
    visible: str = "everyone"
    by: str = ""
    due: int | None = 3
    working: bool = True
    origin: str = ""
    how: str = ""
    other: dict[str, Any] = field(default_factory=dict)  # fields that the page does not show, as stored

    def fields(self) -> dict[str, Any]:
        """The metric's columns in the normal form of the definitions."""
        collect: dict[str, Any] = {"by": self.by, "from": self.origin, "how": self.how}
        if self.due is not None:
            days = f"{'working ' if self.working else ''}day{'' if self.due == 1 else 's'}"
            collect |= {"every": self.grain, "due": f"{max(self.due, 0)} {days}"}
        said = {
            "name": self.name,
            "role": "" if self.role == "supporting" else self.role,
            "lens": self.lens if self.role == "focus" else "",
            "stage": self.stage,
            "definition": self.definition,
            "success": self.success,
            "segment": self.segment,
            "unit": "" if self.unit == "count" else self.unit,
            "better": "" if self.better == "up" else self.better,
            "low": self.low if self.better == "band" else None,
            "high": self.high if self.better == "band" else None,
            "visible": "" if self.visible == "everyone" else self.visible,
            "type": "manual",
            "spec": compact({"kind": self.kind, "grain": self.grain, "collect": compact(collect)}),
        }
        return compact({**self.other, **said})


# What `Counted` has a field for; the rest of a stored metric goes along in `other`.
_SHOWN = frozenset(Counted(name="x", low=0, high=1, better="band").fields()) | {
    "role", "lens", "stage", "definition", "success", "segment", "unit", "visible", "low", "high",
}  # fmt: skip


def counted_of(metric: Metric) -> Counted:
    """A stored manual metric as a page shows it."""
    collect = metric.spec.get("collect", {})
    due = collect.get("due", "")
    return Counted(
        name=metric.name,
        kind=metric.spec["kind"],
        grain=metric.spec["grain"],
        role=metric.role,
        unit=metric.unit,
        better=metric.better,
        low=metric.low,
        high=metric.high,
        lens=metric.lens,
        stage=metric.stage,
        definition=metric.definition,
        success=metric.success,
        segment=metric.segment,
        visible=metric.visible,
        by=collect.get("by", ""),
        due=int(due.split()[0]) if due else (0 if collect.get("every") else None),
        working="working" in due or not due,
        origin=collect.get("from", ""),
        how=collect.get("how", ""),
        other={name: value for name, value in metric_fields(metric).items() if name not in _SHOWN},
    )


def token_of(metric: Metric) -> str:
    """Names the definition's state, so that a page can tell whether somebody changed it meanwhile."""
    return token(metric_fields(metric))


@transaction.atomic
def add(said: Counted, *, author: User | None) -> Metric:
    """A new manual metric; its key is made of its name.

    Raises PermissionDenied without `metric.define_manual` (for a North Star `metric.set_north_star` too),
    ValidationError by field for what the definitions file would refuse.
    """
    require(author, "metric.define_manual")
    if said.role == STAR:
        require(author, "metric.set_north_star")
    _check_name(said)
    taken = set(Metric.objects.values_list("key", flat=True))
    key = key_of(said.name, taken, "metric")
    settle("metrics", key, MetricText(fields=said.fields()), author=author)
    return Metric.objects.get(key=key)


@transaction.atomic
def add_own(said: Counted, by: User) -> Metric:
    """As `add`; `by` answers for the metric from today on, until it is handed over: nobody else could give
    its first figures."""
    metric = add(said, author=by)
    today = calendar_of(Installation.objects.filter(id=1).first()).day_of(timezone.now())
    hand_over(metric.key, leader_for(by), today, author=by)
    return metric


@transaction.atomic
def change(metric: Metric, said: Counted, *, author: User | None, expected: str | None = None) -> Metric:
    """Changes a manual metric's definition; what the page does not show stays.

    expected: the token that the writer saw. Raises as `add`, ChangedMeanwhile, and ValidationError for
    another kind or rhythm where figures have been entered in the old one.
    """
    require(author, "metric.define_manual", metric)
    metric = Metric.objects.select_for_update(of=("self",)).get(pk=metric.pk)
    if metric.type != "manual" or metric.archived_at is not None:
        raise ValidationError(f"{metric.name} is computed; edit its definition on its own page.")
    if STAR in (said.role, metric.role) and said.role != metric.role:
        require(author, "metric.set_north_star")
    if expected is not None and expected != token_of(metric):
        raise ChangedMeanwhile("Somebody has changed this metric meanwhile. Look at it again, then save.")
    _check_name(said)
    before = counted_of(metric)
    two_numbers = "share" in (before.kind, said.kind) and before.kind != said.kind
    if (before.grain != said.grain or two_numbers) and Entry.objects.filter(metric=metric).exists():
        what = "grain" if before.grain != said.grain else "kind"
        raise ValidationError(
            {what: "Figures are entered in the old form already. Add another metric for the new one."}
        )
    said = replace(said, other=before.other)
    settle("metrics", metric.key, MetricText(fields=said.fields()), author=author)
    return Metric.objects.get(pk=metric.pk)


def _check_name(said: Counted) -> None:
    if not said.name.strip():
        raise ValidationError({"name": "The name is missing."})
