"""Spreadsheets handed in on a page: held, decided about, entered all or nothing, taken back."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from metrics.models import Entry, Import
from metrics.queries.importing import Preview, preview
from metrics.services.batches import BatchRefused, Line, enter_batch
from metrics.services.entries import EntryOutcome, EntryRow, token_of
from metrics.sheets.tables import read_table
from owners.models import User

HELD = timedelta(days=1)  # that a sheet waits to be accepted
KEPT = timedelta(days=180)  # that it can be taken back
MOST_HELD = 5  # sheets of one person that wait; the oldest goes first


@transaction.atomic
def hold(by: User, content: str | bytes, name: str = "", sheet: str = "") -> Import:
    """Keeps a sheet until it is accepted. TableError if it is none."""
    table = read_table(content, name, sheet=sheet)
    waiting = Import.objects.filter(user=by, entered_at=None).values_list("pk", flat=True)
    Import.objects.filter(pk__in=list(waiting)[MOST_HELD - 1 :]).delete()
    rows = [[cell.replace("\x00", "") for cell in row] for row in table.rows]
    return Import.objects.create(
        user=by,
        name=name.replace("\x00", "")[:200],
        table={"rows": rows, "exact": sorted(table.exact), "sheet": table.sheet},
        created_at=timezone.now(),
    )


def decide(kept: Import, choices: Mapping[str, Any]) -> None:
    """What its person says the sheet means."""
    kept.choices = dict(choices)
    kept.save(update_fields=["choices"])


@transaction.atomic
def accept(by: User, kept: Import, digest: str, *, today: date, now: datetime | None = None) -> EntryOutcome:
    """Enters what the preview of this digest has shown, all or nothing.

    ValidationError if a figure has changed since it was shown, or there is something wrong with the sheet.
    """
    kept = _own(by, kept)
    if kept.entered_at is not None:
        raise ValidationError("This sheet was entered already.")
    shown: Preview = preview(kept, by, today)
    if shown.digest != digest:
        raise ValidationError("Somebody has changed figures since this was shown. Look again.")
    if not shown.is_ready:
        raise ValidationError("Nothing was entered: see what is marked below.")
    before = {change.place: _kept(change.metric, change.row) for change in shown.writes if change.metric}
    lines = [Line(change.metric.key, change.row) for change in shown.writes if change.metric and change.row]
    try:
        outcomes = enter_batch(lines, author=by, origin="file", today=today, now=now)
    except BatchRefused as refused:
        raise ValidationError([fault.message for fault in refused.faults[:5]]) from None
    kept.changes = [
        {
            "metric": change.metric.pk,
            "dimension": change.row.dimension,
            "member": change.row.member,
            "start": change.row.period_start.isoformat(),
            "before": before[change.place],
            "after": token_of(_entry(change.metric.pk, change.row)),
        }
        for change in shown.writes
        if change.metric and change.row
    ]
    kept.table, kept.choices, kept.entered_at = {}, {}, now or timezone.now()
    kept.save()
    total = sum(outcomes.values(), EntryOutcome())
    return total + EntryOutcome(unchanged=shown.count("unchanged"))


@transaction.atomic
def take_back(by: User, kept: Import, *, now: datetime | None = None) -> EntryOutcome:
    """Puts back what was there before, if nobody has changed any of it since; else nothing, and
    ValidationError says what was changed."""
    from metrics.models import Metric

    kept = _own(by, kept)
    if kept.entered_at is None or kept.undone_at is not None or not kept.changes:
        raise ValidationError("There is nothing to take back.")
    keys = dict(Metric.objects.filter(pk__in={c["metric"] for c in kept.changes}).values_list("pk", "key"))
    lines = [Line(keys.get(c["metric"], ""), _row_before(c)) for c in kept.changes]
    try:
        outcomes = enter_batch(lines, author=by, origin="file", now=now)
    except BatchRefused as refused:
        count = len({fault.index for fault in refused.faults})
        words = ", ".join(
            f"{lines[f.index].metric} {lines[f.index].row.period_start}: {f.message}"
            for f in refused.faults[:5]
        )
        raise ValidationError(
            f"Nothing was taken back, since {count} of its figures changed: {words}"
        ) from None
    kept.undone_at = now or timezone.now()
    kept.save(update_fields=["undone_at"])
    return sum(outcomes.values(), EntryOutcome())


def forget(now: datetime) -> None:
    """Removes sheets that nobody accepted, and what is too old to be taken back."""
    Import.objects.filter(entered_at=None, created_at__lt=now - HELD).delete()
    Import.objects.filter(created_at__lt=now - KEPT).delete()


def _own(by: User, kept: Import) -> Import:
    row = Import.objects.select_for_update().get(pk=kept.pk)
    if row.user_id != by.pk:
        raise PermissionDenied("another's sheet")
    return row


def _entry(metric: int, row: EntryRow) -> Entry | None:
    dimension, member, start = row.place
    return Entry.objects.filter(metric=metric, dimension=dimension, member=member, period_start=start).first()


def _kept(metric: Any, row: EntryRow | None) -> dict[str, Any] | None:
    entry = _entry(metric.pk, row) if row else None
    if entry is None:
        return None
    return {name: getattr(entry, name) for name in ("value", "numerator", "denominator", "note")}


def _row_before(change: Mapping[str, Any]) -> EntryRow:
    before = change["before"] or {}
    return EntryRow(
        date.fromisoformat(change["start"]),
        before.get("value"),
        before.get("numerator"),
        before.get("denominator"),
        dimension=change["dimension"],
        member=change["member"],
        note=before.get("note"),
        remove=change["before"] is None,
        expected=change["after"],
    )
