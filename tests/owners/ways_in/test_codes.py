"""Codes of an app and of the recovery list are good once."""

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache
from django.test import Client

from tests.owners.test_signing_in import code_now
from tests.owners.ways_in.steps import sign_in
from tests.people import Company


def second_factor(client: Client, code: str) -> bool:
    assert sign_in(client)["Location"].startswith("/account/2fa/")
    return bool(client.post("/account/2fa/authenticate/", {"code": code}).status_code == 302)


@pytest.mark.parametrize("lost", [False, True], ids=["", "the cache is lost"])
def test_a_code_that_was_looked_at_opens_nothing_again(
    people: Company, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    secret = generate_totp_secret()
    TOTP.activate(people.alice, secret)
    if lost:
        monkeypatch.setattr(type(cache), "add", lambda *args, **kwargs: True, raising=False)
    with time_machine.travel("2026-03-02 09:00:01+00:00", tick=False):
        code = code_now(secret)
        assert second_factor(Client(), code)
        assert not second_factor(Client(), code)
        assert not second_factor(Client(), f"{code[:3]} {code[3:]}")
    with time_machine.travel("2026-03-02 09:00:31+00:00", tick=False):
        assert second_factor(Client(), code_now(secret))


def test_a_recovery_code_is_good_once_though_it_is_sent_twice_at_once(
    people: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    TOTP.activate(people.alice, generate_totp_secret())
    made = RecoveryCodes.activate(people.alice)
    code = made.get_unused_codes()[0]
    # Both read the codes before either has written down that one is used.
    monkeypatch.setattr(RecoveryCodes, "_mark_code_used", lambda *args: None)
    assert second_factor(Client(), code)
    assert not second_factor(Client(), code)
    assert Authenticator.objects.filter(user=people.alice).count() == 2
