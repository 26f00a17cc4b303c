"""Filters put together from a column, a comparison and a value: written as an expression, so that nobody has
to write one, and read back out of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from warehouse.catalog import Column
from warehouse.engines.base import time_kind
from warehouse.expressions import check_expression
from warehouse.proposals import expression_of, is_boolean, is_number
from warehouse.sql import literal

COMPARISONS = {
    "eq": "is",
    "ne": "is not",
    "in": "is one of",
    "gt": "is more than",
    "ge": "is at least",
    "lt": "is less than",
    "le": "is at most",
    "contains": "contains",
    "starts": "begins with",
    "empty": "is empty",
    "filled": "is not empty",
}
_SIGNS = {"eq": "=", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_YES, _NO = frozenset({"yes", "true", "1"}), frozenset({"no", "false", "0"})
MOST_VALUES = 100
_VALUE = r"'(?:[^']|'')*'|-?\d+(?:\.\d+)?|CAST\('\d{4}-\d\d-\d\d' AS date\)|TRUE|FALSE"
# What `expression` writes; "{0}" is the column.
_SHAPES = (
    (r"{0} IS NULL", "empty"),
    (r"{0} IS NOT NULL", "filled"),
    (rf"strpos\(lower\(CAST\({{0}} AS text\)\), ({_VALUE})\) > 0", "contains"),
    (rf"strpos\(lower\(CAST\({{0}} AS text\)\), ({_VALUE})\) = 1", "starts"),
    (rf"{{0}} IN \(((?:{_VALUE})(?:, (?:{_VALUE}))*)\)", "in"),
    (rf"\({{0}} <> ({_VALUE}) OR {{0}} IS NULL\)", "ne"),
    (r"{0}", "eq"),
    (r"NOT {0}", "eq"),
    *((rf"{{0}} {re.escape(sign)} ({_VALUE})", name) for name, sign in _SIGNS.items()),
)


@dataclass(frozen=True)
class Condition:
    """`column` compared (a key of COMPARISONS) with what was typed."""

    column: str
    comparison: str
    value: str = ""


def expression(condition: Condition, columns: Mapping[str, Column]) -> str:
    """The condition as an expression. ValueError says in words what does not fit."""
    column = columns.get(condition.column)
    if column is None:
        raise ValueError(f"There is no column “{condition.column[:80]}”.")
    name, typed = expression_of(column.name), condition.value.strip()
    match condition.comparison:
        case "empty":
            return f"{name} IS NULL"
        case "filled":
            return f"{name} IS NOT NULL"
        case "contains" | "starts" if typed:
            # Case does not count; and no sign of the text means anything special.
            text, part = f"lower(CAST({name} AS text))", literal(_text(typed).lower())
            return f"strpos({text}, {part}) {'= 1' if condition.comparison == 'starts' else '> 0'}"
        case "in":
            values = [_value(column, part.strip()) for part in typed.split(",") if part.strip()]
            if not 0 < len(values) <= MOST_VALUES:
                raise ValueError("Write the values with commas between them.")
            return f"{name} IN ({', '.join(values)})"
        case "ne":
            # What has no value is not that value either, as people mean it.
            return f"({name} <> {_value(column, typed)} OR {name} IS NULL)"
        case "eq" if is_boolean(column):
            return name if _value(column, typed) == "TRUE" else f"NOT {name}"
        case sign if sign in _SIGNS:
            return f"{name} {_SIGNS[sign]} {_value(column, typed)}"
    raise ValueError("Write a value to compare with.")


def together(conditions: list[Condition], columns: Mapping[str, Column]) -> str:
    """All conditions at once, checked; "" for none. ValueError names what does not fit."""
    text = " AND ".join(expression(condition, columns) for condition in conditions)
    if text:
        check_expression(text)
    return text


def read(text: str, columns: Mapping[str, Column]) -> list[Condition] | None:
    """The conditions that `together` would write as this text, to the letter; None if there are none such."""
    found: list[Condition] = []
    rest = text
    while rest:
        condition, rest = _first(rest, columns)
        if condition is None:
            return None
        found.append(condition)
    try:
        return found if together(found, columns) == text else None
    except ValueError:
        return None


def _first(text: str, columns: Mapping[str, Column]) -> tuple[Condition | None, str]:
    """The condition with which a text begins, and what stands behind it."""
    for column in columns.values():
        name = re.escape(expression_of(column.name))
        for shape, comparison in _SHAPES:
            match = re.match(shape.replace("{0}", name) + r"(?: AND |\Z)", text)
            if match:
                said = match[1] if match.lastindex else _TRUTH.get(shape, "")
                return Condition(column.name, comparison, _typed(said)), text[match.end() :]
    return None, text


_TRUTH = {r"{0}": "yes", r"NOT {0}": "no"}


def _typed(written: str) -> str:
    """Values as somebody would type them."""
    parts = re.findall(_VALUE, written) or [written]
    plain = [re.sub(r"^CAST\((.*) AS date\)$", r"\1", part) for part in parts]
    return ", ".join(p[1:-1].replace("''", "'") if p.startswith("'") else p for p in plain)


def _value(column: Column, typed: str) -> str:
    if not typed:
        raise ValueError("Write a value to compare with.")
    if is_number(column):
        return _number(column, typed)
    if is_boolean(column):
        if typed.lower() not in _YES | _NO:
            raise ValueError(f"{column.name} is yes or no, not “{typed[:40]}”.")
        return "TRUE" if typed.lower() in _YES else "FALSE"
    if time_kind(column.type):
        try:
            return f"CAST({literal(date.fromisoformat(typed).isoformat())} AS date)"
        except ValueError:
            raise ValueError(f"{column.name} is a time: write a day like 2011-07-31.") from None
    return literal(_text(typed))


def _number(column: Column, typed: str) -> str:
    cleaned = typed.replace(" ", "").replace("\u2212", "-")
    whole, _, part = cleaned.removeprefix("-").partition(".")
    if not (whole + part).isdigit() or not (whole + part).isascii() or len(cleaned) > 40:
        raise ValueError(f"{column.name} is a number, and “{typed[:40]}” is none.")
    return cleaned


def _text(typed: str) -> str:
    if any(ord(letter) < 32 for letter in typed) or len(typed) > 200:
        raise ValueError("A value has at most 200 characters, and no control characters.")
    return typed
