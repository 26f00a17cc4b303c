"""Every mistake of a file is named with its line and path, in words that say what is allowed."""

from __future__ import annotations

import pytest

from metrics.definitions.checks import check
from metrics.definitions.file import read_definitions
from metrics.definitions.mistakes import Mistake, Report
from tests.metrics.files import file, spoil


def mistakes_of(text: str) -> list[Mistake]:
    report = Report()
    definitions = read_definitions(text, report)
    if not report.mistakes and all(
        getattr(definitions, name) is not None for name in ("calendar", "sources", "metrics")
    ):
        check(definitions, definitions, report)
    return sorted(set(report.mistakes))


def line_of(text: str, fragment: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if fragment in line)


def test_the_file_that_the_other_tests_spoil_is_sound() -> None:
    assert mistakes_of(file()) == []


@pytest.mark.parametrize("section", ["warehouses", "sources", "teams", "leaders", "metrics"])
def test_the_address_of_a_page_is_no_key(section: str) -> None:
    (mistake,) = [m for m in mistakes_of(f"{section}:\n  new: {{name: New}}\n") if m.path == f"{section}.new"]
    assert mistake.line == 2 and "address of a page; choose another key" in mistake.message


# (what stands there, what is written instead, path of the mistake, words in its message)
SPOILT = [
    ("unit: ratio", "unitt: ratio", "metrics.per_customer.unitt", "did you mean 'unit'"),
    ("unit: ratio", "plausible: {high: 9, grain: months}", "metrics.per_customer.plausible.grain", "'month'"),
    ("unit: ratio", "unit: pounds", "metrics.per_customer.unit", "is not a unit"),
    ("unit: ratio", "unit: currency:pound", "metrics.per_customer.unit", "currency:GBP"),
    (
        "unit: ratio",
        "unit: duration:fortnights",
        "metrics.per_customer.unit",
        "seconds, minutes, hours, days",
    ),
    ("role: focus", "role: fokus", "metrics.customers.role", "did you mean 'focus'"),
    ("role: focus", "role: supporting", "metrics.customers.lens", "only a focus metric"),
    ("role: focus\n    lens: breadth", "role: north_star", "metrics.customers.role", "one North Star"),
    (
        "agg: count_distinct",
        "agg: count_distint",
        "metrics.customers.measure.agg",
        "did you mean 'count_distinct'",
    ),
    (
        "agg: count_distinct, expr: customer_id",
        "agg: sum",
        "metrics.customers.measure",
        "sum needs an `expr`",
    ),
    ('"quantity > 0"', '"quantity >"', "metrics.orders.measure.where", "not valid SQL"),
    ('"quantity > 0"', '"quantity > (select 1)"', "metrics.orders.measure.where", "subquery"),
    ('"quantity > 0"', "\"pg_read_file('x') > '0'\"", "metrics.orders.measure.where", "may not be used"),
    (
        "source: orders, agg: count,",
        "source: order, agg: count,",
        "metrics.orders.measure.source",
        "'orders'",
    ),
    ("by: [country]", "by: [county]", "metrics.orders.by", "did you mean 'country'"),
    ("type: derived", "type: cumulative", "metrics.growth.type", "known but not computed by this version"),
    ("type: derived", "type: deriven", "metrics.growth.type", "did you mean 'derived'"),
    ("numerator: orders", "numerator: oders", "metrics.per_customer.numerator", "did you mean 'orders'"),
    ("numerator: orders", "numerator: per_customer", "metrics.per_customer.numerator", "refers to itself"),
    ("orders / before - 1", "orders / befor - 1", "metrics.growth.inputs.before", "does not use 'before'"),
    ("orders / before - 1", "__import__('os')", "metrics.growth.formula", "not allowed"),
    ("offset: 1 month", "offset: a while", "metrics.growth.inputs.before.offset", "4 weeks"),
    ("kind: share", "kind: part", "metrics.plans.kind", "amount, level, share"),
    (
        "kind: level\n    grain: month",
        "kind: level\n    grain: months",
        "metrics.nps.grain",
        "did you mean 'month'",
    ),
    ("every: month", "every: week", "metrics.nps.collect.every", "entered by month"),
    ("by: ana, every", "by: anna, every", "metrics.nps.collect.by", "did you mean 'ana'"),
    ("    owner: ana", "    owner: bob", "metrics.plans.owner", "there is no leader 'bob'"),
    ("    owner: ana", "    owner: [ana, maya]", "metrics.plans.owner", "two owners at once"),
    (
        "owners: [{leader: maya, from: 2011-01-01}]",
        "owners: [{leader: maya, from: 2011-01-01}, {leader: ana, from: 2011-01-01}]",
        "metrics.orders.owners[2].from",
        "two owners at once",
    ),
    (
        "owners: [{leader: maya, from: 2011-01-01}]",
        "owners: [{leader: maya, from: 2011-01-01}]\n    owner: ana",
        "metrics.orders.owner",
        "two owners at once",
    ),
    ("from: 2011-01-01", "from: 2011-02-30", "metrics.orders.owners[1].from", "there is no day"),
    ("2011-Q4: {growth", "2011-Q5: {growth", "metrics.orders.targets.2011-Q5", "unknown quarter"),
    ("{growth: 10%}", "{growth: ten}", "metrics.orders.targets.2011-Q4.growth", "10%, 2 points"),
    ("{growth: 10%}", "{growth: 2 points}", "metrics.orders.targets.2011-Q4.growth", "the unit is count"),
    ("{growth: 10%}", "{growth: hold}", "metrics.orders.targets.2011-Q4.growth", "hold is for levels"),
    (
        "{growth: 10%}",
        "{growth: 10%, value: 4}",
        "metrics.orders.targets.2011-Q4",
        "either `value` or `growth`",
    ),
    ("value: 4500", "value: .nan", "metrics.orders.targets.2011-Q3.value", "not a number"),
    ("value: 4500", "value: inf", "metrics.orders.targets.2011-Q3.value", "not a number"),
    ("value: 4500", "value: 1e309", "metrics.orders.targets.2011-Q3.value", "too large"),
    ("value: 4500", 'value: "4,500"', "metrics.orders.targets.2011-Q3.value", "thousands separators"),
    ("value: 4500", "value: 4600", "metrics.orders.targets.2011-Q3.benchmarks", "100"),
    ("2011-09: 1750", "2011-10: 1750", "metrics.orders.targets.2011-Q3.benchmarks", "2011-10 is not a month"),
    ("2011-09: 1750", "september: 1750", "metrics.orders.targets.2011-Q3.benchmarks.september", "2011-07"),
    ("metric: customers", "metric: orders", "metrics.orders.drivers", "cannot drive itself"),
    ("metric: customers", "metric: guests", "metrics.orders.drivers", "there is no metric 'guests'"),
    (
        "timezone: Europe/London",
        "timezone: Europe/Londn",
        "calendar.timezone",
        "did you mean 'Europe/London'",
    ),
    ("holidays: GB", "holidays: XX", "calendar.holidays", "country code"),
    ("week_start: monday", "week_start: mondy", "calendar.week_start", "did you mean 'monday'"),
    ("fiscal_year_start: 1", "fiscal_year_start: 13", "calendar.fiscal_year_start", "between 1 and 12"),
    ("engine: duckdb", "engine: snowflake", "warehouses.shop.engine", "duckdb, postgres"),
    ("engine: duckdb", "engine: duckdb, extensions: httpfs", "warehouses.shop.extensions", "unknown here"),
    ("table: orders", "table: read_csv('/etc/passwd')", "sources.orders.table", "table"),
    ("table: orders", "sql: drop table orders", "sources.orders.sql", "SELECT"),
    ("table: orders", "table: orders\n    sql: select 1", "sources.orders", "either `table` or `sql`"),
    ("lateness: 3 days", "lateness: 1 month", "sources.orders.lateness", "not a fixed length"),
    ("data_owner: ana", "data_owner: eve", "sources.orders.data_owner", "there is no leader"),
    ("warehouse: shop", "warehouse: shops", "sources.orders.warehouse", "did you mean 'shop'"),
    ("email: maya@example.com", "email: maya", "leaders.maya.email", "not an e-mail address"),
    ("team: growth", "team: grow", "leaders.maya.team", "did you mean 'growth'"),
    ("  customers:\n    name", "  Customers:\n    name", "metrics.Customers", "lower-case words"),
    ("  nps:\n", "  npѕ:\n", "metrics.npѕ", "CYRILLIC SMALL LETTER DZE"),
    ("name: NPS", "nаme: NPS", "metrics.nps.nаme", "CYRILLIC SMALL LETTER A"),
    ("name: NPS", 'name: "N\\0PS"', "metrics.nps.name", "U+0000"),
    ("name: NPS", f"name: {'x' * 201}", "metrics.nps.name", "at most 200"),
    ("name: NPS", "name: NPS\n    name: NPS", "metrics.nps.name", "a second time"),
    ("name: NPS", "name: [NPS]", "metrics.nps.name", "not a list"),
    ("name: NPS", "better: band\n    name: NPS", "metrics.nps.better", "needs `low` and `high`"),
    (
        "name: NPS",
        "name: NPS\n    better: band\n    low: 5\n    high: 3",
        "metrics.nps.low",
        "must be below high",
    ),
    (
        "name: NPS",
        "name: NPS\n    goal: {thresholds: {at_risk: 0.99}}",
        "metrics.nps.goal.thresholds.at_risk",
        "below",
    ),
    (
        "name: NPS",
        "name: NPS\n    goal: {kind: level, grain: week}",
        "metrics.nps.goal.grain",
        "entered by month",
    ),
    (
        "    owner: ana",
        "    targets: {2011-Q3: 72}",
        "metrics.plans.targets.2011-Q3.value",
        "write 72% or 0.72",
    ),
    (
        "    owner: ana",
        "    targets: {2011-Q3: {growth: 10%}}",
        "metrics.plans.targets.2011-Q3.growth",
        "10% relative",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "path", "words"), SPOILT, ids=[f"{s[2]}-{n}" for n, s in enumerate(SPOILT)]
)
def test_a_mistake_is_named_by_path_and_words(old: str, new: str, path: str, words: str) -> None:
    found = mistakes_of(spoil(file(), (old, new)))
    assert [m for m in found if m.path == path and words in m.message], "\n".join(map(str, found))
    assert all(m.line > 0 for m in found)


def test_all_mistakes_come_at_once_each_with_its_line() -> None:
    text = spoil(
        file(),
        ("fiscal_year_start: 1,", "fiscal_year_start: 13,"),
        ("unit: ratio", "unit: rato"),
        ("value: 4500", "value: many"),
        ("type: derived", "type: sql"),
    )
    found = {(m.line, m.path) for m in mistakes_of(text)}
    assert found == {
        (line_of(text, "fiscal_year_start"), "calendar.fiscal_year_start"),
        (line_of(text, "unit: rato"), "metrics.per_customer.unit"),
        (line_of(text, "value: many"), "metrics.orders.targets.2011-Q3.value"),
        (line_of(text, "type: sql"), "metrics.growth.type"),
    }


def test_a_circle_of_metrics_is_shown() -> None:
    text = spoil(file(), ("inputs: {before: {metric: orders", "inputs: {before: {metric: a"))
    text += """
  a: {name: A, type: derived, unit: percent, formula: b + 1}
  b: {name: B, type: derived, unit: percent, formula: growth * 2}
"""
    (mistake,) = mistakes_of(text)
    assert "a -> b -> growth -> a" in mistake.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("metrics: [", "not valid YAML"),
        ("metrics:\n\tx: 1", "not valid YAML"),
        ("", "empty"),
        ("- metrics", "must be a mapping"),
        ("a: &x [1]\nmetrics: *x", "anchor"),
        ("metrics: !!python/object/apply:os.system ['true']", "tag"),
        ("metrics: {}\n---\nmetrics: {}", "second YAML document"),
        ("metrics: " + "[" * 400 + "]" * 400, "nested deeper"),
        ("metrics: {? [a]: 1}", "a key must be a word"),
        ("metrics: \x01", "not valid YAML"),
        ("#" + "x" * 2_000_001, "longer than"),
        ("metric: {}", "did you mean 'metrics'"),
    ],
    ids=range(12),
)
def test_what_is_no_file_at_all_is_refused(text: str, words: str) -> None:
    assert any(words in m.message for m in mistakes_of(text)), mistakes_of(text)


def test_yaml_does_not_guess_types() -> None:
    """Norway is no falsehood, ten o'clock no number of seconds, and a month no sum."""
    text = spoil(
        file(),
        ("holidays: GB", "holidays: NO"),
        ("lateness: 3 days", "lateness: 3 days\n    fresh_by: 10:30"),
        ("name: NPS", "name: yes"),
    )
    report = Report()
    found = read_definitions(text, report)
    assert not report.mistakes
    assert found.calendar and found.calendar["holidays"] == "NO"
    assert found.sources and found.sources["orders"]["fresh_by"] == "10:30"
    assert found.metrics and found.metrics["nps"].fields["name"] == "yes"
