"""A computed metric's definition on its own page: edited in the form that made it, or shown as code."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from metrics.definitions.conditions import COMPARISONS, Condition, read, together
from metrics.models import Metric, MetricVersion, Revision, Value, Warehouse
from metrics.queries.dump import dump, metric_fields
from metrics.services.apply import apply
from metrics.services.recompute import work
from metrics.services.targets import set_target
from tests.metrics.defining import add, metric
from tests.metrics.defining import analyst as analyst
from tests.metrics.defining import patient as patient
from tests.metrics.defining import people as people
from tests.northstar.test_routes import client_of
from tests.people import Company
from warehouse.catalog import Column

pytestmark = pytest.mark.django_db
PAGE = "/metrics/paid/definition/"
COLUMNS = {
    name: Column(name, kind)
    for name, kind in {
        "country": "varchar",
        "quantity": "bigint",
        "ok": "boolean",
        "at": "timestamp",
        "Odd name": "varchar",
    }.items()
}


def paid(client: Client, **changes: Any) -> Metric:
    """A metric made on its page: rows with a quantity above 0."""
    add(client)
    said = {"where-column-0": "quantity", "where-comparison-0": "gt", "where-value-0": "0", **changes}
    assert metric(client, name="Paid", **said).status_code == 302
    return Metric.objects.get(key="paid")


def form_of(page: Any) -> dict[str, Any]:
    """What a browser would send of the page as it stands."""
    form, groups = page.context["form"], page.context.get("groups") or {}
    said: dict[str, Any] = {}
    for name in form.fields:
        value = form[name].value()
        if value not in (None, "", False, []):
            said[name] = value
    for group, lines in groups.items():
        for line in lines:
            for part in ("column", "comparison", "value"):
                said[f"{group}-{part}-{line['number']}"] = line[part]
    for line in page.context.get("named") or ():
        for part in ("name", "metric", "time", "offset"):
            said[f"input-{part}-{line['number']}"] = line[part]
    if page.context.get("source"):
        said["source"] = page.context["source"].key
    return {**said, "action": "save"}


def edit(client: Client, address: str = PAGE, **changes: Any) -> Any:
    return client.post(address, {**form_of(client.get(address)), **changes})


def months(people: Company, where: str) -> list[float]:
    with duckdb.connect(Warehouse.objects.get(key="shop").options["path"], read_only=True) as db:
        month = "date_trunc('month', ordered_at)"
        rows = db.execute(f"SELECT count(*) FROM orders WHERE {where} GROUP BY {month} ORDER BY {month}")
        return [float(row[0]) for row in rows.fetchall()]


def test_the_page_opens_with_what_is_stored_and_saving_it_changes_nothing(
    analyst: Client, people: Company
) -> None:
    made = paid(analyst, success="Ever more", segment="Retail", stage="walk", by="country", goal="total")
    before, text = metric_fields(made), dump().partition("\n")[2]
    page = analyst.get(PAGE)
    assert page.context["groups"]["where"][0] == {
        "number": "0", "column": "quantity", "comparison": "gt", "value": "0", "error": "",
    }  # fmt: skip
    assert 'href="/metrics/paid/definition/"' in analyst.get("/metrics/paid/").content.decode()
    assert edit(analyst)["Location"] == "/metrics/paid/"
    made.refresh_from_db()
    assert metric_fields(made) == before
    assert dump().partition("\n")[2] == text
    assert MetricVersion.objects.filter(metric=made).count() == 1


@pytest.mark.django_db(transaction=True)
def test_figures_are_shown_beside_the_stored_ones_and_nothing_is_saved(
    analyst: Client, people: Company
) -> None:
    made = paid(analyst)
    list(work("test"))
    Value.objects.filter(metric=made).update(value=77)
    page = edit(analyst, action="figures", **{"where-value-0": "4", "name": "Big"})
    trial = page.context["trial"]
    assert [value for _, value in trial.preview.figures] == months(people, "quantity > 4")[-8:]
    assert {(d.name, d.before, d.after) for d in trial.differences} == {
        ("name", "Paid", "Big"),
        ("measure: only rows where", "quantity > 0", "quantity > 4"),
    }
    assert [now for _, _, now in trial.lines] == [77] * 8
    assert "Nothing is saved yet" in page.content.decode()
    made.refresh_from_db()
    assert (made.name, made.spec["measure"]["where"]) == ("Paid", "quantity > 0")


@pytest.mark.django_db(transaction=True)
def test_a_change_of_the_figures_is_a_new_version_with_its_reason(analyst: Client, people: Company) -> None:
    made = paid(analyst)
    list(work("test"))
    refused = edit(analyst, **{"where-value-0": "4"})
    assert refused.status_code == 422
    assert "say why" in refused.content.decode()
    assert MetricVersion.objects.filter(metric=made).count() == 1
    assert edit(analyst, reason="Small orders are samples", **{"where-value-0": "4"}).status_code == 302
    version = MetricVersion.objects.get(metric=made, number=2)
    assert (version.reason, version.effective_date) == ("Small orders are samples", None)
    assert version.author == people.analyst
    list(work("test"))
    stored = Value.objects.filter(metric=made, grain="month", dimension="").order_by("period_start")
    assert [v.value for v in stored] == months(people, "quantity > 4")
    assert Revision.objects.filter(metric=made, grain="month").exists()  # the old figures stay


@pytest.mark.django_db(transaction=True)
def test_from_a_day_on_earlier_figures_stay(analyst: Client, people: Company) -> None:
    made = paid(analyst)
    list(work("test"))
    days = Value.objects.filter(metric=made, grain="month").order_by("period_start")
    first, *_, seam, _ = list(days)
    refused = edit(analyst, reason="r", since="day", **{"where-value-0": "4"})
    assert "Say from which day on" in refused.content.decode()
    said = {"reason": "r", "since": "day", "effective": seam.period_start.isoformat(), "where-value-0": "4"}
    assert edit(analyst, **said).status_code == 302
    assert MetricVersion.objects.get(metric=made, number=2).effective_date == seam.period_start
    list(work("test"))
    assert Value.objects.get(metric=made, grain="month", period_start=first.period_start).value == first.value
    after = Value.objects.filter(metric=made, grain="month", period_start__gte=seam.period_start)
    assert [v.value for v in after.order_by("period_start")] == months(people, "quantity > 4")[-2:]


def test_a_name_needs_no_reason_and_is_no_version(analyst: Client, people: Company) -> None:
    made = paid(analyst)
    assert edit(analyst, name="Paid orders", definition="Not\r\nsamples.").status_code == 302
    made.refresh_from_db()
    assert (made.name, made.definition) == ("Paid orders", "Not\nsamples.")
    assert MetricVersion.objects.filter(metric=made).count() == 1


def test_what_the_page_has_no_field_for_stays(analyst: Client, people: Company) -> None:
    made = paid(analyst)
    made.plausible, made.plan = {"low": 1.0, "max_change": 0.5}, "working_days"
    made.goal = {"kind": "total", "thresholds": {"on_track": 0.98}}
    made.save()
    assert edit(analyst, name="Other", goal="level").status_code == 302
    made.refresh_from_db()
    assert (made.plausible, made.plan) == ({"low": 1.0, "max_change": 0.5}, "working_days")
    assert made.goal == {"kind": "level", "thresholds": {"on_track": 0.98}}


def test_a_stale_page_is_refused_in_words_and_keeps_what_was_typed(analyst: Client, people: Company) -> None:
    made = paid(analyst)
    typed = {**form_of(analyst.get(PAGE)), "definition": "My long text", "where-value-0": "9", "reason": "r"}
    assert edit(client_of(people, "admin"), name="Theirs").status_code == 302
    refused = analyst.post(PAGE, typed)
    assert refused.status_code == 409
    text = refused.content.decode()
    assert "Somebody else has changed this meanwhile" in text
    assert "My long text" in text
    assert {d.name for d in refused.context["meanwhile"]} == {
        "name",
        "definition",
        "measure: only rows where",
    }
    made.refresh_from_db()
    assert (made.name, made.definition) == ("Theirs", "")
    # Who has seen it may put theirs over it.
    assert analyst.post(PAGE, form_of(refused)).status_code == 302
    made.refresh_from_db()
    assert (made.name, made.definition) == ("Paid", "My long text")


def test_a_target_set_meanwhile_is_no_conflict(analyst: Client, people: Company) -> None:
    made = paid(analyst)
    typed = {**form_of(analyst.get(PAGE)), "name": "Other"}
    set_target(made, "2026-Q3", 100, author=people.executive)
    assert analyst.post(PAGE, typed).status_code == 302


CODE = {
    "formula": "type: derived\n    unit: ratio\n    formula: a + b + c + d + e + f + g\n"
    "    inputs: {a: paid, b: paid, c: paid, d: paid, e: paid, f: paid, g: paid}",
    "ratio": "type: ratio\n    unit: ratio\n    denominator: {source: orders, agg: count}\n"
    "    numerator:\n      source: orders\n      agg: sum\n      expr: |-\n        quantity\n          + 1",
    "simple": "type: simple\n    measure:\n      source: orders\n      agg: sum\n"
    "      expr: |-\n        quantity\n          + 1",
}


@pytest.mark.parametrize("kind", CODE)
def test_what_the_form_cannot_say_is_shown_as_code_and_left_alone(
    kind: str, analyst: Client, people: Company
) -> None:
    made = paid(analyst)
    sent = form_of(analyst.get(PAGE))
    apply(f"metrics:\n  odd:\n    name: Odd\n    {CODE[kind]}\n")
    before = metric_fields(Metric.objects.get(key="odd"))
    page = analyst.get("/metrics/odd/definition/")
    assert "This is kept as code" in page.content.decode()
    assert '<form method="post" class="connection' not in page.content.decode()
    assert analyst.post("/metrics/odd/definition/", {**sent, "name": "Bent"}).status_code == 409
    assert metric_fields(Metric.objects.get(key="odd")) == before
    assert made.name == "Paid"


MEASURES = (
    "{source: orders, agg: count_distinct, expr: invoice_no, where: quantity > 0, additive: true}",
    "{source: orders, agg: p95, expr: quantity * 2, fill: 'null'}",
    "{source: orders, agg: sum, expr: quantity, where: \"country = 'UK' OR quantity > 7\"}",
    "{source: orders, agg: first, expr: quantity, where: \"(country <> 'UK' OR country IS NULL)\"}",
)


@pytest.mark.parametrize("measure", MEASURES)
def test_measures_written_by_hand_open_and_stay_as_they_are(
    measure: str, analyst: Client, people: Company
) -> None:
    add(analyst)
    measure = measure.replace("invoice_no", "customer_id")
    apply(
        "metrics:\n  paid:\n    name: Paid\n    role: guardrail\n    better: band\n    low: 0.5\n"
        "    high: 7\n"
        f"    type: simple\n    measure: {measure}\n    by: [country]\n"
    )
    before = metric_fields(Metric.objects.get(key="paid"))
    assert edit(analyst, name="Renamed").status_code == 302
    assert metric_fields(Metric.objects.get(key="paid")) == {**before, "name": "Renamed"}
    assert MetricVersion.objects.filter(metric__key="paid").count() == 1


def test_a_share_opens_with_both_of_its_filters(analyst: Client, people: Company) -> None:
    part = {"part-column-0": "country", "part-comparison-0": "eq", "part-value-0": "UK"}
    made = paid(analyst, way="share", unit="percent", **part)
    page = analyst.get(PAGE)
    assert [line["value"] for line in page.context["groups"]["part"]][:1] == ["UK"]
    assert edit(analyst, reason="r", **{"part-value-0": "France"}).status_code == 302
    made.refresh_from_db()
    assert made.spec["numerator"]["where"] == "(quantity > 0) AND (country = 'France')"
    assert made.spec["denominator"]["where"] == "quantity > 0"


@pytest.mark.parametrize(
    ("whole", "part", "spoken"),
    [
        ("quantity > 1", "quantity > 1 and country = 'UK'", "country = 'UK'"),
        ("", "country = 'UK' or quantity > 7", "country = 'UK' or quantity > 7"),
        ("quantity > 1", "quantity > 1 and country = 'UK' or country = 'France'", None),
        ("quantity > 1 or quantity < 0", "quantity > 1 or quantity < 0 and country = 'UK'", None),
    ],
)
def test_a_share_written_by_hand_is_split_only_where_that_is_what_it_says(
    whole: str, part: str, spoken: str | None, analyst: Client, people: Company
) -> None:
    add(analyst)
    where = f', where: "{whole}"' if whole else ""
    apply(
        "metrics:\n  paid:\n    name: Paid\n    unit: percent\n    type: ratio\n"
        f'    numerator: {{source: orders, agg: count, where: "{part}"}}\n'
        f"    denominator: {{source: orders, agg: count{where}}}\n"
    )
    page = analyst.get(PAGE)
    if spoken is None:  # the form of a ratio says both sides as they are
        assert page.context["sides"][0]["text"].value() == part
        return
    before = metric_fields(Metric.objects.get(key="paid"))
    typed = form_of(page)
    assert typed.get("part_text") == spoken or typed["part-value-0"] == "UK"
    assert edit(analyst, name="Renamed").status_code == 302
    assert metric_fields(Metric.objects.get(key="paid")) == {**before, "name": "Renamed"}


def test_another_source_is_a_change_of_the_figures(analyst: Client, people: Company) -> None:
    made = paid(analyst)
    add(analyst, key="orders_2")
    page = analyst.get(PAGE, {"source": "orders_2"})
    sent = {**form_of(page), "reason": "The newer table"}
    assert page.context["source"].key == "orders_2"
    assert analyst.post(PAGE, sent).status_code == 302
    made.refresh_from_db()
    assert made.spec["measure"]["source"] == "orders_2"
    assert MetricVersion.objects.get(metric=made, number=2).reason == "The newer table"


@pytest.mark.parametrize("name", ["viewer", "leader", "executive", "alice"])
def test_who_may_not_define_does_not(name: str, analyst: Client, people: Company) -> None:
    made = paid(analyst)
    typed = {**form_of(analyst.get(PAGE)), "name": "Mine"}
    client = client_of(people, name)
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, typed).status_code == 403
    assert "definition/" not in client.get("/metrics/paid/").content.decode()
    made.refresh_from_db()
    assert made.name == "Paid"


def test_an_analyst_edits_the_north_star_and_cannot_make_or_unmake_one(
    analyst: Client, people: Company
) -> None:
    made = paid(analyst)
    assert edit(analyst, role="north_star").status_code == 422
    Metric.objects.filter(pk=made.pk).update(role="north_star")
    assert edit(analyst, name="The star").status_code == 302
    assert edit(analyst, role="focus").status_code == 422
    made.refresh_from_db()
    assert (made.name, made.role) == ("The star", "north_star")


def test_a_metric_counted_by_hand_has_a_page_of_its_own(analyst: Client, people: Company) -> None:
    assert analyst.get("/metrics/for_everyone/definition/").status_code == 404


TYPED = {
    "bigint": st.integers(-99, 99).map(str),
    "varchar": st.text("abÜ' %_,()\"\\", min_size=1, max_size=12).map(str.strip).filter(bool),
    "boolean": st.sampled_from(["yes", "no"]),
    "timestamp": st.dates().map(date.isoformat),
}


@st.composite
def conditions(draw: Any) -> list[Condition]:
    found = []
    for name in draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=4)):
        value = draw(TYPED[COLUMNS[name].type])
        found.append(Condition(name, draw(st.sampled_from(sorted(COMPARISONS))), value))
    return found


@given(conditions())
def test_filters_are_read_back_as_they_were_put_together(said: list[Condition]) -> None:
    try:
        text = together(said, COLUMNS)
    except ValueError:
        return
    found = read(text, COLUMNS)
    assert found is not None, text
    assert together(found, COLUMNS) == text


OTHERS = ("quantity>0", "quantity > 0 OR ok", "lower(country) = 'x'", "(quantity > 0)", "quantity > 0 AND ")


@pytest.mark.parametrize("text", OTHERS)
def test_other_filters_are_left_as_expressions(text: str) -> None:
    assert read(text, COLUMNS) is None
