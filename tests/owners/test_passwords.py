"""What a password may be, and that every form says so and stops at an end."""

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.core import mail
from django.test import Client, override_settings
from django.utils import timezone

from owners.forms.passwords import LONGEST
from owners.models import User
from owners.services import accounts, outbox
from tests.people import Company, company

PASSWORD = "correct horse battery"
BETTER = "another long one"
COMPOSED, DECOMPOSED = (
    "caf\u00e9 na\u00efve \u5bc6\u7801 \U0001f680",
    "cafe\u0301 nai\u0308ve \u5bc6\u7801 \U0001f680",
)


@pytest.fixture
def people(db: None) -> Company:
    made = company()
    for user in made.users.values():
        user.set_password(PASSWORD)
        user.save()
    return made


def sign_in(client: Client, password: str = PASSWORD, email: str = "alice@example.com") -> Any:
    return client.post("/account/login/", {"login": email, "password": password})


def forms_of(people: Company) -> dict[str, tuple[Client, str, tuple[str, ...], dict[str, str]]]:
    """Where a password is chosen: client, address, the fields that are chosen, and what else is sent."""
    change, unset, reset = Client(), Client(), Client()
    sign_in(change)
    change.force_login(people.alice)
    people.bob.set_unusable_password()
    people.bob.save()
    unset.force_login(people.bob)
    reset.post("/account/password/reset/", {"email": "charlie@example.com"})
    with override_settings(SITE_URL="http://testserver"):
        outbox.deliver(timezone.now)
    link = re.findall(r"http://testserver(\S+)", str(mail.outbox[-1].body))[0]
    key = reset.get(link)["Location"]
    join = accounts.invite(people.admin, "zoe@example.com", "Zoe", "viewer")[1]
    twice = ("password1", "password2")
    return {
        "change": (change, "/account/password/change/", twice, {"oldpassword": PASSWORD}),
        "set": (unset, "/account/password/set/", twice, {}),
        "reset": (reset, key, twice, {}),
        "join": (Client(), f"/account/join/{join}/", ("password",), {}),
    }


@pytest.mark.parametrize("which", ["change", "set", "reset", "join"])
def test_every_form_says_the_rules_and_keeps_them(people: Company, which: str) -> None:
    client, address, fields, more = forms_of(people)[which]
    page = client.get(address, follow=True).content.decode()
    assert "At least 10 characters, not digits alone, none of the common ones" in page
    for bad, why in (
        ("short", "too short"),
        ("83619472650193", "entirely numeric"),
        ("password123", "too common"),
        ("x" * (LONGEST + 1), "longer than 4096 characters"),
    ):
        answer = client.post(address, {**more, **dict.fromkeys(fields, bad)})
        assert answer.status_code in (200, 422), bad
        assert why in answer.content.decode(), bad
    answer = client.post(address, {**more, **dict.fromkeys(fields, "ж" * LONGEST)})
    assert answer.status_code == 302


def test_nothing_is_computed_from_an_overlong_one(people: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(User, "check_password", lambda *_: pytest.fail("an overlong one was hashed"))
    monkeypatch.setattr(User, "set_password", lambda *_: pytest.fail("an overlong one was hashed"))
    long = "x" * (LONGEST + 1)
    answer = sign_in(Client(), long)
    assert "longer than 4096" in answer.content.decode()
    client = Client()
    client.force_login(people.alice)
    form = {"oldpassword": long, "password1": BETTER, "password2": BETTER}
    assert "longer than 4096" in client.post("/account/password/change/", form).content.decode()
    answer = client.post("/account/reauthenticate/", {"password": long})
    assert "longer than 4096" in answer.content.decode()


@pytest.mark.parametrize(("chosen", "typed"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_letters_of_any_script_however_they_are_typed(people: Company, chosen: str, typed: str) -> None:
    client = Client()
    client.force_login(people.alice)
    form = {"oldpassword": PASSWORD, "password1": chosen, "password2": chosen}
    assert client.post("/account/password/change/", form).status_code == 302
    for password in (chosen, typed):
        assert sign_in(Client(), password).status_code == 302
    assert sign_in(Client(), "cafe naive \u5bc6\u7801 \U0001f680").status_code == 200
    stored = User.objects.get(pk=people.alice.pk).password
    assert check_password(COMPOSED, stored)


def test_the_old_password_is_not_guessed_from_an_open_browser(people: Company) -> None:
    client = Client()
    client.force_login(people.alice)
    form = {"password1": BETTER, "password2": BETTER}
    for number in range(10):
        client.post("/account/password/change/", {**form, "oldpassword": f"guess {number}"})
    client.post("/account/password/change/", {**form, "oldpassword": PASSWORD})
    assert User.objects.get(pk=people.alice.pk).check_password(PASSWORD)
    assert not User.objects.get(pk=people.alice.pk).check_password(BETTER)


def test_guessing_strangers_do_not_shut_out_a_browser_that_is_known(people: Company) -> None:
    desk, stranger = Client(), Client()
    sign_in(desk)
    desk.post("/account/logout/")
    for number in range(80):  # beyond the limits of the account and of the address, which they share
        sign_in(stranger, f"guess {number}")
    assert sign_in(stranger).status_code == 200
    assert sign_in(desk, email="bob@example.com").status_code == 200  # known for one account alone
    assert sign_in(desk).status_code == 302


def test_a_known_browser_guesses_no_more_than_others(people: Company) -> None:
    desk = Client()
    sign_in(desk)
    desk.post("/account/logout/")
    for number in range(10):
        sign_in(desk, f"guess {number}")
    assert sign_in(desk).status_code == 200
    desk.cookies["northstar_known"] = "forged"
    for number in range(10):
        sign_in(desk, f"guess {number}")
    assert sign_in(desk).status_code == 200
