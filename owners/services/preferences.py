"""How a person wants to be told: chosen on their page, or ended by the link in a mail."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time

import pghistory
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db import transaction

from owners.kinds import Topic
from owners.models import Habits, Leader, Preference, User
from owners.services.routing import own_hook

_signer = Signer(salt="owners.unsubscribe", sep="~")


@dataclass(frozen=True)
class Subscriber:
    """Whose mails of a topic a link ends: an account's, or those of a leader without one."""

    user: User | None
    leader: Leader | None
    topic: Topic


def token_of(user: User | None, leader: Leader | None, topic: Topic) -> str:
    """What the link in a mail says: signed, of no use for anything but this person and topic. It does not
    expire, as the mail does not either."""
    who = f"u{user.pk}" if user else f"l{leader.pk}" if leader else ""
    return _signer.sign(f"{who}.{topic.value}")


def subscriber(token: str) -> Subscriber:
    """Whom a link is for; ValueError if it is not one of ours, or they are no longer here."""
    try:
        who, _, name = _signer.unsign(token).partition(".")
        topic, pk = Topic(name), int(who[1:])
    except (BadSignature, ValueError):
        raise ValueError("this is not a link of ours") from None
    user = User.objects.filter(pk=pk).first() if who[0] == "u" else None
    leader = Leader.objects.filter(pk=pk).first() if who[0] == "l" else None
    if user is None and leader is None:
        raise ValueError("this person is not here any more")
    return Subscriber(user, leader, topic)


@transaction.atomic
def unsubscribe(token: str) -> Subscriber:
    """End a topic's notices for the person in the link, by whichever way they came. ValueError as
    `subscriber`, and for account security, which nobody can end."""
    found = subscriber(token)
    if found.topic is Topic.SECURITY:
        raise ValueError("security is always told")
    with pghistory.context(origin="mail", user=found.user.pk if found.user else None):
        _set(found.user, found.leader, found.topic, Preference.Way.OFF)
    return found


@transaction.atomic
def choose(
    user: User, ways: Mapping[str, str], *, quiet: tuple[time, time], on_free_days: bool, digest: str
) -> None:
    """A person's own choice. ways: by topic; one that is not named stays. Raises ValidationError."""
    for topic, way in ways.items():
        if topic not in Topic.values or topic == Topic.SECURITY or way not in Preference.Way.values:
            raise ValidationError("Choose one of the ways.")
        if way == Preference.Way.HOOK and own_hook(user) is None:
            raise ValidationError("Add your web hook first, then notices can come by it.")
    if digest not in Habits.Digest.values:
        raise ValidationError("Choose how often the digest comes.")
    User.objects.select_for_update().get(pk=user.pk)
    with pghistory.context(origin="page", user=user.pk):
        for topic, way in ways.items():
            _set(user, None, Topic(topic), way)
        wanted = {
            "quiet_from": quiet[0],
            "quiet_until": quiet[1],
            "on_free_days": on_free_days,
            "digest": digest,
        }
        stored = Habits.objects.filter(user=user).first() or Habits(user=user)
        if stored.pk is None or any(getattr(stored, name) != value for name, value in wanted.items()):
            for name, value in wanted.items():
                setattr(stored, name, value)
            stored.save()


def _set(user: User | None, leader: Leader | None, topic: Topic, way: str) -> None:
    """Without a new row of history where nothing changes."""
    stored = Preference.objects.filter(user=user, leader=None if user else leader, topic=topic).first()
    if stored is None:
        Preference.objects.create(user=user, leader=None if user else leader, topic=topic, way=way)
    elif stored.way != way:
        stored.way = way
        stored.save(update_fields=["way"])
