"""A new version when, and only when, the way of computing changes; dependents along with their operands."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from metrics.definitions.mistakes import DefinitionsError
from metrics.models import Metric, MetricVersion, Run
from metrics.queries.dump import dump
from metrics.services.apply import apply
from tests.metrics.files import file, make_warehouse, spoil

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def text(tmp_path: Path) -> str:
    found = file(make_warehouse(tmp_path))
    apply(found, now=NOW)
    Run.objects.all().delete()
    return found


def versions() -> dict[str, int]:
    return dict(Metric.objects.values_list("key", "version"))


def changed() -> set[str]:
    assert all(m.version == m.versions.last().number for m in Metric.objects.all())
    return {key for key, number in versions().items() if number > 1}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("name: Orders\n", "name: Invoices\n", set()),
        ("value: 4500", "growth: 3%, baseline: 4", set()),
        ("lateness: 3 days", "lateness: 4 days", set()),
        ("data_owner: ana", "data_owner: maya", set()),
        ("holidays: GB", "holidays: DE", set()),
        ("every: month, due: 3 working", "every: month, due: 4 working", set()),
        ("quantity > 0", "quantity > 1", {"orders", "per_customer", "growth"}),
        ("expr: customer_id", "expr: country", {"customers", "per_customer"}),
        ("orders / before - 1", "orders / before", {"growth"}),
        ("offset: 1 month", "offset: 1 year", {"growth"}),
        ("numerator: orders", "numerator: customers", {"per_customer"}),
        ("table: orders", "sql: select * from orders", {"orders", "customers", "per_customer", "growth"}),
        ("kind: level\n    grain: month", "kind: amount\n    grain: month", {"nps"}),
        (
            "week_start: monday",
            "week_start: sunday",
            {"orders", "customers", "per_customer", "growth", "nps", "plans"},
        ),
    ],
    ids=range(14),
)
def test_a_version_follows_the_computation(text: str, old: str, new: str, expected: set[str]) -> None:
    if old == "value: 4500":
        text = spoil(text, (", benchmarks: {2011-07: 1350, 2011-08: 1400, 2011-09: 1750}", ""))
    apply(spoil(text, (old, new)), now=NOW)
    assert changed() == expected
    computed = expected - {"nps", "plans"}
    if computed:
        assert {key for run in Run.objects.all() for key in run.metrics} == computed


def test_a_reason_is_kept_with_the_version(text: str) -> None:
    apply(
        spoil(text, ("quantity > 0", "quantity > 1"), ("name: Orders\n", "name: Orders\n    reason: Gifts\n"))
    )
    assert MetricVersion.objects.get(metric__key="orders", number=2).reason == "Gifts"
    assert MetricVersion.objects.get(metric__key="growth", number=2).reason == ""


def test_an_effective_date_recomputes_from_there_on_dependents_too(text: str) -> None:
    said = ("name: Orders\n", "name: Orders\n    effective: 2011-07-01\n")
    outcome = apply(spoil(text, ("quantity > 0", "quantity > 1"), said), now=NOW)
    day = date(2011, 7, 1)
    assert outcome.versions == {"orders": day, "growth": day, "per_customer": day}
    assert {run.window_start for run in Run.objects.all()} == {day}
    assert MetricVersion.objects.get(metric__key="orders", number=2).effective_date == day


def test_a_metric_counted_by_hand_becomes_a_computed_one_only_from_a_day_on(text: str) -> None:
    start = text.index("type: manual")
    manual = text[start : text.index("\n  plans:")]
    computed = "type: simple\n    measure: {source: orders, agg: avg, expr: quantity}"
    with pytest.raises(DefinitionsError, match="effective: DATE"):
        apply(spoil(text, (manual, computed)), now=NOW)
    apply(spoil(text, (manual, computed + "\n    effective: 2011-08-01")), now=NOW)
    assert Metric.objects.get(key="nps").type == "simple"


def test_halves_of_a_ratio_over_two_sources_are_kept_but_hidden(text: str) -> None:
    two = spoil(
        text,
        ("sources:\n", "sources:\n  visits: {warehouse: shop, table: orders, time: ordered_at}\n"),
        ("numerator: orders", "numerator: {source: orders, agg: count}"),
        ("denominator: customers", "denominator: {source: visits, agg: sum, expr: quantity}"),
    )
    apply(two, now=NOW)
    parts = Metric.objects.filter(role="part").order_by("key")
    assert [part.key for part in parts] == ["per_customer__denominator", "per_customer__numerator"]
    assert parts[0].spec == {"measure": {"source": "visits", "agg": "sum", "expr": "quantity"}}
    assert "__" not in dump()
    assert not apply(dump(), now=NOW).changes
    apply(text, now=NOW)
    assert not Metric.objects.filter(role="part", archived_at=None).exists()
