"""`python -m tests.browser.screenshots [ADDRESS]`: pictures of the pages, in artifacts/, and the README's.

Takes them of the installation that runs at ADDRESS (default: the demo at http://127.0.0.1:8000), signed in
as the demo's executive, on a phone, a laptop and a meeting room's screen, in light and dark.
"""

import os
import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import BrowserContext, sync_playwright

ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts"
README = ARTIFACTS.parent / "docs" / "board.png"
README_SIZE = (1440, 880)  # the North Star and the first rows, as on a laptop
HEIGHTS = {390: 844, 1280: 800, 1920: 1080}
ACCOUNT = os.environ.get("NORTHSTAR_ACCOUNT", "executive@demo.example")
PASSWORD = os.environ.get("NORTHSTAR_PASSWORD", "northstar")
PAGES = {
    "board": "/",
    "leaders": "/leaders/",
    "metrics": "/metrics/",
    "targets": "/targets/",
    "settings": "/settings/",
}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def main(base: str) -> int:
    """Exit code 0, or 1 if there is no browser or nothing answers."""
    browser_path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not browser_path:
        print("There is no Chromium; name one by CHROMIUM=/path/to/chromium.")
        return 1
    try:
        urllib.request.urlopen(f"{base}/account/login/", timeout=10).close()
    except (urllib.error.URLError, OSError) as error:
        print(f"{base} does not answer ({error}). Start it with `make run`, or name another address.")
        return 1
    ARTIFACTS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        first = browser.new_context()
        found = PAGES | sign_in(first, base)
        for width, height in HEIGHTS.items():
            for theme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if theme == "dark" else "light",
                    reduced_motion="reduce",
                    storage_state=first.storage_state(),
                )
                for name, path in found.items():
                    take(
                        context, base + path, ARTIFACTS / f"demo-{name}-{width}-{theme}.png", name == "board"
                    )
                context.close()
        width, height = README_SIZE
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="light",
            reduced_motion="reduce",
            storage_state=first.storage_state(),
        )
        take(context, f"{base}/", README, one_screen=True)
        context.close()
        browser.close()
    print(f"Pictures are in {ARTIFACTS}, the README's is {README}")
    return 0


def sign_in(context: BrowserContext, base: str) -> dict[str, str]:
    """Signs in; the addresses of the first leader's and the North Star's pages, as pages link to them."""
    page = context.new_page()
    page.goto(f"{base}/account/login/")
    page.locator("input[name=login]").fill(ACCOUNT)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.locator(".hero h2 a").wait_for()
    metric = page.locator(".hero h2 a").get_attribute("href") or "/metrics/"
    page.goto(f"{base}/leaders/")
    leader = page.locator(".person h2 a").first.get_attribute("href") or "/leaders/"
    return {"metric": metric, "leader": leader}


def take(context: BrowserContext, address: str, file: Path, one_screen: bool) -> None:
    """One picture, with every chart drawn."""
    page = context.new_page()
    page.goto(address)
    for chart in page.locator(".chart[data-chart]").all():
        chart.scroll_into_view_if_needed()
        chart.locator(".main-svg").first.wait_for()
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=file, full_page=not one_screen)
    page.close()


if __name__ == "__main__":
    sys.exit(main((sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000").rstrip("/")))
