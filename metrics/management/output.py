"""Arguments and tables that several commands share: dates, instants, and one writer of text, CSV and JSON."""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, TextIO

from django.core.management.base import CommandError

from metrics.queries import installation


def day(text: str) -> date:
    """An argument like 2011-07-31."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write it like 2026-07-31") from None


def instant(text: str) -> datetime:
    """An argument like 2026-07-31T08:00; without an offset it is local time of the installation."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; write it like 2026-07-31T08:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=installation.calendar().zone)


def check_window(start: date | None, end: date | None) -> None:
    """Refuses a window [start, end) without a day."""
    if start and end and start >= end:
        raise CommandError("--from must lie before --to", returncode=2)


def plain(value: Any) -> Any:
    """A value as JSON and CSV show it: whole numbers without fraction, dates in ISO form, unrounded."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value


def write(rows: Iterable[Any], columns: Sequence[str], form: str, out: TextIO | Any = None) -> None:
    """Prints dataclasses or mappings as a table, CSV or JSON; None is an empty cell, in JSON null."""
    out = out or sys.stdout
    records = [
        {c: plain(row[c] if isinstance(row, dict) else getattr(row, c)) for c in columns} for row in rows
    ]
    if form == "json":
        out.write(json.dumps(records, indent=1, ensure_ascii=False) + "\n")
    elif form == "csv":
        writer = csv.DictWriter(out, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
    else:
        _table(records, columns, out)


def _table(records: list[dict[str, Any]], columns: Sequence[str], out: TextIO) -> None:
    cells = [[_cell(record[c]) for c in columns] for record in records]
    widths = [max([len(c), *(len(row[n]) for row in cells)]) for n, c in enumerate(columns)]
    numeric = [all(isinstance(r[c], int | float | None) for r in records) for c in columns]
    for row in [list(columns), *cells]:
        padded = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, numeric, strict=True)
        )
        out.write("  ".join(padded).rstrip() + "\n")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
