"""What a row of a history says, thing by thing, in words: metrics and people by name, figures by unit."""

import calendar as months
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist

from calc.numbers import full, gap
from metrics.queries.audit import words
from metrics.queries.audit.names import Names
from owners.models import Scope

HIDDEN = "(hidden)"
_SECRET = re.compile(r"pass|secret|token|credential|private|api_?key|dsn|_key$", re.IGNORECASE)
_VARIABLE = re.compile(r"^\$\{\w+\}$")
_MONTH = re.compile(r"\d{4}-\d\d(-01)?")
_UNSAID: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a row says. path: its column, and the keys inside, as they are stored; name and text:
    the same in words, "" is nothing; raw: the value as it is stored."""

    path: str
    name: str
    text: str
    raw: str


def sayings(model: str, row: Mapping[str, Any], names: Names) -> Iterator[Said]:
    """Everything that a row of `model` (metrics.Target) says. Days and times stay as they are stored."""
    unit = names.unit_of(row)
    for column, value in row.items():
        if column.startswith("pgh_") or column in words.SILENT:
            continue
        yield from _leaves(_Place(model, column, (), unit, names), value)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands: a column of a model and keys inside of it."""

    model: str
    column: str
    keys: tuple[str, ...]
    unit: str
    names: Names

    @property
    def path(self) -> str:
        return ".".join((self.column, *self.keys))

    @property
    def name(self) -> str:
        """In words: `target`, `measure: aggregate`, `agreed plan: October 2026`."""
        first = words.column_words(self.model, self.column)
        first = words.KEYS.get(self.column, words.plain(self.column)) if first is None else first
        parts = [first] if first else []
        named = self.column in words.NAMED
        for key in self.keys:
            parts.append(_key_words(key, named=named))
            named = key in words.NAMED
        head, *rest = parts or [words.plain(self.column)]
        return f"{head}: {', '.join(rest)}" if rest else head

    @property
    def is_secret(self) -> bool:
        return bool(self.keys) and bool(_SECRET.search(self.keys[-1]))

    def inside(self, key: str) -> "_Place":
        return _Place(self.model, self.column, (*self.keys, key), self.unit, self.names)


def _key_words(key: str, *, named: bool) -> str:
    if _MONTH.fullmatch(key):
        return f"{date.fromisoformat(key[:7] + '-01'):%B %Y}"
    return key if named else words.KEYS.get(key, words.plain(key))


def _leaves(place: _Place, value: Any) -> Iterator[Said]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(place.inside(str(key)), inner)
    elif value in _UNSAID:
        yield Said(place.path, place.name, "", "")
    elif place.is_secret and not _VARIABLE.match(str(value)):
        yield Said(place.path, place.name, HIDDEN, HIDDEN)
    else:
        yield Said(place.path, place.name, _text(place, value), _raw(value))


def _raw(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _text(place: _Place, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(place, value)
    if isinstance(value, list):
        if any(isinstance(one, dict | list) for one in value):
            return json.dumps(value, ensure_ascii=False)
        return ", ".join(_word(place, str(one)) for one in value)
    return _word(place, str(value))


def _number(place: _Place, value: float) -> str:
    where = f"{place.model}.{place.path}"
    if place.column.endswith("_id"):
        return place.names.of(place.column, value)
    if where in words.FIGURES or f"{place.model}.{place.column}" in words.FIGURES:
        return full(value, place.unit)
    if where in words.GAPS:
        return gap(value, place.unit, sign=False)
    if where in words.SHARES:
        return full(value, "percent")
    if where in ("metrics.Installation.week_start", "owners.Cadence.weekday"):
        return months.day_name[int(value) % 7]
    if where == "metrics.Installation.fiscal_year_start":
        return months.month_name[int(value)]
    return full(value) if where.startswith("metrics.Entry.") else f"{value:.15g}"


def _word(place: _Place, value: str) -> str:
    names, last = place.names, place.keys[-1] if place.keys else place.column
    if not place.keys:
        if last in ("metric_key", "metric_keys"):
            return names.metric(value)
        if last == "quarter":
            return names.quarter(value)
        if last == "unit":
            return words.unit_words(value)
        if last == "scopes":
            return str(dict(Scope.choices).get(value, value))
    elif place.path in ("spec.numerator", "spec.denominator") or last == "metric":
        return names.metric(value)
    elif place.path == "spec.collect.by":
        return names.leader(value)
    elif place.path.startswith("spec.inputs."):
        return names.metric(value) if len(place.keys) == 2 else words.plain(value)
    for where in (f"{place.model}.{place.path}", f"{place.model}.{last}", last):
        if value in (known := words.VALUES.get(where, {})):
            return known[value]
    if last == "grain":
        return words.plain(value)
    return value if place.keys else _choice(place, value)


def _choice(place: _Place, value: str) -> str:
    """The label of a value among its column's choices."""
    try:
        choices = apps.get_model(place.model)._meta.get_field(place.column).flatchoices
    except (FieldDoesNotExist, AttributeError):
        return value
    return str(dict(choices).get(value, value))
