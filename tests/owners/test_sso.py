"""Single sign-on, against an OpenID Connect server over real HTTP: who comes in, as whom, and who not."""

import dataclasses
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.test import Client

from owners.models import Identity, Notice, Role, User
from owners.services import accounts, limits
from owners.sso.client import LARGEST
from owners.sso.provider import ROLES, Provider, ProviderMistake, provider, role_of
from tests.owners import oidc
from tests.owners.oidc import Server, ana, signed
from tests.people import Company, company

PASSWORD = "correct horse battery"
MAPPED = "ns-admins=admin,ns-exec=executive,ns-lead=leader"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def people(db: None) -> Company:
    return company()


@pytest.fixture
def configured(server: Server, settings: Any) -> Any:
    """Sets the provider; call it with what differs."""

    def configure(**more: Any) -> Provider:
        values: dict[str, Any] = {
            "issuer": server.issuer,
            "client_id": oidc.CLIENT,
            "client_secret": oidc.SECRET,
            "name": "Acme ID",
            "scopes": ["openid", "email"],
            "groups_claim": "groups",
            "roles": "",
            "unmapped": "refuse",
            "create": True,
            "only": False,
            "production": False,
        }
        made = provider(**{**values, **more})
        assert made is not None
        settings.OIDC = made
        settings.SITE_URL = "http://testserver"
        return made

    configure()
    return configure


def there(client: Client, address: str = "/account/sso/") -> str:
    """Begins, lets the server sign the person in, and returns where it sends the browser back to."""
    begun = client.get(address)
    assert begun.status_code == 302, begun.content
    back = requests.get(begun["Location"], allow_redirects=False, timeout=10)
    assert back.status_code == 302
    assert back.headers["Location"].startswith("http://testserver/account/sso/callback/?")
    return back.headers["Location"].removeprefix("http://testserver")


def come_in(client: Client, address: str = "/account/sso/") -> Any:
    return client.get(there(client, address))


def inside(client: Client) -> bool:
    return client.get("/account/").status_code == 200


# The way in


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


# What must not be believed


def refused(client: Client, answer: Any, status: int) -> None:
    assert answer.status_code == status, answer.content
    assert b'role="alert"' in answer.content
    assert not inside(client)
    assert not Identity.objects.exists()
    assert not User.objects.filter(email="ana@example.com").exists()


LIES = {
    "another nonce": lambda c: {**c, "nonce": "somebody else's"},
    "no nonce": lambda c: {k: v for k, v in c.items() if k != "nonce"},
    "a nonce that is no text": lambda c: {**c, "nonce": 7},
    "another audience": lambda c: {**c, "aud": "another-client"},
    "no audience": lambda c: {k: v for k, v in c.items() if k != "aud"},
    "several audiences without a party": lambda c: {**c, "aud": [oidc.CLIENT, "other"]},
    "another authorised party": lambda c: {**c, "azp": "other"},
    "another issuer": lambda c: {**c, "iss": "https://evil.example"},
    "an issuer that only begins so": lambda c: {**c, "iss": c["iss"] + "2"},
    "no issuer": lambda c: {k: v for k, v in c.items() if k != "iss"},
    "expired": lambda c: {**c, "iat": int(time.time()) - 900, "exp": int(time.time()) - 120},
    "no end": lambda c: {k: v for k, v in c.items() if k != "exp"},
    "from the future": lambda c: {**c, "iat": int(time.time()) + 3600, "nbf": int(time.time()) + 3600},
    "nobody": lambda c: {**c, "sub": ""},
    "a subject of control characters": lambda c: {**c, "sub": "a\x00b"},
    "a subject that is no text": lambda c: {**c, "sub": 7},
    "a subject without an end": lambda c: {**c, "sub": "x" * 256},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_says_wrong(server: Server, configured: Any, people: Company, lie: str) -> None:
    server.tampered = LIES[lie]
    client = Client()
    refused(client, come_in(client), 502)


PUBLIC = oidc.KEY.public_key()
SIGNED = {
    "by a stranger under a known name": lambda c: signed(c, oidc.STRANGERS_KEY),
    "by an unknown key": lambda c: signed(c, oidc.STRANGERS_KEY, kid="k2"),
    "by nobody": lambda c: oidc.jwt.encode(c, None, algorithm="none"),
    "by the client's secret": lambda c: signed(c, oidc.SECRET * 3, "HS256"),
    "changed after it was signed": lambda c: _changed(signed(c)),
    "not at all a token": lambda c: "a.b.c",
}


def _changed(token: str) -> str:
    import base64
    import json

    head, body, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    said["email"] = "admin@example.com"
    body = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    return ".".join((head, body, signature))


@pytest.mark.parametrize("how", SIGNED)
def test_a_token_that_is_signed_wrong(server: Server, configured: Any, people: Company, how: str) -> None:
    server.sign = SIGNED[how]
    client = Client()
    refused(client, come_in(client), 502)


def test_a_key_may_have_no_name_if_it_is_the_only_one(
    server: Server, configured: Any, people: Company
) -> None:
    server.sign = lambda claims: signed(claims, kid=None)
    assert come_in(Client()).status_code == 302
    server.keys.append(oidc.jwk(oidc.STRANGERS_KEY, "k2"))
    server.person = ana(sub="ana-2", email="second@example.com")
    assert come_in(Client()).status_code == 502


def test_keys_may_change(server: Server, configured: Any, people: Company) -> None:
    come_in(Client())
    server.keys = [oidc.jwk(oidc.STRANGERS_KEY, "k9")]
    server.sign = lambda claims: signed(claims, oidc.STRANGERS_KEY, kid="k9")
    client = Client()
    come_in(client)
    assert inside(client)


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/.well-known/openid-configuration", 500, b"{}"),
        ("/.well-known/openid-configuration", 200, b"<html>"),
        ("/.well-known/openid-configuration", 200, b"[1, 2]"),
        ("/.well-known/openid-configuration", 200, b"{}"),
        ("/.well-known/openid-configuration", 302, b"http://127.0.0.1:1/elsewhere"),
    ],
)
def test_a_server_that_is_ill_before(
    server: Server, configured: Any, people: Company, path: str, status: int, body: bytes
) -> None:
    server.raw[path] = (status, body)
    client = Client()
    refused(client, client.get("/account/sso/"), 502)


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/token", 400, b'{"error": "invalid_grant"}'),
        ("/token", 200, b'{"access_token": "x"}'),
        ("/token", 200, b'{"id_token": 7}'),
        ("/token", 200, b"x" * (LARGEST + 10)),
        ("/keys", 200, b'{"keys": []}'),
        ("/keys", 200, b'{"keys": [{"kty": "RSA"}]}'),
        ("/keys", 200, b'{"keys": 7}'),
        ("/keys", 503, b""),
    ],
)
def test_a_server_that_is_ill_after(
    server: Server, configured: Any, people: Company, path: str, status: int, body: bytes
) -> None:
    client = Client()
    back = there(client)
    server.raw[path] = (status, body)
    refused(client, client.get(back), 502)


def test_a_server_that_is_down(server: Server, configured: Any, people: Company) -> None:
    client = Client()
    back = there(client)
    configured(issuer="http://127.0.0.1:9/realms/main")
    refused(client, client.get(back), 502)
    refused(client, client.get("/account/sso/"), 502)


@pytest.mark.parametrize(
    "document",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "ftp://127.0.0.1/"}, {"jwks_uri": None}],
)
def test_a_document_that_names_others(
    server: Server, configured: Any, people: Company, document: dict[str, Any]
) -> None:
    server.discovery = document
    client = Client()
    refused(client, client.get("/account/sso/"), 502)


def test_user_info_about_somebody_else(server: Server, configured: Any, people: Company) -> None:
    server.person = {"sub": "ana-1"}
    server.userinfo = ana(sub="bob-1")
    client = Client()
    refused(client, come_in(client), 502)


def test_an_address_verified_in_one_place_only(server: Server, configured: Any, people: Company) -> None:
    """The token's address with the user info's word that another one is verified: the latter counts whole."""
    server.person = {"sub": "ana-1", "email": "admin@example.com"}
    server.userinfo = ana()
    client = Client()
    come_in(client)
    assert client.get("/account/").context["request"].user.email == "ana@example.com"


def test_a_code_of_another_server(server: Server, configured: Any, people: Company) -> None:
    client = Client()
    back = there(client).replace("iss=http", "iss=https")
    refused(client, client.get(back), 502)


@pytest.mark.parametrize("verified", [False, None, "false", "yes", 1, 0, "True "])
def test_an_address_that_is_not_verified(
    server: Server, configured: Any, people: Company, verified: object
) -> None:
    server.person = ana(email="alice@example.com", email_verified=verified)
    client = Client()
    answer = come_in(client)
    refused(client, answer, 403)
    assert b"verified" in answer.content


@pytest.mark.parametrize("email", ["", None, 7, "not an address", "a\x00b@example.com", "x" * 400 + "@x.org"])
def test_an_address_that_is_none(server: Server, configured: Any, people: Company, email: object) -> None:
    server.person = ana(email=email)
    client = Client()
    refused(client, come_in(client), 403)


# State


def test_what_was_begun_in_another_browser_ends_here(
    server: Server, configured: Any, people: Company
) -> None:
    """Otherwise somebody could be signed in as another by following a link."""
    back = there(Client())
    client = Client()
    refused(client, client.get(back), 400)
    assert "/token" not in server.asked


def test_an_answer_counts_once(server: Server, configured: Any, people: Company) -> None:
    client = Client()
    back = there(client)
    assert client.get(back).status_code == 302
    assert client.get(back).status_code == 400


def test_an_answer_without_a_question(server: Server, configured: Any, people: Company) -> None:
    for query in ("", "?state=x&code=y", "?code=y", "?error=access_denied"):
        client = Client()
        refused(client, client.get("/account/sso/callback/" + query), 400)
    assert server.asked == []


def test_an_answer_that_comes_late(server: Server, configured: Any, people: Company) -> None:
    client = Client()
    back = there(client)
    with time_machine.travel(time.time() + 601):
        refused(client, client.get(back), 400)


def test_who_cancels_there_is_told_so_here(server: Server, configured: Any, people: Company) -> None:
    server.denied = "access_denied"
    client = Client()
    answer = come_in(client)
    refused(client, answer, 403)
    assert b"Acme ID did not sign you in" in answer.content


def test_two_tabs_at_once(server: Server, configured: Any, people: Company) -> None:
    client = Client()
    first, second = there(client), there(client)
    assert client.get(first).status_code == 302
    assert client.get(second).status_code in (302, 400)
    assert inside(client)


def test_not_to_another_site(server: Server, configured: Any, people: Company) -> None:
    for to in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        assert come_in(Client(), f"/account/sso/?next={to}")["Location"] == "/"


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PER_SSO", limits.Limit("sso", 3, 300))


def test_a_stranger_cannot_make_us_ask_for_ever(
    server: Server, configured: Any, people: Company, three: None
) -> None:
    answers = [Client().get("/account/sso/").status_code for _ in range(5)]
    assert answers == [302, 302, 302, 429, 429]
    assert len(server.asked) == 3
    assert Client(REMOTE_ADDR="10.0.0.9").get("/account/sso/").status_code == 302


def test_who_signs_in_often_is_not_shut_out(
    server: Server, configured: Any, people: Company, three: None
) -> None:
    assert {come_in(Client()).status_code for _ in range(5)} == {302}


# Roles


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["ns-lead"], Role.LEADER),
        (["other", "ns-lead", "ns-admins"], Role.ADMIN),
        (["ns-exec", "ns-lead"], Role.EXECUTIVE),
        ("ns-exec", Role.EXECUTIVE),  # some servers write a single one as text
    ],
)
def test_the_highest_group_counts(
    server: Server, configured: Any, people: Company, groups: object, role: str
) -> None:
    configured(roles=MAPPED)
    server.person = ana(groups=groups)
    come_in(Client())
    assert User.objects.get(email="ana@example.com").role == role


@pytest.mark.parametrize(
    "groups", [[], ["other"], None, ["NS-ADMINS"], ["ns-admins "], {"ns-admins": True}, [["ns-admins"]], 7]
)
def test_without_a_group(server: Server, configured: Any, people: Company, groups: object) -> None:
    configured(roles=MAPPED)
    server.person = ana(groups=groups)
    client = Client()
    answer = come_in(client)
    refused(client, answer, 403)
    assert b"None of your groups" in answer.content
    configured(roles=MAPPED, unmapped="viewer")
    assert come_in(client).status_code == 302
    assert User.objects.get(email="ana@example.com").role == Role.VIEWER


def test_a_role_follows_the_groups_at_each_sign_in(server: Server, configured: Any, people: Company) -> None:
    configured(roles=MAPPED, unmapped="viewer")
    roles: list[str] = []
    before = Client()
    for groups in (["ns-lead"], ["ns-exec"], []):
        server.person = ana(groups=groups)
        client = before if not roles else Client()
        come_in(client)
        roles.append(User.objects.get(email="ana@example.com").role)
        assert inside(client)
    assert roles == [Role.LEADER, Role.EXECUTIVE, Role.VIEWER]
    assert not inside(before)  # what was open with the earlier role


def test_whoever_lost_all_groups_loses_the_role_too(server: Server, configured: Any, people: Company) -> None:
    configured(roles=MAPPED)
    server.person = ana(groups=["ns-exec"])
    earlier = Client()
    come_in(earlier)
    assert inside(earlier)
    server.person = ana(groups=["other"])
    client = Client()
    assert come_in(client).status_code == 403
    assert (inside(client), inside(earlier)) == (False, False)
    assert User.objects.get(email="ana@example.com").role == Role.VIEWER


def test_the_last_admin_stays_one(server: Server, configured: Any, people: Company) -> None:
    configured(roles=MAPPED, unmapped="viewer")
    server.person = ana(email="admin@example.com", groups=["ns-lead"])
    client = Client()
    come_in(client)
    assert User.objects.get(pk=people.admin.pk).role == Role.ADMIN
    assert inside(client)
    accounts.create_user("second@example.com", "Second", Role.ADMIN)
    come_in(Client())
    assert User.objects.get(pk=people.admin.pk).role == Role.LEADER


def test_without_a_mapping_roles_are_given_here(server: Server, configured: Any, people: Company) -> None:
    server.person = ana(email="alice@example.com", groups=["ns-admins"])
    come_in(Client())
    assert User.objects.get(pk=people.alice.pk).role == Role.LEADER


def test_a_role_by_sign_on_is_in_the_history(server: Server, configured: Any, people: Company) -> None:
    configured(roles=MAPPED)
    server.person = ana(email="alice@example.com", groups=["ns-exec"])
    client = Client(REMOTE_ADDR="203.0.113.7")
    come_in(client)
    event = apps.get_model("owners", "UserEvent").objects.filter(pgh_obj=people.alice).latest("pgh_id")
    context = event.pgh_context.metadata
    assert event.role == Role.EXECUTIVE
    assert (context["origin"], context["user"], context["address"]) == ("sso", people.alice.pk, "203.0.113.7")
    admin = Client()
    admin.force_login(people.admin)
    page = admin.get("/settings/audit/?kind=person").content.decode()
    assert "single sign-on" in page
    assert "203.0.113.7" in page


# Accounts


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


# Settings

GOOD: dict[str, Any] = {
    "issuer": "https://sso.example.com/realms/main", "client_id": "ns", "client_secret": "s", "name": "",
    "scopes": ["email"], "groups_claim": "groups", "roles": "", "unmapped": "refuse", "create": False,
    "only": False, "production": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"issuer": "http://sso.example.com/"}, "https"),
        ({"issuer": "http://127.0.0.1:8080/"}, "https"),
        ({"issuer": "http://sso.example.com/", "production": False}, "https"),
        ({"issuer": "sso.example.com"}, "address like"),
        ({"issuer": "https://sso.example.com/?realm=x"}, "address like"),
        ({"issuer": "file:///etc/passwd"}, "address like"),
        ({"client_id": ""}, "OIDC_CLIENT_ID"),
        ({"client_secret": ""}, "OIDC_CLIENT_SECRET"),
        ({"unmapped": "admin"}, "OIDC_UNMAPPED"),
        ({"roles": "ns-admins"}, "'ns-admins'"),
        ({"roles": "ns-admins=owner"}, "'ns-admins=owner'"),
        ({"roles": "=admin"}, "'=admin'"),
        ({"issuer": "", "only": True}, "OIDC_ONLY"),
    ],
)
def test_settings_that_cannot_be_used(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ProviderMistake, match=said):
        provider(**{**GOOD, **changed})


def test_settings_that_can() -> None:
    made = provider(**{**GOOD, "roles": "a=viewer, b = leader ,"})
    assert made is not None
    assert made.roles == (("a", "viewer"), ("b", "leader"))
    assert (made.name, made.scopes) == ("sso.example.com", ("openid", "email"))
    by_name = provider(**{**GOOD, "roles": "cn=a,dc=acme=admin;cn=b,dc=acme=viewer"})
    assert by_name is not None
    assert by_name.roles == (("cn=a,dc=acme", "admin"), ("cn=b,dc=acme", "viewer"))
    assert role_of(by_name, ["cn=b,dc=acme", "cn=a,dc=acme"]) == "admin"
    assert provider(**{**GOOD, "issuer": ""}) is None


def test_the_roles_are_those_of_accounts() -> None:
    assert list(ROLES) == Role.values


def test_the_provider_is_read_only() -> None:
    made = provider(**GOOD)
    assert made is not None
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.only = True
