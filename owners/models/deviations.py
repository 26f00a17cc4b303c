"""Deviations from plan that an executive has accepted for a while, so that nobody discusses them again."""

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q


@pghistory.track()
class Deviation(models.Model):
    """A metric may be up to `shortfall` behind its plan through `until_date`, for a reason.

    The owner may ask for it (`asked_at`); it holds once an executive has accepted it (`accepted_at`), until
    it ends by itself or is ended (`ended_at`). One that was ended without having been accepted is declined,
    with `answer`, or taken back. The computed status is never changed by it.
    """

    metric_key = models.CharField(max_length=80)
    quarter = models.CharField(max_length=7)
    shortfall = models.FloatField()  # how far on the bad side of the plan, in the metric's unit; shares: 0.03
    reason = models.TextField()
    until_date = models.DateField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True)  # why it was declined

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["metric_key", "quarter"],
                condition=Q(ended_at=None, accepted_at=None),
                name="one_deviation_asked_for",
            ),
            models.UniqueConstraint(
                fields=["metric_key", "quarter"],
                condition=Q(ended_at=None, accepted_at__isnull=False),
                name="one_deviation_accepted",
            ),
            models.CheckConstraint(condition=Q(shortfall__gt=0), name="deviation_is_behind"),
        ]

    def __str__(self) -> str:
        return f"{self.metric_key} {self.quarter}: {self.shortfall:g} until {self.until_date}"
