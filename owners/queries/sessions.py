"""The browsers in which somebody is signed in, in words that their owner recognises."""

from dataclasses import dataclass
from datetime import datetime

from owners.models import SignIn, User

# The first that occurs wins: Edge, Opera and Samsung call themselves Chrome too, and Chrome Safari.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-requests/", "a Python program"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class Browser:
    """`seen_at` is right to ten minutes. `this`: the one that asks."""

    pk: int
    words: str
    address: str
    began_at: datetime
    seen_at: datetime
    this: bool


def browsers(user: User, session_key: str, now: datetime) -> tuple[Browser, ...]:
    """Where `user` is signed in: this browser first, then the last seen. One SQL statement."""
    rows = SignIn.objects.filter(user=user, session__expire_date__gt=now).order_by("-seen_at", "pk")
    found = [
        Browser(
            pk=row.pk,
            words=device_words(row.agent),
            address=row.address,
            began_at=row.began_at,
            seen_at=row.seen_at,
            this=row.session_id == session_key,
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda browser: not browser.this))


def device_words(agent: str) -> str:
    """`Firefox on Windows` for what a browser calls itself."""
    browser = next((words for mark, words in BROWSERS if mark in agent), "")
    system = next((words for mark, words in SYSTEMS if mark in agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or "An unknown browser"
