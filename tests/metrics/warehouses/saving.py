"""A connection as somebody would type it, and the form that takes it."""

from typing import Any

from django.test import Client
from django.urls import reverse

CANARY = "s3cr3t-canary-ü'\"<&>"
CRM = {"engine": "postgres", "key": "crm", "host": "10.0.0.9", "database": "crm", "user": "reader"}


def save(client: Client, edited: str = "", /, **given: Any) -> Any:
    """Saves a new connection, or the one whose key is `edited` as its page has it now; returns the answer."""
    address = reverse("warehouse", args=[edited]) if edited else reverse("warehouse_new")
    token = client.get(address).context["token"] if edited else ""
    return client.post(address, {"action": "save", "token": token, **given})
