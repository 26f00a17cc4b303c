"""Definitions as pages change them: the same reading, checks, versions and recomputes as `apply`, one object
at a time."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pghistory
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from metrics.definitions.build import source_keys_of
from metrics.definitions.file import Definitions
from metrics.definitions.metric import MetricText
from metrics.definitions.mistakes import DefinitionsError
from metrics.definitions.writing import write
from metrics.models import Metric, Source, Warehouse
from metrics.queries.dump import source_fields, stored, warehouse_fields
from metrics.services import apply as applying
from metrics.services import inspection, ledger, storing
from metrics.services.apply import LOCK, Intent, Outcome
from owners.models import User
from owners.rules import require
from owners.services.meanwhile import ChangedMeanwhile

PAGE = "page"  # the origin of events that a page has caused
PATIENCE = 8.0  # seconds for one statement while a page waits


class InUse(Exception):
    """What is to be archived is needed by something else; `by`: names of what."""

    def __init__(self, by: list[str]) -> None:
        self.by = by
        super().__init__(", ".join(by))


def text_of(section: str, key: str, said: Any) -> str:
    """A definitions file of one object. said: its fields in normal form, of a metric its MetricText; key: ""
    for the calendar, of which there is one."""
    definitions = Definitions()
    setattr(definitions, section, {key: said} if key else said)
    return write(definitions)


def token(fields: Any) -> str:
    """Names a state of an object, of a metric how it is defined; "" is one that does not exist."""
    if fields is None:
        return ""
    plain = fields.fields if isinstance(fields, MetricText) else fields
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:32]


def check(text: str, *, author: User) -> tuple[Intent, Callable[[], None]]:
    """Reads and checks the text of one object, and returns what is left to do: asking the warehouses whether
    its columns exist. That may take long, touches no database of ours and raises DefinitionsError too.
    """
    intent = applying.compare(text, now=timezone.now())
    applying.require_changes(author, intent.changes)
    return intent, inspection.column_check(
        intent.whole,
        intent.file,
        applying.touched(intent),
        applying.asked_sources(intent),
        intent.report,
        PATIENCE,
    )


def define(text: str, section: str, key: str, *, author: User, expected: str) -> Outcome:
    """Stores what the text says of one object, unless somebody has changed it since `expected` (see `token`).

    The warehouse is not asked here: `check` comes first. Raises DefinitionsError, ChangedMeanwhile,
    PermissionDenied.
    """
    with transaction.atomic(), pghistory.context(origin=PAGE, user=author.pk):
        _lock()
        _unchanged(getattr(stored(), section).get(key), expected)
        if section == "warehouses" and not expected:
            # One that was put aside under this key may have led elsewhere: its password is not for this one.
            Warehouse.objects.filter(key=key).exclude(secrets="").update(secrets="")
        intent = applying.compare(text, now=timezone.now())
        applying.require_changes(author, intent.changes)
        return _store(intent, section, key, author)


def settle(section: str, key: str, said: Any, *, author: User | None) -> Outcome:
    """As `define`, for a service that has asked for another right, and for what has changed meanwhile.

    Raises ValidationError by the names of the object's fields; "" is the object as a whole.
    """
    with transaction.atomic(), pghistory.context(origin=PAGE, user=author.pk if author else None):
        _lock()
        try:
            intent = applying.compare(text_of(section, key, said), now=timezone.now())
        except DefinitionsError as error:
            raise _by_field(error, section, key) from None
        return _store(intent, section, key, author)


def _store(intent: Intent, section: str, key: str, author: User | None) -> Outcome:
    """Writes the differences, of the one object only: what else is stored is not missing."""
    changes = tuple(change for change in intent.changes if change.what not in ("missing", "kept"))
    if not changes:
        return Outcome(())
    ledger.editing_definitions()
    versions, runs = storing.store(
        intent.file,
        intent.before,
        intent.whole,
        changes,
        intent.renames,
        author=author,
        today=applying.today_of(intent, timezone.now()),
        archive=False,
    )
    if section == "sources" and not runs:
        # Also one that feeds nothing yet: how far it is loaded is wanted at once.
        ledger.request(Source.objects.get(key=key), cause="source", user=author)
        runs += 1
    if section == "warehouses":
        for source in Source.objects.filter(warehouse__key=key, archived_at=None):
            ledger.request(source, cause="request", user=author)
            runs += 1
    return Outcome(changes, versions=versions, runs=runs)


def archive_warehouse(key: str, *, author: User, expected: str) -> None:
    """Puts a warehouse aside and forgets its password. InUse while sources read it; ChangedMeanwhile."""
    require(author, "warehouse.manage")
    with transaction.atomic(), pghistory.context(origin=PAGE, user=author.pk):
        _lock()
        row = Warehouse.objects.get(key=key, archived_at=None)
        _unchanged(warehouse_fields(row), expected)
        used = list(row.sources.filter(archived_at=None).order_by("key").values_list("key", flat=True))
        if used:
            raise InUse(used)
        row.archived_at, row.secrets = timezone.now(), ""
        row.save(update_fields=["archived_at", "secrets"])


def archive_source(key: str, *, author: User, expected: str) -> None:
    """Puts a source aside. InUse while metrics are computed from it; ChangedMeanwhile."""
    require(author, "source.define")
    with transaction.atomic(), pghistory.context(origin=PAGE, user=author.pk):
        _lock()
        row = Source.objects.select_related("warehouse", "data_owner").get(key=key, archived_at=None)
        _unchanged(source_fields(row), expected)
        used = [m.name for m in Metric.objects.filter(archived_at=None) if key in source_keys_of(m)]
        if used:
            raise InUse(used)
        ledger.editing_definitions()
        row.archived_at = timezone.now()
        row.save(update_fields=["archived_at"])


def _unchanged(fields: Any, expected: str) -> None:
    if token(fields) != expected:
        raise ChangedMeanwhile("Somebody else has changed this meanwhile. Look at it again first.")


def _by_field(error: DefinitionsError, section: str, key: str) -> ValidationError:
    own = [section, key] if key else [section]
    found: dict[str, list[str]] = {}
    for mistake in error.mistakes:
        words = mistake.path.split(".")
        within = words[: len(own)] == own
        place = words[len(own)] if within and len(words) > len(own) else ""
        said = f"{mistake.message[:1].upper()}{mistake.message[1:]}."
        found.setdefault(place, []).append(said if within else f"{mistake.path}: {said}")
    return ValidationError(found)


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
