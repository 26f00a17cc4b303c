"""What leaders say: dated check-ins, the quarter's summary, and actions with a name and a date."""

import pghistory
from django.conf import settings
from django.db import models

from owners.models.people import Leader


@pghistory.track()
class CheckIn(models.Model):
    """The owner's dated word on a metric: what changed, and if wanted confidence, next step and help."""

    metric_key = models.CharField(max_length=80)
    leader = models.ForeignKey(Leader, on_delete=models.PROTECT, related_name="check_ins")
    date = models.DateField()
    text = models.TextField()
    confidence = models.FloatField(null=True, blank=True)  # 0 to 1
    next_step = models.TextField(blank=True)
    help_needed = models.TextField(blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-date", "-created_at"]
        indexes = [models.Index(fields=["metric_key", "-date"], name="check_in_by_metric")]

    def __str__(self) -> str:
        return f"{self.metric_key} {self.date}"


@pghistory.track()
class Summary(models.Model):
    """A leader's own words on a quarter, and what they need from others. Markdown."""

    leader = models.ForeignKey(Leader, on_delete=models.PROTECT, related_name="summaries")
    quarter = models.CharField(max_length=7)
    text = models.TextField(blank=True)
    needs = models.TextField(blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["leader", "quarter"], name="one_summary_per_quarter")]

    def __str__(self) -> str:
        return f"{self.leader} {self.quarter}"


@pghistory.track()
class Action(models.Model):
    """One kind of to-do everywhere: text, person, date, metric."""

    text = models.CharField(max_length=500)
    leader = models.ForeignKey(
        Leader, null=True, blank=True, on_delete=models.PROTECT, related_name="actions"
    )
    metric_key = models.CharField(max_length=80, blank=True)
    due_date = models.DateField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["due_date", "id"]

    def __str__(self) -> str:
        return self.text
