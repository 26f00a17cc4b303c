"""`apply` and `dump`: the file becomes what is stored, all or nothing, and comes out again as it went in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from metrics.definitions.mistakes import DefinitionsError
from metrics.models import (
    Benchmark,
    Driver,
    Entry,
    Installation,
    Metric,
    MetricVersion,
    Run,
    Source,
    Target,
    Value,
    Warehouse,
)
from metrics.queries.dump import dump
from metrics.services.apply import Outcome, apply
from owners.models import CheckIn, Leader, Ownership
from tests.metrics.files import file, make_warehouse, spoil, state
from tests.people import company
from warehouse.definitions import WarehouseError

pytestmark = pytest.mark.django_db

TWICE = "{leader: ana, from: 2026-01-01}, {leader: maya, from: 2026-01-01}"
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_warehouse(tmp_path_factory.mktemp("warehouse"))


@pytest.fixture
def text(path: Path) -> Iterator[str]:
    yield file(path)


def said(outcome: Outcome) -> list[str]:
    return [str(change) for change in outcome.changes]


def test_what_the_file_says_is_stored(text: str) -> None:
    outcome = apply(text, now=NOW)
    assert Installation.objects.get().timezone == "Europe/London"
    assert Warehouse.objects.get().engine == "duckdb"
    assert Source.objects.get().data_owner == Leader.objects.get(key="ana")
    orders = Metric.objects.get(key="orders")
    assert (orders.role, orders.by, orders.version) == ("north_star", ["country"], 1)
    assert orders.spec == {"measure": {"source": "orders", "agg": "count", "where": "quantity > 0"}}
    target = Target.objects.get(metric=orders, quarter="2011-Q3")
    assert target.value == 4500
    assert [(b.month.month, b.value) for b in target.benchmarks.all()] == [(7, 1350), (8, 1400), (9, 1750)]
    assert Target.objects.get(quarter="2011-Q4").growth == "10%"
    owner = Ownership.objects.get(metric_key="plans")
    assert (owner.leader.key, owner.from_date) == ("ana", date(2026, 3, 10)), "from today on"
    assert Driver.objects.get().driver.key == "customers"
    keys = ["orders", "customers", "per_customer", "growth", "nps", "plans"]
    assert list(Metric.objects.order_by("position").values_list("key", flat=True)) == keys
    assert "metric orders: new" in said(outcome)


def test_the_warehouse_is_asked_for_all_history_once(text: str) -> None:
    apply(text, now=NOW)
    runs = {(run.source.key if run.source else None): run for run in Run.objects.all()}
    assert set(runs) == {"orders", None}
    assert runs["orders"].metrics == ["customers", "orders"]
    assert runs[None].metrics == ["growth", "per_customer"]
    assert {run.cause for run in runs.values()} == {"definition"}
    assert {run.window_start for run in runs.values()} == {date.min}


def test_a_repeat_changes_nothing(text: str) -> None:
    apply(text, now=NOW)
    before, runs = state(), Run.objects.count()
    assert said(apply(text, now=NOW)) == []
    assert (state(), Run.objects.count(), MetricVersion.objects.count()) == (before, runs, 6)


def test_a_dump_taken_in_changes_nothing_here_and_makes_the_same_elsewhere(text: str) -> None:
    apply(text, now=NOW)
    dumped = dump()
    assert said(apply(dumped, now=NOW)) == []
    before = state()
    for model in (Run, Target, Driver, Ownership, MetricVersion, Metric, Source, Warehouse, Leader):
        model.objects.all().delete()
    Installation.objects.all().delete()
    apply(dumped, now=NOW)
    assert state() == before


def test_changes_are_told_from_old_to_new(text: str) -> None:
    apply(text, now=NOW)
    changed = spoil(
        text,
        ("name: NPS", "name: Net Promoter Score"),
        ("2011-09: 1750", "2011-09: 1850"),
        ("value: 4500", "value: 4600"),
    )
    changed = changed.replace("    owner: ana", "    owner: maya")
    assert said(apply(changed, now=NOW)) == [
        "metric orders: target 2011-Q3: value 4,500, benchmarks 2011-07 1,350, 2011-08 1,400, 2011-… → "
        "value 4,600, benchmarks 2011-07 1,350, 2011-08 1,400, 2011-…",
        "metric nps: name: NPS → Net Promoter Score",
        "metric plans: owner: ana → maya from 2026-03-10",
    ]
    assert Ownership.objects.get(metric_key="plans").leader.key == "maya"
    assert not Run.objects.exclude(cause="definition").exists()


def test_sections_that_are_absent_are_not_managed(text: str) -> None:
    apply(text, now=NOW)
    before = state()
    assert said(apply("leaders:\n  eve: {name: Eve}\n", now=NOW)) == [
        "leader eve: new",
        "leader ana: not in the file; kept (--archive archives it)",
        "leader maya: not in the file; kept (--archive archives it)",
    ]
    assert state().replace("  eve: {name: Eve}\n", "") == before


def test_owners_and_targets_that_the_file_leaves_unsaid_are_kept(text: str) -> None:
    apply(text, now=NOW)
    bare = text.partition("    targets:")[0] + "    drivers:" + text.partition("    drivers:")[2]
    bare = spoil(bare, ("    owners: [{leader: maya, from: 2011-01-01}]\n", ""))
    assert said(apply(bare, now=NOW)) == []
    assert Target.objects.count() == 2 and Ownership.objects.filter(metric_key="orders").count() == 1


def test_a_missing_metric_is_archived_only_when_told(text: str) -> None:
    apply(text, now=NOW)
    less = text[: text.index("  plans:\n")]
    assert "metric plans: not in the file; kept (--archive archives it)" in said(apply(less, now=NOW))
    assert Metric.objects.get(key="plans").archived_at is None
    assert "metric plans: archived" in said(apply(less, archive=True, now=NOW))
    assert Metric.objects.get(key="plans").archived_at is not None
    assert "plans" not in dump()
    apply(text, now=NOW)
    assert Metric.objects.get(key="plans").archived_at is None, "the file brings it back"


def test_what_others_refer_to_is_not_archived(text: str) -> None:
    apply(text, now=NOW)
    before = state()
    start, end = text.index("  customers:\n"), text.index("  per_customer:\n")
    with pytest.raises(DefinitionsError, match="there is no metric 'customers'"):
        apply(text[:start] + text[end:], archive=True, now=NOW)
    assert state() == before


def test_a_rename_takes_everything_along(text: str) -> None:
    apply(text, now=NOW)
    orders = Metric.objects.get(key="orders")
    of = {"metric": orders, "grain": "day", "period_start": date(2011, 1, 1), "period_end": date(2011, 1, 2)}
    Value.objects.create(**of, value=3, status="final", version=1, computed_at=NOW)
    CheckIn.objects.create(
        metric_key="orders", leader=Leader.objects.get(key="maya"), date=date(2011, 1, 2), text="fine"
    )
    renamed = spoil(
        text,
        ("  orders:\n    name: Orders", "  sales:\n    was: orders\n    name: Orders"),
        ("numerator: orders", "numerator: sales"),
        ("orders / before - 1", "sales / before - 1"),
        ("{metric: orders, offset", "{metric: sales, offset"),
    )
    assert "metric sales: renamed from orders" in said(apply(renamed, now=NOW))
    sales = Metric.objects.get(key="sales")
    assert sales.pk == orders.pk and sales.values.count() == 1 and sales.targets.count() == 2
    assert (
        Ownership.objects.filter(metric_key="sales").exists() and CheckIn.objects.get().metric_key == "sales"
    )
    assert set(MetricVersion.objects.values_list("number", flat=True)) == {1}, "a name computes nothing"
    assert said(apply(renamed, now=NOW)) == [], "`was` may stay in the file"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("metrics:\n", "metrics: [\n", "not valid YAML"),
        ("unit: ratio", "unitt: ratio", "did you mean 'unit'"),
        ("expr: customer_id", "expr: customer", "did you mean 'customer_id'"),
        ("time: ordered_at", "time: ordered", "there is no column 'ordered'"),
        ("{country: country}", "{country: land}", "there is no column 'land'"),
        ("entity: customer_id", "entity: client", "there is no column 'client'"),
        ("table: orders", "table: order_lines", "order_lines"),
        ("agg: count_distinct, expr: customer_id", "agg: sum, expr: words", "metric customers"),
        ("time: ordered_at", "time: quantity", "time"),
        ("value: 4500", "value: many", "is not a number"),
        ("2011-Q3: {value", "2011-Q7: {value", "a target for an unknown quarter"),
        ("2011-09: 1750", "2011-09: 1751", "the benchmarks add up to 4,501, 1 "),
        ("    owner: ana", f"    owners: [{TWICE}]", "two owners at once"),
    ],
    ids=range(13),
)
def test_bad_input_is_answered_and_changes_nothing(text: str, old: str, new: str, words: str) -> None:
    apply(text, now=NOW)
    before = state()
    runs = Run.objects.count()
    bad = spoil(text, (old, new), ("name: Maya Chen", "name: Somebody Else"))
    with pytest.raises(DefinitionsError) as refused:
        apply(bad, now=NOW)
    assert words in str(refused.value)
    assert (state(), Run.objects.count()) == (before, runs)


def test_a_missing_column_is_named_with_its_place(text: str) -> None:
    with pytest.raises(DefinitionsError) as refused:
        apply(spoil(text, ("expr: customer_id", "expr: custmer_id")), now=NOW)
    (mistake,) = refused.value.mistakes
    assert mistake.line == text.splitlines().index("  customers:") + 1
    assert mistake.path == "metrics.customers"
    for word in ("warehouse shop", "source orders", "metric customers", "custmer_id"):
        assert word in mistake.message


def test_a_warehouse_that_is_down_refuses_what_it_should_have_checked(text: str, tmp_path: Path) -> None:
    gone = file(tmp_path / "gone.duckdb")
    with pytest.raises((WarehouseError, DefinitionsError), match="shop"):
        apply(gone, now=NOW)
    assert not Metric.objects.exists() and not Leader.objects.exists()


def test_what_computes_nothing_is_taken_in_while_the_warehouse_is_down(tmp_path: Path) -> None:
    path = make_warehouse(tmp_path)
    text = file(path)
    apply(text, now=NOW)
    path.unlink()
    assert said(apply(spoil(text, ("name: NPS", "name: Score")), now=NOW)) == [
        "metric nps: name: NPS → Score"
    ]
    with pytest.raises((WarehouseError, DefinitionsError)):
        apply(spoil(text, ("quantity > 0", "quantity > 1")), now=NOW)


def test_a_dry_run_shows_figures_and_sql_and_changes_nothing(text: str) -> None:
    outcome = apply(text, dry_run=True, now=NOW)
    assert not Metric.objects.exists() and not Installation.objects.exists() and not Run.objects.exists()
    shown = {preview.key: preview for preview in outcome.preview}
    figures = {period.start: value for period, value in shown["orders"].figures}
    # Hourly rows from 2011-01-01 UTC, every tenth with quantity 0; August has 31 days of 24 hours in London
    # too.
    assert list(figures) == [date(2011, month, 1) for month in range(2, 10)]
    rows = range(6528)
    opened = (datetime(2011, 8, 1) - datetime(2011, 1, 1)).days * 24 - 1
    august = sum(1 for i in rows if i % 10 > 0 and opened <= i < opened + 31 * 24)
    assert figures[date(2011, 8, 1)] == august
    assert {p.start: v for p, v in shown["customers"].figures}[date(2011, 8, 1)] == 50
    assert {p.start: v for p, v in shown["per_customer"].figures}[date(2011, 8, 1)] == august / 50
    growth = {p.start: v for p, v in shown["growth"].figures}[date(2011, 8, 1)]
    assert growth == pytest.approx(august / figures[date(2011, 7, 1)] - 1)
    assert "quantity" in shown["orders"].sql and "SELECT" in shown["orders"].sql
    assert shown["nps"].error


def test_only_changed_metrics_are_shown(text: str) -> None:
    apply(text, now=NOW)
    outcome = apply(spoil(text, ("expr: customer_id", "expr: country")), dry_run=True, now=NOW)
    assert [preview.key for preview in outcome.preview] == ["customers", "per_customer"]


def test_the_commands_print_and_return_as_agreed(text: str, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("\ufeff" + text)
    bad.write_text(spoil(text, ("unit: ratio", "unit: raito"), ("name: NPS", "nam: NPS")))
    with pytest.raises(CommandError) as refused:
        call_command("apply", str(bad))
    assert refused.value.returncode == 2
    assert "metrics.per_customer.unit" in str(refused.value) and "metrics.nps.nam" in str(refused.value)
    out = StringIO()
    call_command("apply", str(good), stdout=out)
    assert "metric orders: new" in out.getvalue() and "2 recomputes asked for" in out.getvalue()
    dumped, again = StringIO(), StringIO()
    call_command("dump", stdout=dumped)
    good.write_text(dumped.getvalue())
    call_command("apply", str(good), stdout=again)
    assert again.getvalue().strip() == "nothing changes"
    with pytest.raises(CommandError) as missing:
        call_command("apply", str(tmp_path / "none.yaml"))
    assert missing.value.returncode == 2


def test_who_may_not_may_not(text: str) -> None:
    people = company()
    Metric.objects.all().delete()
    with pytest.raises(PermissionDenied):
        apply(text, author=people.analyst, now=NOW)
    apply(text, author=people.admin, now=NOW)
    renamed = spoil(text, ("name: NPS", "name: Score"))
    for nobody in (people.viewer, people.alice, people.executive):
        with pytest.raises(PermissionDenied):
            apply(renamed, author=nobody, now=NOW)
    apply(renamed, author=people.analyst, now=NOW)
    sql = spoil(renamed, ("table: orders", "sql: select * from orders"))
    with pytest.raises(PermissionDenied):
        apply(sql, author=people.analyst, now=NOW)
    apply(sql, author=people.admin, now=NOW)


def test_a_reviewed_quarter_keeps_its_targets(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(text, now=NOW)
    monkeypatch.setattr("metrics.services.apply.reviewed_quarters", lambda: frozenset({"2011-Q4"}))
    apply(
        spoil(text, ("value: 4500, benchmarks: {2011-07: 1350", "value: 4501, benchmarks: {2011-07: 1351")),
        now=NOW,
    )
    with pytest.raises(DefinitionsError, match="2011-Q4 is reviewed"):
        apply(spoil(text, ("growth: 10%", "growth: 11%")), now=NOW)
    assert Benchmark.objects.get(month=date(2011, 7, 1)).value == 1351


def test_entries_survive_a_definition(text: str) -> None:
    apply(text, now=NOW)
    nps = Metric.objects.get(key="nps")
    Entry.objects.create(metric=nps, period_start=date(2026, 1, 1), value=4, origin="file", entered_at=NOW)
    apply(
        spoil(
            text,
            ("grain: month\n    collect", "grain: quarter\n    collect"),
            ("every: month", "every: quarter"),
        ),
        now=NOW,
    )
    assert Value.objects.get(metric=nps, grain="quarter").value == 4
