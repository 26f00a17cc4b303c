"""Leaders and teams: made, changed, archived; never deleted, so that history keeps its names."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any
from zoneinfo import available_timezones

import pghistory
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from calc.holidays import check_holidays
from owners.models import Leader, Leave, Team, User
from owners.queries.ownership import owned_by
from owners.rules import require
from owners.services.meanwhile import unchanged
from owners.services.names import clean_key, clean_name, clean_text, key_of, look_alikes


@dataclass(frozen=True)
class LeaderText:
    """What is said of a leader; "" or None is not said. country: whose holidays (GB, DE-BY); zone: IANA's."""

    name: str
    title: str = ""
    team: Team | None = None
    email: str = ""
    user: User | None = None
    country: str = ""
    timezone: str = ""


class LooksAlike(ValidationError):
    """Somebody of nearly that name is there already; `confirmed` says that it is somebody else."""


class StillAnswers(ValidationError):
    """Who is to be archived still answers for something."""


def still_answers(name: str) -> str:
    """Why somebody is not archived, on pages and in files."""
    return f"{name} still answers for metrics. Hand them over first."


def token_of(row: Leader | Team) -> str:
    """Names the state of a leader or a team, so that two who edit it see each other."""
    fields = [(f.name, f.value_from_object(row)) for f in row._meta.concrete_fields]
    return sha256(repr(fields).encode()).hexdigest()[:16]


@transaction.atomic
def create_leader(author: User | None, said: LeaderText, *, key: str = "", confirmed: bool = False) -> Leader:
    """A new leader; without `key` one is made of the name.

    Raises PermissionDenied without `people.leaders`; ValidationError by field; LooksAlike for a name or key
    that can be taken for another's, unless `confirmed`.
    """
    require(author, "people.leaders")
    taken = list(Leader.objects.values_list("key", flat=True))
    wrong: dict[str, list[str]] = {}
    if key:
        try:
            key = clean_key(key)
        except ValidationError as error:
            wrong["key"] = error.messages
        if key in taken:
            wrong["key"] = [f"{key} is the key of somebody else, perhaps of somebody who has left."]
    fields = _clean(said, None, wrong)
    if not confirmed:
        _warn(fields["name"], "somebody", Leader.objects.filter(archived_at=None))
        if key and (alike := look_alikes(key, taken)):
            raise LooksAlike({"key": f"{key} is easily taken for {alike[0]}."})
    leader = Leader(key=key or key_of(fields["name"], taken), **fields)
    with pghistory.context(**_origin(author)):
        leader.save()
    return leader


@transaction.atomic
def change_leader(
    author: User | None,
    leader: Leader,
    said: LeaderText,
    *,
    expected: str | None = None,
    confirmed: bool = False,
) -> Leader:
    """Raises as `create_leader`; ChangedMeanwhile if the token is not that of what is
    stored."""
    require(author, "people.leaders")
    held = Leader.objects.select_for_update(of=("self",)).get(pk=leader.pk)
    unchanged(expected, token_of(held))
    fields = _clean(said, held, {})
    if fields["name"] != held.name and not confirmed:
        others = Leader.objects.filter(archived_at=None).exclude(pk=held.pk)
        _warn(fields["name"], "somebody", others)
    changed = [name for name, value in fields.items() if getattr(held, name) != value]
    for name in changed:
        setattr(held, name, fields[name])
    if changed:
        with pghistory.context(**_origin(author)):
            held.save(update_fields=changed)
    return held


@transaction.atomic
def archive_leader(author: User | None, leader: Leader, *, day: date | None = None) -> Leader:
    """The person has left: named in history, offered nowhere. Their leaves that lie ahead go.

    Raises PermissionDenied without `people.leaders`; StillAnswers for who owns a metric or a member
    of one, or is to.
    """
    require(author, "people.leaders")
    held = Leader.objects.select_for_update(of=("self",)).get(pk=leader.pk)
    day = day or timezone.localdate()
    if owned_by(held, day):
        raise StillAnswers(still_answers(held.name))
    if held.archived_at is None:
        with pghistory.context(**_origin(author)):
            Leave.objects.filter(leader=held, from_date__gt=day).delete()
            held.archived_at = timezone.now()
            held.save(update_fields=["archived_at"])
    return held


@transaction.atomic
def restore_leader(author: User | None, leader: Leader) -> Leader:
    """The person is back; they own nothing until something is handed to them."""
    require(author, "people.leaders")
    held = Leader.objects.select_for_update(of=("self",)).get(pk=leader.pk)
    if held.archived_at is not None:
        held.archived_at = None
        with pghistory.context(**_origin(author)):
            held.save(update_fields=["archived_at"])
    return held


@transaction.atomic
def create_team(
    author: User | None,
    name: str,
    members: Collection[Leader] = (),
    *,
    key: str = "",
    confirmed: bool = False,
) -> Team:
    """Raises as `create_leader`."""
    require(author, "people.leaders")
    taken = list(Team.objects.values_list("key", flat=True))
    name = _named(name)
    if key:
        try:
            key = clean_key(key)
        except ValidationError as error:
            raise ValidationError({"key": error.messages}) from None
        if key in taken:
            raise ValidationError({"key": f"{key} is the key of another team, perhaps of an archived one."})
    if not confirmed:
        _warn(name, "a team", Team.objects.filter(archived_at=None))
    team = Team(key=key or key_of(name, taken), name=name)
    with pghistory.context(**_origin(author)):
        team.save()
        _set_members(team, members)
    return team


@transaction.atomic
def change_team(
    author: User | None,
    team: Team,
    name: str,
    members: Collection[Leader],
    *,
    expected: str | None = None,
    confirmed: bool = False,
) -> Team:
    """Another name, or other members: who is not among them is in no team. Raises as `change_leader`."""
    require(author, "people.leaders")
    held = Team.objects.select_for_update().get(pk=team.pk)
    unchanged(expected, token_of(held))
    name = _named(name)
    if name != held.name and not confirmed:
        _warn(name, "a team", Team.objects.filter(archived_at=None).exclude(pk=held.pk))
    with pghistory.context(**_origin(author)):
        if name != held.name:
            held.name = name
            held.save(update_fields=["name"])
        _set_members(held, members)
    return held


@transaction.atomic
def archive_team(author: User | None, team: Team) -> Team:
    """The team is no more; its members are in no team. PermissionDenied without `people.leaders`."""
    require(author, "people.leaders")
    held = Team.objects.select_for_update().get(pk=team.pk)
    if held.archived_at is None:
        with pghistory.context(**_origin(author)):
            _set_members(held, ())
            held.archived_at = timezone.now()
            held.save(update_fields=["archived_at"])
    return held


def _set_members(team: Team, members: Collection[Leader]) -> None:
    wanted = {leader.pk for leader in members}
    for leader in Leader.objects.select_for_update(of=("self",)).filter(Q(team=team) | Q(pk__in=wanted)):
        now = team if leader.pk in wanted else None
        if leader.team_id != (now.pk if now else None):
            leader.team = now
            leader.save(update_fields=["team"])


def _clean(said: LeaderText, held: Leader | None, wrong: dict[str, list[str]]) -> dict[str, Any]:
    """The columns as they are kept; ValidationError by field, with what is `wrong` already."""
    fields: dict[str, Any] = dict(vars(said))

    def attempt(name: str, do: Callable[[str], str]) -> None:
        try:
            fields[name] = do(fields[name])
        except ValidationError as error:
            wrong.setdefault(name, []).extend(error.messages)
        except ValueError as error:
            wrong.setdefault(name, []).append(str(error))

    attempt("name", clean_name)
    attempt("title", lambda text: clean_text(text, 200))
    attempt("email", _email)
    attempt("country", lambda code: check_holidays(code.strip().upper()) if code.strip() else "")
    attempt("timezone", _zone)
    if said.team is not None and said.team.archived_at is not None:
        wrong["team"] = [f"{said.team.name} is archived."]
    if said.user is not None:
        other = Leader.objects.filter(user=said.user).exclude(pk=held.pk if held else 0).first()
        if other is not None:
            wrong["user"] = [f"{said.user} leads as {other.name} already."]
    if wrong:
        raise ValidationError(wrong)
    return fields


def _email(text: str) -> str:
    address = text.strip().lower()
    if address:
        validate_email(address)
    return address


def _zone(text: str) -> str:
    zone = text.strip()
    if zone and zone not in available_timezones():
        raise ValidationError(f"{zone} is no time zone; write it like Europe/Berlin.")
    return zone


def _named(text: str) -> str:
    try:
        return clean_name(text)
    except ValidationError as error:
        raise ValidationError({"name": error.messages}) from None


def _warn(name: str, what: str, others: "QuerySet[Any]") -> None:
    alike = look_alikes(name, others.values_list("name", flat=True))
    if alike:
        raise LooksAlike({"name": f"There is {what} called {alike[0]} already."})


def _origin(author: User | None) -> dict[str, object]:
    return {"user": author.pk, "origin": "page"} if author else {}
