"""A real browser against a live server with a real database; skipped where there is no Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Dialog, Locator, Page, sync_playwright

if TYPE_CHECKING:  # models cannot be imported before Django is set up
    from owners.models import User
    from tests.metrics.stage import Stage

# Playwright keeps an event loop in this thread, in which Django would refuse to use its models.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
Open = Callable[..., "Visit"]


@dataclass
class Visit:
    """One signed-in browser window and all that went wrong in it."""

    page: Page
    base: str
    troubles: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        response = self.page.goto(self.base + path)
        assert response is not None
        assert response.status < 400, f"{path}: {response.status}"
        self.page.wait_for_load_state("networkidle")
        return self.page

    def charts_drawn(self) -> None:
        """Waits until every chart of the page is drawn, as if somebody had scrolled past it."""
        for chart in self.page.locator(".chart[data-chart]").all():
            chart.scroll_into_view_if_needed()
            chart.locator(".main-svg").first.wait_for()
        self.page.evaluate("scrollTo(0, 0)")


def follow(place: Locator) -> None:
    """Clicks what leads to another page and waits until that page has arrived and is quiet: the page that is
    about to be left is quiet too, and must not be read in its place."""
    with place.page.expect_navigation(wait_until="networkidle"):
        place.click()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("there is no Chromium; name one by CHROMIUM=/path/to/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def company(transactional_db: None) -> Stage:
    from tests.metrics.stage import stage

    return stage(timezone.localdate())


@pytest.fixture
def open_as(chromium: Browser, live_server: Any) -> Iterator[Open]:
    """Opens a window: `open_as(user, width=390, theme="dark", script=False)`; None is a stranger."""
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def opened(
        user: User | None, *, width: int = 1280, height: int = 800, theme: str = "light", script: bool = True
    ) -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
            )
        page = context.new_page()
        visit = Visit(page, live_server.url)
        visits.append(visit)
        page.on("dialog", lambda d: _refuse(d, visit))
        page.on("pageerror", lambda e: visit.troubles.append(f"error: {e}"))
        page.on(
            "console",
            lambda m: (
                visit.troubles.append(f"console: {m.text}")
                if m.type == "error" and "status of 4" not in m.text
                else None
            ),
        )
        return visit

    yield opened
    for context in contexts:
        context.close()
    troubles = [t for visit in visits for t in visit.troubles]
    assert not troubles, troubles


def _refuse(dialog: Dialog, visit: Visit) -> None:
    """No page of ours opens a dialog."""
    visit.troubles.append(f"dialog: {dialog.message}")
    dialog.dismiss()
