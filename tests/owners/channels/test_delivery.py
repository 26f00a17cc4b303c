"""What becomes of a notice where the other side is ill, cut off or not there at all."""

import socket
import sys
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError

from owners.models import Leader, Role, User
from owners.services import channels, hooks
from owners.services.outbox import notify
from tests.owners.channels.posting import MINUTE, NOON, SLACK, add, deliver, post
from tests.people import Company
from tests.servers import Hook, answering


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_is_not_taken_is_tried_again_with_the_same_key(people: Company, net: Hook, status: int) -> None:
    channel = add(people, "slack")
    net.answer = answering(status, b"no", Location="http://169.254.169.254/")
    notice = post(channel)
    assert deliver() == 0
    notice.refresh_from_db()
    channel.refresh_from_db()
    assert str(status) in notice.error
    assert (channel.error, channel.failed_at) == (notice.error, NOON)
    net.answer = answering()
    assert deliver(NOON + MINUTE) == 1
    channel.refresh_from_db()
    assert (channel.error, channel.failed_at, channel.sent_at) == ("", None, NOON + MINUTE)
    assert [got.headers["idempotency-key"] for got in net.asked] == ["late:orders"] * 2
    assert len({got.body for got in net.asked}) == 1


def test_accepted_and_then_cut_off_is_repeated_recognisably(people: Company, net: Hook) -> None:
    def cut(handler: Any, asked: Any) -> None:
        handler.connection.shutdown(socket.SHUT_RDWR)

    net.answer = cut
    post(add(people, "webhook"))
    assert deliver() == 0
    net.answer = answering()
    assert deliver(NOON + MINUTE) == 1
    assert [got.json["key"] for got in net.asked] == ["late:orders"] * 2


def test_a_dead_chat_holds_up_neither_mail_nor_other_chats(
    people: Company, net: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = add(people, "webhook")
    for n in range(3):
        post(dead, f"dead:{n}")
    post(add(people, "slack"), "slack:1")
    notify(people.alice, "test", "mail:1", "s", "b")
    net.answer = lambda handler, asked: (
        answering()(handler, asked) if asked.sni == "hooks.slack.com" else answering(503, b"")(handler, asked)
    )
    assert deliver() == 2
    assert len(mail.outbox) == 1


def test_without_apprise_mail_still_works(people: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks._apprise.cache_clear()
    monkeypatch.setitem(sys.modules, "apprise", None)
    try:
        with pytest.raises(ValidationError, match="apprise"):
            channels.save_own_hook(people.alice, "slack", SLACK)
        notify(people.alice, "test", "k", "s", "b")
        assert deliver() == 1
    finally:
        hooks._apprise.cache_clear()


def test_a_leader_without_account_is_told_by_mail(db: None) -> None:
    ana = Leader.objects.create(key="ana", name="Ana", email="ana@example.com")
    User.objects.create_user("root@example.com", role=Role.ADMIN)
    notify(ana, "source_failed", "f", "s", "b")
    assert deliver() == 1
    assert mail.outbox[0].to == ["ana@example.com"]
