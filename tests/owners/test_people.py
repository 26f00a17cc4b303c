"""The page of people, and what each kind of person may do there."""

from datetime import date

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from owners.models import AdminLink, Leader, Leave, Role, User
from tests.people import SINCE, Company, company


@pytest.fixture
def people(db: None) -> Company:
    return company()


@pytest.fixture
def admin(people: Company) -> Client:
    client = Client()
    client.force_login(people.admin)
    return client


def test_everybody_is_there_with_role_team_and_metrics(people: Company, admin: Client) -> None:
    page = admin.get("/settings/people/").content.decode()
    for user in people.users.values():
        assert user.email in page
    for key in ("for_everyone", "for_leadership", "for_team"):
        assert f'<a href="/metrics/{key}/">' in page
    assert "Growth" in page


def test_a_leader_is_sent_on_leave_and_invited_from_the_list(people: Company, admin: Client) -> None:
    nina = Leader.objects.create(key="nina", name="Nina Roy", email="nina@x.org")
    Leave.objects.create(leader=people.leaders["bob"], from_date=SINCE, until_date=date(2100, 1, 1))
    page = admin.get("/settings/people/").content.decode()
    assert page.count('href="/leaders/bob/leave/"') == page.count('href="/leaders/nina/leave/"') == 1
    assert "nobody stands in" in page
    Leader.objects.filter(key="charlie").update(archived_at=timezone.now())
    asked = admin.get("/settings/people/", {"leader": "nina"})
    assert 'href="/leaders/charlie/leave/"' not in asked.content.decode()
    form = asked.context["form"]
    said = {name: form[name].value() for name in ("name", "email", "role", "leader")}
    assert said == {"name": "Nina Roy", "email": "nina@x.org", "role": "leader", "leader": "nina"}
    assert admin.post("/settings/people/invite/", said).status_code == 200
    nina.refresh_from_db()
    assert nina.user and nina.user.email == "nina@x.org"
    for other in ("bob", "none", "\x00", "nina"):  # who has an account, or is not there
        assert admin.get("/settings/people/", {"leader": other}).context["form"]["name"].value() is None


def test_executives_see_and_invite_but_do_not_change(people: Company) -> None:
    client = Client()
    client.force_login(people.executive)
    page = client.get("/settings/people/").content.decode()
    assert "alice@example.com" in page
    assert "Deactivate" not in page
    assert 'value="admin"' not in page
    assert client.post(f"/settings/people/{people.bob.pk}/role/", {"role": "admin"}).status_code == 403
    invited = client.post("/settings/people/invite/", {"name": "N", "email": "n@x.org", "role": "analyst"})
    assert invited.status_code == 200
    for role in ("admin", "owner", ""):
        form = {"name": "M", "email": "m@x.org", "role": role}
        assert client.post("/settings/people/invite/", form).status_code == 422
    assert list(User.objects.filter(email__endswith="x.org").values_list("email", "role")) == [
        ("n@x.org", Role.ANALYST)
    ]


def test_the_link_is_shown_once_and_works(people: Company, admin: Client) -> None:
    page = admin.post("/settings/people/invite/", {"name": "N", "email": "n@x.org", "role": "viewer"})
    url = page.context["url"]
    assert url.startswith("http://testserver/account/join/")
    secret = url.rstrip("/").rpartition("/")[2]
    assert secret not in admin.get("/settings/people/").content.decode()
    assert not AdminLink.objects.filter(digest=secret).exists()
    answer = Client().post(url.removeprefix("http://testserver"), {"password": "a long password"})
    assert answer.status_code == 302


def test_extra_fields_change_nothing(people: Company, admin: Client) -> None:
    extra = {"password": "x", "is_superuser": "1", "is_active": "", "pk": str(people.bob.pk)}
    admin.post("/settings/people/invite/", {"name": "N", "email": "n@x.org", "role": "viewer", **extra})
    made = User.objects.get(email="n@x.org")
    assert (made.is_superuser, made.is_active, made.has_usable_password()) == (False, True, False)
    assert not hasattr(made, "leader")
    admin.post(f"/settings/people/{people.bob.pk}/role/", {"role": "viewer", "email": "e@x.org", **extra})
    bob = User.objects.get(pk=people.bob.pk)
    assert (bob.role, bob.email) == (Role.VIEWER, "bob@example.com")
    assert (bob.is_active, bob.is_superuser) == (True, False)


def test_a_taken_address_is_said_beside_its_field(people: Company, admin: Client) -> None:
    form = {"name": "N", "email": "Alice@example.com", "role": "viewer"}
    answer = admin.post("/settings/people/invite/", form)
    assert answer.status_code == 422
    assert "already has an account" in str(answer.context["form"].errors["email"])


def test_deactivating_and_letting_in_again(people: Company, admin: Client) -> None:
    address = f"/settings/people/{people.bob.pk}/active/"
    assert admin.post(address, {"active": "no"}).status_code == 302
    assert not User.objects.get(pk=people.bob.pk).is_active
    assert admin.post(address, {"active": "yes"}).status_code == 302
    assert admin.post(address, {}).status_code == 422
    assert User.objects.get(pk=people.bob.pk).is_active


def test_the_last_admin_is_told_why_not(people: Company, admin: Client) -> None:
    for path, form in (("role", {"role": "viewer"}), ("active", {"active": "no"})):
        answer = admin.post(f"/settings/people/{people.admin.pk}/{path}/", form)
        assert answer.status_code == 409
        assert b"last admin" in answer.content
    assert admin.get("/settings/people/").status_code == 200


def test_people_who_do_not_exist(people: Company, admin: Client) -> None:
    for path, form in (("role", {"role": "viewer"}), ("active", {"active": "no"}), ("link", {})):
        assert admin.post(f"/settings/people/999999/{path}/", form).status_code == 404


def test_as_many_statements_for_many_people(people: Company, admin: Client) -> None:
    with CaptureQueriesContext(connection) as few:
        admin.get("/settings/people/")
    User.objects.bulk_create([User(email=f"p{n}@example.com", password="!") for n in range(30)])
    with CaptureQueriesContext(connection) as many:
        admin.get("/settings/people/")
    assert len(many) == len(few)


def test_a_change_on_the_page_says_who_and_where(people: Company, admin: Client) -> None:
    admin.post(f"/settings/people/{people.bob.pk}/role/", {"role": "analyst"})
    event = apps.get_model("owners", "UserEvent").objects.filter(pgh_obj=people.bob).latest("pgh_id")
    assert event.role == "analyst"
    assert event.pgh_context.metadata["user"] == people.admin.pk
    assert event.pgh_context.metadata["url"] == f"/settings/people/{people.bob.pk}/role/"


def test_names_are_text(people: Company, admin: Client) -> None:
    admin.post(
        "/settings/people/invite/",
        {"name": "<script>alert(1)</script>", "email": "n@x.org", "role": "viewer"},
    )
    page = admin.get("/settings/people/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
