"""Figures of manual metrics out of a CSV file: all or nothing, and a repeat changes nothing."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction

from metrics.definitions.fields import parse_day
from metrics.definitions.mistakes import DefinitionsError, Report, nearest
from metrics.definitions.quantities import parse_number
from metrics.models import Metric
from metrics.services.batches import lock_metrics
from metrics.services.entries import EntriesRefused, EntryOutcome, EntryRow, enter
from owners.models import User

COLUMNS = ("metric", "period_start", "value", "numerator", "denominator", "dimension", "member", "note")
NEEDED = ("metric", "period_start")
MOST_ROWS = 200_000


@dataclass(frozen=True)
class _Line:
    """A row of the file with its line number, read but not yet held against its metric."""

    number: int
    metric: str
    row: EntryRow


def import_csv(
    text: str,
    *,
    author: User | None = None,
    today: date | None = None,
    dry_run: bool = False,
    delete: bool = False,
) -> dict[str, EntryOutcome]:
    """Enters the file's figures, per metric; with `delete` takes the figures that it lists away instead.

    Columns: metric, period_start, value | numerator and denominator, optionally dimension, member, note.
    Raises DefinitionsError with a line for every mistake, PermissionDenied as `enter`; nothing was entered
    then, nor with `dry_run`.
    """
    report = Report()
    lines = list(_read(text, report, delete=delete))
    outcomes: dict[str, EntryOutcome] = {}
    with transaction.atomic():
        metrics = {m.key: m for m in Metric.objects.filter(archived_at=None, type="manual")}
        others = set(
            Metric.objects.filter(archived_at=None).exclude(role="part").values_list("key", flat=True)
        )
        by_metric: dict[str, list[_Line]] = {}
        for line in lines:
            by_metric.setdefault(line.metric, []).append(line)
        lock_metrics(by_metric)
        for key in sorted(by_metric):
            rows = by_metric[key]
            if key not in metrics:
                report.add(rows[0].number, "metric", _unknown(key, set(metrics), others))
                continue
            try:
                outcomes[key] = enter(
                    metrics[key],
                    [line.row for line in rows],
                    author=author,
                    origin="file",
                    today=today,
                )
            except EntriesRefused as error:
                for index, message in error.errors.items():
                    report.add(rows[index].number, key, message)
            except ValidationError as error:
                report.add(rows[0].number, key, " ".join(error.messages))
        if report.mistakes:
            raise DefinitionsError(report.mistakes)
        if dry_run:
            transaction.set_rollback(True)
    return outcomes


def _unknown(key: str, manual: set[str], others: set[str]) -> str:
    if key in others:
        return f"{key!r} is computed; its figures are not imported"
    return f"there is no metric {key!r}{nearest(key, sorted(manual))}"


def _read(text: str, report: Report, *, delete: bool) -> Iterator[_Line]:
    text = text.removeprefix("\ufeff")
    if "\x00" in text:
        report.add(text[: text.index("\x00")].count("\n") + 1, "", "the file contains a NUL character")
        return
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if not _header(names, report, delete=delete):
            return
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            line = _line(reader.line_num, names, cells, report, delete=delete)
            if line is not None:
                yield line
            if reader.line_num > MOST_ROWS:
                report.add(reader.line_num, "", f"the file has more than {MOST_ROWS:,} lines")
                return
    except csv.Error as error:
        report.add(reader.line_num, "", f"this is not a CSV file: {error}")


def _header(names: list[str], report: Report, *, delete: bool) -> bool:
    before = len(report.mistakes)
    if not any(names):
        report.add(1, "", "the file is empty")
    for name in names:
        if name not in COLUMNS:
            left = [column for column in COLUMNS if column not in names]
            report.add(1, "", f"the column {name!r} is unknown{nearest(name, left)}")
    for name in NEEDED:
        if name not in names:
            report.add(1, "", f"the column {name!r} is missing")
    if not delete and "value" not in names and not {"numerator", "denominator"} <= set(names):
        report.add(1, "", "the column 'value' is missing (or 'numerator' and 'denominator')")
    if len(set(names)) < len(names):
        report.add(1, "", "a column stands there twice")
    return len(report.mistakes) == before


def _line(number: int, names: list[str], cells: list[str], report: Report, *, delete: bool) -> _Line | None:
    if len(cells) != len(names):
        report.add(number, "", f"{len(cells)} cells instead of {len(names)}")
        return None
    said = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
    before = len(report.mistakes)
    if not said["metric"]:
        report.add(number, "metric", "the cell is empty")
    start: date | None = None
    try:
        start = parse_day(said["period_start"])
    except ValueError as error:
        report.add(number, "period_start", str(error) if said["period_start"] else "the cell is empty")
    numbers: dict[str, float | None] = {}
    for name in ("value", "numerator", "denominator"):
        try:
            numbers[name] = parse_number(said[name]) if said.get(name) and not delete else None
        except ValueError as error:
            report.add(number, name, str(error))
    if len(report.mistakes) > before or start is None:
        return None
    row = EntryRow(
        start,
        numbers["value"],
        numbers["numerator"],
        numbers["denominator"],
        dimension=said.get("dimension", ""),
        member=said.get("member", ""),
        note=said.get("note") or None,
        remove=delete,
    )
    return _Line(number, said["metric"], row)
