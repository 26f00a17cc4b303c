"""The quarter's goal, the months' figures on the way to it, and what was said until both were agreed."""

import pghistory
from django.conf import settings
from django.db import models

from metrics.models.definitions import Metric


@pghistory.track()
class Target(models.Model):
    """A metric's goal for a quarter, of the whole or of one member of a dimension.

    `growth` is kept as written until the base quarter is reviewed; `value` is then its resolved number. A
    target is proposed, answered by its owner with another figure, or agreed. What was agreed (`agreed_value`
    or `agreed_growth`, both of a growth from a stated baseline; the months' figures; and the level that the
    way to it began from) is written once and stays beside every later change, which says its `reason`. A
    proposed target counts as any other.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "proposed"
        ANSWERED = "answered", "answered"
        AGREED = "agreed", "agreed"

    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="targets")
    quarter = models.CharField(max_length=7)  # 2011-Q3
    dimension = models.CharField(max_length=80, default="", blank=True)
    member = models.CharField(max_length=200, default="", blank=True)
    value = models.FloatField(null=True, blank=True)
    growth = models.CharField(max_length=40, blank=True)  # "10%", "2 points", "10% relative", "hold"
    baseline = models.FloatField(null=True, blank=True)  # None: the last whole period before the quarter
    agreed_value = models.FloatField(null=True, blank=True)
    agreed_growth = models.CharField(max_length=40, blank=True, default="")
    agreed_baseline = models.FloatField(null=True, blank=True)  # stated, or a level's measured one, if final
    agreed_months = models.JSONField(default=dict, blank=True)  # first day of the month (ISO) -> figure
    agreed_at = models.DateTimeField(null=True, blank=True)
    agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    reason = models.TextField(blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["metric", "quarter"]
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "quarter", "dimension", "member"], name="one_target_per_quarter"
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric_id} {self.quarter}"


@pghistory.track()
class Benchmark(models.Model):
    """Our plan for one month of a target."""

    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="benchmarks")
    month = models.DateField()  # its first day
    value = models.FloatField()

    class Meta:
        ordering = ["month"]
        constraints = [models.UniqueConstraint(fields=["target", "month"], name="one_benchmark_per_month")]

    def __str__(self) -> str:
        return f"{self.target_id} {self.month:%Y-%m}"


@pghistory.track()
class TargetAnswer(models.Model):
    """One step of the talk about a target: who said which figure, and why, in the order of their ids."""

    class Kind(models.TextChoices):
        PROPOSED = "proposed", "proposed"
        ACCEPTED = "accepted", "accepted"  # by the owner
        ANSWERED = "answered", "answered"  # by the owner, with a figure of their own
        TAKEN = "taken", "took the answer"  # decided for the owner's figure
        KEPT = "kept", "kept the proposal"  # decided against it
        CHANGED = "changed", "changed after it was agreed"

    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="answers")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    figure = models.FloatField(null=True, blank=True)
    growth = models.CharField(max_length=40, blank=True)
    text = models.TextField(blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.target_id} {self.kind}"
