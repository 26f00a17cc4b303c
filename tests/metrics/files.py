"""A small definitions file and its warehouse, and ways to spoil them, for tests of the definitions."""

from __future__ import annotations

from pathlib import Path

import duckdb

from metrics.queries.dump import dump

FILE = """
calendar: {timezone: Europe/London, week_start: monday, fiscal_year_start: 1, holidays: GB}
warehouses:
  shop: {engine: duckdb, path: PATH}
sources:
  orders:
    warehouse: shop
    table: orders
    time: ordered_at
    entity: customer_id
    dimensions: {country: country}
    lateness: 3 days
    data_owner: ana
teams:
  growth: {name: Growth}
leaders:
  maya: {name: Maya Chen, email: maya@example.com, title: Head of Growth, team: growth}
  ana: {name: Ana}
metrics:
  orders:
    name: Orders
    role: north_star
    owners: [{leader: maya, from: 2011-01-01}]
    type: simple
    measure: {source: orders, agg: count, where: "quantity > 0"}
    by: [country]
    targets:
      2011-Q3: {value: 4500, benchmarks: {2011-07: 1350, 2011-08: 1400, 2011-09: 1750}}
      2011-Q4: {growth: 10%}
    drivers: [{metric: customers, lag: 1 month}]
  customers:
    name: Customers
    role: focus
    lens: breadth
    type: simple
    measure: {source: orders, agg: count_distinct, expr: customer_id}
  per_customer:
    name: Orders per customer
    unit: ratio
    type: ratio
    numerator: orders
    denominator: customers
  growth:
    name: Growth of orders
    unit: percent
    type: derived
    formula: orders / before - 1
    inputs: {before: {metric: orders, offset: 1 month}}
  nps:
    name: NPS
    unit: score
    type: manual
    kind: level
    grain: month
    collect: {by: ana, every: month, due: 3 working days, from: "CRM export, column F"}
  plans:
    name: Success plans done
    unit: percent
    type: manual
    kind: share
    grain: month
    owner: ana
"""


def make_warehouse(folder: Path) -> Path:
    """2011-01-01 to 2011-09-29, an order an hour of 50 customers in two countries, a tenth of them empty."""
    path = folder / "shop.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute(
            """CREATE TABLE orders AS SELECT
                 i AS invoice_no, i % 50 AS customer_id,
                 TIMESTAMP '2011-01-01' + INTERVAL (i) HOUR AS ordered_at,
                 CASE WHEN i % 3 = 0 THEN 'UK' ELSE 'FR' END AS country, i % 10 AS quantity,
                 'text' AS words
               FROM range(6528) t(i)"""
        )
    return path


def file(path: Path | str = "data/shop.duckdb", **replaced: str) -> str:
    """The file over a warehouse; each pair replaces a text that must stand there."""
    return spoil(FILE.lstrip("\n").replace("PATH", str(path)), *replaced.items())


def spoil(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def state() -> str:
    """What is stored, without the instant at which it was read."""
    return dump().partition("\n")[2]
