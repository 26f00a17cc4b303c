"""A small shop with a real DuckDB warehouse, for tests of recomputing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from metrics.models import Installation, Metric, MetricVersion, Revision, Run, Source, Value, Warehouse
from metrics.services import ledger
from metrics.services.recompute import Outcome, recompute_source, work
from owners.models import Leader

DAY = timedelta(days=1)
COLUMNS = (
    "id BIGINT, ordered TIMESTAMP, customer VARCHAR, country VARCHAR, amount DOUBLE, ok BOOLEAN, "
    "changed TIMESTAMP"
)
KEPT = (
    "metric__key",
    "grain",
    "period_start",
    "period_end",
    "dimension",
    "member",
    "value",
    "numerator",
    "denominator",
    "immature",
    "status",
    "version",
)

ORDERS = {"measure": {"source": "orders", "agg": "count"}}
REVENUE = {"measure": {"source": "orders", "agg": "sum", "expr": "amount"}}
CUSTOMERS = {"measure": {"source": "orders", "agg": "count_distinct", "expr": "customer"}}
ON_TIME = {
    "numerator": {"source": "orders", "agg": "count", "where": "ok"},
    "denominator": {"source": "orders", "agg": "count"},
}
NEW = {"measure": {"source": "orders", "agg": "count_new", "expr": "customer"}}
SECOND = {
    "base": {"source": "orders", "agg": "count"},
    "conversion": {"source": "orders", "agg": "count"},
    "within": "5 days",
    "period_by": "due",
}
AOV = {"formula": "revenue / orders", "inputs": {"revenue": "revenue", "orders": "orders"}}
PER_CUSTOMER = {"numerator": "orders", "denominator": "customers"}
GROWTH = {
    "formula": "now / then - 1",
    "inputs": {"now": "revenue", "then": {"metric": "revenue", "offset": "1 month"}},
}

ALL = {
    "orders": ("simple", ORDERS),
    "revenue": ("simple", REVENUE),
    "customers": ("simple", CUSTOMERS),
    "new": ("simple", NEW),
    "on_time": ("ratio", ON_TIME),
    "second": ("conversion", SECOND),
    "aov": ("derived", AOV),
    "growth": ("derived", GROWTH),
    "per_customer": ("ratio", PER_CUSTOMER),
}


def order(id: int, at: datetime, **other: Any) -> tuple[Any, ...]:
    row = {"customer": "c1", "country": "GB", "amount": 10.0, "ok": True, "changed": at} | other
    return id, at, row["customer"], row["country"], row["amount"], row["ok"], row["changed"]


def at(day: date, hour: int = 12) -> datetime:
    """Naive UTC, as the warehouse keeps it."""
    return datetime(day.year, day.month, day.day, hour)


def some_rows(start: date, days: int, first_id: int = 1) -> list[tuple]:
    rows: list[Any] = []
    for n in range(days):
        for k in range(1 + n % 3):
            rows.append(
                order(
                    first_id + len(rows),
                    at(start + n * DAY, 8 + k),
                    customer=f"c{(n * 7 + k) % 11}",
                    country=("GB", "FR", "DE")[(n + k) % 3],
                    amount=float(5 + (n * 3 + k) % 17),
                    ok=(n + k) % 4 != 0,
                )
            )
    return rows


@dataclass
class Shop:
    """The warehouse `path` with the table `orders` and, with `loads`, a table that says how far it is
    loaded."""

    path: Path
    now: datetime = datetime(2026, 3, 10, 6, tzinfo=UTC)
    metrics: dict[str, Metric] = field(default_factory=dict)

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(str(self.path)) as connection:
            yield connection

    def create(self, rows: Iterable[tuple[Any, ...]] = (), loaded_to: date | None = None) -> None:
        with self.open() as db:
            db.execute(f"CREATE TABLE IF NOT EXISTS orders ({COLUMNS})")
            db.execute("CREATE TABLE IF NOT EXISTS loads (loaded_to DATE)")
        self.load(rows, loaded_to)

    def load(self, rows: Iterable[tuple[Any, ...]] = (), loaded_to: date | None = None) -> None:
        rows = list(rows)
        with self.open() as db:
            if rows:
                db.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            if loaded_to:
                db.execute("INSERT INTO loads VALUES (?)", [loaded_to])

    def sql(self, text: str, *arguments: Any) -> list[tuple[Any, ...]]:
        with self.open() as db:
            return db.execute(text, list(arguments)).fetchall()

    def define(
        self, *, by: Iterable[str] = (), metrics: dict[str, tuple[str, dict]] | None = None, **spec: Any
    ) -> Source:
        """The source `orders`, loaded as the table `loads` says, and metrics of it."""
        Installation.objects.get_or_create(id=1, defaults={"timezone": "UTC"})
        warehouse = Warehouse.objects.create(key="shop", engine="duckdb", options={"path": str(self.path)})
        ana = Leader.objects.create(key="ana", name="Ana", email="ana@example.com")
        source = Source.objects.create(
            key="orders",
            warehouse=warehouse,
            data_owner=ana,
            spec={
                "table": "orders",
                "time": "ordered",
                "entity": "customer",
                "dimensions": {"country": "country"},
                "loaded_to": "select max(loaded_to) from loads",
            }
            | spec,
        )
        for key, (kind, body) in (metrics or {"orders": ("simple", ORDERS)}).items():
            self.metric(key, kind, body, by=list(by) if kind != "manual" else [])
        return source

    def metric(self, key: str, kind: str, spec: dict, *, by: list[str] | None = None, **other: Any) -> Metric:
        metric = Metric.objects.create(
            key=key, name=key.title(), type=kind, spec=spec, by=by or [], position=len(self.metrics), **other
        )
        MetricVersion.objects.create(metric=metric, number=1, fingerprint=key, spec=spec)
        self.metrics[key] = metric
        return metric

    def edit(self, key: str, spec: dict, *, request: bool = True) -> None:
        """What a change of a definition does."""
        metric = Metric.objects.get(key=key)
        metric.spec, metric.version = spec, metric.version + 1
        metric.save()
        MetricVersion.objects.create(metric=metric, number=metric.version, fingerprint=key, spec=spec)
        if request:
            source = Source.objects.get(key="orders")
            ledger.request(
                source, metrics=[key], start=ledger.FROM_THE_START, cause="definition", now=self.now
            )

    def clock(self) -> datetime:
        return self.now

    def recompute(self, **more: Any) -> Outcome:
        """A run of the source, and all runs that it brings about."""
        outcome = recompute_source(Source.objects.get(key="orders"), clock=self.clock, **more)
        self.work()
        return outcome

    def work(self) -> list[Outcome]:
        return list(work("test", clock=self.clock))

    def schedule(self) -> Outcome:
        return self.recompute(cause="schedule")


def figures(key: str, grain: str = "day", dimension: str = "", member: str = "") -> dict[date, float | None]:
    """Stored figures by the first day of their period; to-date ones by their last day."""
    rows = Value.objects.filter(metric__key=key, grain=grain, dimension=dimension, member=member)
    if grain.endswith("to_date"):
        return {end - DAY: value for end, value in rows.values_list("period_end", "value")}
    return dict(rows.values_list("period_start", "value"))


def everything() -> list[tuple[Any, ...]]:
    """All stored figures without what differs from one undisturbed run to another (ids, instants, runs)."""
    return sorted(Value.objects.values_list(*KEPT), key=repr)


def revisions(key: str, grain: str = "day") -> list[tuple[date, float | None, str]]:
    """Figures that were replaced by others; not those of which only the status or version was."""
    rows = Revision.objects.filter(metric__key=key, grain=grain, dimension="").exclude(cause="status")
    rows = rows.order_by("id")
    return list(rows.values_list("period_start", "value", "cause"))


def forget() -> None:
    """No figure, no run, no clock: as if nothing had ever been computed."""
    Value.objects.all().delete()
    Revision.objects.all().delete()
    Run.objects.all().delete()
    Source.objects.update(first_day=None, watermark=None, changed_to=None, top={}, late_since=None)
