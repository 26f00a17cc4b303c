"""Doubts about computed figures: "this looks wrong", and what the keeper of the data answered."""

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q

from metrics.models.definitions import Metric

OUTCOMES = {
    "corrected": "corrected",
    "right": "right as it is",
    "known": "a known problem",
}


@pghistory.track()
class Dispute(models.Model):
    """Somebody says that a figure looks wrong. `figure` is what stood there at that time.

    `dimension` and `member` are "" for the whole. While it is open the figure and its metric are marked.
    """

    class State(models.TextChoices):
        OPEN = "open", "open"
        ANSWERED = "answered", "answered"
        WITHDRAWN = "withdrawn", "withdrawn"

    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="disputes")
    grain = models.CharField(max_length=20)
    period_start = models.DateField()
    period_end = models.DateField()  # exclusive
    dimension = models.CharField(max_length=80, default="", blank=True)
    member = models.CharField(max_length=200, default="", blank=True)
    figure = models.FloatField(null=True, blank=True)
    text = models.TextField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    raised_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    outcome = models.CharField(max_length=12, choices=list(OUTCOMES.items()), blank=True)
    answer = models.TextField(blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-raised_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "grain", "period_start", "period_end", "dimension", "member"],
                condition=Q(state="open"),
                name="one_open_dispute_per_figure",
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric_id} {self.grain} {self.period_start}: {self.text[:40]}"
