"""What people say about points on a chart."""

import pghistory
from django.conf import settings
from django.db import models

from metrics.models.definitions import Metric


@pghistory.track()
class Disposition(models.Model):
    """What a signal turned out to be."""

    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="dispositions")
    grain = models.CharField(max_length=20)
    period_start = models.DateField()
    text = models.TextField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    leader_name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "grain", "period_start"], name="one_disposition_per_point"
            )
        ]

    def __str__(self) -> str:
        return self.text[:60]
