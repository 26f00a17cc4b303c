"""A person's own hook: theirs alone, not to be leaned on, and given up for mail where it stays dead."""

from datetime import time, timedelta

from django.core import mail
from django.db import connection
from django.test import Client

from owners.models import Channel, Habits, Preference
from owners.services import channels, limits
from owners.services.outbox import notify
from tests.owners.channels.posting import NOON, SLACK, WEBHOOK, deliver
from tests.people import Company
from tests.servers import Hook, answering


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
