"""The screen of targets: months that are proposed and what is saved."""

from datetime import date

import pytest
from django.test import Client
from django.utils import timezone

from calc.calendar import Calendar, add_months
from metrics.models import Benchmark, Metric, Target
from metrics.queries import start as queries
from metrics.services.entries import EntryRow, enter
from metrics.services.manual_metrics import Counted, add_own
from metrics.services.targets import set_target
from owners.models import User
from tests.people import Company

pytestmark = pytest.mark.django_db


def months_with(metric: Metric, by: User, values: dict[date, float]) -> None:
    enter(metric, [EntryRow(day, value) for day, value in values.items()], author=by, origin="page")


def test_a_target_is_split_by_last_years_season_or_evenly(people: Company) -> None:
    calendar, today = Calendar(), timezone.localdate()
    quarter = calendar.quarter_name(today)
    first = calendar.quarter(quarter).start
    orders = add_own(Counted(name="Orders"), people.executive)
    visits = add_own(Counted(name="Visits"), people.executive)
    staff = add_own(Counted(name="Staff", kind="level"), people.executive)
    # last year 100, 200, 300: of 1,201 a sixth, a third, a half: 200 1/6, 400 1/3, 600 1/2 -> 200, 400, 601
    months_with(orders, people.executive, {add_months(first, n - 12): 100.0 * (n + 1) for n in range(3)})
    months_with(staff, people.executive, {add_months(first, -1): 40.0})
    found = {aim.metric.key: aim for aim in queries.aims(people.executive, quarter, calendar, today)}
    months = [add_months(first, n) for n in range(3)]
    assert found["orders"].season
    assert [found["orders"].proposal(1201.0)[m] for m in months] == [200, 400, 601]
    assert found["orders"].last_year == 600
    days = [(add_months(m, 1) - m).days for m in months]
    even = [found["visits"].proposal(float(sum(days)))[m] for m in months]
    assert even == days and not found["visits"].season
    # a level climbs from where it stands: 40 to 46 in three steps of two
    assert [found["staff"].proposal(46.0)[m] for m in months] == [42, 44, 46]
    assert found["staff"].last_quarter == 40
    assert visits.key in found


def test_months_are_proposed_no_finer_than_the_target(people: Company) -> None:
    """Nobody plans 3,333.33333333 of anything: whole pounds of whole pounds, tenths of a level below 100."""
    calendar = Calendar()
    today = date(2026, 7, 20)
    money = add_own(Counted(name="Revenue", unit="currency:GBP"), people.executive)
    level = add_own(Counted(name="Score", kind="level", unit="score"), people.executive)
    months_with(level, people.executive, {date(2026, 6, 1): 40.0})
    found = {aim.metric.key: aim for aim in queries.aims(people.executive, "2026-Q3", calendar, today)}
    # by days 31, 31 and 30 of 92: 3,369.57, 3,369.57 and 3,260.87, the largest remainders rounded up
    assert list(found[money.key].proposal(10_000).values()) == [3370, 3369, 3261]
    # a third and two thirds of the way from 40 to 45: 41.67 and 43.33
    assert list(found[level.key].proposal(45.0).values()) == [41.7, 43.3, 45]


def test_targets_are_saved_with_the_months_that_are_proposed(people: Company, executive: Client) -> None:
    calendar, today = Calendar(), timezone.localdate()
    quarter = calendar.quarter_name(today)
    first = calendar.quarter(quarter).start
    orders = add_own(Counted(name="Orders"), people.executive)
    nps = add_own(Counted(name="NPS", kind="level", unit="score"), people.executive)
    page = executive.get(f"/start/targets/?quarter={quarter}").content.decode()
    tokens = {key: page.split(f'name="token-{key}" value="')[1].split('"')[0] for key in ("orders", "nps")}
    base = {
        "quarter": quarter,
        "token-orders": tokens["orders"],
        "token-nps": tokens["nps"],
        "target-nps": "",
    }
    proposed = executive.post("/start/targets/", {**base, "target-orders": "9,000", "propose": "yes"})
    assert proposed.status_code == 200 and not Target.objects.exists()
    wrong = {f"month-orders-{add_months(first, n):%Y-%m}": "1" for n in range(3)}
    refused = executive.post("/start/targets/", {**base, "target-orders": "9000", **wrong})
    assert refused.status_code == 422 and "add up to 3" in refused.content.decode()
    assert not Target.objects.exists()
    for slip in ("1e16", "1e307"):
        refused = executive.post("/start/targets/", {**base, "target-orders": slip})
        assert refused.status_code == 422 and "too large to be right" in refused.content.decode()
    saved = executive.post("/start/targets/", {**base, "target-orders": "9000", "target-nps": "50"})
    assert saved["Location"] == "/start/leaders/"
    assert sum(Benchmark.objects.filter(target__metric=orders).values_list("value", flat=True)) == 9000
    assert list(Benchmark.objects.filter(target__metric=nps).values_list("value", flat=True)) == [50] * 3
    stale = executive.post("/start/targets/", {**base, "target-orders": "1"})
    assert stale.status_code == 422
    assert Target.objects.get(metric=orders).value == 9000


def test_a_plan_of_which_nothing_is_due_yet_is_not_called_missing(people: Company, executive: Client) -> None:
    calendar = Calendar()
    quarter = calendar.quarter_name(calendar.quarter(calendar.quarter_name(timezone.localdate())).end)
    star = add_own(Counted(name="Orders", role="north_star"), people.executive)
    addresses = (f"/?quarter={quarter}", f"/metrics/{star.key}/?quarter={quarter}")
    for address in addresses:
        assert "no plan" in executive.get(address).content.decode()
    set_target(star, quarter, 4500.0, {}, author=people.executive)
    for address in addresses:
        page = executive.get(address).content.decode()
        assert "nothing due yet" in page and "no plan" not in page
