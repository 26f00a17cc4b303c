"""Figures: what was computed, what it was before, and what people entered."""

import pghistory
from django.conf import settings
from django.db import models

from metrics.models.definitions import Metric


class Value(models.Model):
    """A metric's figure for one grain, period and segment. Shares are fractions; null is unknown, never 0.

    `dimension` and `member` are "" for the whole. Written in bulk by services/writing.py only.
    """

    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="values")
    grain = models.CharField(max_length=20)
    period_start = models.DateField()
    period_end = models.DateField()  # exclusive
    dimension = models.CharField(max_length=80, default="", blank=True)
    member = models.CharField(max_length=200, default="", blank=True)
    value = models.FloatField(null=True, blank=True)
    numerator = models.FloatField(null=True, blank=True)
    denominator = models.FloatField(null=True, blank=True)
    immature = models.PositiveIntegerField(null=True, blank=True)
    status = models.CharField(max_length=12)  # final | provisional
    version = models.PositiveIntegerField()
    run = models.ForeignKey("metrics.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "grain", "dimension", "member", "period_start", "period_end"],
                name="one_figure_per_period",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["final", "provisional"]), name="final_or_provisional"
            ),
            models.CheckConstraint(
                condition=models.Q(period_end__gt=models.F("period_start")), name="period_has_length"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric_id} {self.grain} {self.period_start}: {self.value}"


class Revision(models.Model):
    """A figure that was replaced at `replaced_at`; its columns are those that it had as a Value.

    Of the cause `status` only its status or version was: the figure is the same, and keeps its `computed_at`.
    """

    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="revisions")
    grain = models.CharField(max_length=20)
    period_start = models.DateField()
    period_end = models.DateField()
    dimension = models.CharField(max_length=80, default="", blank=True)
    member = models.CharField(max_length=200, default="", blank=True)
    value = models.FloatField(null=True, blank=True)
    numerator = models.FloatField(null=True, blank=True)
    denominator = models.FloatField(null=True, blank=True)
    immature = models.PositiveIntegerField(null=True, blank=True)
    status = models.CharField(max_length=12)
    version = models.PositiveIntegerField()
    computed_at = models.DateTimeField()
    replaced_at = models.DateTimeField()
    cause = models.CharField(max_length=20)  # late_data | definition | source | correction | open | status
    run = models.ForeignKey("metrics.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [
            models.Index(
                fields=["metric", "grain", "dimension", "member", "period_start"], name="revisions_by_figure"
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric_id} {self.grain} {self.period_start} until {self.replaced_at}"


@pghistory.track()
class Entry(models.Model):
    """A manual metric's figure at its own grain, as entered by hand, file or API. A share is two numbers."""

    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="entries")
    period_start = models.DateField()
    dimension = models.CharField(max_length=80, default="", blank=True)
    member = models.CharField(max_length=200, default="", blank=True)
    value = models.FloatField(null=True, blank=True)
    numerator = models.FloatField(null=True, blank=True)
    denominator = models.FloatField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)
    origin = models.CharField(max_length=20)  # page | file | api
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    entered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "dimension", "member", "period_start"], name="one_entry_per_period"
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric_id} {self.period_start}"
