"""Takes in one definition from a page: the same reading, checks, versions and recomputes as `apply`."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pghistory
from django.db import connection, transaction
from django.utils import timezone

from metrics.definitions.build import source_keys_of
from metrics.definitions.file import Definitions
from metrics.definitions.writing import write
from metrics.models import Metric, Source, Warehouse
from metrics.queries.dump import source_fields, stored, warehouse_fields
from metrics.services import apply as applying
from metrics.services import inspection, ledger, storing
from metrics.services.apply import LOCK, Intent, Outcome
from owners.models import User
from owners.rules import require

PAGE = "page"  # the origin of events that a page has caused
PATIENCE = 8.0  # seconds for one statement while a page waits


class Changed(Exception):
    """Somebody else has changed the object since the page was opened."""


class InUse(Exception):
    """What is to be archived is needed by something else; `by`: names of what."""

    def __init__(self, by: list[str]) -> None:
        self.by = by
        super().__init__(", ".join(by))


def text_of(section: str, key: str, said: Any) -> str:
    """A definitions file of one object. said: its fields in normal form, of a metric its MetricText."""
    return write(Definitions(**{section: {key: said}}))  # type: ignore[arg-type]


def token(fields: Any) -> str:
    """Names a state of an object; "" is one that does not exist."""
    if fields is None:
        return ""
    plain = asdict(fields) if hasattr(fields, "__dataclass_fields__") else fields
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:32]


def check(
    text: str, key: str, *, author: User, now: datetime | None = None
) -> tuple[Intent, Callable[[], None]]:
    """Reads and checks the text of one object, and returns what is left to do: asking the warehouses whether
    its columns exist. That may take long, touches no database of ours and raises DefinitionsError too.
    """
    intent = applying.prepare(text, author=author, overwrite=[key], archive=False, now=now or timezone.now())
    return intent, inspection.column_check(
        intent.whole,
        intent.file,
        applying.touched(intent),
        applying.asked_sources(intent),
        intent.report,
        PATIENCE,
    )


def define(
    text: str, section: str, key: str, *, author: User, expected: str, now: datetime | None = None
) -> Outcome:
    """Stores what the text says of one object, unless somebody has changed it since `expected` (see `token`).

    The warehouse is not asked here: `check` comes first. Raises DefinitionsError, Changed, PermissionDenied.
    """
    with transaction.atomic(), pghistory.context(origin=PAGE, user=author.pk):
        _lock()
        if token(getattr(stored(), section).get(key)) != expected:
            raise Changed
        if section == "warehouses" and not expected:
            # One that was put aside under this key may have led elsewhere: its password is not for this one.
            Warehouse.objects.filter(key=key).exclude(secrets="").update(secrets="")
        intent = applying.prepare(
            text, author=author, overwrite=[key], archive=False, now=now or timezone.now()
        )
        ledger.editing_definitions()
        versions, runs = storing.store(
            intent.file,
            intent.before,
            intent.whole,
            intent.changes,
            intent.renames,
            author=author,
            today=applying.today_of(intent, now or timezone.now()),
            archive=False,
        )
        if section == "sources" and intent.changes and not runs:
            # Also one that feeds nothing yet: how far it is loaded is wanted at once.
            ledger.request(Source.objects.get(key=key), cause="source", user=author)
            runs += 1
        if section == "warehouses" and intent.changes:
            for source in Source.objects.filter(warehouse__key=key, archived_at=None):
                ledger.request(source, cause="request", user=author)
                runs += 1
    return Outcome(intent.changes, versions=versions, runs=runs)


def archive_warehouse(key: str, *, author: User, expected: str) -> None:
    """Puts a warehouse aside and forgets its password. InUse while sources read it; Changed."""
    require(author, "warehouse.manage")
    with transaction.atomic(), pghistory.context(origin=PAGE, user=author.pk):
        _lock()
        row = Warehouse.objects.get(key=key, archived_at=None)
        if token(warehouse_fields(row)) != expected:
            raise Changed
        used = list(row.sources.filter(archived_at=None).order_by("key").values_list("key", flat=True))
        if used:
            raise InUse(used)
        row.archived_at, row.secrets = timezone.now(), ""
        row.save(update_fields=["archived_at", "secrets"])


def archive_source(key: str, *, author: User, expected: str) -> None:
    """Puts a source aside. InUse while metrics are computed from it; Changed."""
    require(author, "source.define")
    with transaction.atomic(), pghistory.context(origin=PAGE, user=author.pk):
        _lock()
        row = Source.objects.select_related("warehouse", "data_owner").get(key=key, archived_at=None)
        if token(source_fields(row)) != expected:
            raise Changed
        used = [m.name for m in Metric.objects.filter(archived_at=None) if key in source_keys_of(m)]
        if used:
            raise InUse(used)
        ledger.editing_definitions()
        row.archived_at = timezone.now()
        row.save(update_fields=["archived_at"])


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
