"""How often an owner is asked: the setting, and what the board, leaders and `/me/` make of it."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from calc.cadence import Cadence, Every
from calc.status import State
from metrics.models import Installation, Metric
from metrics.queries.agreements import waiting_for_owner
from metrics.queries.askings import day_of, say_cadence
from metrics.queries.board import board
from metrics.queries.entries import entry_cells
from metrics.queries.installation import calendar
from metrics.queries.leaders import leaders
from metrics.queries.me import count_due, my_page
from metrics.queries.progress import progress
from owners import models
from owners.models import CheckIn, Leader, Ownership
from owners.queries.cadences import cadences
from owners.services.cadences import set_cadence
from owners.services.check_ins import check_in
from owners.services.leave import take_leave
from tests.metrics import making
from tests.metrics.stage import Stage, stage
from tests.metrics.test_pages_writing import inputs, signed_in

pytestmark = pytest.mark.django_db

WEDNESDAY = date(2025, 9, 17)


@pytest.fixture
def company() -> Stage:
    """Elena owns on_time (computed) and plans; Charlie owns orders."""
    return stage(date(2025, 9, 18))


def on_time(company: Stage, day: date) -> tuple[str, date | None]:
    item = my_page(company.elena, as_of=day).item("on_time")
    assert item is not None
    return item.state, item.asked.due_date


def test_a_day_of_the_week(company: Stage) -> None:
    CheckIn.objects.all().delete()
    set_cadence(company.elena, Metric.objects.get(key="on_time"), Cadence(Every.WEEK, weekday=3))
    thursday = WEDNESDAY + timedelta(days=1)
    assert on_time(company, WEDNESDAY) == ("due", thursday)
    assert on_time(company, thursday) == ("due", thursday)
    assert on_time(company, thursday + timedelta(days=1)) == ("late", thursday)


def test_never_is_not_asked_and_not_missing(company: Stage) -> None:
    CheckIn.objects.all().delete()
    missing = {name for c in board(None, as_of=WEDNESDAY).changes if c.kind == "missing" for name in c.names}
    assert "On-time share" in missing
    set_cadence(None, Metric.objects.get(key="on_time"), Cadence(Every.NEVER))
    assert on_time(company, WEDNESDAY) == ("free", None)
    after = {name for c in board(None, as_of=WEDNESDAY).changes if c.kind == "missing" for name in c.names}
    assert after == missing - {"On-time share"}
    said = [due for card in leaders(None, as_of=WEDNESDAY).cards for due in card.due]
    assert not any("On-time share" in words for words in said)


def test_a_monthly_word_is_not_missing_a_fortnight_later(company: Stage) -> None:
    CheckIn.objects.update(date=date(2025, 9, 2))
    metric = Metric.objects.get(key="on_time")

    def missing() -> bool:
        return any(
            "On-time share" in c.names for c in board(None, as_of=WEDNESDAY).changes if c.kind == "missing"
        )

    assert missing()  # nothing in the two weeks before
    set_cadence(None, metric, Cadence(Every.MONTH))
    assert not missing()


def test_working_days_are_those_of_the_persons_country(company: Stage) -> None:
    CheckIn.objects.all().delete()
    holiday = date(2025, 5, 5)  # a Monday: a bank holiday in England, a working day in France
    for country, due in (("GB", date(2025, 5, 6)), ("FR", holiday), ("", holiday)):
        Leader.objects.filter(key="elena").update(country=country)
        elena = type(company.elena).objects.get(pk=company.elena.pk)
        item = my_page(elena, as_of=holiday).item("on_time")
        assert item is not None and item.asked.due_date == due, country
    Installation.objects.update(holidays="GB")
    item = my_page(type(company.elena).objects.get(pk=company.elena.pk), as_of=holiday).item("on_time")
    assert item is not None and item.asked.due_date == date(2025, 5, 6)


def test_the_week_is_that_of_the_persons_country(company: Stage) -> None:
    """A Friday, on which nobody works in Egypt: their next working day is Sunday."""
    CheckIn.objects.all().delete()
    set_cadence(company.elena, Metric.objects.get(key="on_time"), Cadence(Every.WEEK, weekday=4))
    friday = date(2025, 9, 19)
    for country, due in (("EG", date(2025, 9, 21)), ("GB", friday)):
        Leader.objects.filter(key="elena").update(country=country)
        item = my_page(type(company.elena).objects.get(pk=company.elena.pk), as_of=friday).item("on_time")
        assert item is not None and item.asked.due_date == due, country


def test_a_figure_is_due_in_the_working_days_of_whoever_counts_it(company: Stage) -> None:
    """The first working day of May 2025 is Thursday the 1st in England; in France and Egypt that is a
    holiday, after which one works on Friday there and on Sunday here."""
    plans = Metric.objects.get(key="plans")
    plans.spec["collect"] = {"by": "elena", "every": "month", "due": "1 working days"}
    plans.save()
    april, day = date(2025, 4, 1), date(2025, 5, 5)
    for country, due in (("GB", 1), ("FR", 2), ("EG", 4), ("", 1)):
        Leader.objects.filter(key="elena").update(country=country)
        cells = entry_cells(plans, calendar(), day)
        found = next(cell.due_date for cell in cells if cell.start == april)
        assert found == date(2025, 5, due), country
        item = my_page(type(company.elena).objects.get(pk=company.elena.pk), as_of=day).item("plans")
        assert item is not None and item.asked.cell is not None
        assert (item.asked.cell.start, item.asked.cell.due_date) == (april, found), country


def test_the_board_calls_a_figure_late_by_the_days_of_whoever_counts_it(company: Stage) -> None:
    plans = Metric.objects.get(key="plans")
    plans.spec["collect"] = {"by": "elena", "every": "month", "due": "3 working days"}
    plans.save()
    making.target(plans, "2025-Q2", 0.8, [0.7, 0.75, 0.8])
    for country, late in (("GB", False), ("", True)):
        Leader.objects.filter(key="elena").update(country=country)
        (row,) = [p for p in progress(None, "2025-Q2", as_of=date(2025, 5, 6)) if p.metric.key == "plans"]
        assert (row.status.state is State.LATE) == late, (country, row.status)


def test_the_day_is_that_where_the_person_is(company: Stage) -> None:
    with time_machine.travel("2025-09-14T20:00:00+00:00", tick=False):  # Sunday in London, Monday in Auckland
        here = Leader.objects.get(key="elena")
        assert day_of(here, calendar()) == date(2025, 9, 14)
        here.timezone = "Pacific/Auckland"
        here.save()
        assert day_of(here, calendar()) == date(2025, 9, 15)
        elena = type(company.elena).objects.get(pk=company.elena.pk)
        word = check_in(elena, Metric.objects.get(key="on_time"), text="Up early.")
        assert word.date == date(2025, 9, 15)
        item = my_page(elena).item("on_time")
        assert item is not None and item.state == "done"  # it counts for the week that has begun there


def test_words_from_where_it_is_tomorrow_are_there_at_once(company: Stage) -> None:
    """Said on Auckland's Monday, while London still has Sunday: on the board, on the leader's page, in no
    digest as overdue, and before whoever stands in there."""
    CheckIn.objects.all().delete()
    with time_machine.travel("2025-09-14T20:00:00+00:00", tick=False):
        Leader.objects.filter(key="elena").update(timezone="Pacific/Auckland")
        elena = type(company.elena).objects.get(pk=company.elena.pk)
        check_in(elena, Metric.objects.get(key="on_time"), text="Up early.")
        (row,) = [r for r in board(company.executive).rows if r.metric.key == "on_time"]
        assert row.words is not None and row.words.text == "Up early."
        page = signed_in(company.executive).get("/leaders/elena/").content.decode()
        assert "Up early." in page
        take_leave(None, elena.leader, date(2025, 9, 14), date(2025, 9, 20), company.charlie.leader)
        item = my_page(type(company.charlie).objects.get(pk=company.charlie.pk)).item("on_time")
        assert item is not None and item.asked.said is not None and item.asked.said.text == "Up early."
        earlier = [r for r in board(None, as_of=date(2025, 9, 13)).rows if r.metric.key == "on_time"]
        assert earlier[0].words is None


def test_one_is_asked_for_what_is_ones_own_by_the_companys_day(company: Stage) -> None:
    """Where a hand-over begins tomorrow it has not begun for whom tomorrow is here already."""
    with time_machine.travel("2025-09-14T20:00:00+00:00", tick=False):  # Sunday in London, Monday in Auckland
        Leader.objects.filter(key="elena").update(timezone="Pacific/Auckland")
        Ownership.objects.create(
            metric_key="orders", from_date=date(2025, 9, 15), leader=Leader.objects.get(key="elena")
        )
        elena = type(company.elena).objects.get(pk=company.elena.pk)
        assert my_page(elena).item("orders") is None
        for item in my_page(elena).items:
            assert signed_in(elena).get(f"/me/{item.key}/").status_code == 200
        assert [count_due(elena)] == [len(my_page(elena).waiting) + len(waiting_for_owner(elena))]
    with time_machine.travel("2025-09-15T00:00:00+00:00", tick=False):
        elena = type(company.elena).objects.get(pk=company.elena.pk)
        assert my_page(elena).item("orders") is not None
        assert signed_in(elena).get("/me/orders/").status_code == 200


def test_who_may_set_it(company: Stage) -> None:
    metric = Metric.objects.get(key="on_time")
    for user in (company.charlie, company.viewer):
        with pytest.raises(PermissionDenied):
            set_cadence(user, metric, Cadence(Every.NEVER))
        assert signed_in(user).post("/metrics/on_time/cadence/", {"every": "never"}).status_code == 403
    assert Client().post("/metrics/on_time/cadence/", {"every": "never"}).status_code == 302
    assert signed_in(company.charlie).get("/metrics/nps/cadence/").status_code == 404
    assert not models.Cadence.objects.exists()
    for user in (company.elena, company.analyst, company.executive, company.admin):
        set_cadence(user, metric, Cadence(Every.MONTH, working_days=2))
    assert cadences(["on_time"]) == {"on_time": Cadence(Every.MONTH, working_days=2)}
    set_cadence(company.elena, metric, None)
    assert cadences(["on_time"]) == {}


@pytest.mark.parametrize(
    ("sent", "kept", "words"),
    [
        ({"every": "week", "weekday": "4"}, Cadence(Every.WEEK, weekday=4), "every Friday"),
        (
            {"every": "month", "month_day": "3", "quarter_day": "9"},
            Cadence(Every.MONTH, working_days=3),
            "on the 3rd working day after each month",
        ),
        (
            {"every": "weeks", "weeks": "3", "first": "2025-09-22"},
            Cadence(Every.WEEKS, weeks=3, first=date(2025, 9, 22)),
            "every 3 weeks from 22 Sep 2025",
        ),
        ({"every": ""}, None, "in the rhythm of its figures"),
    ],
)
def test_the_page(company: Stage, sent: dict[str, str], kept: Cadence | None, words: str) -> None:
    client = signed_in(company.elena)
    fields = inputs(client, "/metrics/on_time/cadence/") | sent
    assert client.post("/metrics/on_time/cadence/", fields).status_code == 302
    found = cadences(["on_time"]).get("on_time")
    if kept is None or found is None:
        assert found is kept
    else:
        assert say_cadence(found) == say_cadence(kept) == words
    assert words in client.get("/metrics/on_time/cadence/").content.decode()


def test_a_rhythm_that_somebody_else_changed_is_not_written_over(company: Stage) -> None:
    first, second = signed_in(company.elena), signed_in(company.analyst)
    path = "/metrics/on_time/cadence/"
    seen = inputs(second, path)
    assert first.post(path, inputs(first, path) | {"every": "week", "weekday": "4"}).status_code == 302
    answer = second.post(path, seen | {"every": "never"})
    assert answer.status_code == 422
    assert "Somebody else changed this" in answer.content.decode()
    assert (answer.context["form"]["every"].value(), answer.context["form"]["weekday"].value()) == ("week", 4)
    assert say_cadence(cadences(["on_time"])["on_time"]) == "every Friday"
    assert second.post(path, inputs(second, path) | {"every": "never"}).status_code == 302


@pytest.mark.parametrize(
    "wrong",
    [
        {"every": "hour"},
        {"every": "weeks", "weeks": "0", "first": "2025-09-22"},
        {"every": "weeks", "weeks": "2", "first": ""},
        {"every": "weeks", "weeks": "2", "first": "0001-01-01"},
        {"every": "week", "weekday": "7"},
        {"every": "month", "month_day": "99"},
    ],
)
def test_what_no_rhythm_is(company: Stage, wrong: dict[str, str]) -> None:
    assert signed_in(company.elena).post("/metrics/on_time/cadence/", wrong).status_code == 422
    assert not models.Cadence.objects.exists()


def test_the_service_checks_for_itself(company: Stage) -> None:
    metric = Metric.objects.get(key="on_time")
    for wrong in (
        Cadence(Every.WEEK, weekday=9),
        Cadence(Every.WEEKS),
        Cadence(Every.WEEKS, weeks=0, first=WEDNESDAY),
    ):
        with pytest.raises(ValidationError):
            set_cadence(None, metric, wrong)


def test_a_metric_without_an_owner_is_asked_of_nobody(company: Stage) -> None:
    Ownership.objects.filter(metric_key="on_time").delete()
    assert (
        "Check-ins are asked for"
        in signed_in(company.admin).get("/metrics/on_time/cadence/").content.decode()
    )
