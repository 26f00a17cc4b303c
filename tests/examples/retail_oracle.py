"""Online Retail counted again from its rows in plain Python: no SQL aggregate, no code of the product."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

FIRST_DAY = date(2010, 12, 1)
LAST_DAY = date(2011, 12, 9)  # its rows end at 12:50; the watermark, since that day is not complete


def week(day: date) -> date:
    return day - timedelta(days=day.weekday())


def month(day: date) -> date:
    return day.replace(day=1)


def quarter(day: date) -> date:
    return date(day.year, day.month - (day.month - 1) % 3, 1)


def year(day: date) -> date:
    return date(day.year, 1, 1)


STARTS: dict[str, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": week,
    "month": month,
    "quarter": quarter,
    "year": year,
}


@dataclass
class Cell:
    """What lies in one period (and country)."""

    orders: set[str] = field(default_factory=set)
    customers: set[int] = field(default_factory=set)
    new: set[int] = field(default_factory=set)
    amounts: list[float] = field(default_factory=list)
    cancelled: set[str] = field(default_factory=set)
    invoices: set[str] = field(default_factory=set)

    def figures(self) -> dict[str, float | None]:
        """All seven metrics of the example; null where a denominator is 0."""
        orders, customers = len(self.orders), len(self.customers)
        revenue = math.fsum(self.amounts)
        return {
            "orders": orders,
            "revenue": revenue,
            "average_order_value": revenue / orders if orders else None,
            "active_customers": customers,
            "orders_per_customer": orders / customers if customers else None,
            "new_customers": len(self.new),
            "cancelled_share": len(self.cancelled) / len(self.invoices) if self.invoices else None,
        }


Row = tuple[str, int | None, float | None, datetime, int | None, str]


def rows_of(path: Path) -> list[Row]:
    """invoice_no, quantity, unit_price, invoice_ts, customer_id, country, by time, then country."""
    with duckdb.connect() as connection:
        rows: list[Row] = connection.execute(
            "select invoice_no, quantity, unit_price, invoice_ts, customer_id, country from read_parquet(?)",
            [str(path)],
        ).fetchall()
    return sorted(rows, key=lambda row: (row[3], row[5]))


def is_sale(row: Row) -> bool:
    invoice, quantity, price, _, customer, _ = row
    if customer is None or quantity is None or price is None or invoice.startswith("C"):
        return False
    return quantity > 0 and price > 0


def count(
    rows: Iterable[Row], start: Callable[[date], date], *, by_country: bool = False
) -> dict[tuple[date, str], Cell]:
    """(period start, country or "") -> what lies in it."""
    cells: dict[tuple[date, str], Cell] = defaultdict(Cell)
    seen: set[int] = set()  # a customer is new once, in the country of the first order
    for row in rows:
        invoice, quantity, price, when, customer, where = row
        country = where if by_country else ""
        cell = cells[start(when.date()), country]
        if not invoice.startswith("A"):
            cell.invoices.add(invoice)
        if invoice.startswith("C"):
            cell.cancelled.add(invoice)
        if not is_sale(row):
            continue
        assert quantity is not None
        assert price is not None
        assert customer is not None
        cell.orders.add(invoice)
        cell.customers.add(customer)
        cell.amounts.append(quantity * price)
        if customer not in seen:
            seen.add(customer)
            cell.new.add(customer)
    return dict(cells)


def customers_to_date(rows: Iterable[Row], start: Callable[[date], date]) -> dict[date, int]:
    """Day -> different customers from the start of its period through that day, every day of the file."""
    by_day: dict[date, set[int]] = defaultdict(set)
    for row in rows:
        if is_sale(row):
            assert row[4] is not None
            by_day[row[3].date()].add(row[4])
    counts: dict[date, int] = {}
    so_far: set[int] = set()
    day = FIRST_DAY
    while day <= LAST_DAY:
        if start(day) == day:
            so_far = set()
        so_far |= by_day.get(day, set())
        counts[day] = len(so_far)
        day += timedelta(days=1)
    return counts
