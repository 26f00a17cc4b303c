"""The steps of signing in by password, and by the link of who forgot it."""

import re
from typing import Any

from django.core import mail
from django.test import Client
from django.utils import timezone

from owners.services import outbox

PASSWORD = "correct horse battery"
NEW = {"password1": "another long one", "password2": "another long one"}


def sign_in(client: Client, **more: str) -> Any:
    return client.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD, **more})


def reset_link(email: str = "alice@example.com", **headers: Any) -> str:
    """The path in the mail that somebody who says that they forgot the password gets."""
    Client().post("/account/password/reset/", {"email": email}, **headers)
    outbox.deliver(timezone.now)
    found = re.findall(r"(https?://[^/\s]+)(/\S+)", str(mail.outbox[-1].body))
    assert [site for site, _ in found] == ["https://metrics.example.com"]
    return str(found[0][1])


def choose_by(path: str) -> bool:
    """Whether the link lets one choose a password."""
    client = Client()
    first = client.get(path)
    if first.status_code != 302:
        return False
    return bool(client.post(first["Location"], NEW).status_code == 302)
