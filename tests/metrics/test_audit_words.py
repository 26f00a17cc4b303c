"""What the list of changes calls things: every column of every tracked model has words, and what stands in it
is said as people say it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from calc.calendar import Calendar
from metrics.definitions.file import read_definitions
from metrics.definitions.mistakes import Report
from metrics.definitions.sections import ENGINES
from metrics.models import Installation, Metric, Target
from metrics.queries import audit
from metrics.queries.audit import Change, Cut, Difference, words
from metrics.queries.audit.names import _NAMES, _SAME, Counted, Names
from metrics.queries.audit.sayings import sayings
from owners.models import ApiToken, Deviation
from tests.metrics.files import file
from tests.metrics.stage import CALENDAR, Stage, stage


@pytest.fixture
def company(db: None) -> Stage:
    return stage(timezone.localdate())


def histories() -> Iterator[tuple[str, type[Model]]]:
    """Every tracked model's label, and the model of its history."""
    for model in apps.get_models():
        tracked = getattr(model, "pgh_tracked_model", None)
        if tracked is not None:
            yield tracked._meta.label, model


def test_every_column_of_every_tracked_model_has_words() -> None:
    known = dict(histories())
    assert len(known) >= 25 and {"metrics.Target", "owners.User"} <= known.keys()
    columns = [
        (label, field.attname)
        for label, history in known.items()
        for field in history._meta.get_fields()
        if hasattr(field, "attname") and not field.attname.startswith("pgh_")
    ]
    without = [
        f"{label}.{column}"
        for label, column in columns
        if column not in words.SILENT and words.column_words(label, column) is None
    ]
    assert not without, f"say in metrics/queries/audit/words.py what these are called: {without}"
    assert not [w for _, c in columns if (w := words.column_words(_, c)) and ("_" in w or w.endswith(" id"))]


def test_no_words_are_left_of_what_is_gone() -> None:
    known = dict(histories())
    assert set(words.COLUMNS) == set(known)
    more = {"metrics.Source": {"warehouse"}, "metrics.Target": {"benchmarks"}}  # of definitions and plans
    for label, columns in words.COLUMNS.items():
        there = {f.attname for f in known[label]._meta.get_fields() if hasattr(f, "attname")}
        assert set(columns) <= there | more.get(label, set()), label


def test_values_that_stand_for_words_are_all_said() -> None:
    """Against the choices that the definitions and the forms offer."""
    from metrics.definitions.metric import AUDIENCES, RELATIONS, ROLES, SHAPES, STAGES
    from metrics.models.disputes import OUTCOMES
    from owners.models.calls import STATUSES

    offered: dict[str, Any] = {
        "metrics.Metric.role": ROLES,
        "metrics.Metric.stage": STAGES,
        "metrics.Metric.visible": AUDIENCES,
        "metrics.Metric.plan": SHAPES,
        "metrics.Driver.relation": RELATIONS,
        "owners.StatusCall.status": STATUSES,
        "engine": ENGINES,
    }
    for place, choices in offered.items():
        assert set(choices) <= words.VALUES[place].keys(), place
    assert all(" " in words or words.isalpha() for words in OUTCOMES.values())
    for said in words.VALUES.values():
        assert not [w for w in said.values() if "_" in w]


def test_every_key_of_a_definition_has_words() -> None:
    more = """
  second:
    name: Second order
    type: conversion
    base: {source: orders, agg: count, where: "n = 1"}
    conversion: {source: orders, agg: count_distinct, expr: n, additive: true}
    within: 45 days
    calculation: rate
    match: [country]
    period_by: due
    plausible: {low: 0, high: 1, grain: month, max_change: 60%}
    goal: {kind: level, grain: month, tolerance: 0.01, thresholds: {on_track: 0.97, at_risk: 0.9}}
"""
    report = Report()
    read = read_definitions(file() + more, report)
    assert not report.mistakes and read.metrics and read.sources
    rows = [("metrics.Metric", metric.fields) for metric in read.metrics.values()]
    rows += [("metrics.Source", {"spec": source}) for source in read.sources.values()]
    found = [said for model, row in rows for said in sayings(model, row, Names({})) if "." in said.path]
    assert len(found) > 40
    for said in found:
        *above, last = said.path.split(".")
        assert last in words.KEYS or words.NAMED & {*above}, said.path
        assert "spec" not in said.name and "_" not in said.name.partition(": ")[0], said.name


def test_what_points_to_another_row_is_said_by_its_name() -> None:
    """Each column with the number of another row is one of which the names are read."""
    numbers = [
        f"{label}.{field.attname}"
        for label, history in histories()
        for field in history._meta.get_fields()
        if hasattr(field, "attname") and field.attname.endswith("_id")
        if not field.attname.startswith("pgh_") and field.attname not in words.SILENT
        if _SAME.get(field.attname, field.attname) not in _NAMES
    ]
    assert not numbers


def newest(title: str) -> Change:
    return next(c for c in audit.changes(Cut(), CALENDAR, limit=500).changes if c.title == title)


def test_people_metrics_figures_and_days_are_told_in_words(company: Stage) -> None:
    target = Target.objects.get(metric__key="on_time", quarter=company.quarter)
    Target.objects.filter(pk=target.pk).update(
        agreed_baseline=0.905,
        agreed_by=company.elena,
        agreed_months={f"{company.month}": 0.93},
        state="agreed",
    )
    change = newest("target")
    assert {(d.name, d.after) for d in change.differences} == {
        ("agreed baseline", "90.5\u202f%"),
        (f"agreed plan: {company.month:%B %Y}", "93\u202f%"),
        ("agreed by", "Elena"),
        ("state", "agreed"),
    }
    assert ("agreed_months." + company.month.isoformat(), "0.93") in {
        (d.column, d.now) for d in change.differences
    }
    Metric.objects.filter(key="orders").update(unit="currency:GBP", visible="team", role="guardrail")
    assert {(d.name, d.before, d.after) for d in newest("metric").differences} == {
        ("unit", "a number", "money in GBP"),
        ("who sees it", "everyone", "the owner’s team"),
        ("role", "North Star", "guardrail: must not get worse"),
    }
    Deviation.objects.create(
        metric_key="on_time", quarter=company.quarter, shortfall=0.03, reason="Snow", until_date=company.today
    )
    told = {d.name: d.after for d in newest("accepted deviation").differences}
    assert told["may be behind plan by"] == "3\u00a0points"
    assert told["quarter"] == CALENDAR.quarter_label(company.quarter)
    assert told["metric"] == "On-time share"
    ApiToken.objects.create(
        user=company.elena, name="CRM", prefix="ns_1", digest="d", scopes=["values:write"],
        metric_keys=["orders", "gone"], expires_at=timezone.now(),
    )  # fmt: skip
    told = {d.name: d.after for d in newest("token").differences}
    assert (told["may"], told["only for"]) == ("enter figures", "Orders, gone")
    Installation.objects.update(week_start=6, fiscal_year_start=7)
    assert newest("installation").differences == (
        Difference("weeks begin on", "Monday", "Sunday"),
        Difference("fiscal year opens in", "January", "July"),
    )


def test_a_period_is_named_by_what_it_is_counted_in() -> None:
    names = Names(
        {"metric_id": {"7": "Visits"}}, by_id={"7": Counted("Visits", "count", "month")}, calendar=Calendar()
    )
    row: dict[str, Any] = {"metric_id": 7, "period_start": "2026-10-01"}
    assert names.title("figure", 1, row) == "Visits, Oct 2026"
    assert names.title("figure", 1, row | {"period_start": "2026-10-05", "grain": "week"}) == (
        "Visits, week of 5 Oct 2026"
    )
    assert names.title("figure", 1, row | {"period_start": "2026-10-05"}) == "Visits, 5 Oct 2026"
    assert names.title("target", 1, {"metric_id": 7, "quarter": "2026-Q4"}) == "Visits, Q4 2026 (Oct–Dec)"


def test_a_metric_that_the_reader_may_not_see_is_not_named(company: Stage) -> None:
    """Whoever reads the list today sees every metric; were it opened to others, they read no name."""
    Metric.objects.filter(key="nps").update(visible="leadership", definition="Success plans done and Orders")
    shown = audit.changes(Cut(), CALENDAR, limit=500, reader=company.executive).changes
    hidden = audit.changes(Cut(), CALENDAR, limit=500, reader=company.viewer).changes
    assert len(shown) == len(hidden)
    name = Metric.objects.get(key="nps").name
    assert name in repr(shown)
    assert name not in repr(hidden)
    assert "Success plans done" in repr(hidden)


def test_the_file_says_both_the_words_and_what_is_stored(company: Stage) -> None:
    Target.objects.filter(metric__key="orders").update(value=1_737_500.0)
    client = Client()
    client.force_login(company.executive)
    raw = client.get("/settings/audit/changes.csv?kind=target").content.decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(raw, newline=""))
    row = next(row for row in rows if row["object"].startswith("Orders, ") and row["what"] == "changed")
    said = {name: row[name] for name in ("field", "after", "column", "stored before", "stored after")}
    assert said == {
        "field": "target",
        "after": "1\u202f737\u202f500",
        "column": "value",
        "stored before": "9300",
        "stored after": "1737500",
    }
