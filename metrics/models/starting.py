"""How far the first hour has come, and the spreadsheets that people took figures from."""

import pghistory
from django.conf import settings
from django.db import models


@pghistory.track()
class Start(models.Model):
    """Always the row with id 1. `steps`: the name of a screen -> "done" or "skipped"."""

    steps = models.JSONField(default=dict)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_start")]

    def __str__(self) -> str:
        return "finished" if self.finished_at else f"{len(self.steps)} screens"


@pghistory.track(exclude=["table"])
class SheetImport(models.Model):
    """A spreadsheet that somebody pasted or dropped: first a draft to look at, then figures, maybe undone.

    `table` is what was read, {rows, exact, sheet}; it is emptied when the figures are taken over. `choices`
    and `matches` are the person's decisions. `changes` lists the figures that were written: [{metric,
    dimension, member, period_start, before, after}], each of those {value, numerator, denominator, note} or
    null where there was none.
    """

    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    name = models.CharField(max_length=200, blank=True)  # the file's; "" for what was pasted
    created_at = models.DateTimeField(auto_now_add=True)
    table = models.JSONField(default=dict)
    choices = models.JSONField(default=dict)
    matches = models.JSONField(default=dict)  # the sheet's name of a metric -> what it is here
    changes = models.JSONField(default=list)
    accepted_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name or "Pasted cells"
