"""Reads the small sections of the file: calendar, warehouses, sources, teams and leaders."""

import re
from typing import Any
from zoneinfo import available_timezones

from calc.calendar import WEEKDAYS
from metrics.definitions.fields import Fields, compact
from metrics.definitions.holidays import check_holidays
from metrics.definitions.mistakes import nearest
from metrics.definitions.quantities import parse_span
from metrics.definitions.reading import Text, kind_of
from warehouse.expressions import ExpressionError, check_expression, check_table

Objects = dict[str, dict[str, Any]]

ENGINES = ("duckdb", "postgres")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SECRET_OPTIONS = ("password",)
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$", re.ASCII)
_EMAIL = re.compile(r"^[^@\s<>\"',;]+@[^@\s<>\"',;]+\.[^@\s<>\"',;.]+$")


def check_zone(name: str) -> str:
    """A time zone's name; ValueError with the nearest one."""
    if name not in available_timezones():
        raise ValueError(
            f"there is no time zone {name!r}{nearest(name, sorted(available_timezones()), most=0)}"
        )
    return name


def _weekday(word: str) -> int:
    if word.lower() not in WEEKDAYS:
        raise ValueError(f"{word!r} is not a day of the week{nearest(word.lower(), WEEKDAYS)}")
    return WEEKDAYS.index(word.lower())


def read_calendar(fields: Fields) -> dict[str, Any]:
    """timezone, week_start (0 is Monday), fiscal_year_start (a month), holidays; all with their defaults
    filled."""
    calendar = {
        "timezone": fields.parsed("timezone", check_zone) or "UTC",
        "week_start": fields.parsed("week_start", _weekday) or 0,
        "fiscal_year_start": fields.whole("fiscal_year_start", 1, 12) or 1,
        "holidays": fields.parsed("holidays", check_holidays) or "",
    }
    fields.done()
    return calendar


def read_warehouses(section: Fields) -> tuple[Objects, dict[str, dict[str, str]]]:
    """Connections as written, and apart from them the secrets that stand in the file themselves."""
    warehouses: Objects = {}
    secrets: dict[str, dict[str, str]] = {}
    for key, fields in section.objects():
        fields.require("engine")
        engine = fields.choice("engine", ENGINES)
        options: dict[str, Any] = {"engine": engine}
        # With an engine misspelt every option would be unknown: one mistake, not six.
        if engine == "duckdb" or not engine:
            options |= _duckdb(fields, needed=bool(engine))
        if engine == "postgres" or not engine:
            options |= _postgres(fields, needed=bool(engine))
        options["timeout"] = fields.number("timeout", low=1, high=86_400)
        options["row_cap"] = fields.number("row_cap", low=1, high=1e9)
        for name in SECRET_OPTIONS:
            secret = options.get(name)
            if secret and not VARIABLE.search(secret):
                secrets.setdefault(key, {})[name] = options.pop(name)
        for name, value in options.items():
            if isinstance(value, str) and "${" in VARIABLE.sub("", value):
                fields.wrong(name, "a reference to the environment is written ${NAME}")
        warehouses[key] = compact(options)
        fields.done()
    return warehouses, secrets


def _duckdb(fields: Fields, *, needed: bool) -> dict[str, Any]:
    path = fields.text("path", most=1_000)
    files: dict[str, str] = {}
    tables = fields.mapping("files")
    for table, node in tables.entries(keyed=False) if tables else ():
        assert tables is not None
        try:
            check_table(table)
        except ExpressionError as error:
            tables.wrong(table, str(error))
        if isinstance(node, Text) and node.text.strip():
            files[table] = tables.text(table, most=1_000)
        else:
            tables.wrong(table, f"the path of a Parquet or CSV file is needed here, not {kind_of(node)}")
    if needed and bool(path) == bool(files or tables):
        fields.report.add(fields.node.line, fields.path, "write either `path` (a DuckDB file) or `files`")
    return {"path": path, "files": files}


def _postgres(fields: Fields, *, needed: bool) -> dict[str, Any]:
    if needed:
        for name in ("host", "database", "user"):
            fields.require(name)
    return {
        "host": fields.text("host"),
        "port": fields.parsed("port", _port),
        "database": fields.text("database"),
        "user": fields.text("user"),
        "password": fields.text("password", most=1_000),
        "sslmode": fields.choice("sslmode", SSL_MODES),
        "schema": fields.parsed("schema", _schema),
    }


def _schema(text: str) -> str:
    if not re.match(r"^\w{1,63}\Z", text):
        raise ValueError(f"{text[:80]!r} is not a schema; write the name of one, of letters, digits and _")
    return text


def _port(text: str) -> int | str:
    if VARIABLE.fullmatch(text):
        return text
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65_536:
        raise ValueError(f"{text!r} is not a port; it is a number from 1 to 65535")
    return int(text)


def check_sql(text: str) -> str:
    """One expression over a source's columns; ValueError says what may not stand there."""
    check_expression(text)
    return text


def _table(text: str) -> str:
    check_table(text)
    return text


def read_sources(section: Fields) -> Objects:
    """Sources as written; whether `sql` and `loaded_to` may run is checked in their warehouse's dialect
    later."""
    sources: Objects = {}
    for key, fields in section.objects():
        fields.require("warehouse")
        fields.require("time")
        table = fields.parsed("table", _table)
        sql = fields.text("sql", most=100_000)
        if ("table" in fields) == ("sql" in fields):
            fields.report.add(fields.node.line, fields.path, "write either `table` or `sql`")
        rows = fields.choice("rows", ("events", "daily"))
        zone = fields.parsed("timezone", check_zone) or ""
        source = {
            "warehouse": fields.key("warehouse"),
            "table": table,
            "sql": sql,
            "time": fields.parsed("time", check_sql, most=10_000),
            "timezone": "" if zone == "UTC" else zone,
            "changed_at": fields.parsed("changed_at", check_sql, most=10_000),
            "entity": fields.parsed("entity", check_sql, most=10_000),
            "dimensions": _dimensions(fields),
            "rows": "" if rows == "events" else rows,
            "loaded_to": fields.text("loaded_to", most=100_000),
            "lateness": fields.as_written("lateness", lambda text: parse_span(text).as_timedelta()),
            "fresh_by": fields.parsed("fresh_by", _clock),
            "data_owner": fields.key("data_owner"),
            "top": _top(fields),
        }
        fields.done()
        sources[key] = compact(source)
    return sources


def _dimensions(fields: Fields) -> dict[str, str]:
    found: dict[str, str] = {}
    section = fields.mapping("dimensions")
    for name, _ in section.entries() if section else ():
        assert section is not None
        expression = section.parsed(name, check_sql, most=10_000)
        if expression:
            found[name] = expression
        elif name not in section:
            section.wrong(name, "an expression over the source's columns is needed here")
    return found


def _top(fields: Fields) -> dict[str, float]:
    found: dict[str, float] = {}
    section = fields.mapping("top")
    for name, _ in section.entries() if section else ():
        assert section is not None
        count = section.whole(name, 1, 1_000)
        if count is not None:
            found[name] = count
    return found


def _clock(text: str) -> str:
    if not _CLOCK.match(text):
        raise ValueError(f"{text!r} is not a time of day; write it like 08:00")
    return text


def read_teams(section: Fields) -> Objects:
    teams: Objects = {}
    for key, fields in section.objects():
        fields.require("name")
        teams[key] = compact({"name": fields.text("name")})
        fields.done()
    return teams


def read_leaders(section: Fields) -> Objects:
    leaders: Objects = {}
    for key, fields in section.objects():
        fields.require("name")
        leaders[key] = compact(
            {
                "name": fields.text("name"),
                "email": fields.parsed("email", _email),
                "title": fields.text("title"),
                "team": fields.key("team"),
                "country": fields.parsed("country", check_holidays),
                "timezone": fields.parsed("timezone", check_zone),
            }
        )
        fields.done()
    return leaders


def _email(text: str) -> str:
    if not _EMAIL.match(text):
        raise ValueError(f"{text!r} is not an e-mail address")
    return text
