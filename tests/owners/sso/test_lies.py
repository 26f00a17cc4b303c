"""What must not be believed: tokens, servers and addresses that are not what they say."""

import base64
import json
import time
from typing import Any

import pytest
from django.test import Client

from owners.sso.client import LARGEST
from tests.owners.sso import oidc
from tests.owners.sso.oidc import Server, ana, signed
from tests.owners.sso.steps import come_in, inside, refused, there
from tests.people import Company

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


SIGNED = {
    "by a stranger under a known name": lambda c: signed(c, oidc.STRANGERS_KEY),
    "by an unknown key": lambda c: signed(c, oidc.STRANGERS_KEY, kid="k2"),
    "by nobody": lambda c: oidc.jwt.encode(c, None, algorithm="none"),
    "by the client's secret": lambda c: signed(c, oidc.SECRET * 3, "HS256"),
    "changed after it was signed": lambda c: _changed(signed(c)),
    "not at all a token": lambda c: "a.b.c",
}


def _changed(token: str) -> str:
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
