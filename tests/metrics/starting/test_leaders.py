"""The screens of leaders and invitations: indicators get owners, owners get a link."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from metrics.models import Metric
from metrics.queries.dump import dump
from metrics.services.apply import apply
from metrics.services.manual_metrics import Counted, add_own
from owners.models import Leader, Role, User
from owners.queries.ownership import owner_on
from owners.services import outbox
from owners.services.invitations import Guest, Refused, invite_all
from tests.metrics.starting.screens import rows
from tests.people import Company

pytestmark = pytest.mark.django_db


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
