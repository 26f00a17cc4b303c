"""`make screenshots`: pictures of the demo's pages, in `artifacts/screenshots/`.

Uses the site at URL (default: a running `make run`), else starts one with the demo's data and stops it
afterwards.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from northstar.stack.health import answers

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "artifacts" / "screenshots"
NORTH_STAR = "on_time_orders"
PATIENCE = 900.0
# The widths of a phone, a laptop, and the screen of a meeting room.
SIZES = {"phone": (390, 844), "laptop": (1280, 800), "wide": (1920, 1080)}


@contextmanager
def site(url: str) -> Iterator[None]:
    """A site with the demo's figures at `url`, for the time of the block."""
    if answers(f"{url}/health/"):
        yield
        return
    environment = {**os.environ, "DEMO": "1", "PORT": url.rpartition(":")[2]}
    running = subprocess.Popen([sys.executable, "manage.py", "up"], cwd=ROOT, env=environment)
    try:
        deadline = time.monotonic() + PATIENCE
        while not has_figures():
            if running.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("The demo did not come up.")
            time.sleep(2)
        yield
    finally:
        running.send_signal(signal.SIGINT)
        running.wait()


def has_figures() -> bool:
    """Whether the North Star has final weeks."""
    told = subprocess.run(
        [sys.executable, "manage.py", "values", NORTH_STAR, "--grain", "week", "--format", "csv"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return ",final," in told.stdout


def take(url: str) -> list[Path]:
    """Signs in as the demo's executive and photographs board, leader and metric, light and dark."""
    TARGET.mkdir(parents=True, exist_ok=True)
    made = []
    with sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for theme in ("light", "dark"):
            context = browser.new_context(color_scheme=theme)
            page = context.new_page()
            page.goto(f"{url}/account/login/")
            page.locator("[name=login]").fill("executive@demo.example")
            page.locator("[name=password]").fill("northstar")
            page.locator("[name=password]").press("Enter")
            page.wait_for_url(f"{url}/")
            leader = page.locator("a[href*='/leaders/']").first.get_attribute("href") or "/leaders/"
            for name, path in {"board": "/", "leader": leader, "metric": f"/metrics/{NORTH_STAR}/"}.items():
                for size, (width, height) in SIZES.items():
                    page.set_viewport_size({"width": width, "height": height})
                    page.goto(url + path)
                    page.wait_for_load_state("networkidle")
                    file = TARGET / f"{name}-{size}-{theme}.png"
                    page.screenshot(path=file)
                    made.append(file)
            context.close()
        browser.close()
    return made


if __name__ == "__main__":
    address = (sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000").rstrip("/")
    with site(address):
        for picture in take(address):
            print(picture.relative_to(ROOT))
