"""A batch of figures as a program sends it: its description, and reading it strictly."""

import math
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from metrics.services.batches import Fault, Line
from metrics.services.entries import NOTE, EntryRow

MOST_ROWS = 1000
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
KEY = re.compile(r"[\x21-\x7e]{1,200}")  # of a request: visible ASCII
_LARGEST = 1e15

_NUMBER = {"type": "number", "nullable": True, "minimum": -_LARGEST, "maximum": _LARGEST}
ROW: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["metric", "period_start"],
    "properties": {
        "metric": {"type": "string", "minLength": 1, "maxLength": 80, "description": "Key of the metric."},
        "period_start": {
            "type": "string",
            "format": "date",
            "description": "First day of the period, at the metric's own grain.",
        },
        "value": {**_NUMBER, "description": "The figure, unless the metric is a share."},
        "numerator": {**_NUMBER, "description": "Of a share: how many, as in 18 of 25."},
        "denominator": {**_NUMBER, "description": "Of a share: of how many."},
        "dimension": {"type": "string", "maxLength": 80, "default": "", "description": "Empty: the whole."},
        "member": {"type": "string", "maxLength": 200, "default": "", "description": "Empty: the whole."},
        "note": {
            "type": "string",
            "nullable": True,
            "maxLength": NOTE,
            "description": "Where it comes from. Null or absent: what is there stays.",
        },
        "remove": {"type": "boolean", "default": False, "description": "Take the figure away."},
        "expected": {
            "type": "string",
            "nullable": True,
            "maxLength": 64,
            "description": "The `state` of the entry that you saw, empty for none: if somebody has changed "
            "it since, nothing is entered (409). Null or absent: write over whatever is there.",
        },
    },
}
BATCH = {
    "type": "array",
    "minItems": 1,
    "maxItems": MOST_ROWS,
    "items": ROW,
    "description": f"1 to {MOST_ROWS} figures of manual metrics. All are entered, or none.",
}
PROBLEM = {
    "type": "object",
    "required": ["detail"],
    "properties": {
        "detail": {"type": "string", "description": "What is wrong, in words."},
        "errors": {
            "type": "array",
            "description": "Every row that is refused.",
            "items": {
                "type": "object",
                "required": ["index", "field", "message"],
                "properties": {
                    "index": {"type": "integer", "description": "Of the row, from 0."},
                    "field": {"type": "string", "description": "Empty: the row as a whole."},
                    "message": {"type": "string"},
                },
            },
        },
    },
}


class Malformed(Exception):
    """Not a batch: faults of its form, by row and field."""

    def __init__(self, detail: str, faults: tuple[Fault, ...] = ()) -> None:
        self.detail, self.faults = detail, faults
        super().__init__(detail)


def read(body: Any) -> list[Line]:
    """The lines of a batch. Malformed names every mistake of form; what the figures mean is asked later."""
    if not isinstance(body, list):
        raise Malformed("Send a list of figures: [{…}, …].")
    if not body:
        raise Malformed("The list is empty.")
    if len(body) > MOST_ROWS:
        raise Malformed(f"At most {MOST_ROWS:,} figures fit into one batch; send the rest in another.")
    faults: list[Fault] = []
    lines = []
    for index, row in enumerate(body):
        wrong = tuple(_faults(index, row))
        faults += wrong
        if not wrong:
            lines.append(_line(row))
    if faults:
        raise Malformed(
            f"{len({f.index for f in faults})} of {len(body)} rows cannot be read.", tuple(faults)
        )
    return lines


def _faults(index: int, row: Any) -> Iterator[Fault]:
    if not isinstance(row, dict):
        yield Fault(index, "", "this is not an object")
        return
    for name in row:
        if name not in ROW["properties"]:
            yield Fault(index, name[:80], f"unknown; there are {', '.join(ROW['properties'])}")
    for name, asked in ROW["properties"].items():
        if name not in row:
            if name in ROW["required"]:
                yield Fault(index, name, "this is missing")
        elif row[name] is None:
            if not asked.get("nullable"):
                yield Fault(index, name, "null stands for nothing here")
        elif problem := _PROBLEMS[asked["type"]](row[name], asked):
            yield Fault(index, name, problem)


def _text_problem(value: Any, asked: dict[str, Any]) -> str:
    if not isinstance(value, str):
        return "a text is wanted"
    if len(value) < asked.get("minLength", 0):
        return "this is empty"
    if len(value) > asked.get("maxLength", 20):
        return f"longer than {asked.get('maxLength', 20)} characters"
    if any("\ud800" <= letter <= "\udfff" or letter == "\x00" for letter in value):
        return "it holds a character that cannot be kept"
    if asked.get("format") == "date":
        try:
            if DAY.fullmatch(value):
                date.fromisoformat(value)
                return ""
        except ValueError:
            return f"{value} is not a date of the calendar"
        return "a date is written like 2026-03-01"
    return ""


def _number_problem(value: Any, asked: dict[str, Any]) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "a number is wanted"
    if isinstance(value, float) and not math.isfinite(value):
        return "a figure must be a finite number"
    return "the figure is too large to be right" if abs(value) > _LARGEST else ""


def _truth_problem(value: Any, asked: dict[str, Any]) -> str:
    return "" if isinstance(value, bool) else "true or false is wanted"


_PROBLEMS: dict[str, Callable[[Any, dict[str, Any]], str]] = {
    "string": _text_problem,
    "number": _number_problem,
    "boolean": _truth_problem,
}


def _line(row: dict[str, Any]) -> Line:
    def number(name: str) -> float | None:
        return None if row.get(name) is None else float(row[name])

    return Line(
        row["metric"],
        EntryRow(
            date.fromisoformat(row["period_start"]),
            number("value"),
            number("numerator"),
            number("denominator"),
            dimension=row.get("dimension", ""),
            member=row.get("member", ""),
            note=row.get("note"),
            remove=row.get("remove", False),
            expected=row.get("expected"),
        ),
    )
