"""The way in: what is asked of the server, and whose account it opens."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.test import Client

from owners.models import Identity, Role, User
from tests.owners.sso import oidc
from tests.owners.sso.oidc import Server, ana
from tests.owners.sso.steps import MAPPED, PASSWORD, come_in, inside
from tests.people import Company


def test_a_known_address_is_linked_and_comes_in(server: Server, configured: Any, people: Company) -> None:
    server.person = ana(sub="a1", email="Alice@Example.com")
    client = Client()
    answer = come_in(client, "/account/sso/?next=/leaders/")
    assert (answer.status_code, answer["Location"]) == (302, "/leaders/")
    assert client.get("/account/").context["request"].user == people.alice
    link = Identity.objects.get()
    assert (link.user, link.issuer, link.subject) == (people.alice, server.issuer, "a1")
    assert server.asked == [
        "/.well-known/openid-configuration", "/authorize",
        "/.well-known/openid-configuration", "/token", "/keys",
    ]  # fmt: skip


def test_what_is_sent_there(server: Server, configured: Any, db: None) -> None:
    client = Client()
    first, second = (parse_qs(urlsplit(client.get("/account/sso/")["Location"]).query) for _ in range(2))
    assert first["redirect_uri"] == ["http://testserver/account/sso/callback/"]
    assert first["response_type"] == ["code"]
    assert first["scope"] == ["openid email"]
    assert first["code_challenge_method"] == ["S256"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43
        assert first[name] != second[name]
    assert oidc.SECRET not in str(first)


def test_the_secret_goes_where_the_server_wants_it(server: Server, configured: Any, people: Company) -> None:
    server.post = True
    client = Client()
    assert come_in(client).status_code == 302
    assert inside(client)


def test_a_new_person_gets_an_account_if_that_is_set(
    server: Server, configured: Any, people: Company
) -> None:
    client = Client()
    assert come_in(client).status_code == 302
    made = User.objects.get(email="ana@example.com")
    assert (made.name, made.role, made.has_usable_password()) == ("Ana Ruiz", Role.VIEWER, False)
    assert inside(client)
    assert not mail.outbox


def test_a_new_person_is_refused_if_it_is_not(server: Server, configured: Any, people: Company) -> None:
    configured(create=False)
    before = User.objects.count()
    client = Client()
    answer = come_in(client)
    assert answer.status_code == 403
    assert b"no account for ana@example.com" in answer.content
    assert (User.objects.count(), inside(client)) == (before, False)


def test_a_new_address_there_changes_nothing_here(server: Server, configured: Any, people: Company) -> None:
    come_in(Client())
    made = User.objects.get(email="ana@example.com")
    for other in ("alice@example.com", "new@example.com", ""):
        server.person = ana(email=other, email_verified=bool(other))
        client = Client()
        come_in(client)
        assert client.get("/account/").context["request"].user == made
    made.refresh_from_db()
    assert made.email == "ana@example.com"


def test_an_account_that_others_may_have_opened_is_the_owners_now(
    server: Server, configured: Any, people: Company
) -> None:
    """Whoever copied the invitation's link could have used it first."""
    User.objects.filter(pk=people.alice.pk).update(password=make_password(PASSWORD))
    earlier = Client()
    assert (
        earlier.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD}).status_code
        == 302
    )
    Authenticator.objects.create(user=people.alice, type="webauthn", data={"name": "x", "credential": {}})
    server.person = ana(email="alice@example.com")
    client = Client()
    come_in(client)
    assert (inside(client), inside(earlier)) == (True, False)
    assert not User.objects.get(pk=people.alice.pk).has_usable_password()
    assert not Authenticator.objects.exists()


def test_the_code_of_an_app_is_still_asked_for(server: Server, configured: Any, people: Company) -> None:
    TOTP.activate(people.alice, generate_totp_secret())
    server.person = ana(email="alice@example.com")
    client = Client()
    assert come_in(client)["Location"].startswith("/account/2fa/authenticate/")
    assert not inside(client)


def test_groups_and_address_may_come_by_user_info(server: Server, configured: Any, people: Company) -> None:
    configured(roles=MAPPED)
    server.person = {"sub": "ana-1"}
    server.userinfo = ana(groups=["ns-lead"])
    client = Client()
    come_in(client)
    assert User.objects.get(email="ana@example.com").role == Role.LEADER
    assert inside(client)
