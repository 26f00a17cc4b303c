"""Two weeks before a quarter ends the next one's targets are proposed, once, and never over anything."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.test import Client

from calc.calendar import Calendar
from metrics.models import Benchmark, Metric, Run, Target
from metrics.queries.rollover import quarter_to_plan
from metrics.services import rollover
from metrics.services.agreements import accept
from metrics.services.schedule import tick
from metrics.services.targets import set_target
from owners.models import Notice, Ownership
from tests.metrics import making
from tests.people import Company, company

pytestmark = pytest.mark.django_db
BEFORE = datetime(2026, 9, 16, 12, tzinfo=UTC)  # the window opens on 17 September: 1 October less 14 days
INSIDE = datetime(2026, 9, 17, 12, tzinfo=UTC)
AFTER = datetime(2026, 10, 1, 12, tzinfo=UTC)


@pytest.fixture
def people() -> Company:
    """Orders with a target and a year behind them, calls without a target, on-time share as a level."""
    made = company()
    Metric.objects.filter(key__startswith="for_").delete()
    making.installation(timezone="UTC")
    making.source(date(2026, 9, 16))
    orders = making.metric("orders", role="north_star", position=1)
    on_time = making.metric("on_time", making.SHARE, "ratio", unit="percent", position=2)
    making.metric("notes", role="supporting", position=3)
    for year, quarter, value in ((2025, 3, 4_000.0), (2025, 4, 5_000.0), (2026, 2, 3_900.0)):
        period = Calendar().quarter(f"{year}-Q{quarter}")
        making.figure(orders, "quarter", period.start, period.end, value)
    for month, value in ((10, 1_000.0), (11, 1_500.0), (12, 2_500.0)):
        making.month(orders, 2025, month, value)
    making.target(orders, "2026-Q3", 4_400.0)
    making.month(on_time, 2026, 6, 0.90)
    making.month(on_time, 2026, 8, 0.91)
    making.target(on_time, "2026-Q3", 0.92)
    for key in ("orders", "on_time"):
        Ownership.objects.create(metric_key=key, from_date=date(2020, 1, 1), leader=made.leaders["alice"])
    return made


def targets(quarter: str = "2026-Q4") -> dict[str, float | None]:
    return dict(Target.objects.filter(quarter=quarter).values_list("metric__key", "value"))


def roll(now: datetime) -> int:
    return rollover.tick(Calendar(), now)


def test_not_before_the_last_two_weeks(people: Company) -> None:
    assert roll(BEFORE) == 0
    assert targets() == {}


def test_proposals_with_their_months_and_words(people: Company) -> None:
    assert roll(INSIDE) == 2
    # orders: 5,000 x 4,400 / 4,000; on time: 91 % now and the two points from 90 % to 92 % again
    assert targets() == {"orders": 5_500, "on_time": pytest.approx(0.93)}
    months = Benchmark.objects.filter(target__metric__key="orders", target__quarter="2026-Q4")
    assert dict(months.values_list("month", "value")) == {
        date(2026, 10, 1): 1_100, date(2026, 11, 1): 1_650, date(2026, 12, 1): 2_750
    }  # fmt: skip
    target = Target.objects.get(metric__key="orders", quarter="2026-Q4")
    assert (target.state, target.author) == ("proposed", None)
    assert target.reason.startswith(
        "Rolled over: 5\u202f000 in the same quarter a year ago, and 10\u202f% more"
    )
    assert targets("2026-Q3") == {"orders": 4_400, "on_time": 0.92}


def test_what_was_agreed_is_what_is_done_again(people: Company) -> None:
    orders = Metric.objects.get(key="orders")
    accept(people.alice, orders, "2026-Q3")
    set_target(orders, "2026-Q3", 3_000, {}, author=people.executive, reason="A depot burned down.")
    roll(INSIDE)
    assert targets()["orders"] == 5_500


def test_a_repeat_changes_nothing_and_nothing_is_written_over(people: Company) -> None:
    set_target(Metric.objects.get(key="orders"), "2026-Q4", 77, {}, author=people.executive)
    assert roll(INSIDE) == 1
    assert roll(INSIDE) == 0
    assert targets() == {"orders": 77, "on_time": pytest.approx(0.93)}


def test_what_people_take_away_stays_away(people: Company) -> None:
    roll(INSIDE)
    set_target(Metric.objects.get(key="orders"), "2026-Q4", None, {}, author=people.executive)
    assert roll(INSIDE) == 0
    assert list(targets()) == ["on_time"]


def test_on_day_one_the_quarter_is_not_empty_and_no_more_is_made(people: Company) -> None:
    roll(INSIDE)
    assert roll(AFTER) == 0
    assert len(targets()) == 2 and targets("2027-Q1") == {}


def test_the_tick_does_it_and_a_failure_keeps_nothing_waiting(
    people: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise RuntimeError("boom")

    with monkeypatch.context() as patched:
        patched.setattr(rollover, "tick", fail)
        tick(INSIDE)
    assert targets() == {}
    assert Run.objects.exists()  # the source that was due was asked for all the same
    tick(INSIDE)
    assert len(targets()) == 2


@pytest.mark.parametrize(
    ("start", "day", "expected"),
    [
        (1, date(2026, 9, 16), None),
        (1, date(2026, 9, 17), "2026-Q4"),
        (1, date(2026, 9, 30), "2026-Q4"),
        (1, date(2026, 10, 1), None),
        (1, date(2026, 12, 20), "2027-Q1"),
        # a year that opens in February: its first quarter ends on 30 April
        (2, date(2026, 4, 16), None),
        (2, date(2026, 4, 17), "2027-Q2"),
        (2, date(2027, 1, 20), "2028-Q1"),
    ],
)
def test_the_last_two_weeks_of_any_calendar(start: int, day: date, expected: str | None) -> None:
    cal = Calendar(fiscal_year_start=start)
    assert quarter_to_plan(cal, day) == expected


def client_of(people: Company, name: str) -> Client:
    client = Client()
    client.force_login(people.users[name])
    return client


def test_an_executive_takes_over_one_by_one_or_all(people: Company) -> None:
    with time_machine.travel(INSIDE, tick=False):
        client = client_of(people, "executive")
        page = client.get("/targets/2026-Q4/").content.decode()
        assert "2 without a target: proposed from the quarter before" in page
        assert "5\u202f500" in page and "10\u202f% more" in page
        assert "The next quarter’s targets" in client.get("/targets/2026-Q3/").content.decode()
        assert client.post("/targets/2026-Q4/roll-over/", {"key": "on_time"}).status_code == 302
        assert list(targets()) == ["on_time"]
        assert client.post("/targets/2026-Q4/roll-over/").status_code == 302
        assert sorted(targets()) == ["on_time", "orders"]
        after = client.get("/targets/2026-Q4/").content.decode()
        assert "2 targets here are rolled over" in after and "without a target" not in after
        assert Target.objects.get(metric__key="orders", quarter="2026-Q4").author == people.executive


def test_at_other_times_nothing_is_taken_over(people: Company) -> None:
    with time_machine.travel(BEFORE, tick=False):
        client = client_of(people, "executive")
        assert client.post("/targets/2026-Q4/roll-over/").status_code == 400
        assert "without a target" not in client.get("/targets/2026-Q4/").content.decode()
    assert targets() == {}


@pytest.mark.parametrize("who", ["viewer", "leader", "alice"])
def test_nobody_else_takes_over(people: Company, who: str) -> None:
    with time_machine.travel(INSIDE, tick=False):
        assert client_of(people, who).post("/targets/2026-Q4/roll-over/").status_code == 403
    with pytest.raises(PermissionDenied):
        rollover.roll_over(people.users[who], "2026-Q4", Calendar(), INSIDE.date())
    assert targets() == {}


def members(people: Company) -> Metric:
    """Leeds with a year behind it, York with a target alone."""
    orders = Metric.objects.get(key="orders")
    Metric.objects.filter(pk=orders.pk).update(by=["city"])
    orders.refresh_from_db()
    leeds = {"dimension": "city", "member": "Leeds"}
    for quarter, value in (("2025-Q3", 2_000.0), ("2025-Q4", 2_500.0)):
        period = Calendar().quarter(quarter)
        making.figure(orders, "quarter", period.start, period.end, value, **leeds)
    for month, value in ((10, 500.0), (11, 750.0), (12, 1_250.0)):
        making.month(orders, 2025, month, value, **leeds)
    for member, value in (("Leeds", 2_200.0), ("York", 100.0)):
        of = {"dimension": "city", "member": member}
        Target.objects.create(metric=orders, quarter="2026-Q3", value=value, **of)
    return orders


def test_members_are_proposed_by_the_same_formula(people: Company) -> None:
    members(people)
    assert roll(INSIDE) == 4
    # Leeds: 2,500 x 2,200 / 2,000, in the shape of 500, 750 and 1,250; York: its target again, evenly
    found = Target.objects.filter(quarter="2026-Q4").exclude(member="")
    assert dict(found.values_list("member", "value")) == {"Leeds": 2_750, "York": 100}
    months = Benchmark.objects.filter(target__in=found).order_by("month")
    assert list(months.filter(target__member="Leeds").values_list("value", flat=True)) == [550, 825, 1_375]
    assert sum(months.filter(target__member="York").values_list("value", flat=True)) == 100
    assert roll(INSIDE) == 0
    found.filter(member="York").delete()
    assert roll(INSIDE) == 0  # what people took away stays away


def test_the_owner_of_a_member_is_told_of_its_proposal(people: Company) -> None:
    members(people)
    bob = people.leaders["bob"]
    Ownership.objects.create(
        metric_key="orders", from_date=date(2020, 1, 1), leader=bob, dimension="city", member="York"
    )
    with time_machine.travel(INSIDE, tick=False):
        roll(INSIDE)
    told = Notice.objects.filter(kind="target_proposed")
    assert sorted((n.leader.key, n.path) for n in told if n.leader) == [
        ("alice", "/targets/2026-Q4/on_time/"),
        ("alice", "/targets/2026-Q4/orders/"),
        ("alice", "/targets/2026-Q4/orders/?by=city"),
        ("bob", "/targets/2026-Q4/orders/?by=city"),
    ]


def test_a_member_is_taken_over_by_itself(people: Company) -> None:
    members(people)
    with time_machine.travel(INSIDE, tick=False):
        client = client_of(people, "executive")
        page = client.get("/targets/2026-Q4/").content.decode()
        assert "4 without a target" in page and "<bdi>Orders</bdi>, <bdi>Leeds</bdi>" in page
        assert client.post("/targets/2026-Q4/roll-over/", {"key": "orders|city|Leeds"}).status_code == 302
    assert list(Target.objects.filter(quarter="2026-Q4").values_list("member", flat=True)) == ["Leeds"]
