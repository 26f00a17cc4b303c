"""From counted by hand to computed: both side by side, one click, a seam; nothing entered is lost."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.core.management import call_command
from django.test import Client

from metrics.models import Entry, Metric, MetricVersion, Value
from metrics.queries.dump import dump
from metrics.services.apply import apply
from metrics.services.entries import EntryRow, enter
from metrics.services.manual_metrics import token_of
from tests.people import Company, company

JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(tmp_path: Path) -> Company:
    """A warehouse with one visit a day from January to the end of March; hand counts of 31, 27 and 31."""
    path = tmp_path / "house.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute("CREATE TABLE visits (happened TIMESTAMP)")
        days = [[datetime(2026, 1, 1, 12) + timedelta(days=n)] for n in range(90)]
        db.executemany("INSERT INTO visits VALUES (?)", days)
    made = company()
    Metric.objects.all().delete()
    apply(f"""
warehouses: {{house: {{engine: duckdb, path: {path}}}}}
sources: {{visits: {{warehouse: house, table: visits, time: happened}}}}
metrics:
  counted: {{name: Counted, type: manual, kind: amount, grain: month, owner: alice}}
  visits: {{name: Visits, type: simple, measure: {{source: visits, agg: count}}}}
""")
    call_command("recompute")
    rows = [EntryRow(JAN, 31.0), EntryRow(FEB, 27.0), EntryRow(MAR, 31.0)]
    enter(
        Metric.objects.get(key="counted"),
        rows,
        author=None,
        origin="page",
        now=datetime(2026, 4, 2, tzinfo=UTC),
    )
    return made


def client_of(people: Company, name: str) -> Client:
    client = Client()
    client.force_login(people.users[name])
    return client


def months() -> dict[date, float | None]:
    rows = Value.objects.filter(metric__key="counted", grain="month", dimension="")
    return dict(rows.values_list("period_start", "value"))


def form(**more: Any) -> dict[str, Any]:
    expected = token_of(Metric.objects.get(key="counted"))
    return {"with": "visits", "start": "2026-03-01", "expected": expected, **more}


def test_both_side_by_side(people: Company) -> None:
    answer = client_of(people, "analyst").get("/metrics/counted/automate/?with=visits")
    page = " ".join(answer.content.decode().split())
    assert "Agrees in 2 of 3 months." in page
    assert "Feb 2026: hand 27, warehouse 28." in page
    pairs = [(pair.hand, pair.computed, pair.agrees) for pair in answer.context["shown"].pairs]
    assert pairs == [(31, 31, True), (27, 28, False), (31, 31, True)]
    loose = client_of(people, "analyst").get("/metrics/counted/automate/?with=visits&tolerance=0.05")
    assert loose.context["shown"].agreeing == 3, "28 is 3.7 % more than 27"


def test_the_switch_leaves_a_seam_and_every_entry(people: Company) -> None:
    answer = client_of(people, "analyst").post("/metrics/counted/automate/", form())
    assert answer.status_code == 302, answer.context["problem"]
    call_command("recompute")
    assert months() == {JAN: 31, FEB: 27, MAR: 31}, "February stays as it was counted"
    assert list(Entry.objects.order_by("period_start").values_list("value", flat=True)) == [31, 27, 31]
    version = MetricVersion.objects.filter(metric__key="counted").latest("number")
    assert (version.effective_date, version.author) == (MAR, people.analyst)
    metric = Metric.objects.get(key="counted")
    assert (metric.type, metric.name) == ("simple", "Counted")
    assert Value.objects.filter(metric=metric, grain="day", period_start__gte=MAR).count() >= 30
    assert not Value.objects.filter(metric=metric, grain="day", period_start__lt=MAR).exists()
    assert not apply(dump()).changes, "the definitions file says the same"


def test_who_may_not_define_does_not_switch(people: Company) -> None:
    for name in ("alice", "viewer", "executive"):
        assert client_of(people, name).post("/metrics/counted/automate/", form()).status_code == 403
    assert Metric.objects.get(key="counted").type == "manual"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"with": "counted"}, "Choose the computed metric"),
        ({"start": "2026-03-02"}, "opens no month"),
        ({"expected": "older"}, "changed this metric since"),
    ],
)
def test_what_makes_no_sense_changes_nothing(people: Company, wrong: dict, said: str) -> None:
    answer = client_of(people, "analyst").post("/metrics/counted/automate/", form(**wrong))
    assert answer.status_code == 409 and said in answer.content.decode()
    assert Metric.objects.get(key="counted").type == "manual"
    assert MetricVersion.objects.filter(metric__key="counted").count() == 1
