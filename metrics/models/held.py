"""What somebody decided about figures that were held back as implausible."""

from collections.abc import Mapping
from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q

from metrics.models.definitions import Metric


def held_token(entry: Mapping[str, Any]) -> str:
    """Names a held figure (an entry of MetricState.held), so that nobody decides about one unseen."""
    return f"{entry['grain']}:{entry['period_start']}:{entry['period_end']}:{entry['value']!r}"


@pghistory.track()
class HeldDecision(models.Model):
    """A held figure was released (it is right, the next update takes it) or rejected (it is wrong, the last
    good one stays). A rejection ends (`ended_at`) when the source says another figure."""

    class Outcome(models.TextChoices):
        RELEASED = "released", "released"
        REJECTED = "rejected", "rejected"

    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="held_decisions")
    grain = models.CharField(max_length=20)
    period_start = models.DateField()
    period_end = models.DateField()  # exclusive
    value = models.FloatField()
    check_words = models.CharField(max_length=300)  # why it was held
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    reason = models.TextField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-decided_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "grain", "period_start", "period_end", "value"],
                condition=Q(ended_at=None),
                name="one_decision_per_held_figure",
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric_id} {self.grain} {self.period_start}: {self.outcome}"
