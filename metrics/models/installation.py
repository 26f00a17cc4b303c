"""The one row that says how this installation cuts time and which definitions it has taken in."""

import pghistory
from django.db import models


@pghistory.track()
class Installation(models.Model):
    """Always the row with id 1."""

    name = models.CharField(max_length=200, blank=True)
    timezone = models.CharField(max_length=60, default="UTC")
    week_start = models.PositiveSmallIntegerField(default=0)  # 0 is Monday
    fiscal_year_start = models.PositiveSmallIntegerField(default=1)  # a month
    holidays = models.CharField(max_length=10, blank=True)  # country code
    demo = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_installation")]

    def __str__(self) -> str:
        return self.name or "installation"
