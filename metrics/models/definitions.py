"""What a metric is, how it is computed, and every version of that."""

import pghistory
from django.conf import settings
from django.db import models


@pghistory.track()
class Metric(models.Model):
    """One metric as defined. `spec` holds the keys of its type (`measure`, `numerator`, `formula`, ...) as
    the definitions file writes them; everything that a page filters by is a column."""

    key = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=20, default="supporting")
    lens = models.CharField(max_length=20, blank=True)
    stage = models.CharField(max_length=10, blank=True)
    definition = models.TextField(blank=True)
    success = models.TextField(blank=True)
    segment = models.CharField(max_length=200, blank=True)
    unit = models.CharField(max_length=40, default="count")
    better = models.CharField(max_length=10, default="up")
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    visible = models.CharField(max_length=20, default="everyone")
    type = models.CharField(max_length=20)
    spec = models.JSONField(default=dict)
    by = models.JSONField(default=list)
    plausible = models.JSONField(default=dict)
    goal = models.JSONField(default=dict)  # {kind, grain, thresholds, tolerance} as written
    plan = models.CharField(max_length=20, default="flat")
    position = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "key"]

    def __str__(self) -> str:
        return self.name


class MetricVersion(models.Model):
    """How a metric was computed from a moment on. `fingerprint` covers operands and source as well."""

    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64)
    spec = models.JSONField(default=dict)  # type, spec, by, and the source's definition
    reason = models.TextField(blank=True)
    effective_date = models.DateField(null=True, blank=True)  # None: all history is recomputed
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["metric", "number"]
        constraints = [models.UniqueConstraint(fields=["metric", "number"], name="one_version_per_number")]

    def __str__(self) -> str:
        return f"{self.metric_id} v{self.number}"


@pghistory.track()
class Driver(models.Model):
    """An edge of the tree: `driver` moves `metric`, by arithmetic (component) or hypothesis (influence)."""

    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="drivers")
    driver = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="drives")
    relation = models.CharField(max_length=20, default="influence")
    lag = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["metric", "driver"], name="one_edge_per_pair")]

    def __str__(self) -> str:
        return f"{self.driver_id} -> {self.metric_id}"
