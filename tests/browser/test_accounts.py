"""Coming into an installation, in a browser: the first admin, an invited person, people, the API."""

from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page

from owners.kinds import Topic
from owners.models import Channel, Role, User
from owners.routes import API, ROUTES
from owners.services import accounts
from owners.services.links import first_admin_url
from owners.services.preferences import token_of
from tests.browser.conftest import Open, Visit, follow
from tests.owners.test_second_chances import SERVER
from tests.people import company

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery"


def sound(page: Page, width: int) -> None:
    """axe finds nothing, and nothing is wider than the screen."""
    found = Axe().run(page).response["violations"]
    assert not found, [(fault["id"], [node["html"][:200] for node in fault["nodes"]]) for fault in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


def press(page: Page, words: str) -> None:
    follow(page.get_by_role("main").get_by_role("button", name=words, exact=True))


@pytest.mark.parametrize("width", [390, 1280])
def test_from_the_terminals_link_to_a_second_person(open_as: Open, width: int) -> None:
    admin = open_as(None, width=width)
    link = (first_admin_url(admin.base) or "").removeprefix(admin.base)
    page = admin.go(link)
    sound(page, width)
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Password").fill("short")
    press(page, "Begin")
    assert "too short" in page.inner_text("main")
    sound(page, width)
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Begin")
    assert page.url == f"{admin.base}/start/company/"

    page = admin.go("/settings/people/")
    sound(page, width)
    page.get_by_label("Name", exact=True).fill("Zoe")
    page.get_by_label("E-mail").fill("zoe@example.com")
    page.get_by_label("Role", exact=True).select_option("executive")
    press(page, "Invite")
    sound(page, width)
    invitation = page.get_by_label("Link", exact=True).input_value()

    zoe = open_as(None, width=width)
    page = zoe.go(invitation.removeprefix(zoe.base))
    sound(page, width)
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")
    assert page.url == f"{zoe.base}/"
    assert User.objects.get(email="zoe@example.com").role == Role.EXECUTIVE
    assert zoe.page.goto(invitation).status == 410


@pytest.mark.parametrize("width", [390, 1280])
def test_the_pages_of_accounts_are_accessible(open_as: Open, width: int) -> None:
    people = company()
    people.admin.set_password(PASSWORD)
    people.admin.save()
    visit = open_as(None, width=width)
    for path in ("/account/login/", "/account/password/reset/", "/account/password/reset/done/"):
        sound(visit.go(path), width)
    page = visit.go("/account/login/?next=/account/")
    page.get_by_label("E-mail").fill("admin@example.com")
    page.get_by_label("Password").fill("wrong")
    press(page, "Sign in")
    sound(page, width)
    page.get_by_label("E-mail").fill("admin@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")
    assert page.url == f"{visit.base}/account/"
    for path in (
        "/account/",
        "/account/sessions/",
        "/account/passkeys/",
        "/account/password/change/",
        "/account/2fa/",
        "/settings/people/",
        f"/settings/people/{people.bob.pk}/second-factor/",
    ):
        sound(visit.go(path), width)
    confirm(visit)
    sound(page, width)
    assert page.get_by_alt_text("QR code of the key below").evaluate("image => image.naturalWidth") > 0


@pytest.mark.parametrize("width", [390, 1280])
def test_the_pages_of_single_sign_on_are_accessible(open_as: Open, settings: Any, width: int) -> None:
    settings.OIDC = SERVER
    visit = open_as(None, width=width)
    for only in (False, True):
        settings.OIDC = replace(SERVER, only=only)
        page = visit.go("/account/login/")
        sound(page, width)
        assert page.get_by_role("link", name="Sign in with Okta").is_visible()
        assert page.get_by_label("Password").count() == (0 if only else 1)
    visit.page.goto(f"{visit.base}/account/sso/callback/?state=unknown")
    assert "Not signed in" in visit.page.inner_text("main")
    sound(visit.page, width)
    _, secret = accounts.invite(company().admin, "zoe@example.com", "Zoe", "viewer")
    visit.page.goto(f"{visit.base}/account/join/{secret}/")
    sound(visit.page, width)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_what_is_told_where_is_accessible(open_as: Open, width: int, theme: str) -> None:
    people = company()
    Channel.objects.create(
        name="Growth chat", kind="slack", host="hooks.slack.com", secret="-", digest="weekly", news=True,
        failed_at=timezone.now(), error="It answered 404.",
    )  # fmt: skip
    for path in ("/account/notices/", "/settings/channels/"):
        visit = open_as(people.admin, width=width, theme=theme)
        page = visit.go(path)
        sound(page, width)
        page.locator("form").evaluate_all("all => all.forEach(form => { form.noValidate = true })")
        page.get_by_label("Address", exact=True).fill("nowhere")
        press(page, "Save the web hook" if "notices" in path else "Add the channel")
        assert page.locator(".error").first.is_visible()
        sound(page, width)
    page = visit.go("/settings/channels/")
    follow(page.get_by_role("link", name="Change Growth chat"))
    sound(page, width)
    page = open_as(None, width=width, theme=theme).go(f"/n/{token_of(people.bob, None, Topic.OWNING)}/")
    sound(page, width)
    press(page, "End them")
    sound(page, width)


def confirm(visit: Visit) -> None:
    """Turning on the second factor asks for the password again."""
    page = visit.go("/account/2fa/totp/activate/")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Confirm")
    assert page.url == f"{visit.base}/account/2fa/totp/activate/"


def test_the_description_of_the_api_is_drawn_under_our_own_policy(open_as: Open) -> None:
    page = open_as(company().viewer).go("/api/v1/docs/")
    page.locator(".opblock-summary-path", has_text="/api/v1/values/").first.wait_for()
    listed = [name for name in ROUTES if name.startswith(API) and name not in ("api:schema", "api:docs")]
    assert page.locator(".opblock").count() == sum(len(ROUTES[name]) for name in listed)
