"""Passkeys without a browser: what is forged, foreign, or asked for too often."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.test import Client, override_settings

from owners.adapters import passkey_host
from owners.models import User
from owners.services import limits
from tests.people import Company, company

PASSWORD = "correct horse battery"
SIGN_IN = "/account/passkeys/sign-in/"


@pytest.fixture
def people(db: None) -> Company:
    made = company()
    User.objects.filter(pk=made.alice.pk).update(password=make_password(PASSWORD))
    made.users["alice"] = User.objects.get(pk=made.alice.pk)
    return made


def begun() -> Client:
    """A browser that has asked for the options of its dialog."""
    client = Client()
    options = client.get(SIGN_IN, headers={"Accept": "application/json"}).json()["request_options"][
        "publicKey"
    ]
    assert options["userVerification"] == "required"
    assert not options.get("allowCredentials")  # nobody's keys are told to strangers
    return client


def confirmed(client: Client) -> Client:
    """Signed in as Alice by password, a moment ago."""
    client.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


FORGED: list[Any] = [
    None, 7, [], "x", {}, {"id": "x"}, {"id": "x", "rawId": "x", "type": "public-key", "response": {}},
    {"id": "eA", "rawId": "eA", "type": "public-key", "response": {
        "clientDataJSON": "e30", "authenticatorData": "AAAA", "signature": "AA", "userHandle": "MQ"}},
    {"id": "eA", "rawId": "eA", "type": "public-key", "response": {
        "clientDataJSON": "!!", "authenticatorData": "!!", "signature": "!!", "userHandle": None}},
    {"response": {"userHandle": "A" * 50_000}},
]  # fmt: skip


@pytest.mark.parametrize("credential", FORGED, ids=range(len(FORGED)))
def test_what_is_forged_opens_nothing(people: Company, credential: Any) -> None:
    client = begun()
    answer = client.post(SIGN_IN, {"credential": json.dumps(credential)})
    assert answer["Location"] == "/account/login/"
    assert client.get("/account/").status_code == 302
    inside = confirmed(Client())
    answer = inside.post("/account/passkeys/add/", {"credential": json.dumps(credential), "name": "x"})
    assert answer.status_code == 200
    assert not Authenticator.objects.exists()


def test_no_json_is_no_passkey(people: Company) -> None:
    assert begun().post(SIGN_IN, {"credential": "{"})["Location"] == "/account/login/"
    assert Client().post(SIGN_IN, {"credential": json.dumps(FORGED[7])})["Location"] == "/account/login/"


def test_nobody_renames_or_removes_anothers(people: Company) -> None:
    bobs = Authenticator.objects.create(
        user=people.bob, type="webauthn", data={"name": "Bob’s", "credential": {}}
    )
    client = confirmed(Client())
    for path, form in (("name", {"name": "mine"}), ("remove", {})):
        address = f"/account/passkeys/{bobs.pk}/{path}/"
        assert client.get(address).status_code == 404
        assert client.post(address, form).status_code == 404
    bobs.refresh_from_db()
    assert bobs.data["name"] == "Bob’s"
    assert "Bob’s" not in client.get("/account/passkeys/").content.decode()


def test_adding_and_removing_take_the_password_again(people: Company) -> None:
    client = Client()
    client.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    answer = client.get("/account/passkeys/add/")
    assert answer["Location"].startswith("/account/reauthenticate/?next=")


def test_tries_are_counted_by_address(people: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PER_PASSKEY", limits.Limit("passkey", 2, 300))
    client = begun()
    forged = json.dumps(FORGED[6])
    pages = [client.post(SIGN_IN, {"credential": forged}, follow=True).content.decode() for _ in range(3)]
    assert ["Too many" in page for page in pages] == [False, False, True]


@pytest.mark.parametrize(
    ("site", "host"),
    [
        ("https://stars.example.com", "stars.example.com"),
        ("https://stars.example.com:8443/", "stars.example.com"),
        ("http://127.0.0.1:8000", "localhost"),
        ("http://localhost:8000", "localhost"),
    ],
)
def test_the_name_that_passkeys_are_bound_to(site: str, host: str) -> None:
    """Not the name that a browser gives: a forged Host header changes nothing."""
    with override_settings(SITE_URL=site):
        assert passkey_host() == host


@override_settings(SITE_URL="https://stars.example.com", ALLOWED_HOSTS=["*"])
def test_options_name_the_site_whatever_host_is_asked(people: Company) -> None:
    answer = Client().get(SIGN_IN, headers={"Accept": "application/json", "Host": "evil.example"})
    assert answer.json()["request_options"]["publicKey"]["rpId"] == "stars.example.com"
