"""All screens: who may, where they lead, what they cost; and those of the company and its North Star."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metrics.models import Installation, Metric
from metrics.queries import start as queries
from metrics.queries.dump import dump
from metrics.services import starting
from metrics.services.apply import apply
from metrics.services.manual_metrics import Counted, add_own
from metrics.services.starting import Charge, Person
from owners.models import Leader, Role
from owners.queries.ownership import owner_on
from owners.services.invitations import Guest, invite_all
from tests.metrics.starting.screens import COMPANY, SCREENS, STAR, rows
from tests.metrics.test_pages_writing import inputs
from tests.people import Company

pytestmark = pytest.mark.django_db


def test_one_can_stop_and_go_on_another_day(people: Company, executive: Client) -> None:
    assert executive.get("/start/")["Location"] == "/start/company/"
    assert executive.post("/start/company/", COMPANY)["Location"] == "/start/north-star/"
    assert executive.post("/start/north-star/", {"skip": "yes"})["Location"] == "/start/figures/"
    later = Client()
    later.force_login(people.admin)  # the installation has begun, whoever goes on
    assert later.get("/start/")["Location"] == "/start/figures/"
    for screen in ("figures", "targets", "leaders"):
        later.post(f"/start/{screen}/", {"skip": "yes"})
    assert later.post("/start/invitations/", {"skip": "yes"})["Location"] == "/"
    done = queries.progress()
    assert done.finished
    assert [screen.state for screen in done.screens] == ["done", *["skipped"] * 5]
    page = later.get("/start/").content.decode()
    assert "The six screens" in page and page.count("skipped") == 5
    # what was skipped can be done after all; what is done stays so
    assert later.post("/start/north-star/", STAR).status_code == 302
    later.post("/start/company/", {"skip": "yes"})
    assert [screen.state for screen in queries.progress().screens][:2] == ["done", "done"]
    assert Installation.objects.get().name == "Kestrel"


def test_a_company_that_somebody_else_changed_is_not_written_over(people: Company, executive: Client) -> None:
    """Two with the page open: the second sees what the first has stored, and saves again."""
    executive.post("/start/company/", COMPANY)
    stale = inputs(executive, "/start/company/") | COMPANY | {"name": "Kestrel & Sons"}
    executive.post("/start/company/", stale | {"name": "Kestrel", "fiscal_year_start": "7"})
    answer = executive.post("/start/company/", stale)
    assert answer.status_code == 422
    assert "Somebody else changed this" in answer.content.decode()
    assert answer.context["form"]["fiscal_year_start"].value() == 7
    row = Installation.objects.get()
    assert (row.name, row.fiscal_year_start) == ("Kestrel", 7)
    again = {
        name: answer.context["form"][name].value() for name in stale if name in answer.context["form"].fields
    }
    assert executive.post("/start/company/", again | {"name": "Kestrel & Sons"}).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.fiscal_year_start) == ("Kestrel & Sons", 7)


@pytest.mark.parametrize("path", ["", *(f"{screen}/" for screen in SCREENS), "figures/1/", "figures/1/back/"])
@pytest.mark.parametrize("name", ["viewer", "leader", "analyst", "alice", "stranger"])
def test_others_find_the_screens_closed(people: Company, client: Client, name: str, path: str) -> None:
    if name != "stranger":
        client.force_login(people.users[name])
    before = rows()
    for answer in (
        client.get(f"/start/{path}"),
        client.post(f"/start/{path}", {**COMPANY, **STAR, "skip": "yes"}),
    ):
        if name == "stranger":
            assert answer["Location"].startswith("/account/login/")
        else:
            assert answer.status_code in (403, 405)
    assert rows() == before


def test_an_empty_board_leads_there_and_a_demo_to_an_installation_of_ones_own(
    people: Company, executive: Client
) -> None:
    assert 'href="/start/"' in executive.get("/").content.decode()
    Installation.objects.create(id=1, name="Demo", demo=True)
    page = executive.get("/start/").content.decode()
    assert "make run DEMO=0" in page
    assert "make run DEMO=0" in executive.get("/settings/").content.decode()
    for path in (
        "/",
        "/targets/2026-Q4/",
        "/me/",
        "/metrics/new/",
    ):  # whose figures these are is said everywhere
        assert 'href="/settings/#own-data">Show your own' in executive.get(path).content.decode(), path
    assert "Show your own" not in Client().get("/account/login/").content.decode()


def test_empty_pages_lead_on_to_the_screens(people: Company, executive: Client) -> None:
    """Nobody who begins is sent to a file or to a page on which nothing can be done."""
    Leader.objects.all().delete()
    leaders = executive.get("/leaders/").content.decode()
    assert 'href="/start/leaders/"' in leaders and "definitions file" not in leaders
    assert 'href="/import/"' not in executive.get("/metrics/").content.decode()
    imports = executive.get("/import/").content.decode()
    assert 'href="/metrics/new/"' in imports and 'href="/start/figures/"' in imports
    targets = executive.get("/start/targets/").content.decode()
    assert 'href="/start/north-star/"' in targets and "Save and go on" not in targets
    assert "Skip for now" in targets


def test_the_north_star_is_added_then_changed(people: Company, executive: Client) -> None:
    assert executive.post("/start/north-star/", {**STAR, "name": ""}).status_code == 422
    executive.post("/start/north-star/", {**STAR, "role": "guardrail", "visible": "leadership"})
    star = Metric.objects.get()
    assert (star.name, star.role, star.visible) == ("Orders", "north_star", "everyone")
    assert owner_on(star.key, timezone.localdate()).user == people.executive
    page = executive.get("/start/north-star/").content.decode()
    token = page.split('name="token" value="')[1].split('"')[0]
    assert (
        executive.post("/start/north-star/", {**STAR, "name": "Baskets", "token": "old"}).status_code == 422
    )
    executive.post("/start/north-star/", {**STAR, "name": "Baskets", "token": token})
    assert [m.name for m in Metric.objects.all()] == ["Baskets"]
    assert apply(dump()).changes == ()


def test_a_computed_north_star_is_left_alone(people: Company, executive: Client) -> None:
    Metric.objects.create(key="orders", name="Orders", role="north_star", type="simple", spec={"measure": {}})
    assert "computed from a warehouse" in executive.get("/start/north-star/").content.decode()
    executive.post("/start/north-star/", STAR)
    assert Metric.objects.get().type == "simple"


def test_who_may_not_use_the_screens_may_not_use_their_services(people: Company) -> None:
    before = rows()
    today = timezone.localdate()
    charge = Charge(said=Counted(name="Mine"), leader=Person("Me"))
    for stranger in (people.viewer, people.alice, people.analyst, people.leader):
        for attempt in (
            lambda by=stranger: starting.set_charges(by, [charge], today=today),
            lambda by=stranger: starting.set_north_star(by, Counted(name="Mine")),
            lambda by=stranger: starting.mark(by, "company"),
            lambda by=stranger: starting.finish(by),
            lambda by=stranger: invite_all(by, [Guest("X", "x@example.com", Role.VIEWER)], "http://x"),
        ):
            with pytest.raises(PermissionDenied):
                attempt()
    assert rows() == before


@pytest.mark.parametrize("path", ["/start/targets/", "/start/leaders/", "/start/invitations/"])
def test_a_screen_costs_the_same_for_one_metric_and_for_many(
    people: Company, executive: Client, path: str
) -> None:
    def cost() -> int:
        executive.get(path)
        with CaptureQueriesContext(connection) as found:
            assert executive.get(path).status_code == 200
        return len(found)

    add_own(Counted(name="First"), people.executive)
    one = cost()
    for n in range(8):
        add_own(Counted(name=f"Metric {n}", by="alice"), people.executive)
        Leader.objects.create(key=f"leader_{n}", name=f"Leader {n}")
    assert cost() == one


def test_hostile_names_are_words_on_every_screen(people: Company, executive: Client) -> None:
    evil = "<script>alert(1)</script>\"'"
    executive.post("/start/company/", {**COMPANY, "name": evil})
    executive.post("/start/north-star/", {**STAR, "name": evil, "definition": evil, "segment": evil})
    executive.post("/start/leaders/", {"new0-name": f"{evil}2", "new0-leader": evil})
    address = executive.post("/start/figures/", {"text": f"Month\t{evil}3\nJan 2026\t5"})["Location"]
    for path in (*(f"/start/{screen}/" for screen in SCREENS), address, "/metrics/", "/"):
        page = executive.get(path).content.decode()
        assert "<script>alert" not in page, path
    assert Metric.objects.count() == 2
