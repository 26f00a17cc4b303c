"""Takes a definitions file in: all or nothing, in one transaction, never silently undoing what a page has
edited."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import pghistory
from django.db import connection, transaction
from django.utils import timezone

from metrics.definitions import checks
from metrics.definitions.changes import Change, changes, overlay, owner_on, with_renames
from metrics.definitions.file import Definitions, read_definitions
from metrics.definitions.fingerprints import SOURCE_KEYS, fingerprints
from metrics.definitions.mistakes import DefinitionsError, Report
from metrics.models import Target, Warehouse
from metrics.queries.dump import stored
from metrics.services import conflicts as conflicts_
from metrics.services import inspection, ledger, storing
from metrics.services.conflicts import APPLY, Conflict
from owners.models import Leader, User
from owners.queries.ownership import owned_by
from owners.rules import require
from owners.services.leaders import still_answers

LOCK = 7_411_002  # one apply at a time; an advisory lock, since the rows may not exist yet
PERMISSIONS = {
    "calendar": "installation.manage",
    "warehouses": "warehouse.manage",
    "sources": "source.define",
    "teams": "people.manage",
    "leaders": "people.manage",
    "metrics": "metric.define",
}


class Conflicts(Exception):
    """The file would undo edits made on pages."""

    def __init__(self, conflicts: list[Conflict]) -> None:
        self.conflicts = conflicts
        super().__init__(conflicts_.describe(conflicts))


@dataclass(frozen=True)
class Intent:
    """What a file would do: the whole that results, the differences, and old -> new keys of renamed
    metrics."""

    file: Definitions
    before: Definitions
    whole: Definitions
    changes: tuple[Change, ...]
    renames: dict[str, str]
    report: Report


@dataclass(frozen=True)
class Outcome:
    """What `apply` has done, or with dry_run would do. versions: keys of metrics with a new version -> from
    which day it holds (None: all history). preview: a dry run's figures. runs: how many recomputes were asked
    for."""

    changes: tuple[Change, ...]
    versions: dict[str, date | None] = field(default_factory=dict)
    preview: tuple[inspection.Preview, ...] = ()
    runs: int = 0


def reviewed_quarters() -> frozenset[str]:
    """Quarters whose targets are settled by a review and may not change any more; none is while none is
    reviewed."""
    return frozenset()


def apply(
    text: str,
    *,
    author: User | None = None,
    dry_run: bool = False,
    overwrite: Collection[str] = (),
    archive: bool = False,
    now: datetime | None = None,
) -> Outcome:
    """Makes the installation what the file says, in the sections that it holds.

    author: None is the system. overwrite: keys whose edits on pages may be undone. archive: also archive what
    is missing from a section. Raises DefinitionsError (all mistakes), Conflicts, PermissionDenied, and
    WarehouseError where a warehouse that must be asked for columns does not answer; nothing has changed then.
    """
    now = now or timezone.now()
    if dry_run:
        intent = prepare(text, author=author, overwrite=overwrite, archive=archive, now=now)
        keys = touched(intent)
        _inspect(intent, keys)
        preview = inspection.preview(intent.whole, intent.file, keys)
        return Outcome(intent.changes, preview=preview)
    with transaction.atomic(), pghistory.context(origin=APPLY, user=author.pk if author else None):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        intent = prepare(text, author=author, overwrite=overwrite, archive=archive, now=now)
        _inspect(intent, touched(intent))
        ledger.editing_definitions()
        versions, runs = storing.store(
            intent.file,
            intent.before,
            intent.whole,
            intent.changes,
            intent.renames,
            author=author,
            today=today_of(intent, now),
            archive=archive,
        )
    return Outcome(intent.changes, versions=versions, runs=runs)


def prepare(
    text: str,
    *,
    author: User | None,
    overwrite: Collection[str],
    archive: bool,
    now: datetime,
) -> Intent:
    """Reads, checks and compares, and asks for the rights; writes nothing. Raises as `apply` does."""
    intent = compare(text, archive=archive, now=now)
    require_changes(author, intent.changes)
    since = datetime.fromisoformat(intent.file.revision) if intent.file.revision else None
    conflicts = [
        conflict
        for conflict in conflicts_.find(_by_old_key(intent.changes, intent.renames), since)
        if conflict.key not in overwrite
    ]
    if conflicts:
        raise Conflicts(conflicts)
    return intent


def compare(text: str, *, now: datetime, archive: bool = False) -> Intent:
    """What the text would do, checked; DefinitionsError. Asks for nobody's right, and writes nothing."""
    report = Report()
    file = read_definitions(text, report)
    _check_revision(file, report)
    before = stored()
    renamed, renames = with_renames(before, file)
    _check_renames(file, before, report)
    whole = overlay(renamed, file, archive=archive)
    try:
        checks.check(whole, file, report)
    except (KeyError, TypeError, ValueError):
        # Deeper checks lean on what the reading has found broken; its mistakes are the ones to tell.
        if not report.mistakes:
            raise
    today = checks.calendar_from(whole.calendar or {}).day_of(now)
    found = changes(renamed, file, archive=archive, today=today)
    found += _secrets(file)
    found += [Change("metrics", new, "rename", "", old, new, "renamed") for old, new in renames.items()]
    _check_changes(file, renamed, found, report)
    _check_archived(whole, renamed, found, today, report)
    report.raise_any()
    return Intent(file, renamed, whole, tuple(found), renames, report)


def _inspect(intent: Intent, keys: Collection[str]) -> None:
    inspection.check_columns(intent.whole, intent.file, keys, asked_sources(intent), intent.report)
    intent.report.raise_any()


def asked_sources(intent: Intent) -> set[str]:
    """Keys of the sources whose columns the changes may have moved: their warehouses must be asked."""
    asked = (*SOURCE_KEYS, "dimensions", "changed_at")
    return {
        change.key
        for change in intent.changes
        if change.section == "sources" and (change.what == "new" or change.name in asked)
    }


def touched(intent: Intent) -> list[str]:
    """Keys of the metrics whose figures the changes may alter: those that are new or computed differently."""
    before, after = fingerprints(intent.before), fingerprints(intent.whole)
    moved = {
        change.key
        for change in intent.changes
        if change.section == "warehouses" and (change.what == "new" or change.name in storing.PLACES)
    }
    sources = {key for key, source in (intent.whole.sources or {}).items() if source["warehouse"] in moved}
    return [
        key
        for key, text in (intent.whole.metrics or {}).items()
        if before.get(key) != after[key] or sources & set(inspection.sources_of(key, text))
    ]


def today_of(intent: Intent, now: datetime) -> date:
    """The local day of `now`, by the calendar that results."""
    return checks.calendar_from(intent.whole.calendar or {}).day_of(now)


def _check_revision(file: Definitions, report: Report) -> None:
    if not file.revision:
        return
    try:
        sound = datetime.fromisoformat(file.revision).tzinfo is not None
    except ValueError:
        sound = False
    if not sound:
        report.at("revision", f"{file.revision!r} is not a revision; keep the one that `dump` has written")


def _check_renames(file: Definitions, before: Definitions, report: Report) -> None:
    stored_keys, seen = before.metrics or {}, set()
    for key, text in (file.metrics or {}).items():
        if not text.was:
            continue
        path = f"metrics.{key}.was"
        if text.was in (file.metrics or {}):
            report.at(path, f"{text.was!r} is still a metric of this file")
        elif text.was in stored_keys and key in stored_keys:
            report.at(path, f"both {text.was!r} and {key!r} are stored; a metric cannot take another's place")
        elif text.was not in stored_keys and key not in stored_keys:
            report.at(path, f"there is no metric {text.was!r} to rename")
        if text.was in seen:
            report.at(path, f"two metrics want to be {text.was!r}")
        seen.add(text.was)


def _secrets(file: Definitions) -> list[Change]:
    """Secrets in the file that are not those stored; never what they are. Those of a new warehouse go without
    saying."""
    rows = {row.key: row for row in Warehouse.objects.filter(key__in=file.secrets, archived_at=None)}
    return [
        Change("warehouses", key, "secret", name, None, None)
        for key, secrets in file.secrets.items()
        if key in rows
        for name, secret in secrets.items()
        if storing.opened(rows[key]).get(name) != secret
    ]


def _check_changes(file: Definitions, before: Definitions, found: list[Change], report: Report) -> None:
    """What may not change, or not in this way."""
    reviewed = reviewed_quarters()
    agreed = set(
        Target.objects.filter(dimension="", agreed_at__isnull=False).values_list("metric__key", "quarter")
    )
    for change in found:
        path = f"metrics.{change.key}"
        if change.part == "target" and change.what == "changed" and change.name in reviewed:
            report.at(f"{path}.targets.{change.name}", f"{change.name} is reviewed; its targets are settled")
        if change.part == "target" and change.what == "changed" and (change.key, change.name) in agreed:
            said = ((file.metrics or {})[change.key].targets or {})[change.name]
            if not said.get("reason"):
                report.at(
                    f"{path}.targets.{change.name}",
                    "this target is agreed; say why it changes (`reason:`)",
                )
        if change.section == "metrics" and change.name == "type" and change.old == "manual":
            text = (file.metrics or {})[change.key]
            if not text.effective:
                report.at(
                    f"{path}.type",
                    "a manual metric becomes a computed one: say from which day on (`effective: DATE`)",
                )


def _check_archived(
    whole: Definitions, before: Definitions, found: list[Change], today: date, report: Report
) -> None:
    """As on the page: who answers for a metric or a member of one, or is to, is handed over first."""
    gone = {c.key for c in found if c.section == "leaders" and c.what == "archived"}
    if not gone:
        return
    held = Counter[str]()
    for key, text in (whole.metrics or {}).items():
        rows = text.owners or []
        if text.owner is not None:
            old = (before.metrics or {}).get(key)
            ahead = [row for row in (old.owners if old else None) or [] if row.start > today.isoformat()]
            rows = [replace(text.owner, start=today.isoformat()), *ahead]
        held.update({owner_on(rows, today)} | {row.leader for row in rows if row.start > today.isoformat()})
    for leader in Leader.objects.filter(key__in=gone):
        members = [row for row in owned_by(leader, today) if row.dimension]
        if held[leader.key] or any(row.metric_key in (whole.metrics or {}) for row in members):
            report.at(f"leaders.{leader.key}", still_answers(leader.name))


def _by_old_key(found: Collection[Change], renames: dict[str, str]) -> list[Change]:
    """The changes with the keys under which the history knows the metrics."""
    old = {new: was for was, new in renames.items()}
    return [replace(change, key=old.get(change.key, change.key)) for change in found]


def require_changes(author: User | None, found: Collection[Change]) -> None:
    """PermissionDenied unless `author` may do every change."""
    for change in found:
        if change.what in ("missing", "kept"):
            continue
        if change.part == "target":
            require(author, "metric.set_target", _Ref(change.key))
        elif change.part == "owners":
            require(author, "metric.set_owner", _Ref(change.key))
        else:
            require(author, PERMISSIONS[change.section])
        if change.section == "sources":
            _require_sql(author, change)
        if change.section == "metrics" and "north_star" in (change.old, change.new):
            require(author, "metric.set_north_star")
        if change.what == "new" and change.section == "metrics" and change.new.get("role") == "north_star":
            require(author, "metric.set_north_star")


def _require_sql(author: User | None, change: Change) -> None:
    new = change.new if change.what == "new" else {change.name: change.new}
    if new.get("sql") or new.get("loaded_to"):
        require(author, "metric.write_sql")


@dataclass(frozen=True)
class _Ref:
    """A metric that may not be stored yet, for the rules about who may set its target and owner."""

    key: str
    visible: str = "everyone"


__all__ = [
    "Conflicts",
    "DefinitionsError",
    "Intent",
    "Outcome",
    "apply",
    "compare",
    "prepare",
    "reviewed_quarters",
]
