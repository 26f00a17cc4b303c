"""Edits of definitions on pages: read, checked and stored as those of a file, told apart by their origin."""

from dataclasses import dataclass

import pghistory
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from metrics.definitions import checks
from metrics.definitions.changes import Change, changes, overlay
from metrics.definitions.file import Definitions, read_definitions
from metrics.definitions.mistakes import Report
from metrics.definitions.writing import write
from metrics.queries.dump import stored
from metrics.services import ledger, storing
from metrics.services.apply import LOCK
from owners.models import User

PAGE = "page"


@dataclass(frozen=True)
class Edited:
    """What a page has changed. changes: every difference, [] where all was so already."""

    changes: tuple[Change, ...] = ()


@transaction.atomic
def edit(said: Definitions, *, author: User | None) -> Edited:
    """Makes the objects in `said` what it says; others stay. Asks no one's right: the caller has.

    `said` is written as a file and read again, so that a page can keep nothing that `apply` would refuse.
    Raises ValidationError: of a known place by its name in the file (`name`, `unit`, `collect`), else of "".
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    report = Report()
    file = read_definitions(write(said), report)
    before = stored()
    whole = overlay(before, file, archive=False)
    if not report.mistakes:
        checks.check(whole, file, report)
    _raise(report)
    today = checks.calendar_from(whole.calendar or {}).day_of(timezone.now())
    found = [
        c for c in changes(before, file, archive=False, today=today) if c.what not in ("missing", "kept")
    ]
    if found:
        with pghistory.context(origin=PAGE, user=author.pk if author else None):
            ledger.editing_definitions()
            storing.store(file, before, whole, found, {}, author=author, today=today, archive=False)
    return Edited(tuple(found))


def _raise(report: Report) -> None:
    """The mistakes by the last word of their paths that a form would know."""
    if not report.mistakes:
        return
    by_place: dict[str, list[str]] = {}
    for mistake in report.mistakes:
        words = mistake.path.split(".")
        place = words[2] if len(words) > 2 and words[0] == "metrics" else words[1] if len(words) == 2 else ""
        by_place.setdefault(place if words[0] != "metrics" or len(words) > 2 else "", []).append(
            f"{mistake.message[:1].upper()}{mistake.message[1:]}."
        )
    raise ValidationError(by_place)
