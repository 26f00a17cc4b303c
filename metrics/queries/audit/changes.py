"""The list of changes as the page and its CSV show it: names instead of numbers, no secret."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from django.db import connection

from metrics.queries.audit.names import Names, read_names
from metrics.queries.audit.statement import SOURCES, statement
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
# Columns that say nothing of their own beside who, when and what.
_SILENT = {"id", "author_id", "entered_at", "updated_at", "created_at", "date_joined", "origin", "watermark"}
_SECRET = re.compile(r"pass|secret|token|credential|private|api_?key|dsn|_key$", re.IGNORECASE)
_VARIABLE = re.compile(r"^\$\{\w+\}$")
HIDDEN = "(hidden)"
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
    """One thing that changed; "" is nothing."""

    name: str
    before: str
    after: str


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


def changes(cut: Cut, zone: tzinfo, *, limit: int = FIRST, offset: int = 0) -> Log:
    """The changes of `cut`, newest first. A constant number of SQL statements, whatever their number."""
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
    names = read_names()
    found = tuple(_change(row, names) for row in rows[:limit])
    return Log(found, len(rows) > limit)


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
        differences=differences(old, new, names),
        event=event,
    )


def differences(old: Mapping[str, Any], new: Mapping[str, Any], names: Names) -> tuple[Difference, ...]:
    """What two states of one row differ in, a thing at a time."""
    before, after = dict(_flat(old, names)), dict(_flat(new, names))
    found = sorted({*before, *after}, key=lambda n: (n.count("."), n))
    pairs = [(name, before.get(name, ""), after.get(name, "")) for name in found]
    return tuple(Difference(name, was, now) for name, was, now in pairs if was != now)


def _flat(row: Mapping[str, Any], names: Names) -> Iterator[tuple[str, str]]:
    """(name in words, text) of everything that a row says: numbers of other rows as their names."""
    for column, value in row.items():
        if column.startswith("pgh_") or column in _SILENT:
            continue
        if column.endswith("_id"):
            yield (
                column.removesuffix("_id").replace("_", " "),
                names.of(column, value) if value is not None else "",
            )
        else:
            yield from _leaves(column, value, top=True)


def _leaves(path: str, value: Any, *, top: bool = False) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}", inner)
        return
    last = path.rpartition(".")[2]
    if not top and _SECRET.search(last) and not _VARIABLE.match(str(value)):
        yield path, HIDDEN
    elif value is None or value == "" or value == []:
        yield path.replace("_", " "), ""
    elif isinstance(value, str):
        yield path.replace("_", " "), value
    elif isinstance(value, bool):
        yield path.replace("_", " "), "yes" if value else "no"
    elif isinstance(value, list):
        yield path.replace("_", " "), json.dumps(value, ensure_ascii=False)
    else:
        yield path.replace("_", " "), f"{value:.15g}" if isinstance(value, float) else str(value)
