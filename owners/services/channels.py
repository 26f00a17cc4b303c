"""Channels: made, changed, tested and removed; what is sent to them, and how they are."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import pghistory
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from owners.guide import Words
from owners.models import Channel, Notice, User
from owners.rules import require
from owners.secrets import UnreadableSecret, decrypt, encrypt
from owners.services import hooks, limits


@dataclass(frozen=True)
class Wanted:
    """What somebody typed of a channel. url: "" keeps the one that is stored."""

    name: str
    kind: str
    url: str = ""
    audience: str = Channel.Audience.EVERYONE
    digest: str = ""
    news: bool = False


def save_channel(by: User, wanted: Wanted, channel: Channel | None = None) -> Channel:
    """A channel of the company, new or changed. Its address is checked, which asks the DNS.

    Raises PermissionDenied without `installation.manage`, ValidationError by field.
    """
    require(by, "installation.manage")
    if channel is not None and (channel.user_id is not None or channel.archived_at is not None):
        raise ValidationError("This channel was removed.")
    return _save(by, wanted, channel or Channel())


def save_own_hook(user: User, kind: str, url: str) -> Channel:
    """The person's own web hook; the one before it is replaced. Raises ValidationError by field."""
    own = Channel.objects.filter(user=user, archived_at=None).first()
    wanted = Wanted(f"{Channel.Kind(kind).label} of {user}"[:100], kind, url)
    return _save(user, wanted, own or Channel(user=user))


def remove_channel(by: User, channel: Channel) -> None:
    """What waits for it is withdrawn, its address is forgotten. One's own, or those of the company with
    `installation.manage`."""
    _may(by, channel)
    with transaction.atomic(), pghistory.context(origin="page", user=by.pk):
        channel.archived_at, channel.secret = timezone.now(), ""
        channel.save(update_fields=["archived_at", "secret"])


def test_channel(by: User, channel: Channel) -> str:
    """Send a message now, with the right of `remove_channel`; "" if it was taken, else why not in words."""
    _may(by, channel)
    if wait := _wait(by, channel):
        return _too_often(wait)
    key = f"test:{uuid4()}"
    words = Words("A test of North Star", f"{by} sent this to see whether messages arrive here. They do.")
    try:
        _send(channel, key, "test", words, "")
    except (hooks.Refused, hooks.NotTaken, UnreadableSecret) as error:
        _unwell(channel, str(error), timezone.now())
        return str(error)
    _well(channel, timezone.now())
    return ""


test_channel.__test__ = False  # type: ignore[attr-defined]  # pytest takes its name for a test


def bring(channel: Channel, notice: Notice, words: Words, now: datetime) -> None:
    """Bring a notice, and remember how the channel is. Raises hooks.Refused, NotTaken, UnreadableSecret."""
    url = settings.SITE_URL.rstrip("/") + notice.path if notice.path else ""
    try:
        _send(channel, notice.key, notice.kind, words, url)
    except Exception as error:
        known = isinstance(error, hooks.Refused | hooks.NotTaken | UnreadableSecret)
        _unwell(channel, str(error) if known else type(error).__name__, now)
        if known:
            raise
        # What a library says of an address may hold it.
        raise hooks.NotTaken(f"{type(error).__name__} in sending to {channel.host}") from None
    _well(channel, now)


def _send(channel: Channel, key: str, kind: str, words: Words, url: str) -> None:
    address = decrypt(channel.secret).get("url", "")
    hooks.send(channel.kind, address, hooks.Message(key, kind, words.subject, words.body, url))


def _save(by: User, wanted: Wanted, channel: Channel) -> Channel:
    wrong: dict[str, str] = {}
    name, url = " ".join(wanted.name.split()), wanted.url.strip()
    if not name or len(name) > 100:
        wrong["name"] = "Give the channel a name of at most 100 characters."
    if wanted.kind not in Channel.Kind.values:
        wrong["kind"] = "Choose one of the kinds."
    if wanted.audience not in Channel.Audience.values:
        wrong["audience"] = "Choose who reads it."
    if wanted.digest not in Channel.Digest.values:
        wrong["digest"] = "Choose how often the digest comes."
    if not url and (not channel.secret or channel.kind != wanted.kind):
        wrong["url"] = "Paste the address that the chat gave you."
    if not wrong and url and (wait := _wait(by, channel)):
        wrong["url"] = _too_often(wait)
    if not wrong and url:
        try:
            hooks.check(wanted.kind, url)
        except (hooks.Refused, hooks.NotTaken) as refused:
            wrong["url"] = str(refused)
    if wrong:
        raise ValidationError(wrong)
    channel.name, channel.kind, channel.audience = name, wanted.kind, wanted.audience
    channel.digest, channel.news = wanted.digest, wanted.news
    if url:
        channel.secret, channel.host = encrypt({"url": url}), hooks.host_of(url)
        channel.failed_at, channel.error = None, ""
    with transaction.atomic(), pghistory.context(origin="page", user=by.pk):
        channel.save()
    return channel


def _wait(by: User, channel: Channel) -> int:
    """Counts a request to wherever somebody's own hook leads; the seconds to wait, if there were too many."""
    return limits.wait_after(limits.PER_HOOK, str(by.pk)) if channel.user_id is not None else 0


def _too_often(wait: int) -> str:
    return f"This was tried several times just now. Try again in {wait} seconds."


def _may(by: User, channel: Channel) -> None:
    if channel.user_id != by.pk:
        require(by, "installation.manage")


def _well(channel: Channel, now: datetime) -> None:
    channel.sent_at, channel.failed_at, channel.error = now, None, ""
    channel.save(update_fields=["sent_at", "failed_at", "error"])


def _unwell(channel: Channel, error: str, now: datetime) -> None:
    channel.failed_at, channel.error = channel.failed_at or now, error[:500]
    channel.save(update_fields=["failed_at", "error"])
