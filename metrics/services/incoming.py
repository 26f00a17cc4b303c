"""Figures on their way into the database: copied to temporary tables and checked there."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from calc.calendar import Grain, Period

LONGEST_MEMBER = 200  # characters, as the column has it
NAMED = 3  # faulty figures that a refusal names one by one

# Of stored figures, of their revisions and of `incoming` alike; KEY tells one figure from all others.
COLUMNS = (
    "metric_id, grain, period_start, period_end, dimension, member, value, numerator, denominator, immature, "
    "status, version"
)
KEY = ("metric_id", "grain", "dimension", "member", "period_start", "period_end")


@dataclass(frozen=True, slots=True)
class Draft:
    """A figure to be written. `value` None is unknown; `dimension` and `member` are "" for the whole."""

    metric: int  # id
    grain: str
    start: date
    end: date
    dimension: str
    member: str
    value: float | None
    numerator: float | None
    denominator: float | None
    immature: int | None
    status: str
    version: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What was recomputed: figures of this metric, grain and dimension whose last day lies in `[start, end)`.

    Stored figures of a scope that are not written again are removed.
    """

    metric: int
    grain: str
    dimension: str
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Reach:
    """A metric's watermark before a write and with it, exclusive local days. None: nothing loaded (yet)."""

    before: date | None
    now: date | None


def stage(
    cursor: Any, drafts: Iterable[Draft], scopes: Sequence[Scope], reach: Mapping[int, Reach]
) -> tuple[int, dict[int, str]]:
    """Fill the temporary tables `incoming`, `scope` and `reached`, which live as long as the transaction.

    Returns how many figures were offered, and by metric id why a metric was left out of them: one of its
    figures is not finite, not a number or there twice.
    """
    _create(cursor)
    rows, refused = _copy(cursor, drafts)
    _copy_scopes(cursor, scopes, reach)
    _refuse_doubles(cursor, refused)
    if refused:
        for table in ("incoming", "scope"):
            cursor.execute(f"DELETE FROM {table} WHERE metric_id = ANY(%s)", [list(refused)])  # noqa: S608
    cursor.execute("ANALYZE incoming")
    return rows, refused


def _create(cursor: Any) -> None:
    """Temporary tables of this transaction; emptied, because one transaction may write several times."""
    cursor.execute("SET LOCAL client_min_messages = warning")
    cursor.execute(
        """
        CREATE TEMPORARY TABLE IF NOT EXISTS incoming (
            metric_id bigint, grain varchar(20), period_start date, period_end date, dimension varchar(80),
            member varchar(200), value float8, numerator float8, denominator float8, immature integer,
            status varchar(12), version integer, gone boolean DEFAULT false, held boolean DEFAULT false
        ) ON COMMIT DROP;
        CREATE TEMPORARY TABLE IF NOT EXISTS scope (
            metric_id bigint, grain varchar(20), dimension varchar(80), first date, past date
        ) ON COMMIT DROP;
        CREATE TEMPORARY TABLE IF NOT EXISTS reached (
            metric_id bigint PRIMARY KEY, past date, now_past date
        ) ON COMMIT DROP;
        TRUNCATE incoming, scope, reached
        """
    )


def _copy(cursor: Any, drafts: Iterable[Draft]) -> tuple[int, dict[int, str]]:
    rows = 0
    faults: dict[int, list[str]] = {}
    with cursor.copy(f"COPY incoming ({COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(
            [
                "int8",
                "varchar",
                "date",
                "date",
                "varchar",
                "varchar",
                "float8",
                "float8",
                "float8",
                "int4",
                "varchar",
                "int4",
            ]
        )
        for draft in drafts:
            rows += 1
            try:
                _check_member(draft.member)
                numbers = [_number(n) for n in (draft.value, draft.numerator, draft.denominator)]
                immature = None if draft.immature is None else int(draft.immature)
            except ValueError as error:
                faults.setdefault(draft.metric, []).append(
                    f"{error} for the {_say(draft.grain, draft.start, draft.end)}"
                )
                continue
            copy.write_row(
                (
                    draft.metric,
                    draft.grain,
                    draft.start,
                    draft.end,
                    draft.dimension,
                    draft.member,
                    *numbers,
                    immature,
                    draft.status,
                    draft.version,
                )
            )
    refused: dict[int, str] = {}
    for metric, found in faults.items():
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        refused[metric] = "; ".join(found[:NAMED]) + more
    return rows, refused


def _check_member(member: str) -> None:
    if "\x00" in member or len(member) > LONGEST_MEMBER:
        raise ValueError(f"{member[:40]!r}... is not a name that can be kept")


def _number(value: object) -> float | None:
    """A finite float or None; ValueError names what is not one."""
    if value is None:
        return None
    if isinstance(value, str | bytes | bool):
        raise ValueError(f"{value!r} is not a number")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{value!r} is not a number") from None
    if not math.isfinite(number):
        raise ValueError(f"{number} is not a finite number")
    return number


def _copy_scopes(cursor: Any, scopes: Sequence[Scope], reach: Mapping[int, Reach]) -> None:
    with cursor.copy("COPY scope FROM STDIN") as copy:
        for scope in scopes:
            copy.write_row((scope.metric, scope.grain, scope.dimension, scope.start, scope.end))
    with cursor.copy("COPY reached FROM STDIN") as copy:
        for metric, days in reach.items():
            copy.write_row((metric, days.before, days.now))


def _refuse_doubles(cursor: Any, refused: dict[int, str]) -> None:
    key = ", ".join(KEY)
    cursor.execute(
        f"""SELECT metric_id, grain, period_start, period_end, dimension, member, count(*) FROM incoming
            GROUP BY {key} HAVING count(*) > 1 ORDER BY {key}"""  # noqa: S608
    )
    for metric, grain, start, end, dimension, member, times in cursor.fetchall():
        of = f" of {dimension} {member}" if dimension else ""
        refused.setdefault(
            metric, f"{times} figures came back for the {_say(grain, start, end)}{of}, where there can be one"
        )


def _say(grain: str, start: date, end: date) -> str:
    period = Period(start, end, Grain(grain))
    return f"day {start}" if grain == "day" else f"{period.grain.value.replace('_', ' ')} {start} to {end}"
