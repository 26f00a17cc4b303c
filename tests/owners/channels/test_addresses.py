"""Addresses: which are refused, when they are looked at again, and that nobody reads them."""

import logging
import socket
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client

from owners import outgoing
from owners.models import Channel
from owners.secrets import decrypt
from owners.services import channels
from owners.services.channels import Wanted
from tests.owners.channels.posting import ADDRESSES, SLACK, TEAMS, add, deliver, post
from tests.people import Company
from tests.servers import Hook, answering


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("slack", "https://hooks.slack.com/services/T0/B0"),
        ("slack", "https://hooks.slack.com.evil.example/services/T0/B0/C0"),
        ("slack", SLACK + "?template=file:///etc/passwd"),
        ("slack", "slack://T0/B0/C0"),
        ("teams", "https://prod-12.westeurope.logic.azure.com/workflows/x/triggers/manual/paths/invoke"),
        ("teams", "https://hook.example/other?sig=x"),
        ("webhook", "http://hook.example/x"),
        ("webhook", "json://hook.example/x"),
        ("webhook", "https://user:pass@hook.example/x"),
        ("webhook", "https://169.254.169.254/latest/meta-data/"),
        ("webhook", "https://2130706433/"),
        ("webhook", ""),
        ("mail", "mailto://x"),
    ],
)
def test_wrong_addresses_are_refused_as_they_are_typed(
    people: Company, net: Hook, monkeypatch: pytest.MonkeyPatch, kind: str, url: str
) -> None:
    real = outgoing.resolve

    def resolve(host: str, port: int) -> list[Any]:
        if host[0].isdigit():
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        return real(host, port)

    monkeypatch.setattr(outgoing, "resolve", resolve)
    with pytest.raises(ValidationError):
        channels.save_channel(people.admin, Wanted("Leads", kind, url))
    with pytest.raises((ValidationError, ValueError)):
        channels.save_own_hook(people.alice, kind, url)
    assert not Channel.objects.exists()
    assert net.asked == []


def test_a_template_in_the_address_is_not_read(people: Company, net: Hook) -> None:
    """apprise would read a file that an address names; it is never told of it."""
    channel = channels.save_channel(people.admin, Wanted("Leads", "teams", TEAMS + "&template=/etc/passwd"))
    net.answer = answering(202, b"")
    post(channel)
    deliver()
    assert b"root:" not in net.asked[0].body
    assert net.asked[0].json["type"] == "message"


def test_an_address_is_checked_again_when_it_is_used(
    people: Company, net: Hook, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saved while the name led outside; it leads inside when a test or a notice is sent."""
    channel = add(people, "webhook")
    settings.OUTGOING_ALLOW = []
    assert "private network" in channels.test_channel(people.admin, channel)
    notice = post(channel)
    assert deliver() == 0
    notice.refresh_from_db()
    channel.refresh_from_db()
    assert "private network" in notice.error
    assert channel.failed_at is not None
    assert net.asked == []


def test_secrets_are_kept(
    people: Company, net: Hook, caplog: pytest.LogCaptureFixture, client: Client
) -> None:
    """Neither the database nor a page, an error, a log or the audit shows the address again."""
    caplog.set_level(logging.DEBUG)
    for kind in ADDRESSES:
        channel = add(people, kind)
        assert decrypt(channel.secret) == {"url": ADDRESSES[kind]}
        for answer in (answering(500, b"Secret"), lambda handler, asked: handler.connection.close()):
            net.answer = answer
            assert "Secret" not in channels.test_channel(people.admin, channel)
        notice = post(channel, f"k:{kind}")
        deliver()
        notice.refresh_from_db()
        assert notice.error
        assert "Secret" not in notice.error
    client.force_login(people.admin)
    pages = [
        "/settings/channels/",
        f"/settings/channels/{channel.pk}/",
        "/settings/audit/",
        "/settings/audit.csv",
    ]
    for page in pages:
        assert "SecretSecret" not in client.get(page).content.decode(errors="replace")
    with connection.cursor() as cursor:
        for table in ("owners_channel", "owners_channelevent", "owners_notice"):
            cursor.execute(f"select row_to_json(t)::text from {table} t")
            assert not [row for (row,) in cursor.fetchall() if "SecretSecret" in row]
    ours = [r.getMessage() for r in caplog.records if r.levelno >= logging.INFO]
    assert not [line for line in ours if "SecretSecret" in line]
