"""The company's name and calendar, set on a page."""

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction

from calc.calendar import Calendar
from metrics.definitions.build import calendar_of
from metrics.definitions.fields import text_problem
from metrics.models import Entry, Installation, Value
from metrics.services.defining import PAGE, settle
from owners.models import User
from owners.rules import can, require
from owners.services.meanwhile import state_token, unchanged


def token_of(row: Installation | None) -> str:
    """Names the state of the company's name and calendar."""
    return state_token(row.name if row else "", calendar_of(row))


@transaction.atomic
def set_company(
    by: User | None, name: str, calendar: Calendar, *, expected: str | None = None
) -> Installation:
    """Names the company and says how it cuts time.

    expected: the token of what the writer saw. Raises ChangedMeanwhile where it is not that of what is
    stored, PermissionDenied without `start.use`, ValidationError by field for what does not exist, and for
    another calendar where figures are stored already: then it takes an admin, as every figure moves.
    """
    require(by, "start.use")
    name = " ".join(name.split())
    if not name or text_problem(name, 200):
        raise ValidationError({"name": text_problem(name, 200) or "The company’s name is missing."})
    stored = Installation.objects.select_for_update().filter(id=1).first()
    unchanged(expected, token_of(stored))
    if stored is None or calendar != calendar_of(stored):
        has_figures = Value.objects.exists() or Entry.objects.exists()
        if has_figures and not can(by, "installation.manage"):
            raise ValidationError("There are figures already: only an admin changes the calendar now.")
        said = {
            "timezone": calendar.timezone,
            "week_start": calendar.week_start,
            "fiscal_year_start": calendar.fiscal_year_start,
            "holidays": calendar.holidays,
        }
        settle("calendar", "", said, author=by)
    with pghistory.context(origin=PAGE, user=by.pk if by else None):
        row, _ = Installation.objects.get_or_create(id=1)
        if row.name != name:
            row.name = name
            row.save(update_fields=["name"])
    return row
