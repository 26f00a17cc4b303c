"""What every engine can do, and what does not depend on which one it is."""

# ruff: noqa: S608 (this text is built from checked expressions and escaped literals)

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from types import TracebackType
from typing import Protocol, Self
from zoneinfo import ZoneInfo

from calc.calendar import Calendar
from warehouse.clock import DATE, INSTANT, NAIVE, Clock
from warehouse.definitions import SourceDef, WarehouseDef, WarehouseDown, WarehouseError
from warehouse.expressions import ExpressionError, check_expression, check_select, transpile
from warehouse.sql import relation

Row = Sequence[object]
# A row's day is found from its quarter of an hour: every zone's offset since 1972 is a multiple of it.
_BIN = 900


class Engine(Protocol):
    """An open, read-only warehouse."""

    warehouse: WarehouseDef
    dialect: str

    def columns(self, source: SourceDef) -> dict[str, str]: ...

    def describe(self, sql: str, *, source: str = "") -> dict[str, str]: ...

    def clock(self, source: SourceDef, calendar: Calendar) -> Clock: ...

    def watermark(self, source: SourceDef, calendar: Calendar) -> tuple[date | None, date | None]: ...

    def changed_days(self, source: SourceDef, calendar: Calendar, since: datetime) -> set[date]: ...

    def run(self, sql: str, *, source: str = "") -> Iterator[list[Row]]: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class SqlEngine(ABC):
    """The part of an engine that is the same for all: `run` and `describe` are what a subclass adds."""

    dialect = ""

    def __init__(self, warehouse: WarehouseDef) -> None:
        self.warehouse = warehouse
        self._clocks: dict[tuple[str, str, str, str, Calendar], Clock] = {}

    @abstractmethod
    def run(self, sql: str, *, source: str = "") -> Iterator[list[Row]]:
        """Run one statement, in batches of rows. WarehouseError on a fault, the timeout or the row cap."""

    @abstractmethod
    def describe(self, sql: str, *, source: str = "") -> dict[str, str]:
        """The result columns of a query and their types (lower case, the engine's words),
        without running it."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the warehouse."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def error(self, message: str, *, source: str = "") -> WarehouseError:
        return WarehouseError(message.strip(), warehouse=self.warehouse.key, source=source)

    def down(self, message: str, *, source: str = "") -> WarehouseDown:
        return WarehouseDown(message.strip(), warehouse=self.warehouse.key, source=source)

    def columns(self, source: SourceDef) -> dict[str, str]:
        """The source's columns and their types; WarehouseError if the source is missing or refused."""
        return self.describe(f"SELECT * FROM {self._relation(source)}", source=source.key)

    def clock(self, source: SourceDef, calendar: Calendar) -> Clock:
        """How the source's time column reads; WarehouseError if it is no date and no timestamp."""
        key = (source.table, source.sql, source.time, source.timezone, calendar)
        if key in self._clocks:
            return self._clocks[key]
        types = self.describe(
            f"SELECT {self._expression(source, source.time)} AS t FROM {self._relation(source)}",
            source=source.key,
        )
        clock = Clock(self._kind(source, types["t"]), source.timezone, calendar)
        self._clocks[key] = clock
        return clock

    def watermark(self, source: SourceDef, calendar: Calendar) -> tuple[date | None, date | None]:
        """`(first day with rows, watermark)`: local dates, the watermark exclusive; None without rows.

        With `loaded_to` its answer is the watermark: a DATE as it is, a timestamp's local day (midnight
        itself opens a day, so it is that date too). Without, it is the local day of the newest row.
        """
        clock = self.clock(source, calendar)
        wall = wall_sql(self._expression(source, source.time), clock.kind, self.dialect)
        rows = self._rows(
            f"SELECT min({wall}), max({wall}) FROM {self._relation(source)}",
            source.key,
        )
        first, newest = (self._local_day(source, value, clock) for value in rows[0])
        if not source.loaded_to:
            return first, newest
        return first, self._loaded_to(source, calendar)

    def _loaded_to(self, source: SourceDef, calendar: Calendar) -> date | None:
        try:
            check_select(source.loaded_to, self.dialect)
        except ExpressionError as error:
            raise self.error(f"loaded_to: {error}", source=source.key) from None
        inner = f"({source.loaded_to.strip().rstrip(';')}) AS loaded"
        types = self.describe(f"SELECT * FROM {inner}", source=source.key)
        if len(types) != 1:
            raise self.error("loaded_to must return one column", source=source.key)
        ((name, kind),) = types.items()
        clock = Clock(self._kind(source, kind, "loaded_to"), source.timezone, calendar)
        column = '"' + name.replace('"', '""') + '"'
        rows = self._rows(
            f"SELECT {wall_sql(column, clock.kind, self.dialect)} FROM {inner}",
            source.key,
        )
        if len(rows) > 1:
            raise self.error("loaded_to must return one row", source=source.key)
        return self._local_day(source, rows[0][0], clock) if rows else None

    def changed_days(self, source: SourceDef, calendar: Calendar, since: datetime) -> set[date]:
        """The local days (by `time`) of rows whose `changed_at` is at or after `since`, an aware instant."""
        if not source.changed_at:
            raise self.error("the source has no changed_at column", source=source.key)
        clock = self.clock(source, calendar)
        changed = self._expression(source, source.changed_at)
        types = self.describe(
            f"SELECT {changed} AS t FROM {self._relation(source)}",
            source=source.key,
        )
        stamp = Clock(self._kind(source, types["t"], "changed_at"), source.timezone, calendar)
        if stamp.kind == DATE:
            bound = f"DATE '{calendar.day_of(since)}'"
        else:
            bound = f"TIMESTAMP '{since.astimezone(ZoneInfo(stamp.wall_zone)).replace(tzinfo=None)}'"
        wall = wall_sql(self._expression(source, source.time), clock.kind, self.dialect)
        bins = wall if clock.kind == DATE else f"floor(extract(epoch FROM {wall}) / {_BIN})"
        rows = self._rows(
            f"SELECT DISTINCT {bins} FROM {self._relation(source)} "
            f"WHERE {wall_sql(changed, stamp.kind, self.dialect)} >= {bound}",
            source.key,
        )
        days: set[date] = set()
        for (value,) in rows:
            if value is None:
                continue
            if clock.kind != DATE:
                value = datetime(1970, 1, 1) + timedelta(seconds=int(value) * _BIN)  # type: ignore[call-overload]
            day = self._local_day(source, value, clock)
            if day is not None:
                days.add(day)
        return days

    def _rows(self, sql: str, source: str) -> list[Row]:
        return [row for batch in self.run(sql, source=source) for row in batch]

    def _relation(self, source: SourceDef) -> str:
        try:
            return relation(source, self.dialect)
        except ExpressionError as error:
            raise self.error(str(error), source=source.key) from None

    def _expression(self, source: SourceDef, text: str) -> str:
        try:
            check_expression(text)
            return f"({transpile(text, self.dialect)})"
        except ExpressionError as error:
            raise self.error(f"{text[:80]!r}: {error}", source=source.key) from None

    def _kind(self, source: SourceDef, engine_type: str, what: str = "time") -> str:
        kind = time_kind(engine_type)
        if not kind:
            raise self.error(f"{what} must be a date or a timestamp, but is {engine_type}", source=source.key)
        return kind

    def _local_day(self, source: SourceDef, value: object, clock: Clock) -> date | None:
        if value is None:
            return None
        if not isinstance(value, date):  # a datetime is a date
            raise self.error(f"a date or timestamp is due, but got {value!r:.80}", source=source.key)
        return clock.local(value).date()


def time_kind(engine_type: str) -> str:
    """DATE, NAIVE, INSTANT, or "" for a type that is no time."""
    name = re.sub(r"\(\d+\)", "", engine_type.lower()).strip()
    if name == "date":
        return DATE
    if name in ("timestamp with time zone", "timestamptz"):
        return INSTANT
    return NAIVE if name.startswith(("timestamp", "datetime")) else ""


def wall_sql(expression: str, kind: str, dialect: str) -> str:
    """The time column as a DATE or a naive timestamp: instants are brought to UTC."""
    if kind != INSTANT:
        return expression if kind == DATE else f"CAST({expression} AS TIMESTAMP)"
    if dialect == "duckdb":
        return f"make_timestamp(epoch_us({expression}))"  # AT TIME ZONE goes through ICU for every row
    return f"({expression} AT TIME ZONE 'UTC')"


def structured(warehouse: WarehouseDef, allowed: Mapping[str, type | tuple[type, ...]]) -> dict[str, object]:
    """The options of a warehouse, each known and of its type; WarehouseError names the first that is not."""
    for name, value in warehouse.options.items():
        if name not in allowed:
            raise WarehouseError(
                f"the option {name!r} is not allowed; there are {', '.join(allowed)}", warehouse=warehouse.key
            )
        if not isinstance(value, allowed[name]) or isinstance(value, bool):
            raise WarehouseError(f"the option {name!r} has a wrong type", warehouse=warehouse.key)
        if isinstance(value, str) and ("\x00" in value or "\n" in value):
            raise WarehouseError(f"the option {name!r} contains a control character", warehouse=warehouse.key)
    return dict(warehouse.options)
