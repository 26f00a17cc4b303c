"""Figures out of a spreadsheet: a draft that can be looked at, taken over in one piece, and taken back."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from metrics.models import Entry, Metric, SheetImport
from metrics.queries.figures_read import Line, Match, read_import
from metrics.queries.scope import visible_metrics
from metrics.services.entries import EntriesRefused, EntryRow, put, token_of
from metrics.services.manual_metrics import Counted, add_own
from metrics.sheets.tables import Table
from owners.models import User
from owners.rules import require

KEPT = timedelta(days=7)  # how long a draft waits for its author
DRAFTS = 5  # of one person; the older ones go


@dataclass(frozen=True)
class Taken:
    """What was written: figures new and changed, and the metrics that were added for them."""

    added: int = 0
    changed: int = 0
    made: tuple[str, ...] = ()


class Gone(ValidationError):
    """The draft was taken over, or taken back, already."""


@transaction.atomic
def draft(by: User, table: Table, name: str = "") -> SheetImport:
    """Keeps a table to be looked at; drafts that nobody came back to go. Raises PermissionDenied without
    `figures.import`."""
    require(by, "figures.import")
    old = SheetImport.objects.filter(accepted_at=None)
    old.filter(created_at__lt=timezone.now() - KEPT).delete()
    mine = list(old.filter(author=by).order_by("-id").values_list("pk", flat=True)[DRAFTS - 1 :])
    SheetImport.objects.filter(pk__in=mine).delete()
    said = {
        "rows": [list(row) for row in table.rows],
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
def take_over(by: User, made: SheetImport) -> Taken:
    """Writes a draft's figures, all or none; metrics that are new are added first and answered for by `by`.

    Figures with a problem and unknown ones are left out: the page has shown them. Raises PermissionDenied for
    a metric whose figures `by` may not enter, ValidationError for what the services refuse, naming the cell,
    Gone for a draft that was taken over meanwhile.
    """
    made = _own_draft(by, made)
    read = read_import(by, made)
    if not read.ready:
        raise ValidationError("There is no figure to take over. Look at what is asked for above.")
    new = [match for match in read.matches if match.action == "new" and match.count]
    keys = {match.name: match.key for match in read.matches if match.action == "metric"}
    for match in new:
        metric = add_own(_counted(match), by)
        keys[match.name] = metric.key
    metrics = {m.key: m for m in visible_metrics(by).filter(key__in=keys.values())}
    lines: dict[str, list[Line]] = defaultdict(list)
    for line in read.lines:
        if line.is_ready and line.figure.name in keys:
            lines[keys[line.figure.name]].append(line)
    changes: list[dict[str, Any]] = []
    for key in sorted(lines):  # locks are taken in one order, whatever that of the sheet
        require(by, "metric.enter_values", metrics.get(key) or Metric(key=key))
        changes += _write(by, metrics[key], lines[key])
    with _context(by):
        made.changes, made.accepted_at, made.table = changes, timezone.now(), {}
        made.save(update_fields=["changes", "accepted_at", "table"])
    added = sum(change["before"] is None for change in changes)
    return Taken(added, len(changes) - added, tuple(match.name for match in new))


@transaction.atomic
def take_back(by: User, made: SheetImport) -> int:
    """Restores what was there before a draft was taken over; returns how many figures that were.

    Only its author may. Raises ValidationError, and changes nothing, where somebody has changed one of the
    figures since, naming them; Gone where it was taken back already.
    """
    require(by, "figures.take_back", made)
    made = SheetImport.objects.select_for_update(of=("self",)).get(pk=made.pk)
    if made.accepted_at is None or made.undone_at is not None:
        raise Gone("These figures were taken back already.")
    by_metric: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for change in made.changes:
        by_metric[change["metric"]].append(change)
    metrics = {m.key: m for m in Metric.objects.filter(key__in=by_metric)}
    for key in sorted(by_metric):
        if key not in metrics:
            raise ValidationError(f"The metric {key} is not there any more.")
        rows = [_row_back(change) for change in by_metric[key]]
        try:
            put(metrics[key], rows, author=by, origin="page")
        except EntriesRefused as refused:
            when = ", ".join(f"{rows[n].period_start:%-d %b %Y}" for n in sorted(refused.errors)[:5])
            raise ValidationError(
                f"{metrics[key].name}: somebody has changed the figure of {when} since. "
                "Nothing was taken back."
            ) from None
    with _context(by):
        made.undone_at = timezone.now()
        made.save(update_fields=["undone_at"])
    return len(made.changes)


def _own_draft(by: User, made: SheetImport) -> SheetImport:
    require(by, "figures.import")
    found = SheetImport.objects.select_for_update(of=("self",)).filter(pk=made.pk, author=by).first()
    if found is None or found.accepted_at is not None:
        raise Gone("This spreadsheet was taken over already.")
    return found


def _counted(match: Match) -> Counted:
    return Counted(name=match.name, kind=match.kind, grain=match.grain, unit=match.unit, better=match.better)


def _write(by: User, metric: Metric, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Enters the lines' figures; returns what changed, with what was there before."""
    places = {(e.dimension, e.member, e.period_start): e for e in Entry.objects.filter(metric=metric)}
    rows, before, refused = [], [], []
    for line in lines:
        there = places.get(line.place)
        rows.append(
            EntryRow(
                line.place[2],
                line.value,
                line.numerator,
                line.denominator,
                dimension=line.place[0],
                member=line.place[1],
                note=line.figure.note or None,
                # what the page has shown is what may be written over
                expected=line.token,
            )
        )
        before.append(there)
    try:
        put(metric, rows, author=by, origin="file")
    except EntriesRefused as error:
        refused = [f"{lines[n].figure.place}: {words}" for n, words in sorted(error.errors.items())[:10]]
        raise ValidationError(refused) from None
    after = {(e.dimension, e.member, e.period_start): e for e in Entry.objects.filter(metric=metric)}
    return [
        {
            "metric": metric.key,
            "dimension": row.dimension,
            "member": row.member,
            "period_start": row.period_start.isoformat(),
            "before": _state(there),
            "after": _state(after[row.place]),
        }
        for row, there in zip(rows, before, strict=True)
        if _state(there) != _state(after[row.place])
    ]


def _state(entry: Entry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    return {name: getattr(entry, name) for name in ("value", "numerator", "denominator", "note")}


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


__all__ = ["Gone", "Taken", "decide", "discard", "draft", "take_back", "take_over"]
