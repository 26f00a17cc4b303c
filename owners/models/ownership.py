"""Who answers for a metric since when: rows of (metric, from, leader or vacant): no overlap and no hole."""

import pghistory
from django.db import models

from owners.models.people import Leader


@pghistory.track()
class Ownership(models.Model):
    """From `from_date` until the metric's next row, `leader` answers for it; None says that nobody does."""

    metric_key = models.CharField(max_length=80)
    from_date = models.DateField()
    leader = models.ForeignKey(
        Leader, null=True, blank=True, on_delete=models.PROTECT, related_name="ownerships"
    )
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["metric_key", "from_date"]
        constraints = [
            models.UniqueConstraint(fields=["metric_key", "from_date"], name="one_owner_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"{self.metric_key} from {self.from_date}: {self.leader or 'vacant'}"
