"""What a room above tells this one about metrics and the calendar, for notices: `NOTICES_GUIDE` names it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib import import_module
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

from django.conf import settings

from owners.models import Leader, Notice, User


@dataclass(frozen=True)
class Words:
    """What a notice says, in plain text; links in it are whole."""

    subject: str
    body: str


class Guide(Protocol):
    """The module that `NOTICES_GUIDE` names."""

    def clock(self) -> tuple[ZoneInfo, str]:
        """The installation's time zone, and whose holidays are its own ("": nobody's)."""

    def is_free(self, country: str, day: date) -> bool:
        """Whether nobody works on this day: a weekend or a public holiday of the country, or part of it."""

    def seen(self, person: User | Leader | None, keys: Collection[str]) -> set[str]:
        """Which of these metrics the person may see; None: whoever is signed in."""

    def names(self, keys: Collection[str]) -> dict[str, str]:
        """The names of these metrics, by key; a key that is none is missing."""

    def words(self, notice: Notice, now: datetime, *, signed: bool) -> Words | None:
        """What the notice says now, where that depends on the day it is sent; None if nothing is left to
        say. signed: with links that need no signing in, for the person's own eyes."""


@cache
def _module(name: str) -> Any:
    return import_module(name)


def guide() -> Guide:
    return cast(Guide, _module(settings.NOTICES_GUIDE))
