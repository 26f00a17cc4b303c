"""Who gets a notice, by which way and when: decided as it is sent, not as it is written."""

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from calc.quiet import Hours, arrival
from owners.guide import guide
from owners.kinds import Topic, topic_of
from owners.models import Channel, Habits, Leader, Notice, Preference, Role, User
from owners.rules import executive, leader_of

QUIET = Hours(time(20), time(7))  # for whoever has not chosen others
HOOK_TRIES = 8  # after which a person's failing web hook is given up for mail: about four hours


class Withdrawn(Exception):
    """Nobody is to get this notice any more; the words say why."""


class ToAdmins(Exception):
    """The admins are to get it instead; the words say why."""


class Later(Exception):
    """Not before `until`: it would disturb somebody."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"waits until {until:%Y-%m-%d %H:%M} UTC")
        self.until = until


@dataclass(frozen=True)
class Route:
    """Where it goes: to a channel, or to an e-mail address. topic: as which it can be unsubscribed."""

    topic: Topic
    channel: Channel | None
    address: str
    user: User | None
    leader: Leader | None


def route(notice: Notice, now: datetime) -> Route:
    """Where a notice to somebody goes at this moment. Raises Withdrawn, ToAdmins, Later."""
    topic = topic_of(notice.kind)
    if notice.channel is not None:
        return _to_channel(notice, notice.channel, topic, now)
    leader = notice.leader
    user = notice.user or (leader.user if leader else None)
    leader = leader or leader_of(user)
    gone = _why_gone(user, leader)
    if gone:
        raise ToAdmins(gone) if topic is Topic.DATA else Withdrawn(gone)
    person = user or leader
    if set(notice.about) - guide().seen(person, notice.about):
        words = "this person may not see what it is about"
        raise ToAdmins(words) if topic is Topic.DATA else Withdrawn(words)
    if topic is Topic.DIGEST and not executive.test(user):
        raise Withdrawn("this person does not steer any more")
    way = way_of(user, leader, topic)
    if way == Preference.Way.OFF:
        raise Withdrawn("this person does not want to be told")
    if topic is not Topic.SECURITY:
        _hold(now, *_clock(leader), habits_of(user))
    hook = own_hook(user) if way == Preference.Way.HOOK and notice.attempts <= HOOK_TRIES else None
    address = (user.email if user else "") or (leader.email if leader else "")
    if hook is None and not address:
        raise ToAdmins("nobody knows an address of this person")
    return Route(topic, hook, address, user, leader)


def way_of(user: User | None, leader: Leader | None, topic: Topic) -> str:
    """The way that a person has chosen for a topic; of an account that was given to a leader, the account's.
    At most one statement."""
    if topic is Topic.SECURITY:
        return Preference.Way.MAIL
    mine = Preference.objects.filter(topic=topic)
    chosen = mine.filter(user=user) if user else mine.filter(leader=leader)
    if user and leader:
        chosen = chosen | mine.filter(leader=leader)
    found = {preference.user_id is not None: preference.way for preference in chosen}
    # Admins steer in a small company; in others the digest is not theirs, until they ask for it.
    asked_for = topic is Topic.DIGEST and user is not None and user.role == Role.ADMIN
    return found.get(True) or found.get(False) or (Preference.Way.OFF if asked_for else Preference.Way.MAIL)


def own_hook(user: User | None) -> Channel | None:
    """The person's own web hook; None without one."""
    return Channel.objects.filter(user=user, archived_at=None).first() if user else None


def habits_of(user: User | None) -> Habits:
    """When this person is not to be disturbed; not stored where nothing was chosen."""
    stored = Habits.objects.filter(user=user).first() if user else None
    return stored or Habits(user=user, quiet_from=QUIET.begin, quiet_until=QUIET.end)


def _why_gone(user: User | None, leader: Leader | None) -> str:
    if user is not None:
        return "" if user.is_active else "the account is deactivated"
    return "this person has left" if leader is None or leader.archived_at else ""


def _clock(leader: Leader | None) -> tuple[ZoneInfo, str]:
    """The person's own time zone and holidays, else the installation's."""
    zone, country = guide().clock()
    if leader is None:
        return zone, country
    return ZoneInfo(leader.timezone) if leader.timezone else zone, leader.country or country


def _hold(now: datetime, zone: ZoneInfo, country: str, habits: Habits) -> None:
    quiet = Hours(habits.quiet_from, habits.quiet_until)
    until = arrival(now, zone, quiet, lambda day: not habits.on_free_days and guide().is_free(country, day))
    if until > now:
        raise Later(until)


def _to_channel(notice: Notice, channel: Channel, topic: Topic, now: datetime) -> Route:
    if channel.archived_at is not None:
        raise Withdrawn("the channel was removed")
    if channel.audience != Channel.Audience.LEADERSHIP and set(notice.about) - guide().seen(
        None, notice.about
    ):
        raise Withdrawn("the channel's audience may not see what it is about")
    _hold(now, *_clock(None), habits_of(None))
    return Route(topic, channel, "", None, None)
