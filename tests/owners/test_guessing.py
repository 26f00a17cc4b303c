"""Two hundred guesses at once, over real connections against a real server: no more are tried than the limits
allow, nobody sees a fault, and when the time is over the right one works."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier, Lock
from typing import Any

import pytest
import requests
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import connection

from owners.models import Attempt, Notice, User
from owners.services import accounts, limits, links
from tests.owners.test_signing_in import code_now
from tests.people import Company, company

pytestmark = pytest.mark.django_db(transaction=True)

GUESSES, AT_ONCE = 200, 25
PASSWORD = "correct horse battery"


@dataclass
class Counted:
    """Stands before a function and counts how often it is asked."""

    real: Callable[..., Any]
    asked: int = 0
    lock: Lock = field(default_factory=Lock)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            self.asked += 1
        return self.real(*args, **kwargs)


@dataclass
class Browser:
    """A session with the token that its forms need."""

    base: str
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> requests.Response:
        return self._kept(
            requests.get(self.base + path, cookies=self.cookies, allow_redirects=False, timeout=30)
        )

    def post(self, path: str, **form: str) -> requests.Response:
        """Keeps no cookie, so that one browser can be used by many threads."""
        form["csrfmiddlewaretoken"] = self.cookies["csrftoken"]
        for _ in range(5):
            try:
                return requests.post(
                    self.base + path, form, cookies=self.cookies, allow_redirects=False, timeout=30
                )
            except requests.ConnectionError:  # the test's server has a short queue; the request never began
                continue
        raise AssertionError("the server lets nobody in")

    def sign_in(self, email: str = "alice@example.com", password: str = PASSWORD) -> requests.Response:
        return self._kept(self.post("/account/login/", login=email, password=password))

    def _kept(self, answer: requests.Response) -> requests.Response:
        self.cookies.update(answer.cookies.get_dict())
        return answer


@pytest.fixture
def people(live_server: Any) -> Company:
    made = company()
    for user in made.users.values():
        user.set_password(PASSWORD)
        user.save()
    return made


@pytest.fixture
def browser(people: Company, live_server: Any) -> Browser:
    opened = Browser(live_server.url)
    assert opened.get("/account/login/").status_code == 200
    return opened


def at_once(guess: Callable[[int], requests.Response]) -> Counter[int]:
    """Two hundred answers by their status, asked by as many threads as a small site has connections for."""
    start = Barrier(AT_ONCE)

    def one_after_another(first: int) -> list[int]:
        start.wait(30)
        return [guess(number).status_code for number in range(first, GUESSES, AT_ONCE)]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = Counter(code for codes in pool.map(one_after_another, range(AT_ONCE)) for code in codes)
    assert found.total() == GUESSES
    assert not [code for code in found if code >= 500], found
    return found


def time_passes(seconds: int) -> None:
    """For the counts, which go by the clock of the database."""
    with connection.cursor() as cursor:
        cursor.execute("update owners_attempt set since = since - make_interval(secs => %s)", [seconds])


def counted(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> Counted:
    count = Counted(getattr(owner, name))
    # A plain function: only those become methods.
    monkeypatch.setattr(owner, name, lambda *args, **kwargs: count(*args, **kwargs))
    return count


def test_passwords_of_one_account(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = counted(monkeypatch, User, "check_password")
    found = at_once(lambda n: browser.sign_in(password=f"guess {n}"))
    assert tried.asked == limits.PER_ACCOUNT.tries == 10
    assert found == {200: GUESSES}  # the form again, with words
    refused = browser.sign_in()
    assert refused.status_code == 200
    assert "Too many failed login attempts" in refused.text
    assert tried.asked == 10  # not even compared
    time_passes(limits.PER_ACCOUNT.seconds + 1)
    assert browser.sign_in().status_code == 302
    assert browser.get("/account/").status_code == 200


def test_passwords_of_many_accounts_from_one_address(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"p{number}@example.com" for number in range(GUESSES)]
    User.objects.bulk_create([User(email=name, password="!") for name in names])
    tried = counted(monkeypatch, User, "check_password")
    assert at_once(lambda n: browser.sign_in(names[n], "Summer 2026!")) == {200: GUESSES}
    assert tried.asked == limits.PER_ADDRESS.tries == 60
    assert browser.sign_in().status_code == 200
    time_passes(limits.PER_ADDRESS.seconds + 1)
    assert browser.sign_in().status_code == 302


def test_codes_of_the_second_factor(
    people: Company, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = generate_totp_secret()
    TOTP.activate(people.alice, secret)
    assert browser.sign_in().headers["Location"].startswith("/account/2fa/authenticate/")
    browser.get("/account/2fa/authenticate/")
    tried = counted(monkeypatch, TOTP, "validate_code")
    right = {code_now(secret)}
    wrong = [code for code in (f"{number:06}" for number in range(GUESSES + 5)) if code not in right]
    at_once(lambda n: browser.post("/account/2fa/authenticate/", code=wrong[n]))
    assert tried.asked == limits.PER_CODE.tries == 5
    assert browser.post("/account/2fa/authenticate/", code=code_now(secret)).status_code == 200
    assert browser.get("/account/").status_code == 302
    time_passes(limits.PER_CODE.seconds + 1)
    answer = browser.post("/account/2fa/authenticate/", code=code_now(secret))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_mails_for_a_new_password(browser: Browser) -> None:
    path = "/account/password/reset/"
    asked = Notice.objects.filter(kind="password")
    at_once(lambda n: browser.post(path, email="alice@example.com"))
    assert asked.count() == limits.PER_RESET.tries == 5
    Attempt.objects.all().delete()
    asked.delete()
    User.objects.bulk_create([User(email=f"p{n}@example.com", password="x") for n in range(GUESSES)])
    at_once(lambda n: browser.post(path, email=f"p{n}@example.com"))
    assert asked.count() == limits.PER_RESET_ADDRESS.tries == 30
    time_passes(limits.PER_RESET_ADDRESS.seconds + 1)
    assert browser.post(path, email="bob@example.com").status_code == 302
    assert asked.latest("pk").user == User.objects.get(email="bob@example.com")


def test_guesses_at_one_time_links(
    people: Company, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = accounts.invite(people.admin, "zoe@example.com", "Zoe", "viewer")
    tried = counted(monkeypatch, links, "join_link")
    found = at_once(lambda n: browser.post(f"/account/join/{secret[:-3]}{n:03}/", password="a long password"))
    assert tried.asked == limits.PER_LINK.tries == 30
    assert found == {410: 30, 429: GUESSES - 30}
    assert browser.get(f"/account/join/{secret}/").status_code == 429
    time_passes(limits.PER_LINK.seconds + 1)
    assert browser.get(f"/account/join/{secret}/").status_code == 200
    assert browser.post(f"/account/join/{secret}/", password="a long password").status_code == 302
