"""How often a metric's owner is asked for a word, where it is not the rhythm of its figures."""

import pghistory
from django.db import models

from calc.cadence import Every


@pghistory.track()
class Cadence(models.Model):
    """One metric's own rhythm of check-ins (calc.cadence.Cadence); without a row it follows the figures."""

    metric_key = models.CharField(max_length=80, unique=True)
    every = models.CharField(max_length=10, choices=[(word.value, word.value) for word in Every])
    weekday = models.PositiveSmallIntegerField(default=0)  # 0 is Monday
    working_days = models.PositiveSmallIntegerField(default=1)
    weeks = models.PositiveSmallIntegerField(default=2)
    first = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(weekday__lte=6), name="weekday_of_a_week"),
            models.CheckConstraint(
                condition=~models.Q(every="weeks") | models.Q(first__isnull=False, weeks__gte=1),
                name="weeks_count_from_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric_key}: every {self.every}"
