"""Ratios, formulas and conversions made on pages: the same definitions and figures as from a file, and
nothing that the reader may not see."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from django.test import Client

from metrics.forms.formulas import FormulaForm
from metrics.forms.sides import Ground
from metrics.models import Metric, MetricVersion, Value, Warehouse
from metrics.queries.dump import dump, metric_fields
from metrics.queries.scope import visible_metrics
from metrics.services.apply import apply
from metrics.services.recompute import work
from tests.metrics.defining import add
from tests.metrics.defining import analyst as analyst
from tests.metrics.defining import patient as patient
from tests.metrics.defining import people as people
from tests.metrics.test_computed_edit import edit, form_of
from tests.northstar.test_routes import client_of
from tests.people import Company

pytestmark = pytest.mark.django_db
computing = pytest.mark.django_db(transaction=True)

FIRST = {"role": "supporting", "better": "up", "visible": "everyone"}
SECOND = "sources:\n  visits: {warehouse: shop, table: orders, time: ordered_at, entity: customer_id}\n"
BIG = {"numerator-column-0": "quantity", "numerator-comparison-0": "gt", "numerator-value-0": "4"}
# What is typed, and the same as a file says it.
RATIO = (
    "ratio",
    {
        "numerator_way": "sum", "numerator_column": "quantity", "denominator_way": "count_distinct", **BIG,
        "by": ["country"], "better": "up", "role": "guardrail", "stage": "walk", "definition": "Each one’s.",
    },
    """
    role: guardrail
    stage: walk
    definition: Each one’s.
    unit: ratio
    type: ratio
    numerator: {source: orders, agg: sum, expr: quantity, where: quantity > 4}
    denominator: {source: orders, agg: count_distinct, expr: customer_id}
    by: [country]
""",
    "sum(CASE WHEN quantity > 4 THEN quantity END) / count(DISTINCT customer_id)",
)  # fmt: skip
TWO_SOURCES = (
    "ratio",
    {
        "numerator_of": "source:visits", "numerator_way": "count", **BIG, "denominator_way": "count",
        "denominator_text": "country = 'UK' OR quantity = 9", "denominator_fill": "null", "unit": "percent",
    },
    """
    unit: percent
    type: ratio
    numerator: {source: visits, agg: count, where: quantity > 4}
    denominator: {source: orders, agg: count, where: "country = 'UK' OR quantity = 9", fill: 'null'}
""",
    "count(*) FILTER (quantity > 4) / count(*) FILTER (country = 'UK' OR quantity = 9)",
)  # fmt: skip
METRIC_AND_ROWS = (
    "ratio",
    {"numerator_of": "metric:rows", "denominator_way": "count_distinct", "denominator_column": "country"},
    """
    unit: ratio
    type: ratio
    numerator: rows
    denominator: {source: orders, agg: count_distinct, expr: country}
""",
    "count(*) / count(DISTINCT country)",
)
TWO_METRICS = (
    "ratio",
    {"numerator_of": "metric:rows", "denominator_of": "metric:pieces"},
    "\n    unit: ratio\n    type: ratio\n    numerator: rows\n    denominator: pieces\n",
    "count(*) / sum(quantity)",
)
FORMULA = (
    "formula",
    {
        "formula": "pieces /  nullif(rows, 0) - was / 10 + 0 * opened", "unit": "score", "goal": "level",
        "input-name-0": "was", "input-metric-0": "rows", "input-time-0": "offset",
        "input-offset-0": "1 month",
        "input-name-2": "opened", "input-metric-2": "rows", "input-time-2": "quarter",
    },
    """
    unit: score
    type: derived
    formula: pieces / nullif(rows, 0) - was / 10 + 0 * opened
    inputs: {was: {metric: rows, offset: 1 month}, opened: {metric: rows, to: quarter}}
    goal: {kind: level}
""",
    "sum(quantity) / count(*) - lag(count(*)) OVER (ORDER BY min(ordered_at)) / 10",
)  # fmt: skip
CONVERSION = (
    "conversion",
    {
        "base-column-0": "quantity", "base-comparison-0": "ge", "base-value-0": "1",
        "conversion-column-0": "country", "conversion-comparison-0": "eq", "conversion-value-0": "UK",
        "within": "2  weeks", "match": "quantity", "period_by": "due", "by": ["country"],
    },
    """
    unit: percent
    type: conversion
    base: {source: orders, where: quantity >= 1}
    conversion: {source: orders, where: "country = 'UK'"}
    within: 2 weeks
    match: [quantity]
    period_by: due
    by: [country]
""",
    "",
)  # fmt: skip
COUNT = (
    "conversion",
    {
        "base_way": "count_distinct", "conversion_of": "source:visits", "unit": "count", "goal": "total",
        "within": "1 month", "calculation": "count", "base_text": "quantity > 8", "role": "supporting",
    },
    """
    type: conversion
    base: {source: orders, agg: count_distinct, expr: customer_id, where: quantity > 8}
    conversion: {source: visits}
    within: 1 month
    calculation: count
    goal: {kind: total}
""",
    "",
)  # fmt: skip
ALL = {
    "ratio": RATIO, "two sources": TWO_SOURCES, "metric and rows": METRIC_AND_ROWS,
    "two metrics": TWO_METRICS, "formula": FORMULA, "conversion": CONVERSION, "how many": COUNT,
}  # fmt: skip


@pytest.fixture
def shop(analyst: Client) -> Client:
    """The analyst's, with two sources and two metrics from them."""
    add(analyst)
    apply(
        SECOND + "metrics:\n  rows: {name: Rows, type: simple, measure: {source: orders, agg: count}}\n"
        "  pieces: {name: Pieces, type: simple, measure: {source: orders, agg: sum, expr: quantity}}\n"
    )
    return analyst


def make(client: Client, kind: str, **typed: Any) -> Any:
    address = f"/metrics/new/{kind}/"
    return client.post(address, {**opened(client, kind), **typed})


def opened(client: Client, kind: str) -> dict[str, Any]:
    """What a browser would send of the new page, of each choice the first."""
    return {**FIRST, **form_of(client.get(f"/metrics/new/{kind}/", {"source": "orders"}))}


def figures(key: str) -> list[tuple[Any, ...]]:
    rows = Value.objects.filter(metric__key=key).order_by("grain", "dimension", "member", "period_start")
    return list(rows.values_list("grain", "dimension", "member", "period_start", "value", "status"))


def by_hand(sql: str) -> list[float | None]:
    """A figure of each month, by one plain statement over the file."""
    with duckdb.connect(Warehouse.objects.get(key="shop").options["path"], read_only=True) as db:
        month = "date_trunc('month', ordered_at)"
        rows = db.execute(f"SELECT {sql} FROM orders GROUP BY {month} ORDER BY {month}").fetchall()
    return [None if row[0] is None else float(row[0]) for row in rows]


@computing
@pytest.mark.parametrize("name", ALL)
def test_it_is_what_a_file_says_in_definition_and_figures(name: str, shop: Client) -> None:
    kind, typed, text, sql = ALL[name]
    list(work("test"))
    shown = make(shop, kind, name="Made", action="figures", **typed)
    trial = shown.context["trial"]
    assert trial is not None, (shown.context["form"].errors, shown.context["form"].wrong)
    assert not trial.error
    assert not Metric.objects.filter(key="made").exists()  # nothing is saved yet
    answer = make(shop, kind, name="Made", **typed)
    assert answer.status_code == 302, answer.context["form"].errors
    assert answer["Location"] == "/metrics/made/"

    outcome = apply(f"metrics:\n  made:\n    name: Made{text}  twin:\n    name: Made{text}")
    assert {change.key for change in outcome.changes if change.what != "missing"} == {"twin"}
    made, twin = Metric.objects.get(key="made"), Metric.objects.get(key="twin")
    assert metric_fields(made) == metric_fields(twin)
    blocks = dump().split("\n  made:\n")[1].split("\n  twin:\n")
    assert blocks[0].strip() == blocks[1].strip()
    assert not apply(dump()).changes

    list(work("test"))
    found = figures("made")
    assert found == figures("twin")
    months = [row[4] for row in found if row[0] == "month" and not row[1]]
    assert any(value for value in months)
    if sql:  # of a formula the last month is open: it is held against the same part of the one before
        whole = len(months) - (name == "formula")
        assert months[:whole] == pytest.approx([v for v in by_hand(sql) if v is not None][:whole])
    tried = {period.start: value for period, value in trial.preview.figures}
    stored = {row[3]: row[4] for row in found if row[0] == "month" and not row[1]}
    assert {day: tried[day] for day in tried if day in stored} == pytest.approx(
        {day: value for day, value in stored.items() if day in tried}
    )
    assert len(tried) == 8


@pytest.mark.parametrize("name", ALL)
def test_the_page_opens_with_what_is_stored_and_a_change_is_a_version(name: str, shop: Client) -> None:
    kind, _, text, _ = ALL[name]
    apply(f"metrics:\n  made:\n    name: Made{text}")
    made = Metric.objects.get(key="made")
    before, page = metric_fields(made), "/metrics/made/definition/"
    assert "kept as code" not in shop.get(page).content.decode()
    assert edit(shop, page)["Location"] == "/metrics/made/"
    made.refresh_from_db()
    assert metric_fields(made) == before
    assert MetricVersion.objects.filter(metric=made).count() == 1

    change: dict[str, Any] = {
        "ratio": {"numerator_of": "metric:pieces", "denominator_of": "metric:rows"},
        "formula": {"formula": "rows * 2", "input-name-0": "", "input-metric-0": ""},
        "conversion": {"within": "3 days"},
    }[kind]
    if kind == "formula":
        change |= {f"input-{part}-{n}": "" for n in range(6) for part in ("name", "metric")}
    change = {"by": [], **change}
    refused = edit(shop, page, **change)
    assert refused.status_code == 422
    assert "say why" in refused.content.decode()
    answer = edit(shop, page, reason="Better so", since="day", effective="2011-09-01", **change)
    assert answer.status_code == 302, answer.context["form"].errors
    version = MetricVersion.objects.get(metric=made, number=2)
    assert (version.reason, str(version.effective_date)) == ("Better so", "2011-09-01")
    made.refresh_from_db()
    assert metric_fields(made)["spec"] != before["spec"]


@computing
def test_figures_stand_beside_the_stored_ones(shop: Client) -> None:
    make(shop, "formula", name="Made", formula="pieces / rows")
    list(work("test"))
    page = edit(shop, "/metrics/made/definition/", action="figures", formula="pieces / rows * 2")
    lines = page.context["trial"].lines
    assert lines and all(tried == pytest.approx(2 * stored) for _, tried, stored in lines)
    assert "Nothing is saved yet" in page.content.decode()
    assert [(d.name, d.after) for d in page.context["trial"].differences] == [
        ("formula", "pieces / rows * 2")
    ]


@computing
def test_a_metric_without_figures_is_named(shop: Client) -> None:
    list(work("test"))
    make(shop, "formula", name="Made", formula="rows * 2")  # not computed yet
    shown = make(shop, "formula", name="More", formula="made + rows", action="figures")
    assert shown.context["trial"].error == "no figures yet by month of made"
    assert "no figures yet by month of made" in shown.content.decode()


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("formula", {"formula": "rows / * 2"}, "character 8: “* 2”"),
    ("formula", {"formula": "rows + "}, "does not belong (at its end)"),
    ("formula", {"formula": "rows + piecse"}, "“piecse” (character 8) is no metric that you can use"),
    ("formula", {"formula": "rows + piecse"}, "did you mean 'pieces'"),
    ("formula", {"formula": "rows + x", "input-name-0": "x"}, "Choose the metric"),
    ("formula", {"formula": "rows", "input-metric-0": "rows"}, "Give it a name"),
    ("formula", {"formula": "rows", "input-name-0": "x", "input-metric-0": "rows"}, "does not use “x”"),
    ("formula", {"formula": "x", "input-name-0": "x", "input-metric-0": "rows", "input-time-0": "offset"},
     "how much earlier"),
    ("formula", {"formula": "2 * 3"}, "names no metric"),
    ("formula", {"formula": "rows", "by": ["country"]}, "nothing to split by"),
    ("formula", {"formula": "open('x')"}, "is not allowed; there are min"),
    ("ratio", {"unit": "count"}, "this is a quotient"),
    ("ratio", {"numerator_way": "sum"}, "Say of which column"),
    ("ratio", {"numerator_way": "sum", "numerator_column": "no_such"}, "no column"),
    ("ratio", {"numerator_text": "select 1"}, "id_numerator_text_error"),
    ("ratio", {"numerator_of": "source:nowhere"}, "Select a valid choice"),
    ("ratio", {"denominator_of": "metric:nowhere"}, "Select a valid choice"),
    ("ratio", {"denominator-column-0": "quantity", "denominator-value-0": "many",
     "denominator-comparison-0": "gt"}, "is a number"),
    ("ratio", {"numerator_of": "metric:rows", "by": ["country"]}, "nothing to split by"),
    ("conversion", {"within": "soon"}, "is not a length of time"),
    ("conversion", {"within": "3 hours"}, "whole days, weeks or months"),
    ("conversion", {"within": "0 days"}, "must have a length"),
    ("conversion", {"within": ""}, "required"),
    ("conversion", {"match": "select 1"}, "select 1"),
    ("conversion", {"match": "no_such", "within": "1 day"}, "no_such"),
    ("conversion", {"base_of": "metric:rows"}, "Select a valid choice"),
    ("conversion", {"base_way": "sum", "within": "1 day"}, "Select a valid choice"),
]  # fmt: skip


@pytest.mark.parametrize("of", ["ratio", "formula", "conversion"])
def test_what_does_not_fit_is_told_where_it_stands(of: str, shop: Client) -> None:
    address = f"/metrics/new/{of}/"
    page = opened(shop, of)
    for kind, typed, words in WRONG:
        if kind == of:
            answer = shop.post(address, {**page, "name": "Made", **typed})
            assert answer.status_code == 422, typed
            assert words in answer.content.decode().replace("&#x27;", "'"), typed
    assert not Metric.objects.filter(key="made").exists()


def test_a_circle_is_refused(shop: Client) -> None:
    make(shop, "formula", name="Made", formula="rows + 1")
    make(shop, "formula", name="More", formula="made + 1")
    assert "metric:made" not in shop.get("/metrics/made/definition/").content.decode()  # not of itself
    refused = edit(shop, "/metrics/made/definition/", formula="more + 1", reason="r")
    assert refused.status_code == 422
    assert "made -&gt; more -&gt; made" in refused.content.decode()


def test_other_columns_are_read_and_what_was_typed_stays(shop: Client) -> None:
    apply(
        "sources:\n  odd: {warehouse: shop, table: orders, time: ordered_at, "
        "dimensions: {size: quantity, country: country}}\n"
    )
    page = make(
        shop, "ratio", action="columns", name="Half typed", numerator_of="source:odd", numerator_way="sum",
        numerator_column="quantity", numerator_additive="on", **BIG,
    )  # fmt: skip
    assert page.status_code == 200
    assert not page.context["form"].errors
    assert [str(side["source"].key) for side in page.context["sides"]] == ["odd", "orders"]
    form = page.context["form"]
    assert (form["name"].value(), form["numerator_way"].value()) == ("Half typed", "sum")
    assert page.context["groups"]["numerator"][0]["value"] == "4"
    assert [name for name, _ in form.fields["by"].choices] == ["country"]  # of both
    assert "checked" in str(form["numerator_additive"])


def test_a_stale_page_is_refused_and_keeps_what_was_typed(shop: Client, people: Company) -> None:
    make(shop, "formula", name="Made", formula="rows + 1")
    page = "/metrics/made/definition/"
    typed = {**form_of(shop.get(page)), "formula": "rows + 2", "reason": "mine"}
    assert edit(client_of(people, "admin"), page, formula="rows + 3", reason="theirs").status_code == 302
    refused = shop.post(page, typed)
    assert refused.status_code == 409
    assert "rows + 2" in refused.content.decode()
    assert Metric.objects.get(key="made").spec["formula"] == "rows + 3"
    assert shop.post(page, form_of(refused)).status_code == 302
    assert Metric.objects.get(key="made").spec["formula"] == "rows + 2"


@pytest.mark.parametrize("name", ["viewer", "leader", "executive", "alice", "charlie"])
def test_who_may_not_define_does_not(name: str, shop: Client, people: Company) -> None:
    make(shop, "formula", name="Made", formula="rows + 1")
    client = client_of(people, name)
    typed = {**opened(shop, "formula"), "name": "Mine", "formula": "rows"}
    for address in ("/metrics/new/ratio/", "/metrics/new/formula/", "/metrics/new/conversion/"):
        assert client.get(address).status_code == 403
        assert client.post(address, typed).status_code == 403
    assert client.post("/metrics/made/definition/", typed).status_code == 403
    assert set(Metric.objects.exclude(role="part").values_list("key", flat=True)) >= {"made", "rows"}
    assert not Metric.objects.filter(name="Mine").exists()
    assert "/metrics/new/formula/" not in client.get("/metrics/new/").content.decode()


def test_an_analyst_makes_no_north_star_of_a_formula(shop: Client, people: Company) -> None:
    assert make(shop, "formula", name="Star", formula="rows", role="north_star").status_code == 422
    admin = client_of(people, "admin")
    assert make(admin, "formula", name="Star", formula="rows", role="north_star").status_code == 302


def test_only_what_the_author_sees_is_offered_or_named(shop: Client, people: Company) -> None:
    """Who may define sees every metric today; should that change, these forms tell nothing more."""
    seen = tuple(visible_metrics(people.viewer))
    hidden = Metric.objects.get(key="for_leadership")
    assert hidden not in seen
    ground = Ground((), seen)
    told = []
    for key in (hidden.key, "for_leadershix"):
        form = FormulaForm(
            {"name": "N", "formula": f"rows + {key}", "unit": "ratio"}, user=people.analyst, ground=ground
        )
        form.is_valid()
        told.append(str(form.errors["formula"]).replace(key, "KEY"))
        assert "leadership" not in str(form.errors).replace(key, "")
    assert told[0] == told[1]
    Metric.objects.filter(key="pieces").update(archived_at="2026-01-01T00:00Z")
    page = shop.get("/metrics/new/ratio/").content.decode()
    assert "metric:rows" in page
    assert "metric:pieces" not in page
    assert "__numerator" not in page


def test_without_anything_to_compute_from_the_pages_say_so(people: Company) -> None:
    client = client_of(people, "admin")
    Metric.objects.all().delete()
    for kind in ("ratio", "formula", "conversion"):
        text = client.get(f"/metrics/new/{kind}/").content.decode()
        assert "Add a source" in text
        assert 'name="action" value="save"' not in text
