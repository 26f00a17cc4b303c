"""A food-delivery warehouse in DuckDB of any size, deterministic from a seed, and
metrics to compute from it."""

from datetime import date
from pathlib import Path

import duckdb

from calc.calendar import Calendar, Grain
from warehouse.definitions import Atom, Measure, Request, SourceDef

START, DAYS = date(2023, 1, 1), 730
CALENDAR = Calendar("Europe/London")
GRAINS = (Grain.DAY, Grain.MONTH)
STATUSES = ("delivered", "cancelled", "refunded", "late", "open")
CHANNELS = ("app", "web", "partner", "phone")

ORDERS = SourceDef(
    "orders", "bench", "ordered_at", table="orders", entity="customer_id", dimensions={"country": "country"}
)
EVENTS = SourceDef("events", "bench", "seen_at", table="events", entity="user_id")


def generate(path: Path, orders: int, events: int) -> None:
    """Write the file; a second call with the same sizes leaves it alone."""
    if path.exists():
        return
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    seconds = DAYS * 86_400
    with duckdb.connect(str(part)) as session:
        # hash() of the row's number is the seed: the same rows on every machine.
        session.execute(f"""
            CREATE TABLE orders AS
            SELECT i AS order_id,
              TIMESTAMP '{START}' + to_seconds(CAST(i / {orders} * {seconds} AS BIGINT)) AS ordered_at,
              CAST(hash(i * 7 + 1) % {max(orders // 8, 1)} AS BIGINT) AS customer_id,
              {_choice(STATUSES, 2)} AS status, {_choice(CHANNELS, 3)} AS channel,
              'C' || (hash(i * 7 + 4) % 12) AS country,
              CAST((hash(i * 7 + 5) % 9000 + 500) / 100.0 AS DECIMAL(10, 2)) AS amount,
              CAST(hash(i * 7 + 6) % 7200 AS DOUBLE) / 60 AS minutes
            FROM range({orders}) AS r(i)""")
        session.execute(f"""
            CREATE TABLE events AS
            SELECT TIMESTAMP '{START}' + to_seconds(CAST(i / {events} * {seconds} AS BIGINT)) AS seen_at,
              CAST(hash(i * 5 + 1) % {max(events // 30, 1)} AS BIGINT) AS user_id,
              CASE WHEN hash(i * 5 + 2) % 10 < 6 THEN 'view' WHEN hash(i * 5 + 2) % 10 < 9 THEN 'search'
                ELSE 'buy' END AS kind,
              {_choice(CHANNELS, 3)} AS channel
            FROM range({events}) AS r(i)""")
    part.rename(path)


def _choice(names: tuple[str, ...], salt: int) -> str:
    listed = ", ".join(f"'{name}'" for name in names)
    return f"([{listed}])[CAST(hash(i * 7 + {salt}) % {len(names)} AS BIGINT) + 1]"


def atoms(count: int) -> dict[str, list[Atom]]:
    """`count` metrics by source: two thirds additive, a fifth distinct counts, the rest percentiles."""
    found: dict[str, list[Atom]] = {"orders": [], "events": []}
    filters = [f"status = '{s}'" for s in STATUSES] + [f"channel = '{c}'" for c in CHANNELS]
    filters += [f"status = '{s}' and channel = '{c}'" for c in CHANNELS for s in STATUSES]
    additive = [("count", ""), ("sum", "amount"), ("avg", "amount"), ("sum", "minutes"), ("max", "amount")]
    percentiles = [("median", "minutes"), ("p90", "minutes"), ("p95", "amount")]
    for n in range(count):
        where = filters[n % len(filters)] if n else ""
        if n % 15 in (4, 9):
            kinds = ["", "kind = 'buy'", "kind = 'search'", "channel = 'app'", "channel = 'web'"]
            measure = Measure("events", "count_distinct", "user_id", kinds[n // 5 % len(kinds)])
            found["events"].append(Atom(f"m{n}", measure))
        elif n % 15 == 14:
            found["orders"].append(Atom(f"m{n}", Measure("orders", "count_distinct", "customer_id", where)))
        elif n % 15 in (7, 12):
            agg, expr = percentiles[n // 7 % len(percentiles)]
            found["orders"].append(Atom(f"m{n}", Measure("orders", agg, expr, where)))
        else:
            agg, expr = additive[n % len(additive)]
            found["orders"].append(Atom(f"m{n}", Measure("orders", agg, expr, where)))
    return found


def request(source: SourceDef, some: list[Atom], first: date, watermark: date) -> Request:
    end = date.fromordinal(START.toordinal() + DAYS)
    return Request(source, tuple(some), CALENDAR, START, end, GRAINS, first, watermark)
