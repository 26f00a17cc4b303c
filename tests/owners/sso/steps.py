"""The steps of signing in: to the server and back, and what it comes to."""

from typing import Any

import requests
from django.test import Client

from owners.models import Identity, User

PASSWORD = "correct horse battery"
MAPPED = "ns-admins=admin,ns-exec=executive,ns-lead=leader"


def there(client: Client, address: str = "/account/sso/") -> str:
    """Begins, lets the server sign the person in, and returns where it sends the browser back to."""
    begun = client.get(address)
    assert begun.status_code == 302, begun.content
    back = requests.get(begun["Location"], allow_redirects=False, timeout=10)
    assert back.status_code == 302
    assert back.headers["Location"].startswith("http://testserver/account/sso/callback/?")
    return back.headers["Location"].removeprefix("http://testserver")


def come_in(client: Client, address: str = "/account/sso/") -> Any:
    """The whole way; returns the last answer, whether it lets in or not."""
    return client.get(there(client, address))


def inside(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def refused(client: Client, answer: Any, status: int) -> None:
    """That this is refused in words, and that nothing was made or linked by it."""
    assert answer.status_code == status, answer.content
    assert b'role="alert"' in answer.content
    assert not inside(client)
    assert not Identity.objects.exists()
    assert not User.objects.filter(email="ana@example.com").exists()
