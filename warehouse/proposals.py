"""What the columns of a table may be for: a guess from names, types and a sample, for a person to judge."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from warehouse.catalog import Column, Sample
from warehouse.clock import DATE, INSTANT, NAIVE
from warehouse.engines.base import time_kind
from warehouse.expressions import ExpressionError, columns_of
from warehouse.sql import identifier

MOST_MEMBERS = 50  # different values of a column that is proposed to split by
MOST_DIMENSIONS = 8
_NUMERIC = re.compile(r"^(u?(tiny|small|big|huge)?int|integer|numeric|decimal|real|float|double|money)")
_TEXT = re.compile(r"^(char|varchar|text|string|enum|citext|name|uuid)")
_CHANGED = re.compile(r"(^|_)(updated|modified|changed|mtime|last_?update)", re.IGNORECASE)
_LOADED = re.compile(r"(^|_)(loaded|synced|imported|ingested|extracted|deleted|_?dw_|etl)", re.IGNORECASE)
_HAPPENED = re.compile(
    r"(^|_)(created|ordered|occurred|happened|event|sent|paid|placed|started|visited|signed)|^(at|ts|time|date|day)$"
    r"|_(at|on|date|day|time)$",
    re.IGNORECASE,
)
_ENTITY = re.compile(
    r"(customer|user|account|client|member|person|company|contact|visitor|subscriber|tenant)", re.I
)
_ID = re.compile(r"(^id$|_id$|_key$|_no$|_number$|uuid|^guid)", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?\Z", re.ASCII)


@dataclass(frozen=True)
class Proposal:
    """Expressions in PostgreSQL's dialect. dimensions: key -> expression. measures: columns to sum.
    times: all that could be the time, the proposed one first. time_kind: as warehouse.clock says it."""

    time: str = ""
    time_kind: str = ""
    times: tuple[str, ...] = ()
    changed_at: str = ""
    entity: str = ""
    dimensions: dict[str, str] = field(default_factory=dict)
    measures: tuple[str, ...] = ()
    rows: str = "events"


def expression_of(column: str) -> str:
    """A column's name as an expression: bare where that reads as this column, else quoted."""
    if re.match(r"^[a-z_][a-z0-9_]*\Z", column):
        try:
            if columns_of(column) == {column}:
                return column
        except ExpressionError:
            pass
    return identifier(column)


def key_of(name: str, taken: set[str] | None = None) -> str:
    """A key of letters, digits and underscores that a name leads to, another one than those `taken`."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    key = "_".join(words)[:50].strip("_")
    if not key or not key[0].isalpha():
        key = f"column_{key}".strip("_")
    found, n = key, 2
    while found in (taken or ()):
        found, n = f"{key}_{n}", n + 1
    return found


def is_number(column: Column) -> bool:
    return bool(_NUMERIC.match(column.type))


def is_text(column: Column) -> bool:
    return bool(_TEXT.match(column.type))


def is_boolean(column: Column) -> bool:
    return column.type.startswith("bool")


def propose(sample: Sample) -> Proposal:
    """The guess for a table's columns. What has no good candidate stays empty."""
    times = sorted(_times(sample.columns), key=lambda found: found[0])
    changed = [c.name for _, c, _ in times if _CHANGED.search(c.name) and not _LOADED.search(c.name)]
    happened = [(c, text) for _, c, text in times]
    time, text = happened[0] if happened else (None, "")
    kind = (time_kind(time.type) or _kind_of_text(time)) if time else ""
    entity = _entity(sample)
    used = {name for name in (time.name if time else "", entity, *changed) if name}
    return Proposal(
        time=text,
        time_kind=kind,
        times=tuple(text for _, text in happened),
        changed_at=next((expression_of(name) for name in changed if time and name != time.name), ""),
        entity=expression_of(entity) if entity else "",
        dimensions=_dimensions(sample, used),
        measures=tuple(
            c.name for c in sample.columns if is_number(c) and not _ID.search(c.name) and c.name not in used
        ),
        rows="daily" if time is not None and _is_daily(sample, time, kind) else "events",
    )


def _times(columns: tuple[Column, ...]) -> list[tuple[tuple[int, int, int], Column, str]]:
    """(rank, column, expression) of what could be the time of a row; the best has the lowest rank."""
    most = max((column.filled for column in columns), default=0)
    found = []
    for n, column in enumerate(columns):
        name, kind = column.name, time_kind(column.type)
        if kind:
            text = expression_of(name)
        elif is_text(column) and _kind_of_text(column):
            text = (
                f"CAST({expression_of(name)} AS {'date' if _kind_of_text(column) == DATE else 'timestamp'})"
            )
        else:
            continue
        rank = 1
        if _LOADED.search(name):
            rank = 4
        elif _CHANGED.search(name):
            rank = 3
        elif _HAPPENED.search(name):
            rank = 0
        rank += 0 if kind else 2
        found.append(((rank, int(column.filled < most), n), column, text))
    return found


def _kind_of_text(column: Column) -> str:
    """Whether a text column holds days or moments; "" for neither."""
    if not column.values or not all(_DAY.match(value) and _is_moment(value) for value in column.values):
        return ""
    return DATE if all(len(value) == 10 for value in column.values) else NAIVE


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _entity(sample: Sample) -> str:
    """Whom or what a row is about: an identifier that comes back in other rows."""
    found: list[tuple[int, str]] = []
    for n, column in enumerate(sample.columns):
        if time_kind(column.type) or is_boolean(column) or column.filled == 0:
            continue
        named, numbered = bool(_ENTITY.search(column.name)), bool(_ID.search(column.name))
        if not numbered and not (named and column.distinct > MOST_MEMBERS):
            continue
        # The row's own number appears once; a person usually more often, but one with a telling name counts.
        is_own = column.distinct == column.filled and sample.rows > 1
        if is_own and not named:
            continue
        found.append(((0 if named and numbered else 1 if named else 2) * 1000 + n, column.name))
    return min(found)[1] if found else ""


def _dimensions(sample: Sample, used: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for column in sample.columns:
        if len(found) == MOST_DIMENSIONS:
            break
        few = 1 < column.distinct <= MOST_MEMBERS and column.distinct * 2 <= max(column.filled, 4)
        if column.name in used or _ID.search(column.name) or not few:
            continue
        if is_boolean(column) or (is_text(column) and not _kind_of_text(column)):
            found[key_of(column.name, set(found))] = expression_of(column.name)
    return found


def _is_daily(sample: Sample, time: Column, kind: str) -> bool:
    return kind == DATE and sample.rows > 10 and time.distinct == time.filled == sample.rows


def needs_zone(kind: str) -> bool:
    """Whether it must be said which zone a time means: one without a zone that is no day."""
    return kind not in ("", DATE, INSTANT)
