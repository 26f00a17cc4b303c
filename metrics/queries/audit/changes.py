"""The list of changes as the page and its CSV show it: names instead of numbers, no secret."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection

from calc.calendar import Calendar
from metrics.queries.audit.names import Names, read_names
from metrics.queries.audit.sayings import Said, sayings
from metrics.queries.audit.statement import MODELS, SOURCES, statement
from metrics.queries.audit.words import COLUMNS
from metrics.queries.hiding import veil
from owners.models import User

KINDS = {
    "definition": "definitions",
    "figure": "figures by hand",
    "target": "targets",
    "owner": "owners",
    "person": "people and roles",
}
FIRST = 50  # changes on a page
NOBODY = "nobody"  # as a person: changes without an account, by command or by the machinery
# Title, id, label, time, context's metadata, the row after and before, and the number of the event.
Row = tuple[str, int, str, datetime, dict[str, Any], dict[str, Any], dict[str, Any], int]
_KEPT = {"target": "target", "plan of a month": "plan", "metric": "metric", "source": "source"}
_LABELS = {"insert": "new", "update": "changed", "delete": "removed"}
_ORIGINS = {
    "page": "page",
    "file": "file",
    "api": "API",
    "apply": "definitions file",
    "sso": "single sign-on",
}


@dataclass(frozen=True)
class Cut:
    """Which changes: of a kind ("": all), by the account `person` (an id, `nobody`, or ""), of local days
    `[start, end]`, with `text` in what they say, in the name of their metric or leader, or as the network
    address that they came from."""

    kind: str = ""
    person: str = ""
    start: date | None = None
    end: date | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that changed, in words; "" is nothing. Days and times are as they are stored.

    column, was, now: the same as it is stored: `agreed_months.2026-10-01`, and its two values.
    """

    name: str
    before: str
    after: str
    column: str = field(default="", compare=False)
    was: str = field(default="", compare=False)
    now: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one object. `what` is new, changed or removed; `origin` is the page's path or the way in,
    `address` the network address of whoever asked for it ("": none, as of a command)."""

    at: datetime
    who: str
    origin: str
    address: str
    title: str
    name: str
    what: str
    differences: tuple[Difference, ...]
    event: int = 0

    @property
    def kept(self) -> str:
        """The word in the address by which this state can be had again; "" if it cannot."""
        return "" if self.what == _LABELS["delete"] else _KEPT.get(self.title, "")


@dataclass(frozen=True, slots=True)
class Log:
    """Changes, the newest first; `more`: older ones follow."""

    changes: tuple[Change, ...]
    more: bool


def changes(
    cut: Cut, calendar: Calendar, *, limit: int = FIRST, offset: int = 0, reader: User | None = None
) -> Log:
    """The changes of `cut`, newest first; what names a metric that `reader` may not see is hidden (None is
    the system, which sees all). A constant number of SQL statements, whatever their number."""
    zone = calendar.zone
    conditions: list[str] = []
    parameters: dict[str, Any] = {"limit": limit + 1, "offset": offset}
    if cut.start:
        conditions.append("e.at >= %(start)s")
        parameters["start"] = datetime.combine(cut.start, time.min, zone)
    if cut.end:
        conditions.append("e.at < %(end)s")
        parameters["end"] = datetime.combine(cut.end + timedelta(days=1), time.min, zone)
    if cut.person == NOBODY:
        conditions.append("c.metadata->>'user' IS NULL")
    elif cut.person:
        conditions.append("c.metadata->>'user' = %(person)s")
        parameters["person"] = cut.person
    if cut.text:
        literal = re.sub(r"([%_\\])", r"\\\1", cut.text)
        parameters["like"] = f"%{literal}%"
        parameters["address"] = cut.text.strip()
    sql = statement([cut.kind] if cut.kind else list(SOURCES), conditions, text=bool(cut.text))
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = [
            (title, pk, label, at, _object(metadata), _object(after), _object(before), event)
            for title, pk, label, at, metadata, after, before, event in cursor.fetchall()
        ]
    names, hide = read_names(calendar), veil(reader).words
    found = (_change(row, names) for row in rows[:limit])
    return Log(tuple(_veiled(change, hide) for change in found), len(rows) > limit)


def _veiled(change: Change, hide: Callable[[str], str]) -> Change:
    told = tuple(
        replace(d, before=hide(d.before), after=hide(d.after), was=hide(d.was), now=hide(d.now))
        for d in change.differences
    )
    return replace(change, name=hide(change.name), differences=told)


def people() -> list[tuple[str, str]]:
    """(id, name) of all accounts, for the choice. One SQL statement."""
    return [(str(user.pk), str(user)) for user in User.objects.order_by("name", "email")]


def _object(told: Any) -> dict[str, Any]:
    loaded = json.loads(told) if isinstance(told, str) else told
    return loaded if isinstance(loaded, dict) else {}


def _change(row: Row, names: Names) -> Change:
    title, pk, label, at, metadata, after, before, event = row
    if label == "insert":
        old, new = {}, after
    elif label == "delete":
        old, new = after, {}
    else:
        old, new = before, after
    user = metadata.get("user")
    origin, url = metadata.get("origin") or "", metadata.get("url")
    return Change(
        at=at,
        who=names.of("user_id", user) if user is not None else "",
        origin=_ORIGINS["sso"]
        if origin == "sso"
        else str(url or _ORIGINS.get(origin, origin) or "command line"),
        address=str(metadata.get("address") or ""),
        title=title,
        name=names.title(title, pk, after),
        what=_LABELS.get(label, label),
        differences=differences(MODELS[title], old, new, names),
        event=event,
    )


def differences(
    model: str, old: Mapping[str, Any], new: Mapping[str, Any], names: Names
) -> tuple[Difference, ...]:
    """What two states of one row of `model` differ in, a thing at a time, columns in the order in which
    `words.COLUMNS` names them."""
    before = {said.path: said for said in sayings(model, old, names)}
    after = {said.path: said for said in sayings(model, new, names)}
    nothing = Said("", "", "", "")
    found = []
    order = {column: n for n, column in enumerate(COLUMNS.get(model, ()))}
    for path in sorted({*before, *after}, key=lambda p: (order.get(p.partition(".")[0], len(order)), p)):
        was, now = before.get(path, nothing), after.get(path, nothing)
        if was.raw != now.raw:
            name = now.name or was.name
            found.append(Difference(name, was.text, now.text, path, was.raw, now.raw))
    return tuple(found)
