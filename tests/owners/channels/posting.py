"""Addresses of every kind, a channel that leads there, a notice to it, and its delivery."""

from datetime import UTC, datetime, timedelta
from typing import Any

from owners.models import Channel, Notice
from owners.services import channels, outbox
from owners.services.channels import Wanted
from tests.people import Company

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
