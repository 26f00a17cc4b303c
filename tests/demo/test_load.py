"""The demo loaded whole, small: its story on the board, its repeat, and a load that stops."""

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import override_settings

from demo import agreements, entries, truth
from demo.load import ACCOUNTS, LEADER, PASSWORD, NotHere, load, warehouse_path
from metrics.models import Disposition, Dispute, Entry, Installation, Metric, Revision, Source, Target, Value
from metrics.queries.progress import progress as judged
from metrics.services import schedule
from owners.models import Action, CheckIn, Deviation, Leader, Notice, StatusCall, Summary, User
from owners.rules import can
from tests.examples.loading import run

# Also tells pytest-django that the session needs its database.
pytestmark = pytest.mark.django_db

TODAY = date(2026, 8, 19)
YESTERDAY = TODAY - timedelta(days=1)
FACTS = truth.story(TODAY)
SCALE = 0.1


@pytest.fixture(scope="module", autouse=True)
def loaded(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    data = tmp_path_factory.mktemp("data")
    with django_db_blocker.unblock(), override_settings(DATA_DIR=data), transaction.atomic():
        try:
            load(TODAY, scale=SCALE)
            yield
        finally:
            transaction.set_rollback(True)


@pytest.fixture
def undone(loaded: None) -> Iterator[None]:
    """What the test changes is taken back."""
    warehouse = warehouse_path().read_bytes()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    warehouse_path().write_bytes(warehouse)


def progress(as_of: date = TODAY, quarter: str = "2026-Q3") -> dict[str, dict[str, Any]]:
    printed = json.loads(run("progress", quarter, "--as-of", f"{as_of}", "--format", "json"))
    return {line["metric"]: line for line in printed}


def test_everybody_can_sign_in() -> None:
    for name, _, role in ACCOUNTS:
        user = User.objects.get(email=f"{name}@demo.example")
        assert user.role == role
        assert user.check_password(PASSWORD)
    assert Leader.objects.get(key=LEADER).user == User.objects.get(email="leader@demo.example")
    assert Leader.objects.count() == 5
    assert Installation.objects.get().demo


def test_the_board_tells_the_story() -> None:
    lines = progress()
    status = {key: line["pace_status"] for key, line in lines.items()}
    assert status["on_time_share"] == "off_track"
    assert status["success_plans"] == "at_risk"
    assert status["on_time_orders"] in ("at_risk", "off_track")
    assert status["active_app_users"] == "disputed"
    rest = set(status) - {"on_time_share", "success_plans", "on_time_orders", "active_app_users"}
    assert {key for key in rest if status[key] != "on_track"} <= {"refund_share"}
    assert lines["new_customers"]["pace"] > 1.04
    assert all(line["target"] is not None for line in lines.values())


def test_one_plan_alone_has_changed_since_it_was_agreed() -> None:
    assert [line.metric.key for line in judged(None, "2026-Q3", as_of=TODAY) if line.agreed_changed] == [
        agreements.CHANGED[0]
    ]


def test_every_metric_has_an_owner_and_targets_for_five_quarters() -> None:
    for metric in Metric.objects.filter(archived_at=None):
        assert Target.objects.filter(metric=metric).count() == 5, metric.key
    roles = Metric.objects.values_list("role", flat=True)
    assert list(roles).count("north_star") == 1
    lenses = set(Metric.objects.exclude(lens="").values_list("lens", flat=True))
    assert lenses == {"breadth", "depth", "frequency", "efficiency"}


def test_one_week_of_refunds_stands_out_and_is_explained() -> None:
    start = FACTS.refund_spike[0]
    weeks = Value.objects.filter(metric__key="refund_share", grain="week", dimension="")
    recent = weeks.filter(period_start__gt=start - timedelta(days=182), period_end__lte=TODAY)
    shares = {value.period_start: value.value or 0.0 for value in recent}
    assert max(shares, key=lambda week: shares[week]) == start
    usual = [share for week, share in shares.items() if week != start]
    assert shares[start] > 1.5 * sum(usual) / len(usual)
    since = f"{start - timedelta(days=140)}"
    printed = run("signals", "refund_share", "--grain", "week", "--from", since, "--format", "json")
    rules = {point["period_start"]: point["rules"] for point in json.loads(printed)["points"]}
    assert "beyond_limit" in rules[f"{start}"]
    explained = Disposition.objects.get()
    assert (explained.period_start, explained.leader_name) == (start, "Sam Whitfield")


def test_the_restated_month_keeps_what_was_known_before() -> None:
    start = FACTS.restated_month[0]
    figures = Revision.objects.filter(metric__key="refund_share", grain="month").exclude(cause="status")
    revisions = figures.filter(period_start=start)
    [whole] = revisions.filter(dimension="")
    [london] = revisions.filter(dimension="city", member=FACTS.restated_city)
    now = Value.objects.get(metric__key="refund_share", grain="month", period_start=start, dimension="")
    assert (whole.value or 0) < (now.value or 0)
    assert london.numerator == 0
    assert set(figures.values_list("period_start", flat=True)) == {start}
    others = set(revisions.filter(dimension="city").values_list("member", flat=True))
    assert others == {FACTS.restated_city}


def test_months_counted_by_hand_are_those_that_are_due() -> None:
    months = set(Entry.objects.filter(metric__key="nps").values_list("period_start", flat=True))
    assert months == set(entries.counted(FACTS, TODAY))
    assert max(months) == date(2026, 7, 1)
    july = Value.objects.get(metric__key="success_plans", grain="month", period_start=date(2026, 7, 1))
    assert (july.numerator, july.denominator) == entries.success_plans(FACTS)[date(2026, 7, 1)]


def test_leaders_have_spoken_but_not_from_the_future() -> None:
    assert CheckIn.objects.count() >= 15
    assert not CheckIn.objects.filter(date__gt=TODAY).exists()
    assert {check.leader.key for check in CheckIn.objects.all()} == {"priya", "maya", "tom", "elena", "sam"}
    assert Action.objects.filter(done_at=None).exists()
    assert Action.objects.exclude(done_at=None).exists()
    assert Summary.objects.filter(quarter="2026-Q3").count() == 5


def test_people_have_said_something_beside_the_figures() -> None:
    call = StatusCall.objects.get()
    assert (call.metric_key, call.status, call.leader.key) == ("success_plans", "off_track", "elena")
    accepted = Deviation.objects.get()
    assert accepted.metric_key == "on_time_share"
    assert accepted.accepted_at is not None
    assert TODAY < accepted.until_date < FACTS.quarter_end
    found = {row.metric.key: row for row in Dispute.objects.select_related("metric")}
    assert {key: row.state for key, row in found.items()} == {
        "active_app_users": "open",
        "refund_share": "answered",
    }
    assert all(row.raised_at.date() <= TODAY for row in found.values())


def test_what_is_said_is_said_by_somebody_who_may() -> None:
    """What the demo shows, its people could have done on the pages."""
    disputes = list(Dispute.objects.select_related("metric", "author"))
    assert len(disputes) == 2
    assert all(can(one.author, "metric.dispute", one.metric) for one in disputes)
    metrics = {metric.key: metric for metric in Metric.objects.all()}
    calls, deviations = StatusCall.objects.all(), Deviation.objects.all()
    assert calls and deviations
    assert all(can(one.author, "metric.check_in", metrics[one.metric_key]) for one in calls)
    for one in deviations:
        assert can(one.asked_by, "metric.check_in", metrics[one.metric_key])
        assert can(one.accepted_by, "metric.accept_deviation", metrics[one.metric_key])


def test_figures_match_an_independent_count() -> None:
    with duckdb.connect(str(warehouse_path()), read_only=True) as connection:
        expected = connection.execute(
            "with o as (select *, timezone('Europe/London', timezone('UTC', ordered_at))::date as day"
            " from orders)"
            " select date_trunc('week', day)::date,"
            " count(*) filter (where status = 'delivered' and delivered_at <= promised_at),"
            " count(distinct customer_id) filter (where status = 'delivered') from o group by 1"
        ).fetchall()
    for n, key in ((1, "on_time_orders"), (2, "active_customers")):
        stored = Value.objects.filter(metric__key=key, grain="week", dimension="")
        ours = {value.period_start: value.value for value in stored if value.value}
        assert ours == {row[0]: row[n] for row in expected if row[n]}, key


def test_a_second_load_of_the_same_day_changes_nothing() -> None:
    def state() -> list[Any]:
        return [
            *(list(model.objects.order_by("pk").values_list()) for model in (Value, Entry, Target, Metric)),
            *(model.objects.count() for model in (Revision, CheckIn, Action, Summary, User, Disposition)),
            *(list(model.objects.values_list()) for model in (StatusCall, Deviation, Dispute)),
        ]

    before, file = state(), warehouse_path().stat().st_mtime_ns
    load(TODAY, scale=SCALE)
    assert state() == before
    assert warehouse_path().stat().st_mtime_ns == file


def test_a_later_day_adds_to_it(undone: None) -> None:
    before = {
        (value.grain, value.period_start): value.value
        for value in Value.objects.filter(metric__key="on_time_orders", dimension="", period_end__lt=TODAY)
        if value.status == "final"
    }
    load(TODAY + timedelta(days=7), scale=SCALE)
    now = {
        (value.grain, value.period_start): value.value
        for value in Value.objects.filter(metric__key="on_time_orders", dimension="")
    }
    assert {key: value for key, value in before.items() if now[key] != value} == {}
    assert ("day", TODAY + timedelta(days=6)) in now


def test_a_new_quarter_tells_the_story_afresh(undone: None) -> None:
    first = date(2026, 10, 1)
    load(first, scale=0.02)
    facts = truth.story(first)
    lines = progress(first, "2026-Q4")
    assert all(line["target"] is not None for line in lines.values())
    assert {line["pace_status"] for line in lines.values()} <= {"not_due", "too_early"}
    days = Value.objects.filter(metric__key="orders", grain="day", dimension="")
    assert min(days.values_list("period_start", flat=True)) >= facts.first_day
    restated = Value.objects.get(
        metric__key="refund_share", grain="month", dimension="", period_start=facts.restated_month[0]
    )
    with duckdb.connect(str(warehouse_path()), read_only=True) as connection:
        [(refunded, paid)] = connection.execute(
            "select sum(refunded)::double, sum(amount)::double from orders where status = 'delivered'"
            " and timezone('Europe/London', timezone('UTC', ordered_at)) >= ?"
            " and timezone('Europe/London', timezone('UTC', ordered_at)) < ?",
            list(facts.restated_month),
        ).fetchall()
    assert restated.value == pytest.approx(refunded / paid, rel=1e-9)
    assert max(Entry.objects.values_list("period_start", flat=True)) == date(2026, 8, 1)


def test_a_load_that_stops_makes_no_zero_and_no_red(undone: None) -> None:
    before = progress()
    later = TODAY + timedelta(days=2)
    load(later, scale=SCALE, loaded_through=YESTERDAY)
    assert Source.objects.get(key="orders").watermark == TODAY
    days = Value.objects.filter(grain="day", period_start__gte=TODAY)
    assert not days.exists()
    after = progress(later)
    for key, line in after.items():
        assert line["pace"] == pytest.approx(before[key]["pace"]), key
        assert line["pace_status"] in (before[key]["pace_status"], "late"), key
    tom = Leader.objects.get(key="tom")
    half_past_nine = datetime.combine(later, time(9, 30), tzinfo=truth.CALENDAR.zone)
    schedule.tick(half_past_nine)
    told = Notice.objects.filter(leader=tom, kind="source_late")
    assert {"orders", "app_events"} == {notice.key.split(":")[1] for notice in told}


def test_it_refuses_production(undone: None) -> None:
    before = Value.objects.count()
    with override_settings(PRODUCTION=True):
        with pytest.raises(NotHere):
            load(TODAY)
        with pytest.raises(CommandError) as refusal:
            call_command("demo")
    assert refusal.value.returncode == 2
    assert Value.objects.count() == before


def test_the_command_takes_a_day(undone: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        call_command("demo", "--today", "soon")
