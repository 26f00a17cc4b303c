"""Signing in and out, passwords, the second factor, and how often one may guess."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from smtplib import SMTPServerDisconnected
from threading import Barrier
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from argon2 import PasswordHasher
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from northstar import settings as written
from owners.models import Attempt, User
from owners.services import accounts, limits, outbox
from tests.people import Company, company

PASSWORD = "correct horse battery"
SIGN_IN = "/account/login/"


@pytest.fixture
def people(db: None) -> Company:
    made = company()
    for user in made.users.values():
        user.set_password(PASSWORD)
        user.save()
    return made


def sign_in(client: Client, email: str = "alice@example.com", password: str = PASSWORD, **more: str) -> Any:
    return client.post(SIGN_IN, {"login": email, "password": password, **more})


def signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def test_passwords_are_kept_by_argon2() -> None:
    with override_settings(PASSWORD_HASHERS=written.PASSWORD_HASHERS):
        kept = make_password(PASSWORD)
    assert kept.startswith("argon2$argon2id$")
    assert PasswordHasher().verify(kept.removeprefix("argon2"), PASSWORD)


@pytest.mark.parametrize("email", ["alice@example.com", " Alice@Example.COM "])
def test_signing_in_goes_where_one_wanted(people: Company, client: Client, email: str) -> None:
    response = sign_in(client, email, next="/leaders/")
    assert (response.status_code, response["Location"]) == (302, "/leaders/")
    assert signed_in(client)


def test_not_to_another_site(people: Company, client: Client) -> None:
    assert sign_in(client, next="https://evil.example/")["Location"] == "/"


@pytest.mark.parametrize(
    ("email", "password"),
    [("alice@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("alice@example.com", "")],
)
def test_a_wrong_guess_says_nothing_more(people: Company, client: Client, email: str, password: str) -> None:
    response = sign_in(client, email, password)
    assert response.status_code == 200
    assert b'aria-invalid="true"' in response.content or b'role="alert"' in response.content
    assert not signed_in(client)


def test_signing_out_takes_a_post(people: Company, client: Client) -> None:
    client.force_login(people.alice)
    assert client.get("/account/logout/").status_code == 200
    assert signed_in(client)
    assert client.post("/account/logout/")["Location"] == SIGN_IN
    assert not signed_in(client)


def test_a_session_ends_with_its_account(people: Company, client: Client) -> None:
    sign_in(client)
    accounts.set_active(people.admin, people.alice, False)
    assert not signed_in(client)
    answer = sign_in(client)
    assert answer["Location"] == "/account/inactive/"
    assert not signed_in(client)


def test_a_role_counts_at_once(people: Company, client: Client) -> None:
    client.force_login(people.viewer)
    assert client.get("/settings/people/").status_code == 403
    User.objects.filter(pk=people.viewer.pk).update(role="executive")
    assert client.get("/settings/people/").status_code == 200
    accounts.change_role(people.admin, people.viewer, "viewer")
    assert not signed_in(client)
    client.force_login(people.viewer)
    assert client.get("/settings/people/").status_code == 403


def test_a_new_password_ends_the_other_sessions(people: Company, client: Client) -> None:
    other = Client()
    sign_in(client)
    sign_in(other)
    form = {"oldpassword": PASSWORD, "password1": "another long one", "password2": "another long one"}
    assert client.post("/account/password/change/", {**form, "oldpassword": "wrong"}).status_code == 200
    assert client.post("/account/password/change/", {**form, "password1": "short"}).status_code == 200
    assert signed_in(other)
    assert client.post("/account/password/change/", form).status_code == 302
    assert (signed_in(client), signed_in(other)) == (True, False)


def test_a_forgotten_password_comes_by_mail(people: Company, client: Client, settings: Any) -> None:
    settings.SITE_URL = "http://testserver"
    for address in ("alice@example.com", "nobody@example.com"):
        response = client.post("/account/password/reset/", {"email": address})
        assert response["Location"] == "/account/password/reset/done/"
    outbox.deliver(timezone.now)
    assert [m.to for m in mail.outbox] == [["alice@example.com"]]
    link = next(line for line in mail.outbox[0].body.splitlines() if line.startswith("http"))
    path = link.removeprefix("http://testserver")
    client.get(path, follow=True)
    key = path.replace(path.rstrip("/").split("-", 1)[1], "set-password")
    form = {"password1": "another long one", "password2": "another long one"}
    assert client.post(key, form)["Location"] == "/account/password/reset/key/done/"
    assert User.objects.get(pk=people.alice.pk).check_password("another long one")
    assert b"has been used or has expired" in Client().get(path, follow=True).content


def test_a_mail_server_that_is_down_tells_nothing(
    people: Company, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*args: object, **kwargs: object) -> None:
        raise SMTPServerDisconnected("gone")

    sends = EmailMessage.send
    monkeypatch.setattr(EmailMessage, "send", down)
    answers = [
        client.post("/account/password/reset/", {"email": address})
        for address in ("alice@example.com", "nobody@example.com")
    ]
    assert [(a.status_code, a["Location"]) for a in answers] == [(302, "/account/password/reset/done/")] * 2
    assert outbox.deliver(timezone.now) == 0
    monkeypatch.setattr(EmailMessage, "send", sends)
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        assert outbox.deliver(timezone.now) == 1
    assert [m.to for m in mail.outbox] == [["alice@example.com"]]  # and nothing is lost


def code_now(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_the_second_factor(people: Company, client: Client) -> None:
    sign_in(client)
    confirm = client.get("/account/2fa/totp/activate/")["Location"]
    assert confirm == "/account/reauthenticate/?next=%2Faccount%2F2fa%2Ftotp%2Factivate%2F"
    assert client.post(confirm, {"password": "wrong"}).status_code == 200
    assert client.post(confirm, {"password": PASSWORD})["Location"] == "/account/2fa/totp/activate/"
    page = client.get("/account/2fa/totp/activate/")
    secret = page.context["form"].secret
    assert client.post("/account/2fa/totp/activate/", {"code": code_now(secret)}).status_code == 302
    stored = Authenticator.objects.get(type="totp").data["secret"]
    assert secret not in stored
    assert client.get("/account/2fa/codes/").context["unused_codes"]

    again = Client()
    assert sign_in(again)["Location"].startswith("/account/2fa/authenticate/")
    assert not signed_in(again)
    assert again.post("/account/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert not signed_in(again)
    with time_machine.travel(3_000_000_000, tick=False):
        fresh = Client()
        sign_in(fresh)
        assert fresh.post("/account/2fa/authenticate/", {"code": code_now(secret)}).status_code == 302
        assert signed_in(fresh)


@override_settings(CACHES={"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}})
def test_a_second_factor_is_not_guessed_even_without_a_cache(people: Company, client: Client) -> None:
    secret = generate_totp_secret()
    TOTP.activate(people.alice, secret)
    sign_in(client)
    for _ in range(limits.PER_CODE.tries):
        client.post("/account/2fa/authenticate/", {"code": "000000"})
    client.post("/account/2fa/authenticate/", {"code": code_now(secret)})
    assert not signed_in(client)


def test_an_account_is_not_guessed(people: Company, client: Client) -> None:
    for number in range(limits.PER_ACCOUNT.tries):
        sign_in(Client(REMOTE_ADDR=f"10.0.0.{number}"), password=f"guess {number}")
    assert sign_in(client).status_code == 200
    assert not signed_in(client)
    assert sign_in(client, "bob@example.com").status_code == 302  # others come in meanwhile


def test_an_address_does_not_guess_many_accounts(people: Company, client: Client) -> None:
    for number in range(limits.PER_ADDRESS.tries):
        limits.take(limits.PER_ADDRESS, "127.0.0.1")
        assert number < limits.PER_ADDRESS.tries
    assert sign_in(client).status_code == 200
    assert not signed_in(client)
    assert sign_in(Client(REMOTE_ADDR="10.0.0.1")).status_code == 302


def test_who_signs_in_often_is_not_shut_out(people: Company) -> None:
    for _ in range(limits.PER_ACCOUNT.tries + 5):
        assert sign_in(Client()).status_code == 302


def test_a_dead_redis_costs_no_page_and_frees_no_guesses(people: Company, tmp_path: Path) -> None:
    dead = {"BACKEND": "northstar.cache.TolerantRedisCache", "LOCATION": f"unix://{tmp_path}/none.sock"}
    with override_settings(CACHES={"default": dead}):
        for number in range(limits.PER_ACCOUNT.tries):
            assert sign_in(Client(), password=f"guess {number}").status_code == 200
        assert not signed_in(client := Client())
        assert sign_in(client).status_code == 200
        assert sign_in(client, "bob@example.com").status_code == 302
        assert signed_in(client)


def test_a_limit_ends(people: Company) -> None:
    for _ in range(limits.PER_ACCOUNT.tries + 1):
        within = limits.take(limits.PER_ACCOUNT, "a")
    assert not within
    with connection.cursor() as cursor:
        cursor.execute("update owners_attempt set since = since - interval '301 seconds'")
    assert limits.take(limits.PER_ACCOUNT, "a")


def test_old_tries_are_forgotten(people: Company) -> None:
    limits.take(limits.PER_ACCOUNT, "a")
    with connection.cursor() as cursor:
        cursor.execute("update owners_attempt set since = since - interval '2 days'")
    limits.take(limits.PER_ACCOUNT, "b")
    assert Attempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_hundred_guesses_at_once_are_ten() -> None:
    start = Barrier(20)

    def guess(_: int) -> int:
        try:
            start.wait(30)
            return sum(limits.take(limits.PER_ACCOUNT, "alice@example.com") for _ in range(10))
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(guess, range(20))) == limits.PER_ACCOUNT.tries
