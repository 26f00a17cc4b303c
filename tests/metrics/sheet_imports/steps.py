"""A spreadsheet, and what is done with it."""

from datetime import date
from typing import Any

from django.utils import timezone

from calc.calendar import add_months
from metrics.models import Entry, SheetImport
from metrics.services import sheet_imports
from metrics.sheets.tables import read_table
from owners.models import User

SHEET = (
    "KPI\tJan 2026\tFeb 2026\tMar 2026\nOrders\t1,180\tn/a\t1,310\nOn time\t72 %\t0.75\tabc\n"
    "Average basket\t£41.20\t\t£43"
)
JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


def drafted(by: User, text: str, **matches: Any) -> SheetImport:
    made = sheet_imports.draft(by, read_table(text))
    return sheet_imports.decide(by, made, matches.pop("choices", {}), matches) if matches else made


def state() -> list[tuple[Any, ...]]:
    """All that a page could show of entered figures."""
    fields = (
        "metric__key",
        "dimension",
        "member",
        "period_start",
        "value",
        "numerator",
        "denominator",
        "note",
    )
    return sorted(Entry.objects.values_list(*fields))


def months_ago(count: int) -> date:
    return add_months(timezone.localdate().replace(day=1), -count)
