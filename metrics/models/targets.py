"""The quarter's goal and the months' figures on the way to it."""

import pghistory
from django.conf import settings
from django.db import models

from metrics.models.definitions import Metric


@pghistory.track()
class Target(models.Model):
    """A metric's goal for a quarter. `growth` is kept as written until the base quarter is reviewed; `value`
    is then its resolved number. `agreed_value` is what the owner agreed to, if anything so far."""

    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="targets")
    quarter = models.CharField(max_length=7)  # 2011-Q3
    dimension = models.CharField(max_length=80, default="", blank=True)
    member = models.CharField(max_length=200, default="", blank=True)
    value = models.FloatField(null=True, blank=True)
    growth = models.CharField(max_length=40, blank=True)  # "10%", "2 points", "10% relative", "hold"
    baseline = models.FloatField(null=True, blank=True)  # None: the last whole period before the quarter
    agreed_value = models.FloatField(null=True, blank=True)
    agreed_at = models.DateTimeField(null=True, blank=True)
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
