"""Slack, Teams and web hooks over real sockets: what arrives, what is refused, what is kept secret."""

import logging
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client

from owners import outgoing
from owners.models import Channel, Habits, Leader, Notice, Preference, Role, User
from owners.secrets import decrypt
from owners.services import channels, limits, outbox
from owners.services.channels import Wanted
from owners.services.outbox import notify
from tests.people import Company, company
from tests.servers import Hook, answering, certificate, hook_server

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)  # a Tuesday
MINUTE = timedelta(minutes=1)
SLACK = "https://hooks.slack.com/services/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"
TEAMS = (
    "https://prod-12.westeurope.logic.azure.com:443/workflows/0123456789abcdef0123456789abcdef/triggers/manual"
    "/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0"
    "&sig=SecretSecretSecretSecretSecretSecretSecret1"
)
WEBHOOK = "https://hook.example/in/Secret?token=Secret"
ADDRESSES = {"slack": SLACK, "teams": TEAMS, "webhook": WEBHOOK}


@pytest.fixture
def people(db: None) -> Company:
    return company()


@pytest.fixture
def net(tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    """All hosts of these tests lead to one server here, which has their certificate."""
    made = certificate(tmp_path, "hooks.slack.com", "prod-12.westeurope.logic.azure.com", "hook.example")
    settings.OUTGOING_CA_FILE, settings.OUTGOING_ALLOW = str(made[0]), ["127.0.0.1"]
    settings.SITE_URL = "https://northstar.example"
    with hook_server(made) as hook:

        def resolve(host: str, port: int) -> list[Any]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", hook.port))]

        monkeypatch.setattr(outgoing, "resolve", resolve)
        yield hook


def add(people: Company, kind: str, **more: Any) -> Channel:
    return channels.save_channel(people.admin, Wanted("Leads", kind, ADDRESSES[kind], **more))


def deliver(now: datetime = NOON) -> int:
    return outbox.deliver(lambda: now)


def post(
    channel: Channel, key: str = "late:orders", subject: str = "Orders are late", body: str = "Words."
) -> Notice:
    """A notice to a channel, of a kind that no night delays."""
    return Notice.objects.create(
        key=key, kind="test", channel=channel, subject=subject, body=body, path="/metrics/orders/"
    )


def test_slack_gets_it_in_slacks_form(people: Company, net: Hook) -> None:
    post(add(people, "slack"))
    assert deliver() == 1
    (got,) = net.asked
    assert got.path == "/services/T0000AAAA/B0000BBBB/SecretSecretSecretSecret"
    assert got.sni == "hooks.slack.com"
    assert got.headers["idempotency-key"] == "late:orders"
    (part,) = got.json["attachments"]
    assert part["title"] == "Orders are late"
    assert part["text"] == "Words.\n\nhttps://northstar.example/metrics/orders/\n\n(late:orders)"


def test_teams_gets_a_card(people: Company, net: Hook) -> None:
    net.answer = answering(202, b"")
    post(add(people, "teams"))
    assert deliver() == 1
    (got,) = net.asked
    assert got.path.startswith("/workflows/0123456789abcdef0123456789abcdef/triggers/manual/paths/invoke?")
    assert "sig=SecretSecretSecretSecretSecretSecretSecret1" in got.path
    assert got.headers["idempotency-key"] == "late:orders"
    card = got.json["attachments"][0]["content"]
    texts = {block["id"]: block["text"] for block in card["body"]}
    assert texts["title"] == "Orders are late"
    assert texts["body"].startswith("Words.\n\nhttps://northstar.example/metrics/orders/")


def test_a_web_hook_gets_json(people: Company, net: Hook) -> None:
    net.answer = answering(204, b"")
    post(add(people, "webhook"))
    assert deliver() == 1
    (got,) = net.asked
    assert got.path == "/in/Secret?token=Secret"
    assert got.headers["idempotency-key"] == "late:orders"
    said = got.json
    assert (said["key"], said["kind"], said["title"]) == ("late:orders", "test", "Orders are late")
    assert said["url"] == "https://northstar.example/metrics/orders/"
    assert said["message"].startswith("Words.")


HOSTILE = "<!channel> <https://evil.example|click> <at>all</at> [click](https://evil.example) *b*\x00\u202e"


@pytest.mark.parametrize("kind", ADDRESSES)
def test_peoples_words_call_nobody_and_hide_no_link(people: Company, net: Hook, kind: str) -> None:
    notify(add(people, kind), "test", "hostile", HOSTILE, HOSTILE)
    assert deliver() == 1
    raw = net.asked[0].body.decode()
    said = net.asked[0].json
    assert "\\u0000" not in raw
    assert "\\u202e" not in raw
    if kind == "slack":
        said = said["attachments"][0]["title"] + said["attachments"][0]["text"]
        assert "<" not in said
        assert "&lt;!channel" not in said
    if kind == "teams":
        assert "<at>" not in raw
        assert "entities" not in raw
        assert "](http" not in said["attachments"][0]["content"]["body"][1]["text"].replace("\\]", "")


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


def test_an_empty_address_keeps_the_one_that_is_stored(people: Company, net: Hook, client: Client) -> None:
    channel = add(people, "slack")
    client.force_login(people.admin)
    given = {"name": "Leaders", "kind": "slack", "url": "", "audience": "leadership", "digest": "daily"}
    assert client.post(f"/settings/channels/{channel.pk}/", given).status_code == 302
    before = channel.secret
    channel.refresh_from_db()
    assert (channel.name, channel.audience, channel.digest, channel.news) == (
        "Leaders",
        "leadership",
        "daily",
        False,
    )
    assert channel.secret == before
    other = client.post(f"/settings/channels/{channel.pk}/", {**given, "kind": "webhook"})
    assert other.status_code == 422  # an address of another kind has to be typed


def test_the_page_adds_tests_and_removes(people: Company, net: Hook, client: Client) -> None:
    client.force_login(people.admin)
    given = {
        "name": "Leads",
        "kind": "slack",
        "url": SLACK,
        "audience": "everyone",
        "digest": "weekly",
        "news": "on",
    }
    assert client.post("/settings/channels/", given).status_code == 302
    channel = Channel.objects.get()
    client.post(f"/settings/channels/{channel.pk}/test/")
    assert "A test of North Star" in net.asked[0].body.decode()
    page = client.get("/settings/channels/").content.decode()
    assert "took a message" in page
    net.answer = answering(404, b"no_team")
    assert "It does not know this address" in client.post(
        f"/settings/channels/{channel.pk}/test/", follow=True
    ).content.decode().replace("it does", "It does")
    client.post(f"/settings/channels/{channel.pk}/remove/")
    channel.refresh_from_db()
    assert channel.archived_at
    assert channel.secret == ""
    assert client.get(f"/settings/channels/{channel.pk}/").status_code == 404
    waiting = post(channel, "left")
    deliver()
    waiting.refresh_from_db()
    assert waiting.withdrawn_at


@pytest.mark.parametrize("name", ["viewer", "leader", "analyst", "executive", "alice"])
def test_only_admins_touch_the_companys_channels(
    people: Company, net: Hook, client: Client, name: str
) -> None:
    channel = add(people, "slack")
    before = Channel.objects.values().get()
    client.force_login(people.users[name])
    page = f"/settings/channels/{channel.pk}/"
    assert client.get("/settings/channels/").status_code == 403
    for path in ("/settings/channels/", page, f"{page}test/", f"{page}remove/"):
        given = {"name": "Mine", "kind": "slack", "url": SLACK, "audience": "everyone"}
        assert client.post(path, given).status_code == 403
    for call in (channels.test_channel, channels.remove_channel):
        with pytest.raises(PermissionDenied):
            call(people.users[name], channel)
    with pytest.raises(PermissionDenied):
        channels.save_channel(people.users[name], Wanted("Mine", "slack", SLACK), channel)
    assert Channel.objects.values().get() == before
    assert net.asked == []


def test_ones_own_hook_is_ones_own(people: Company, net: Hook, client: Client) -> None:
    client.force_login(people.alice)
    assert client.post("/account/notices/hook/", {"kind": "slack", "url": SLACK}).status_code == 302
    own = Channel.objects.get(user=people.alice)
    client.post("/account/notices/hook/test/")
    assert len(net.asked) == 1
    page = client.get("/account/notices/").content.decode()
    assert "hooks.slack.com" in page
    assert "SecretSecret" not in page
    client.force_login(people.bob)  # has none, and reaches no other's
    assert client.post("/account/notices/hook/test/").status_code == 404
    assert client.post("/account/notices/hook/remove/").status_code == 404
    client.force_login(people.admin)
    assert client.get(f"/settings/channels/{own.pk}/").status_code == 404
    assert client.post(f"/settings/channels/{own.pk}/remove/").status_code == 404
    assert len(net.asked) == 1
    client.force_login(people.alice)
    client.post("/account/notices/hook/", {"kind": "webhook", "url": WEBHOOK})
    own.refresh_from_db()
    assert (own.kind, own.host) == ("webhook", "hook.example")  # replaced, not added
    client.post("/account/notices/hook/remove/")
    own.refresh_from_db()
    assert own.archived_at


def test_nobody_keeps_the_server_busy_with_their_hook(people: Company, net: Hook, client: Client) -> None:
    """Each test may take 20 seconds of a thread that everybody's pages need."""
    client.force_login(people.alice)
    client.post("/account/notices/hook/", {"kind": "webhook", "url": WEBHOOK})
    for _ in range(limits.PER_HOOK.tries + 3):
        answer = client.post("/account/notices/hook/test/", follow=True)
    assert "Try again in" in answer.content.decode()
    assert len(net.asked) == limits.PER_HOOK.tries - 1  # to save it was one
    refused = client.post("/account/notices/hook/", {"kind": "webhook", "url": WEBHOOK})
    assert (refused.status_code, "Try again in" in refused.content.decode()) == (422, True)
    client.force_login(people.bob)
    assert client.post("/account/notices/hook/", {"kind": "webhook", "url": WEBHOOK}).status_code == 302
    with connection.cursor() as cursor:
        cursor.execute("update owners_attempt set since = since - interval '61 seconds'")
    client.force_login(people.alice)
    client.post("/account/notices/hook/test/")
    assert len(net.asked) == limits.PER_HOOK.tries


def test_notices_come_by_the_hook_where_that_is_wished(people: Company, net: Hook) -> None:
    channels.save_own_hook(people.alice, "webhook", WEBHOOK)
    Preference.objects.create(user=people.alice, topic="owning", way="hook")
    leader = people.leaders["alice"]
    notify(
        leader, "handover", "h:1", "Yours now", "Orders.", "/metrics/for_everyone/", about=["for_everyone"]
    )
    notify(leader, "figure_held", "d:1", "Held", "Look.")
    assert deliver() == 2
    assert [got.json["key"] for got in net.asked] == ["h:1"]
    assert [m.subject for m in mail.outbox] == ["Held"]


def test_a_hook_that_stays_dead_is_given_up_for_mail(people: Company, net: Hook) -> None:
    channels.save_own_hook(people.alice, "webhook", WEBHOOK)
    Preference.objects.create(user=people.alice, topic="owning", way="hook")
    never = time(0)
    Habits.objects.create(user=people.alice, quiet_from=never, quiet_until=never, on_free_days=True)
    net.answer = answering(500, b"")
    notify(people.leaders["alice"], "handover", "h:1", "Yours now", "Orders.")
    now = NOON
    for _ in range(24):
        deliver(now)
        now += timedelta(hours=1)
        if mail.outbox:
            break
    assert [m.extra_headers["X-Northstar-Key"] for m in mail.outbox] == ["h:1"]
    assert len(net.asked) == 8
    own = Channel.objects.get()
    assert own.error  # the page says so


def test_news_of_the_data_go_to_the_channels_that_listen(people: Company, net: Hook) -> None:
    add(people, "webhook", news=True)
    quiet = channels.save_channel(people.admin, Wanted("Quiet", "slack", SLACK, digest="weekly"))
    notify(people.leaders["alice"], "source_failed", "f:1", "Fails", "b")
    notify(people.leaders["alice"], "handover", "h:1", "Yours", "b")
    assert deliver() == 3
    assert [(got.sni, got.json["title"]) for got in net.asked] == [("hook.example", "Fails")]
    assert not Notice.objects.filter(channel=quiet).exists()


@pytest.mark.parametrize(
    ("audience", "metric", "told"),
    [
        ("everyone", "for_everyone", True),
        ("everyone", "for_team", False),
        ("everyone", "for_leadership", False),
        ("leadership", "for_everyone", True),
        ("leadership", "for_team", True),
        ("leadership", "for_leadership", True),
    ],
)
def test_a_channel_hears_only_of_what_its_audience_may_see(
    people: Company, net: Hook, audience: str, metric: str, told: bool
) -> None:
    add(people, "webhook", news=True, audience=audience)
    notify(people.leaders["alice"], "metric_failed", "m:1", metric, "b", about=[metric])
    deliver()
    assert bool(net.asked) == told


def test_without_apprise_mail_still_works(people: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from owners.services import hooks

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
