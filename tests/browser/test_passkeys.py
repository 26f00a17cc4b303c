"""Passkeys, in a browser with an authenticator that is made of software: added, used, renamed, removed."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import CDPSession

from owners.models import User
from owners.services import accounts
from tests.browser.conftest import Open, Visit, follow
from tests.browser.test_accounts import PASSWORD, press, sound
from tests.people import Company, company

pytestmark = pytest.mark.django_db(transaction=True)
WIDTH = 390


@pytest.fixture
def people(settings: Any, live_server: Any) -> Company:
    """The site is known as localhost, as a browser wants it."""
    port = urlsplit(live_server.url).port
    settings.SITE_URL = f"http://localhost:{port}"
    made = company()
    made.alice.set_password(PASSWORD)
    made.alice.save()
    return made


def at_home(visit: Visit, base: str) -> Visit:
    visit.base = base
    return visit


def with_device(visit: Visit, verified: bool = True) -> CDPSession:
    session = visit.page.context.new_cdp_session(visit.page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": verified,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return session


def sign_in(visit: Visit) -> None:
    page = visit.go("/account/login/?next=/account/")
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")


def add(visit: Visit, name: str) -> None:
    page = visit.go("/account/passkeys/add/")
    if page.get_by_label("Password").count():
        page.get_by_label("Password").fill(PASSWORD)
        press(page, "Confirm")
    sound(page, WIDTH)
    page.get_by_label("Name").fill(name)
    press(page, "Add it")
    page.wait_for_url(lambda url: not url.endswith("/passkeys/add/"))


def sign_out(visit: Visit) -> None:
    press(visit.go("/account/logout/"), "Sign out")


def test_a_passkey_from_the_first_day_to_the_last(open_as: Open, people: Company, settings: Any) -> None:
    visit = at_home(open_as(None, width=WIDTH), settings.SITE_URL)
    with_device(visit)
    sign_in(visit)
    assert visit.page.url == f"{visit.base}/account/"
    add(visit, "Alice’s phone")
    assert visit.page.url == f"{visit.base}/account/2fa/codes/"  # shown with the first
    sound(visit.page, WIDTH)
    stored = Authenticator.objects.get(user=people.alice, type="webauthn")
    assert stored.data["name"] == "Alice’s phone"
    page = visit.go("/account/passkeys/")
    assert "not used yet" in page.inner_text("main")
    sound(page, WIDTH)
    sound(visit.go("/account/2fa/"), WIDTH)
    sign_out(visit)

    # Alone, without address or password.
    page = visit.go("/account/login/?next=/account/sessions/")
    sound(page, WIDTH)
    press(page, "Sign in with a passkey")
    page.wait_for_url(f"{visit.base}/account/sessions/")
    assert "last used today" in visit.go("/account/passkeys/").inner_text("main")
    sign_out(visit)

    # As the second factor, after the password.
    sign_in(visit)
    assert visit.page.url.startswith(f"{visit.base}/account/2fa/authenticate/")
    sound(visit.page, WIDTH)
    press(visit.page, "Use a passkey")
    visit.page.wait_for_url(f"{visit.base}/account/")

    # A new name takes the passkey or the password once more.
    page = visit.go(f"/account/passkeys/{stored.pk}/name/")
    if "confirm" in page.url or "reauthenticate" in page.url:
        page.get_by_label("Password").fill(PASSWORD)
        press(page, "Confirm")
    sound(page, WIDTH)
    page.get_by_label("Name").fill("Old phone")
    press(page, "Save")
    assert "Old phone" in page.inner_text("main")
    follow(page.get_by_role("link", name="Remove Old phone"))
    sound(page, WIDTH)
    press(page, "Remove")
    assert "No passkey yet" in page.inner_text("main")
    assert not Authenticator.objects.filter(user=people.alice).exists()  # the recovery codes go with it
    sign_out(visit)

    # The device still has it; the account knows it no more.
    page = visit.go("/account/login/")
    press(page, "Sign in with a passkey")
    page.get_by_text("opens nothing here").wait_for()
    assert page.goto(f"{visit.base}/account/").url.startswith(f"{visit.base}/account/login/")


def test_a_deactivated_account_is_not_opened_by_its_passkey(
    open_as: Open, people: Company, settings: Any
) -> None:
    visit = at_home(open_as(None, width=WIDTH), settings.SITE_URL)
    with_device(visit)
    sign_in(visit)
    add(visit, "Phone")
    sign_out(visit)
    accounts.set_active(people.admin, User.objects.get(pk=people.alice.pk), False)
    press(visit.go("/account/login/"), "Sign in with a passkey")
    visit.page.wait_for_url(f"{visit.base}/account/inactive/")
    assert visit.page.goto(visit.base + "/account/").url.startswith(f"{visit.base}/account/login/")


def test_who_cancels_is_told_what_to_do(open_as: Open, people: Company, settings: Any) -> None:
    visit = at_home(open_as(None, width=WIDTH), settings.SITE_URL)
    with_device(visit, verified=False)
    page = visit.go("/account/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_role("alert").filter(has_text="cancelled").wait_for()
    sound(page, WIDTH)


def test_at_another_address_the_page_says_where(open_as: Open, people: Company, settings: Any) -> None:
    visit = open_as(None, width=WIDTH)
    visit.base = settings.SITE_URL.replace("localhost", "127.0.0.1")
    sign_in(visit)
    page = visit.go("/account/passkeys/add/")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Confirm")
    there = f"{settings.SITE_URL}/account/passkeys/add/"
    assert page.get_by_role("link", name=there).get_attribute("href") == there
    sound(page, WIDTH)
