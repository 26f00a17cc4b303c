"""Where figures come from."""

import pghistory
from django.db import models

from owners.models import Leader


@pghistory.track(exclude=["secrets"])
class Warehouse(models.Model):
    """One connection. `options` holds what was written, `${NAME}` unresolved; typed secrets are encrypted."""

    key = models.CharField(max_length=80, unique=True)
    engine = models.CharField(max_length=40)
    options = models.JSONField(default=dict)
    secrets = models.TextField(blank=True)  # encrypted JSON of options that must not be read back
    archived_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.key


@pghistory.track(
    fields=[
        "key",
        "warehouse",
        "spec",
        "data_owner",
        "archived_at",
        "watermark",
        "failed_since",
        "late_since",
    ],
    model_name="SourceEvent",
)
class Source(models.Model):
    """A table or query with a time column. `spec` is the definition as written, without `warehouse`."""

    key = models.CharField(max_length=80, unique=True)
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="sources")
    spec = models.JSONField(default=dict)
    data_owner = models.ForeignKey(
        Leader, null=True, blank=True, on_delete=models.SET_NULL, related_name="sources"
    )
    archived_at = models.DateTimeField(null=True, blank=True)

    first_day = models.DateField(null=True, blank=True)  # of its rows
    watermark = models.DateField(null=True, blank=True)  # exclusive: rows before this local day are complete
    checked_at = models.DateTimeField(null=True, blank=True)  # when the watermark was last read
    changed_to = models.DateTimeField(null=True, blank=True)  # newest `changed_at` that was taken in
    top = models.JSONField(default=dict)  # dimension -> members kept by name, once there are too many
    late_since = models.DateTimeField(null=True, blank=True)
    failed_since = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.key
