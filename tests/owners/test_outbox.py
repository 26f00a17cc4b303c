"""The outbox: written with its cause, sent at least once, nobody held up by somebody else's notice."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import transaction

from owners.kinds import KINDS
from owners.models import Leader, Notice, Role, User
from owners.services import outbox
from owners.services.outbox import notify

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)  # a Tuesday
MINUTE = timedelta(minutes=1)


@pytest.fixture
def ana(db: None) -> Leader:
    return Leader.objects.create(key="ana", name="Ana", email="ana@example.com")


def tell(
    to: Leader | User | None, key: str = "k", body: str = "Words.", kind: str = "source_failed"
) -> Notice:
    notify(to, kind, key, "The source orders fails", body, "/settings/sources/")
    return Notice.objects.get(key=key)


def deliver(now: datetime = NOON) -> int:
    return outbox.deliver(lambda: now)


def test_a_notice_goes_with_its_cause_or_not_at_all(ana: Leader) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        tell(ana)
        raise RuntimeError("the cause did not happen")
    assert not Notice.objects.exists()
    tell(ana)
    tell(ana)  # the same key: told once
    assert Notice.objects.count() == 1
    assert deliver() == 1
    assert deliver(NOON + timedelta(days=3)) == 0
    assert len(mail.outbox) == 1


def test_an_unknown_kind_is_refused(ana: Leader) -> None:
    with pytest.raises(ValueError, match="no_such is not a kind"):
        notify(ana, "no_such", "k", "s", "b")
    assert max(map(len, KINDS)) <= 40


def test_a_mail_says_where_to_go(ana: Leader, settings) -> None:
    settings.SITE_URL = "https://northstar.example/"
    tell(ana)
    deliver()
    assert mail.outbox[0].body.startswith("Words.\n\nhttps://northstar.example/settings/sources/\n\n--\n")


def test_an_account_is_told_at_its_own_address(ana: Leader) -> None:
    user = User.objects.create_user("elena@example.com", role=Role.EXECUTIVE)
    tell(user, "a")
    ana.user = User.objects.create_user("ana.account@example.com", role=Role.LEADER)
    ana.save()
    tell(ana, "b")
    assert deliver() == 2
    assert [m.to for m in mail.outbox] == [["elena@example.com"], ["ana.account@example.com"]]


def test_each_admin_gets_a_copy_with_a_key_of_its_own(db: None) -> None:
    admins = [User.objects.create_user(f"root{n}@example.com", role=Role.ADMIN) for n in range(2)]
    User.objects.create_user("gone@example.com", role=Role.ADMIN, is_active=False)
    tell(None, "late:orders")
    assert deliver() == 2
    assert sorted((m.to[0], m.extra_headers["X-Northstar-Key"]) for m in mail.outbox) == [
        (user.email, f"late:orders:{user.pk}") for user in admins
    ]
    assert deliver(NOON + timedelta(days=1)) == 0


def test_without_an_admin_it_waits_for_one(db: None) -> None:
    tell(None)
    assert deliver() == 0
    assert "no admin" in Notice.objects.get().error
    User.objects.create_user("root@example.com", role=Role.ADMIN)
    assert deliver(NOON + MINUTE) == 1


def test_a_leader_without_address_is_spoken_for_by_the_admins(ana: Leader) -> None:
    User.objects.create_user("root@example.com", role=Role.ADMIN)
    Leader.objects.update(email="")
    tell(Leader.objects.get())
    assert deliver() == 1
    assert mail.outbox[0].to == ["root@example.com"]


def test_whoever_is_deactivated_is_told_nothing(ana: Leader) -> None:
    ana.user = User.objects.create_user("ana@example.com", role=Role.LEADER, is_active=False)
    ana.save()
    notice = tell(ana, kind="handover")
    assert deliver() == 0
    notice.refresh_from_db()
    assert notice.withdrawn_at == NOON
    assert not mail.outbox
    assert not outbox.waiting(NOON + timedelta(days=1)).exists()


def test_data_of_whoever_has_left_are_the_admins_affair(ana: Leader) -> None:
    ana.user = User.objects.create_user("ana@example.com", role=Role.LEADER, is_active=False)
    ana.save()
    tell(ana)
    assert deliver() == 0
    assert "no admin" in Notice.objects.get().error  # it waits for one
    User.objects.create_user("root@example.com", role=Role.ADMIN)
    assert deliver(NOON + MINUTE) == 1
    assert [m.to for m in mail.outbox] == [["root@example.com"]]


def test_a_notice_that_fails_holds_up_no_other(ana: Leader, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("first", "poison", "last"):
        tell(ana, key, body=key, kind="test")  # of a kind that no night delays
    send = EmailMessage.send

    def refuse(self: EmailMessage, fail_silently: bool = False) -> int:
        if self.body.startswith("poison"):
            raise ValueError("cannot be encoded")
        return send(self, fail_silently)

    monkeypatch.setattr(EmailMessage, "send", refuse)
    assert deliver() == 2
    waits = []
    now = NOON
    for _ in range(12):
        before, again = now, Notice.objects.get(key="poison").not_before
        assert again
        now = again
        waits.append((now - before) // MINUTE)
        deliver(now)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]
    monkeypatch.setattr(EmailMessage, "send", send)
    assert deliver(now + timedelta(hours=6)) == 1  # never given up


def test_a_notice_that_kills_its_sender_holds_up_no_other(
    ana: Leader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker dies in sending; the next one goes on with the others, and comes back to it later."""
    tell(ana, "deadly", body="deadly")
    tell(ana, "harmless", body="harmless")
    send = EmailMessage.send

    def die(self: EmailMessage, fail_silently: bool = False) -> int:
        if self.body.startswith("deadly"):
            raise SystemExit("killed")
        return send(self, fail_silently)

    monkeypatch.setattr(EmailMessage, "send", die)
    with pytest.raises(SystemExit):
        deliver()
    assert deliver() == 1
    assert mail.outbox[0].body.startswith("harmless")
    deadly = Notice.objects.get(key="deadly")
    assert deadly.attempts == 1
    assert deadly.not_before == NOON + MINUTE


def test_a_crash_after_acceptance_repeats_it_with_the_same_key(
    ana: Leader, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(ana)
    send = EmailMessage.send

    def accept_and_die(self: EmailMessage, fail_silently: bool = False) -> int:
        send(self, fail_silently)
        raise SystemExit("killed before the commit")

    monkeypatch.setattr(EmailMessage, "send", accept_and_die)
    with pytest.raises(SystemExit):
        deliver()
    monkeypatch.setattr(EmailMessage, "send", send)
    assert deliver() == 0  # not at once: the other might still be at it
    assert deliver(NOON + MINUTE) == 1
    first, second = mail.outbox
    assert first.extra_headers == second.extra_headers
    assert deliver(NOON + timedelta(days=1)) == 0


HOSTILE = (
    "Orders\r\nBcc: thief@example.com",
    "nul\x00, bell\x07, \x1b[31mred\x1b[0m",
    "\u202egnp.exe\u2066",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "x" * 1_000_000,
    "half a pair \ud800",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_words(ana: Leader, text: str) -> None:
    notify(ana, "source_failed", text, text, text, "/metrics/orders/")
    assert deliver() == 1
    sent = mail.outbox[0].message()
    raw = sent.as_bytes()
    head = raw.split(b"\n\n", 1)[0]
    assert b"\nbcc:" not in head.lower()
    assert set(sent.keys()) == {
        *("Content-Type", "MIME-Version", "Content-Transfer-Encoding", "Subject", "From", "To", "Date"),
        *("Message-ID", "X-Northstar-Key", "Auto-Submitted", "List-Unsubscribe", "List-Unsubscribe-Post"),
    }
    body = sent.get_payload(decode=True).decode()
    assert not set(body) & set("\x00\x07\x1b\u202e\u2066\r")
    assert len(raw) < 100_000


def test_long_keys_stay_different(ana: Leader) -> None:
    for end in "ab":
        notify(ana, "source_failed", "k" * 300 + end, "s", "b")
    assert Notice.objects.count() == 2
