"""Accounts that are closed, that others claim, and sign-on as the only way in."""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.test import Client

from owners.models import Identity, Notice, User
from owners.services import accounts
from tests.owners.sso.oidc import Server, ana
from tests.owners.sso.steps import PASSWORD, come_in, inside
from tests.people import Company


def test_a_deactivated_account_stays_closed(server: Server, configured: Any, people: Company) -> None:
    server.person = ana(email="alice@example.com")
    come_in(Client())
    accounts.set_active(people.admin, people.alice, False)
    client = Client()
    answer = come_in(client)
    assert answer.status_code == 403
    assert b"deactivated" in answer.content
    assert not inside(client)
    server.person = ana(sub="bob-1", email="bob@example.com")
    accounts.set_active(people.admin, people.bob, False)
    assert come_in(client).status_code == 403
    assert not Identity.objects.filter(user=people.bob).exists()


def test_an_address_that_went_to_another_person(server: Server, configured: Any, people: Company) -> None:
    """A second subject with the address of the first is somebody else until an admin says otherwise."""
    server.person = ana(sub="first", email="alice@example.com")
    come_in(Client())
    server.person = ana(sub="second", email="alice@example.com")
    client = Client()
    answer = come_in(client)
    assert answer.status_code == 403
    assert b"belongs to somebody else" in answer.content
    assert not inside(client)
    accounts.fresh_link(people.admin, User.objects.get(pk=people.alice.pk))
    come_in(client)
    assert inside(client)
    assert Identity.objects.get().subject == "second"


def test_sign_on_alone(server: Server, configured: Any, people: Company) -> None:
    User.objects.update(password=make_password(PASSWORD))
    configured(only=True)
    page = Client().get("/account/login/").content.decode()
    assert "Sign in with Acme ID" in page
    assert 'name="password"' not in page
    client = Client()
    answer = client.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    assert (answer.status_code, inside(client)) == (200, False)
    client.post("/account/password/reset/", {"email": "alice@example.com"})
    assert not Notice.objects.exists()
    server.person = ana(email="alice@example.com")
    come_in(client)
    assert inside(client)


def test_both_ways_beside_each_other(server: Server, configured: Any, people: Company) -> None:
    page = Client().get("/account/login/?next=/leaders/").content.decode()
    assert '<a class="button" href="/account/sso/?next=/leaders/">Sign in with Acme ID</a>' in page
    assert 'name="password"' in page


def test_without_a_server_there_is_no_such_page(people: Company) -> None:
    assert Client().get("/account/sso/").status_code == 404
    assert Client().get("/account/sso/callback/?code=x&state=y").status_code == 404
    assert "sso" not in Client().get("/account/login/").content.decode()
