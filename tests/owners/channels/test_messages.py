"""What arrives: each kind's own form, and words that can call nobody."""

import pytest

from owners.services.outbox import notify
from tests.owners.channels.posting import ADDRESSES, add, deliver, post
from tests.people import Company
from tests.servers import Hook, answering


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
