"""Small pieces of SQL text that both engines read; the one place where values and names are escaped."""

from datetime import date, datetime

from calc.calendar import Calendar, Grain
from warehouse.clock import DATE, Clock
from warehouse.definitions import SourceDef
from warehouse.expressions import check_select, check_table

OTHER = "(other)"
NONE = "(none)"


def literal(value: str | int | date | datetime) -> str:
    """A value as SQL text. Both engines treat a backslash inside '...' as itself."""
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value:%Y-%m-%d %H:%M:%S}'"
    if isinstance(value, date):
        return f"DATE '{value}'"
    if isinstance(value, int):
        return str(value)
    if "\x00" in value:
        raise ValueError("a NUL character cannot stand in a query")
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def relation(source: SourceDef, dialect: str) -> str:
    """What stands after FROM: the table, or the query in parentheses. ExpressionError if it is refused."""
    if source.sql:
        check_select(source.sql, dialect)
        return f"({source.sql.strip().rstrip(';')}\n) AS src"
    check_table(source.table)
    return ".".join(identifier(part) for part in source.table.split(".")) + " AS src"


def local_timestamp(wall: str, clock: Clock, start: date, end: date) -> str:
    """The naive local time of a wall-time column, valid for rows in `[start, end)`."""
    shifts = clock.shifts(start, end)
    if clock.kind == DATE:
        return f"CAST({wall} AS TIMESTAMP)"
    if len(shifts) == 1 and shifts[0][1] == 0:
        return wall
    return f"({wall} + {_search(wall, shifts)})"


def local_day(wall: str, clock: Clock, start: date, end: date) -> str:
    """The local day of a wall-time column, valid for rows in `[start, end)`."""
    if clock.kind == DATE:
        return wall
    return f"CAST({local_timestamp(wall, clock, start, end)} AS DATE)"


def _search(wall: str, shifts: list[tuple[datetime, int]]) -> str:
    """A binary search over the shifts as nested CASE."""
    if len(shifts) == 1:
        return f"INTERVAL '{shifts[0][1]} seconds'"
    middle = len(shifts) // 2
    below, above = _search(wall, shifts[:middle]), _search(wall, shifts[middle:])
    return f"CASE WHEN {wall} < {literal(shifts[middle][0])} THEN {below} ELSE {above} END"


def period_start(day: str, grain: Grain, calendar: Calendar) -> str:
    """The first day of the period that contains a DATE, as calc.calendar says it."""
    whole = grain.whole
    if whole is Grain.DAY:
        return day
    if whole is Grain.WEEK:
        into = f"((CAST(extract(isodow FROM {day}) AS INTEGER) + {6 - calendar.week_start}) % 7)"
        return f"({day} - {into})"
    if whole is Grain.MONTH:
        return f"CAST(date_trunc('month', {day}) AS DATE)"
    months = 3 if whole is Grain.QUARTER else 12
    first = calendar.fiscal_year_start
    if (first - 1) % months == 0:
        return f"CAST(date_trunc('{whole}', {day}) AS DATE)"
    # Shifting to a year that opens in January and back; the day is the month's first, so nothing is clipped.
    back = (first - 1) % months
    return (
        f"CAST(date_trunc('{whole}', date_trunc('month', {day}) - INTERVAL '{back} months')"
        f" + INTERVAL '{back} months' AS DATE)"
    )


def member(expression: str, top: tuple[str, ...] | None) -> str:
    """A dimension's member as text: NULL is "(none)", and those not in `top` are "(other)"."""
    text = f"coalesce(CAST({expression} AS VARCHAR), {literal(NONE)})"
    if top is None:
        return text
    if not top:
        return literal(OTHER)
    return f"CASE WHEN {text} IN ({', '.join(literal(t) for t in top)}) THEN {text} ELSE {literal(OTHER)} END"
