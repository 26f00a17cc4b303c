"""The recompute ledger: what is due, who works on it, and what has gone wrong. PostgreSQL is the record."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from metrics.models.definitions import Metric
from metrics.models.sources import Source


class Run(models.Model):
    """One recompute of a source (None: dependents and manual metrics) over `[window_start, window_end)`.

    Without a window_start it covers what has changed since the last run; date.min begins with the first row.
    Without a window_end it reaches as far as the rows do.
    """

    class State(models.TextChoices):
        DUE = "due", "waiting"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        SUPERSEDED = "superseded", "superseded"
        QUARANTINED = "quarantined", "quarantined"

    OPEN = (State.DUE, State.RUNNING)

    source = models.ForeignKey(Source, null=True, blank=True, on_delete=models.CASCADE, related_name="runs")
    metrics = models.JSONField(default=list)  # keys; [] means all of the source
    versions = models.JSONField(default=dict)  # key -> version number it was planned with
    window_start = models.DateField(null=True, blank=True)
    window_end = models.DateField(null=True, blank=True)  # exclusive
    computed_start = models.DateField(null=True, blank=True)  # what was recomputed, in whole periods
    computed_end = models.DateField(null=True, blank=True)
    cause = models.CharField(max_length=20)  # schedule | request | definition | late_data | correction
    state = models.CharField(max_length=12, choices=State.choices, default=State.DUE)
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)  # grows with every claim; a stale one writes nothing
    lease_until = models.DateTimeField(null=True, blank=True)
    claimed_by = models.CharField(max_length=200, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    step = models.CharField(max_length=200, blank=True)  # progress in words
    rows_written = models.PositiveIntegerField(null=True, blank=True)
    rows_changed = models.PositiveIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "window_start", "window_end"],
                condition=Q(state__in=["due", "running"]),
                nulls_distinct=False,
                name="one_open_run_per_window",
            )
        ]
        indexes = [models.Index(fields=["id"], condition=Q(state__in=["due", "running"]), name="open_runs")]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.source_id or 'dependents'}"


class MetricState(models.Model):
    """A metric's health in recomputing. Absent means: nothing has gone wrong."""

    metric = models.OneToOneField(Metric, on_delete=models.CASCADE, related_name="state")
    attempts = models.PositiveSmallIntegerField(default=0)
    stale_since = models.DateTimeField(null=True, blank=True)
    dirty_from = models.DateField(null=True, blank=True)  # figures from this day on have missed changes
    quarantined_at = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    held = models.JSONField(default=list)  # implausible figures waiting for a check

    def __str__(self) -> str:
        return f"state of {self.metric_id}"


class StateRecord(models.Model):
    """What a metric's state said from `at` on: held figures and staleness, for readings of a past instant."""

    append_only = True

    metric = models.ForeignKey(Metric, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    at = models.DateTimeField()
    stale_since = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    held = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["metric", "-at", "-id"], name="state_records_by_metric")]

    def __str__(self) -> str:
        return f"state of {self.metric_id} from {self.at}"
