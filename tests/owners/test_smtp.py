"""Mail over a real SMTP connection: what arrives, and what happens when the server does not play along."""

import asyncio
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.core import mail
from django.test import override_settings

from owners.models import Leader, Notice
from owners.services import outbox
from owners.services.outbox import notify

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)  # a Tuesday
MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.django_db


class Box:
    """Takes mail; with `drop` it takes it and hangs up before it says so."""

    def __init__(self) -> None:
        self.got: list[tuple[list[str], EmailMessage]] = []
        self.drop = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        said: Any = message_from_bytes(bytes(envelope.content or b""), policy=policy.default)
        self.got.append((list(envelope.rcpt_tos), said))
        if self.drop:
            server.transport.abort()
            await asyncio.sleep(0)
        return "250 taken"


@pytest.fixture
def box() -> Iterator[Box]:
    taken = Box()
    port = free_port()
    server = Controller(taken, hostname="127.0.0.1", port=port)
    server.start()
    try:
        with over(port):
            yield taken
    finally:
        server.stop()


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def over(port: int) -> Any:
    return override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        EMAIL_HOST_USER="",
        EMAIL_USE_TLS=False,
        EMAIL_USE_SSL=False,
        DEFAULT_FROM_EMAIL="North Star <northstar@company.example>",
        SITE_URL="https://northstar.example",
    )


def tell(key: str = "late:orders", subject: str = "Orders are late", name: str = "Ana") -> Notice:
    ana, _ = Leader.objects.get_or_create(key="ana", defaults={"name": name, "email": "ana@example.com"})
    notify(ana, "source_late", key, subject, f"{name}, the load has stopped.", "/settings/sources/")
    return Notice.objects.get(key=key)


def deliver(now: datetime = NOON) -> int:
    return outbox.deliver(lambda: now)


def test_a_mail_arrives_with_its_key_and_a_way_to_end_such_mails(box: Box) -> None:
    notice = tell()
    assert deliver() == 1
    ((to, said),) = box.got
    assert to == ["ana@example.com"]
    assert said["Subject"] == "Orders are late"
    assert said["X-Northstar-Key"] == "late:orders"
    assert said["Message-ID"] == f"<notice-{notice.pk}@company.example>"
    assert said["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    end = said["List-Unsubscribe"].strip()
    assert end.startswith("<https://northstar.example/n/")
    assert end.strip("<>") in said.get_content()
    assert "https://northstar.example/settings/sources/" in said.get_content()
    assert deliver(NOON + timedelta(days=1)) == 0


def test_a_server_that_takes_it_and_hangs_up_gets_it_again_with_the_same_key(box: Box) -> None:
    notice = tell()
    box.drop = True
    assert deliver() == 0
    notice.refresh_from_db()
    assert (notice.sent_at, notice.attempts, notice.not_before) == (None, 1, NOON + MINUTE)
    assert "SMTPServerDisconnected" in notice.error
    box.drop = False
    assert deliver() == 0  # its turn has not come
    assert deliver(NOON + MINUTE) == 1
    (_, first), (_, second) = box.got
    names = ("Message-ID", "X-Northstar-Key", "List-Unsubscribe", "Subject")
    assert [first[name] for name in names] == [second[name] for name in names]
    notice.refresh_from_db()
    assert (notice.sent_at, notice.error) == (NOON + MINUTE, "")


def test_a_server_that_is_down_loses_nothing() -> None:
    notice = tell()
    waits, now = [], NOON
    with over(free_port()):
        for _ in range(4):
            assert deliver(now) == 0
            notice.refresh_from_db()
            assert notice.not_before
            waits.append((notice.not_before - now) // MINUTE)
            now = notice.not_before
    assert waits == [1, 2, 4, 8]
    assert "ConnectionRefusedError" in notice.error
    assert notice.sent_at is None
    assert deliver(now) == 1  # by the mail server of the tests
    assert mail.outbox[0].extra_headers["X-Northstar-Key"] == "late:orders"


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x85"])
def test_no_words_become_a_header_or_a_recipient(box: Box, end: str) -> None:
    parts = (
        "Orders",
        "Bcc: thief@example.com",
        "X-Evil: yes",
        "",
        "<b>body</b>",
        ".",
        "RCPT TO:<t@example.com>",
    )
    evil = end.join(parts)
    notify_key = f"key{end}X-Evil: yes"
    ana = Leader.objects.create(key="ana", name=evil[:80], email="ana@example.com")
    notify(ana, "source_late", notify_key, evil, f"{ana.name}\n.\nMAIL FROM:<x@example.com>", "/me/")
    assert deliver() == 1
    ((to, said),) = box.got
    assert to == ["ana@example.com"]
    assert said["To"] == "ana@example.com"
    assert {"Bcc", "X-Evil"} & set(said.keys()) == set()
    assert "Bcc: thief@example.com" in said["Subject"]  # words, on one line
    assert said["X-Northstar-Key"].startswith("key")
    assert "MAIL FROM:<x@example.com>" in said.get_content()  # a lone dot does not end it
