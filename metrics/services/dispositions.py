"""What a signal turned out to be, in the words of who knows."""

from datetime import date
from typing import Any

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction

from calc.calendar import Grain
from metrics.definitions.fields import text_problem
from metrics.models import Disposition, Metric
from owners.models import User
from owners.rules import leader_of, require

LONGEST = 2_000  # characters


@transaction.atomic
def explain(
    author: User | None, metric: Metric, grain: str, period_start: date, text: str
) -> Disposition | None:
    """Keeps what the signal at a period was; an empty text takes the explanation back (None).

    Raises PermissionDenied without `metric.annotate`, ValidationError for a text that cannot be kept.
    """
    require(author, "metric.annotate", metric)
    text, grain = text.strip(), Grain(grain).value
    if problem := text_problem(text.replace("\r\n", "\n"), LONGEST):
        raise ValidationError(problem)
    of: dict[str, Any] = {"metric": metric, "grain": grain, "period_start": period_start}
    leader = leader_of(author)
    with pghistory.context(origin="page", user=author.pk if author else None):
        if not text:
            for row in Disposition.objects.filter(**of):
                row.delete()
            return None
        row, _ = Disposition.objects.update_or_create(
            **of,
            defaults={
                "text": text.replace("\r\n", "\n"),
                "author": author,
                "leader_name": leader.name if leader else "",
            },
        )
    return row
