"""Figures out of a spreadsheet: a draft that can be looked at, taken over in one piece, and taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pghistory
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from metrics.models import Entry, Metric, SheetImport, Target
from metrics.queries.scope import visible_metrics
from metrics.queries.shapes.sheet_imports import Match
from metrics.queries.sheet_imports import enterable, read_import
from metrics.services import batches
from metrics.services.entries import EntryRow, token_of
from metrics.services.manual_metrics import Counted, add_own
from metrics.services.manual_metrics import token_of as metric_token
from metrics.sheets.tables import Table
from owners.models import User
from owners.rules import can, require

KEPT = timedelta(days=7)  # how long a draft waits for its author
BACK = timedelta(days=180)  # how long what was taken over can be taken back
DRAFTS = 5  # of one person; the older ones go
CHANGED = "Somebody has changed figures since this was shown. Look again."


@dataclass(frozen=True)
class Taken:
    """What was written: figures new and changed, and the metrics that were added for them."""

    added: int = 0
    changed: int = 0
    made: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Write:
    """A figure at its cell, and the metric that it belongs to."""

    cell: str
    metric: Metric
    row: EntryRow


@dataclass(frozen=True)
class Restored:
    """What was taken back: how many figures, and the names of the added metrics that went with them."""

    figures: int
    dropped: tuple[str, ...] = ()


class Gone(ValidationError):
    """The draft was taken over, or taken back, already."""


@transaction.atomic
def draft(by: User, table: Table, name: str = "") -> SheetImport:
    """Keeps a table to be looked at; of one person's drafts the oldest go. PermissionDenied for whoever
    has neither `figures.import` nor a metric to count."""
    _require_sheets(by)
    old = SheetImport.objects.filter(accepted_at=None, author=by).order_by("-id")
    SheetImport.objects.filter(pk__in=list(old.values_list("pk", flat=True)[DRAFTS - 1 :])).delete()
    said = {
        "rows": [[cell.replace("\x00", "") for cell in row] for row in table.rows],
        "exact": sorted([list(place) for place in table.exact]),
        "sheet": table.sheet,
    }
    with _context(by):
        return SheetImport.objects.create(author=by, name=_one_line(name)[:200], table=said)


@transaction.atomic
def decide(
    by: User, made: SheetImport, choices: Mapping[str, Any], matches: Mapping[str, Any]
) -> SheetImport:
    """Keeps what its author has decided about a draft."""
    made = _own_draft(by, made)
    with _context(by):
        made.choices, made.matches = dict(choices), dict(matches)
        made.save(update_fields=["choices", "matches"])
    return made


@transaction.atomic
def discard(by: User, made: SheetImport) -> None:
    """Forgets a draft; nothing was written."""
    _own_draft(by, made).delete()


@transaction.atomic
def take_over(by: User, made: SheetImport, *, whole: bool = False, digest: str | None = None) -> Taken:
    """Writes a draft's figures, all or none; metrics that are new are added first and answered for by `by`.

    Unknown figures are left out, and so are those with a problem: the page has shown them. whole: a problem
    keeps all from being written, and no metric is added. digest: what the page has shown. Raises
    PermissionDenied for a metric whose figures `by` may not enter, ValidationError if a figure has changed
    since it was shown and for what the services refuse, naming the cell, Gone for a draft that was taken over
    meanwhile.
    """
    made = _own_draft(by, made)
    read = read_import(by, made, whole=whole)
    if digest is not None and digest != read.digest:
        raise ValidationError(CHANGED)
    if whole and not read.is_sound:
        raise ValidationError("Nothing was entered: see what is marked below.")
    if not whole and not read.ready:
        raise ValidationError("There is no figure to take over. Look at what is asked for above.")
    new = [match for match in read.matches if match.action == "new" and match.count]
    keys = {match.name: match.key for match in read.matches if match.action == "metric"}
    for match in new:
        metric = add_own(_counted(match), by)
        keys[match.name] = metric.key
    metrics = {m.key: m for m in visible_metrics(by).filter(key__in=keys.values())}
    writes = []
    for line in read.lines:
        key = keys.get(line.figure.name)
        if line.is_ready and line.row is not None and key is not None:
            if key not in metrics:
                raise PermissionDenied(f"{key} is not seen")
            writes.append(_Write(line.figure.place, metrics[key], line.row))
    added = [Metric.objects.get(key=keys[match.name]) for match in new]
    made.matches |= {m.name: {"action": "new", "key": m.key, "token": metric_token(m)} for m in added}
    taken = _enter(by, made, writes)
    return Taken(taken.added, taken.changed, tuple(match.name for match in new))


@transaction.atomic
def take_back(by: User, made: SheetImport) -> Restored:
    """Restores what was there before a draft was taken over. Metrics that were added for it are archived,
    unless somebody has used them since: changed them, given them a target or other figures.

    Only its author may, whose right to enter the figures still stands. Raises ValidationError, and changes
    nothing, where somebody has changed one of the figures since, naming them; Gone where it was taken back
    already.
    """
    require(by, "figures.take_back", made)
    made = SheetImport.objects.select_for_update(of=("self",)).get(pk=made.pk)
    if made.accepted_at is None or made.undone_at is not None or not made.changes:
        raise Gone("There is nothing to take back.")
    lines = [batches.Line(change["metric"], _row_back(change)) for change in made.changes]
    try:
        batches.enter_batch(lines, author=by, origin="file")
    except batches.BatchRefused as refused:
        names = dict(visible_metrics(by).values_list("key", "name"))
        words = "; ".join(
            f"{names.get(lines[f.index].metric, lines[f.index].metric)}, "
            f"{lines[f.index].row.period_start:%-d %b %Y}: {f.message}"
            for f in refused.faults[:5]
        )
        raise ValidationError(f"Nothing was taken back. {words}.") from None
    with _context(by):
        made.undone_at = timezone.now()
        made.save(update_fields=["undone_at"])
        return Restored(len(made.changes), _drop_added(by, made))


def _drop_added(by: User, made: SheetImport) -> tuple[str, ...]:
    """Archives the metrics that `made` has added and nobody has used since; returns their names."""
    added = {m["key"]: m["token"] for m in made.matches.values() if m.get("action") == "new" and "token" in m}
    unused = (
        Metric.objects.select_for_update(of=("self",))
        .filter(key__in=added, archived_at=None, type="manual")
        .exclude(pk__in=Entry.objects.values("metric"))
        .exclude(pk__in=Target.objects.values("metric"))
        .order_by("id")
    )
    dropped = []
    for metric in unused:
        if metric_token(metric) == added[metric.key] and can(by, "metric.define_manual", metric):
            metric.archived_at = timezone.now()
            metric.save(update_fields=["archived_at"])
            dropped.append(metric.name)
    return tuple(dropped)


def forget(now: datetime) -> None:
    """Removes drafts that nobody came back to, and what is too old to be taken back."""
    SheetImport.objects.filter(accepted_at=None, created_at__lt=now - KEPT).delete()
    SheetImport.objects.filter(created_at__lt=now - BACK).delete()


def _require_sheets(by: User) -> None:
    """A collector needs no role beyond viewer to hand in what they count."""
    if not can(by, "figures.import") and not enterable(by):
        require(by, "figures.import")


def _own_draft(by: User, made: SheetImport) -> SheetImport:
    _require_sheets(by)
    found = SheetImport.objects.select_for_update(of=("self",)).filter(pk=made.pk, author=by).first()
    if found is None or found.accepted_at is not None:
        raise Gone("This spreadsheet was taken over already.")
    return found


def _counted(match: Match) -> Counted:
    return Counted(name=match.name, kind=match.kind, grain=match.grain, unit=match.unit, better=match.better)


def _enter(by: User, made: SheetImport, writes: Sequence[_Write]) -> Taken:
    """Enters the figures, each by the right to its metric, and keeps what was there before."""
    batches.lock_metrics({write.metric.key for write in writes})
    before = _states(writes)
    lines = [batches.Line(write.metric.key, write.row) for write in writes]
    try:
        batches.enter_batch(lines, author=by, origin="file")
    except batches.BatchRefused as refused:
        said = [f"{writes[fault.index].cell}: {fault.message}" for fault in refused.faults[:10]]
        raise ValidationError(said) from None
    after = _states(writes)
    changes = [
        {
            "metric": write.metric.key,
            "dimension": write.row.dimension,
            "member": write.row.member,
            "period_start": write.row.period_start.isoformat(),
            "before": before.get(place),
            "after": after[place],
        }
        for write in writes
        if before.get(place := (write.metric.pk, *write.row.place)) != after[place]
    ]
    with _context(by):
        made.changes, made.accepted_at, made.table = changes, timezone.now(), {}
        made.save(update_fields=["changes", "accepted_at", "table", "matches"])
    added = sum(change["before"] is None for change in changes)
    return Taken(added, len(changes) - added)


def _states(writes: Sequence[_Write]) -> dict[tuple[int, str, str, date], dict[str, Any]]:
    """What stands at the metrics' places now."""
    found = Entry.objects.filter(metric__in={write.metric.pk for write in writes})
    return {
        (e.metric_id, e.dimension, e.member, e.period_start): {
            name: getattr(e, name) for name in ("value", "numerator", "denominator", "note")
        }
        for e in found
    }


def _row_back(change: Mapping[str, Any]) -> EntryRow:
    """The row that restores what was before, if what was written still stands."""
    written = token_of(Entry(**change["after"]))
    before = change["before"]
    said = {name: (before or {}).get(name) for name in ("value", "numerator", "denominator")}
    return EntryRow(
        date.fromisoformat(change["period_start"]),
        dimension=change["dimension"],
        member=change["member"],
        note=before["note"] if before else None,
        remove=before is None,
        expected=written,
        **said,
    )


def _context(by: User) -> Any:
    return pghistory.context(origin="page", user=by.pk)


def _one_line(text: str) -> str:
    return " ".join("".join(c for c in text if c.isprintable()).split())


__all__ = [
    "Gone",
    "Restored",
    "Taken",
    "decide",
    "discard",
    "draft",
    "forget",
    "take_back",
    "take_over",
]
