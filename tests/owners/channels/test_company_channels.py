"""The company's channels: the page that keeps them, who may, and what they hear of."""

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from owners.models import Channel, Notice
from owners.services import channels
from owners.services.channels import Wanted
from owners.services.outbox import notify
from tests.owners.channels.posting import SLACK, add, deliver, post
from tests.people import Company
from tests.servers import Hook, answering


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
