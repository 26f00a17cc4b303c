"""Spreadsheets that somebody hands in: held until they are accepted, then what they changed."""

from django.conf import settings
from django.db import models


class Import(models.Model):
    """One sheet. Until it is entered it holds the table as texts and what its person has decided about it;
    afterwards what was there before each figure, so that it can be taken back."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200, blank=True)  # of the file; "" for pasted cells
    table = models.JSONField(default=dict)  # {rows, exact, sheet}; {} once entered
    choices = models.JSONField(
        default=dict
    )  # the fields of sheets.shapes.Choices, and {metrics: {name: key}}
    changes = models.JSONField(default=list)  # what was entered: place, state after it, and figure before
    created_at = models.DateTimeField(db_index=True)
    entered_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name or "Pasted cells"
