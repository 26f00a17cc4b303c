"""One-time links: the first admin's works once and for one person; an invitation sets one password."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from threading import Barrier

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from owners.models import AdminLink, Role, User
from owners.services import accounts, links
from owners.services.one_time import LinkGone, new_link
from tests.people import company

FORM = {"name": "Ada", "email": "ada@example.com", "password": "correct horse battery"}


def secret_of(url: str | None) -> str:
    assert url is not None
    return url.rstrip("/").rpartition("/")[2]


@pytest.mark.django_db
def test_the_first_admin_comes_in_once(client: Client) -> None:
    url = links.first_admin_url("http://127.0.0.1:8000/")
    assert url is not None
    assert url.startswith("http://127.0.0.1:8000/account/first/")
    assert len(secret_of(url)) >= 43
    assert not AdminLink.objects.filter(digest__contains=secret_of(url)).exists()
    path = url.removeprefix("http://127.0.0.1:8000")
    page = client.get(path)
    assert (page.status_code, page["Referrer-Policy"]) == (200, "same-origin")
    answer = client.post(path, FORM)
    assert (answer.status_code, answer["Location"]) == (302, "/start/")
    admin = User.objects.get()
    assert (admin.email, admin.name, admin.role) == ("ada@example.com", "Ada", Role.ADMIN)
    assert client.session["_auth_user_id"] == str(admin.pk)
    assert links.first_admin_url("http://x") is None
    for again in (Client().get(path), Client().post(path, {**FORM, "email": "eve@example.com"})):
        assert again.status_code == 410
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_a_refused_password_leaves_the_link_good(client: Client) -> None:
    secret = secret_of(links.first_admin_url("http://x"))
    path = f"/account/first/{secret}/"
    for bad in ("short", "password123", "12345678901234", "ada@example.com"):
        answer = client.post(path, {**FORM, "password": bad})
        assert answer.status_code == 422, bad
    assert client.post(path, {**FORM, "email": "nonsense"}).status_code == 422
    assert not User.objects.exists()
    assert client.post(path, FORM).status_code == 302


@pytest.mark.django_db
def test_a_link_ends_after_a_day_with_a_newer_one_and_when_it_was_never_one(client: Client) -> None:
    first = secret_of(links.first_admin_url("http://x"))
    second = secret_of(links.first_admin_url("http://x"))
    assert client.get(f"/account/first/{first}/").status_code == 410
    assert client.get("/account/first/guess/").status_code == 410
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1), tick=False):
        assert client.get(f"/account/first/{second}/").status_code == 410
        with pytest.raises(LinkGone):
            links.redeem_first(second, "e@example.com", "E", FORM["password"])


@pytest.mark.django_db
def test_the_first_link_ends_when_an_admin_comes_otherwise(client: Client) -> None:
    secret = secret_of(links.first_admin_url("http://x"))
    accounts.create_user("root@example.com", "Root", Role.ADMIN)
    assert client.get(f"/account/first/{secret}/").status_code == 410
    with pytest.raises(LinkGone):
        links.redeem_first(secret, "e@example.com", "E", FORM["password"])


@pytest.mark.django_db
def test_extra_fields_change_nothing(client: Client) -> None:
    user, secret = accounts.invite(company().executive, "new@example.com", "", Role.VIEWER)
    answer = client.post(
        f"/account/join/{secret}/",
        {**FORM, "role": "admin", "email": "eve@example.com", "is_active": "false", "is_superuser": "true"},
    )
    assert answer.status_code == 302
    user.refresh_from_db()
    assert (user.role, user.email, user.name) == (Role.VIEWER, "new@example.com", "Ada")
    assert (user.is_active, user.is_superuser) == (True, False)


@pytest.mark.django_db
def test_an_invited_person_joins_once(client: Client) -> None:
    people = company()
    user, secret = accounts.invite(people.executive, "new@example.com", "New", Role.VIEWER)
    path = f"/account/join/{secret}/"
    assert client.get(f"/account/first/{secret}/").status_code == 410
    assert b"new@example.com" in client.get(path).content
    assert client.post(path, {"password": "short"}).status_code == 422
    assert client.post(path, {"password": FORM["password"]}).status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)
    assert Client().post(path, {"password": "another long one"}).status_code == 410
    user.refresh_from_db()
    assert user.check_password(FORM["password"])


@pytest.mark.django_db
def test_an_invitation_makes_no_admin_even_where_there_is_none(client: Client) -> None:
    accounts.create_user("new@example.com", "New", Role.VIEWER)
    secret = new_link("new@example.com")
    assert client.get(f"/account/first/{secret}/").status_code == 410
    with pytest.raises(LinkGone):
        links.redeem_first(secret, "eve@example.com", "Eve", FORM["password"])
    assert [user.role for user in User.objects.all()] == [Role.VIEWER]


@pytest.mark.django_db
def test_the_first_admins_link_sets_nobodys_password() -> None:
    secret = secret_of(links.first_admin_url("http://x"))
    with pytest.raises(LinkGone):
        links.redeem_join(secret, FORM["password"])


@pytest.mark.django_db
def test_the_command_makes_an_admin_and_prints_a_fresh_link(client: Client) -> None:
    out = StringIO()
    call_command("admin", "Boss@Example.com", "--url", "https://stars.example.com", stdout=out)
    address, url = out.getvalue().strip().splitlines()
    assert "boss@example.com" in address
    boss = User.objects.get()
    assert (boss.role, boss.has_usable_password()) == (Role.ADMIN, False)
    again = StringIO()
    call_command("admin", "boss@example.com", stdout=again)
    assert User.objects.count() == 1
    assert client.get(url.removeprefix("https://stars.example.com")).status_code == 410
    fresh = again.getvalue().strip().splitlines()[1]
    assert fresh.startswith("http://127.0.0.1:")
    assert client.get(fresh[fresh.index("/account/") :]).status_code == 200


@pytest.mark.django_db
def test_the_command_promotes_and_lets_in_again() -> None:
    people = company()
    accounts.set_active(people.admin, people.viewer, False)
    call_command("admin", "viewer@example.com", stdout=StringIO())
    viewer = User.objects.get(pk=people.viewer.pk)
    assert (viewer.role, viewer.is_active) == (Role.ADMIN, True)


@pytest.mark.django_db
def test_the_command_refuses_what_is_no_address() -> None:
    with pytest.raises(CommandError) as caught:
        call_command("admin", "nonsense", stdout=StringIO())
    assert caught.value.returncode == 2
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_the_same_moment_one_becomes_admin() -> None:
    secret = secret_of(links.first_admin_url("http://x"))
    start = Barrier(20)

    def redeem(number: int) -> str:
        try:
            start.wait(30)
            links.redeem_first(secret, f"n{number}@example.com", "N", FORM["password"])
            return "in"
        except LinkGone:
            return "gone"
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(redeem, range(20)))
    assert sorted(outcomes) == ["gone"] * 19 + ["in"]
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_the_same_moment_one_sets_the_password() -> None:
    _, secret = accounts.make_admin("a@example.com")
    start = Barrier(20)

    def redeem(number: int) -> int | None:
        try:
            start.wait(30)
            links.redeem_join(secret, f"a rather long one {number}")
            return number
        except (LinkGone, ValidationError):
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        winners = [n for n in pool.map(redeem, range(20)) if n is not None]
    assert len(winners) == 1
    assert User.objects.get().check_password(f"a rather long one {winners[0]}")
