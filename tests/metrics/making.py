"""Rows for tests of reading: metrics, sources and figures put straight into the tables."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from metrics.models import Benchmark, Entry, Installation, Metric, Source, Target, Value, Warehouse
from owners.models import Leader, Ownership

COMPUTED = datetime(2011, 12, 1, 6, tzinfo=UTC)
COUNT = {"measure": {"source": "orders", "agg": "count"}}
DISTINCT = {"measure": {"source": "orders", "agg": "count_distinct", "expr": "customer_id"}}
SHARE = {
    "numerator": {"source": "orders", "agg": "count", "where": "on_time"},
    "denominator": {"source": "orders", "agg": "count"},
}


def installation(**fields: Any) -> Installation:
    return Installation.objects.update_or_create(id=1, defaults=fields)[0]


def source(watermark: date | None, key: str = "orders", **fields: Any) -> Source:
    shop, _ = Warehouse.objects.get_or_create(key="shop", defaults={"engine": "duckdb"})
    spec = {"table": key, "time": "ordered_at", **fields.pop("spec", {})}
    return Source.objects.create(key=key, warehouse=shop, spec=spec, watermark=watermark, **fields)


def metric(key: str, spec: Mapping[str, Any] = COUNT, kind: str = "simple", **fields: Any) -> Metric:
    named = {"name": key.replace("_", " ").capitalize(), "role": "focus", **fields}
    return Metric.objects.create(key=key, type=kind, spec=dict(spec), **named)


def manual(key: str, kind: str = "amount", grain: str = "month", **fields: Any) -> Metric:
    collect = fields.pop("collect", {})
    return metric(key, {"kind": kind, "grain": grain, "collect": collect}, "manual", **fields)


def figure(of: Metric, grain: str, start: date, end: date, value: float | None, **fields: Any) -> Value:
    known = {"status": "final", "version": 1, "computed_at": COMPUTED, **fields}
    return Value.objects.create(
        metric=of, grain=grain, period_start=start, period_end=end, value=value, **known
    )


def days(of: Metric, start: date, values: Mapping[int, float] | list[float], **fields: Any) -> None:
    """Daily figures, one after the other from `start`."""
    for n, value in enumerate(values):
        day = start + timedelta(days=n)
        figure(of, "day", day, day + timedelta(days=1), value, **fields)


def month(of: Metric, year: int, number: int, value: float | None, **fields: Any) -> Value:
    start = date(year, number, 1)
    end = date(year + number // 12, number % 12 + 1, 1)
    return figure(of, "month", start, end, value, **fields)


def entry(of: Metric, year: int, number: int, value: float | None = None, **fields: Any) -> None:
    """A month's entry and the figure that follows from it."""
    start = date(year, number, 1)
    Entry.objects.create(
        metric=of, period_start=start, value=value, origin="page", entered_at=COMPUTED, **fields
    )
    share = {k: fields[k] for k in ("numerator", "denominator") if k in fields}
    said = value if value is not None else share["numerator"] / share["denominator"]
    month(of, year, number, said, **share)


def target(
    of: Metric, quarter: str, value: float | None, months: list[float] | None = None, **fields: Any
) -> Target:
    made = Target.objects.create(metric=of, quarter=quarter, value=value, **fields)
    year, number = int(quarter[:4]), int(quarter[-1])
    for n, amount in enumerate(months or []):
        Benchmark.objects.create(target=made, month=date(year, 3 * number - 2 + n, 1), value=amount)
    return made


def owner(key: str, leader: str, since: date) -> Leader:
    who, _ = Leader.objects.get_or_create(key=leader, defaults={"name": leader.capitalize()})
    Ownership.objects.create(metric_key=key, leader=who, from_date=since)
    return who
