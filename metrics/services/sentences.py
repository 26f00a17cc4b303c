"""The sentence and the last day that everything said beside a status needs."""

from datetime import date

from django.core.exceptions import ValidationError

from metrics.definitions.fields import text_problem

LONGEST = 500  # characters


def sentence(text: str, missing: str, *, field: str = "reason") -> str:
    """The text as it is kept. ValidationError under `field`: `missing` for none, or why it cannot be kept."""
    kept = text.replace("\r\n", "\n").strip()
    if not kept:
        raise ValidationError({field: missing})
    if problem := text_problem(kept, LONGEST):
        raise ValidationError({field: f"{problem[0].upper()}{problem[1:]}."})
    return kept


def last_day(until: date | None, today: date, latest: date) -> date:
    """Until when it holds, by default as long as it may. ValidationError for a day outside of that."""
    if until is None:
        return latest
    if until < today:
        raise ValidationError({"until": "This day is over: choose today or a later one."})
    if until > latest:
        raise ValidationError({"until": f"The quarter ends on {latest.day} {latest:%b %Y}: not longer."})
    return until
