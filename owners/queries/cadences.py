"""How often owners are asked, as it was set for a metric."""

from collections.abc import Iterable

from calc.cadence import Cadence, Every
from owners import models


def cadences(metric_keys: Iterable[str]) -> dict[str, Cadence]:
    """The rhythms that were set; a metric asked in the rhythm of its figures is absent. One statement."""
    rows = models.Cadence.objects.filter(metric_key__in=list(metric_keys))
    return {row.metric_key: cadence_of(row) for row in rows}


def cadence_of(row: models.Cadence) -> Cadence:
    """The rhythm that a row says."""
    return Cadence(Every(row.every), row.weekday, row.working_days, row.weeks, row.first)
