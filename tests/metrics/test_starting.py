"""The first hour's screens: what they save, what they refuse, and that one can stop and go on."""

from datetime import date
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calc.calendar import Calendar, add_months
from metrics.models import Benchmark, Installation, Metric, Start, Target
from metrics.queries import start as queries
from metrics.queries.dump import dump
from metrics.services import starting
from metrics.services.apply import apply
from metrics.services.entries import EntryRow, enter
from metrics.services.manual_metrics import Counted, add_own
from metrics.services.starting import Charge, Person
from metrics.services.targets import set_target
from owners.models import Leader, Ownership, Role, User
from owners.queries.ownership import owner_on
from owners.services import outbox
from owners.services.invitations import Guest, Refused, invite_all
from tests.metrics.test_pages_writing import inputs
from tests.people import Company, company

pytestmark = pytest.mark.django_db

SCREENS = ("company", "north-star", "figures", "targets", "leaders", "invitations")
COMPANY = {
    "name": "Kestrel",
    "timezone": "Europe/London",
    "week_start": 0,
    "fiscal_year_start": 1,
    "holidays": "GB",
}
STAR = {
    "name": "Orders",
    "definition": "Paid.",
    "unit": "count",
    "better": "up",
    "kind": "amount",
    "grain": "month",
}


@pytest.fixture
def people() -> Company:
    made = company()
    Metric.objects.all().delete()
    Ownership.objects.all().delete()
    return made


@pytest.fixture
def executive(people: Company, client: Client) -> Client:
    client.force_login(people.executive)
    return client


def rows() -> tuple[int, ...]:
    """How much there is of all that the screens write."""
    models = (Metric, Target, Leader, User, Ownership, Start, Installation)
    return tuple(model.objects.count() for model in models)


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


def test_three_leaders_and_their_indicators_come_from_one_screen(people: Company, executive: Client) -> None:
    star = add_own(Counted(name="Orders", role="north_star"), people.executive)
    page = executive.get("/start/leaders/").content.decode()
    token = page.split('name="m-orders-token" value="')[1].split('"')[0]
    form: dict[str, Any] = {"m-orders-token": token, "m-orders-leader": "maya  chen", "m-orders-due": "5"}
    for n, (indicator, leader, email) in enumerate(
        [("Visits", "Maya Chen", "Maya@example.com"), ("Basket", "Elena Ruiz", ""), ("Refunds", "Alice", "")]
    ):
        form |= {
            f"new{n}-name": indicator,
            f"new{n}-leader": leader,
            f"new{n}-email": email,
            f"new{n}-due": "3",
        }
        form |= {f"new{n}-kind": "level", f"new{n}-by": "Bob", f"new{n}-role": "north_star"}
    assert executive.post("/start/leaders/", form)["Location"] == "/start/invitations/"
    today = timezone.localdate()
    owners = {m.name: owner_on(m.key, today).name for m in Metric.objects.all()}
    assert owners == {
        "Orders": "maya chen",
        "Visits": "maya chen",
        "Basket": "Elena Ruiz",
        "Refunds": "Alice",
    }
    assert Leader.objects.filter(name__in=["maya chen", "Elena Ruiz"]).count() == 2
    star.refresh_from_db()
    assert star.spec["collect"] == {"every": "month", "due": "5 working days"}
    basket = Metric.objects.get(name="Basket")
    assert (basket.role, basket.spec["kind"], basket.spec["collect"]["by"]) == ("focus", "level", "bob")
    assert apply(dump()).changes == ()
    # saved again without a change, nothing changes
    before = (rows(), dump().split("\n", 1)[1])
    page = executive.get("/start/leaders/").content.decode()
    assert 'value="Elena Ruiz"' in page
    executive.post("/start/leaders/", {})
    assert (rows(), dump().split("\n", 1)[1]) == before


def test_of_several_lines_all_are_saved_or_none(people: Company, executive: Client) -> None:
    before = rows()
    form = {
        "new0-name": "Visits", "new0-leader": "Maya Chen",
        "new1-name": "x" * 201 + "y", "new1-leader": "Tom", "new2-name": "Basket", "new2-leader": "Eve",
        "new2-email": "alice@example.com",
    }  # fmt: skip
    answer = executive.post("/start/leaders/", form)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "another leader’s address" in page and 'value="Maya Chen"' in page
    assert rows() == before
    for wrong in (
        {"new0-leader": "Maya"},
        {"new0-name": "A", "new0-due": "x"},
        {"new0-name": "A", "new0-email": "b@c.de"},
    ):
        assert executive.post("/start/leaders/", wrong).status_code == 422
    assert rows() == before


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


def test_leaders_are_invited_with_links_and_without_a_mail_server(
    people: Company, executive: Client, settings: Any, tmp_path: Any
) -> None:
    settings.MAIL_SERVER = False
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    maya = Leader.objects.create(key="maya", name="Maya Chen")
    form = {
        "g-maya-wanted": "yes", "g-maya-email": "Maya@Example.com", "g-maya-role": "leader",
        "other0-name": "Nora", "other0-email": "nora@example.com", "other0-role": "analyst",
    }  # fmt: skip
    answer = executive.post("/start/invitations/", form)
    page = answer.content.decode()
    links = [part.split('"')[0] for part in page.split('readonly value="')[1:]]
    assert len(links) == 2 and not list(tmp_path.iterdir())
    assert links[0] not in executive.get("/start/invitations/").content.decode()
    maya.refresh_from_db()
    assert (maya.user.email, maya.user.role) == ("maya@example.com", "leader")
    assert User.objects.get(email="nora@example.com").role == "analyst"
    guest = Client()
    path = links[0].removeprefix("http://testserver")
    assert guest.post(path, {"password": "a-long-enough-passphrase"}).status_code == 302
    assert guest.get("/me/").status_code == 200


def test_nobody_is_invited_where_one_cannot_be(people: Company, executive: Client) -> None:
    before = rows()
    for wrong in (
        {"other0-name": "Nora", "other0-email": ""},
        {"other0-name": "Nora", "other0-email": "alice@example.com", "other0-role": "viewer"},
        {"other0-name": "Nora", "other0-email": "nonsense", "other0-role": "viewer"},
        {"other0-name": "Nora", "other0-email": "n@example.com", "other0-role": "admin"},  # not by her
        {
            "other0-name": "Nora", "other0-email": "n@example.com", "other0-role": "viewer",
            "other1-name": "Bob", "other1-email": "bob@example.com", "other1-role": "viewer",
        },
    ):  # fmt: skip
        assert executive.post("/start/invitations/", wrong).status_code == 422, wrong
    with pytest.raises(Refused):
        invite_all(people.executive, [Guest("Bob", "bob@example.com", Role.VIEWER)], "http://x")
    assert rows() == before


def test_with_a_mail_server_the_link_goes_by_mail_and_lies_nowhere_else(
    people: Company, executive: Client, settings: Any
) -> None:
    """As from the page of people: by the outbox, which tries again where a mail server takes nothing."""
    settings.MAIL_SERVER, settings.SITE_URL = True, "http://testserver"
    form = {"other0-name": "Nora", "other0-email": "nora@example.com", "other0-role": "viewer"}
    page = executive.post("/start/invitations/", form).content.decode()
    assert "a mail is on its way" in page and "/account/join/" not in page
    assert not mail.outbox, "the page waits for no mail server"
    assert outbox.deliver(timezone.now) == 1
    assert [m.to for m in mail.outbox] == [["nora@example.com"]]
    path = str(mail.outbox[0].body).split("http://testserver")[1].split()[0]
    assert Client().post(path, {"password": "a-long-enough-passphrase"}).status_code == 302


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
