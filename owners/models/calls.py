"""The owner's own word for where a metric stands, beside the computed one."""

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q

from owners.models.people import Leader

STATUSES = ("on_track", "at_risk", "off_track")


@pghistory.track()
class StatusCall(models.Model):
    """What the owner calls a metric's quarter, through `until_date`, which is the quarter's last day at most.

    It never replaces the computed status. `leader` owned the metric when it was made; a later owner's metric
    no longer carries it. A new call withdraws the one before.
    """

    metric_key = models.CharField(max_length=80)
    quarter = models.CharField(max_length=7)
    leader = models.ForeignKey(Leader, on_delete=models.PROTECT, related_name="calls")
    status = models.CharField(max_length=12)  # one of STATUSES
    reason = models.TextField()
    until_date = models.DateField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["metric_key", "quarter"],
                condition=Q(withdrawn_at=None),
                name="one_call_at_a_time",
            ),
            models.CheckConstraint(condition=Q(status__in=STATUSES), name="call_is_a_status"),
        ]

    def __str__(self) -> str:
        return f"{self.metric_key} {self.quarter}: {self.status}"
