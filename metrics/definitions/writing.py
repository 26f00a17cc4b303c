"""Writes definitions as the file's text, in the order and manner in which a person would."""

from datetime import date
from typing import Any

import yaml

from calc.calendar import WEEKDAYS
from metrics.definitions.file import Definitions
from metrics.definitions.metric import MetricText
from metrics.definitions.promises import OwnerRow

LINE = 110  # characters
_FIRST = (
    "name",
    "role",
    "lens",
    "stage",
    "definition",
    "success",
    "segment",
    "unit",
    "better",
    "low",
    "high",
)
_SPEC = (
    "type", "measure", "numerator", "denominator", "formula", "inputs", "base", "conversion", "within",
    "calculation", "match", "period_by", "kind", "grain", "collect",
)  # fmt: skip
_ORDER = (
    "engine", "path", "files", "host", "port", "database", "user", "password", "sslmode", "schema",
    "timeout", "row_cap", "warehouse", "table", "sql", "time", "timezone", "changed_at", "entity",
    "dimensions", "rows", "loaded_to", "lateness", "fresh_by", "data_owner", "top", "name", "email",
    "title", "team", "source", "agg", "expr", "where", "additive", "fill", "metric", "offset", "to", "by",
    "every", "due", "from", "how", "kind", "grain", "thresholds", "on_track", "at_risk", "tolerance", "low",
    "high", "max_change", "relation", "lag",
)  # fmt: skip
_LAST = ("by", "plausible", "goal", "targets", "plan", "drivers")


class _Flow(dict[str, Any]):
    """A mapping that is written on one line."""


class _FlowList(list[Any]):
    """A list that is written on one line."""


class _Dumper(yaml.SafeDumper):
    """Block style with indented lists, so that the text reads like the documentation's examples."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)


_Dumper.add_representer(
    _Flow, lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True)
)
_Dumper.add_representer(
    _FlowList, lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)
)


def write(definitions: Definitions) -> str:
    """The file's text; reading it gives the same definitions. Secrets are left out."""
    sections: dict[str, Any] = {}
    if definitions.revision:
        sections["revision"] = definitions.revision
    if definitions.calendar is not None:
        sections["calendar"] = _Flow(_calendar(definitions.calendar))
    for name, objects in (
        ("warehouses", definitions.warehouses),
        ("sources", definitions.sources),
        ("teams", definitions.teams),
        ("leaders", definitions.leaders),
    ):
        if objects is not None:
            flow = name in ("teams", "leaders")
            sections[name] = {key: _object(value, flow=flow) for key, value in objects.items()}
    if definitions.metrics is not None:
        sections["metrics"] = {key: _metric(text) for key, text in definitions.metrics.items()}
    return yaml.dump(sections, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=LINE)


def _calendar(calendar: dict[str, Any]) -> dict[str, Any]:
    written = dict(calendar)
    written["week_start"] = WEEKDAYS[calendar["week_start"]]
    return {name: value for name, value in written.items() if value != ""}


def _object(fields: dict[str, Any], *, flow: bool) -> dict[str, Any]:
    plain = {name: _plain(value) for name, value in _ordered(fields).items()}
    return _Flow(plain) if flow else plain


def _ordered(fields: dict[str, Any]) -> dict[str, Any]:
    """Known keys in the order of the documentation (the database keeps none), names chosen by people as they
    come."""
    known = {name: fields[name] for name in _ORDER if name in fields}
    return {**known, **{name: value for name, value in fields.items() if name not in known}}


def _plain(value: Any) -> Any:
    """Whole floats as integers (4500, not 4500.0), inner mappings and lists on one line."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if isinstance(value, dict):
        inner = {name: _plain(said) for name, said in _ordered(value).items()}
        # Too long for one line: a line each, so that a later change of one expression reads as one.
        return _Flow(inner) if len(str(inner)) < LINE else inner
    if isinstance(value, list):
        return _FlowList(_plain(inner) for inner in value)
    return value


def _metric(text: MetricText) -> dict[str, Any]:
    spec = dict(text.fields.get("spec", {}))
    if "inputs" in spec:
        # A bare metric key in the formula needs no line of its own.
        spec["inputs"] = {name: operand for name, operand in spec["inputs"].items() if name != operand}
        if not spec["inputs"]:
            del spec["inputs"]
    known = {**{name: value for name, value in text.fields.items() if name != "spec"}, **spec}
    written: dict[str, Any] = {name: _plain(known[name]) for name in _FIRST if name in known}
    if text.owners is not None:
        written["owners"] = _owners(text.owners)
    elif text.owner is not None:
        written["owner"] = text.owner.leader
    if "visible" in known:
        written["visible"] = known["visible"]
    written |= {name: _plain(known[name]) for name in _SPEC if name in known}
    if text.targets is not None:
        known["targets"] = {quarter: _Flow(_target(target)) for quarter, target in text.targets.items()}
    if text.drivers is not None:
        known["drivers"] = text.drivers
    for name in _LAST:
        if name in known:
            written[name] = known[name] if name == "targets" else _plain(known[name])
    # What speaks of one change stands in the text of that change only; what is stored has neither.
    if text.reason:
        written["reason"] = text.reason
    if text.effective:
        written["effective"] = date.fromisoformat(text.effective)
    return written


def _owners(rows: list[OwnerRow]) -> list[Any]:
    written = []
    for row in rows:
        said: dict[str, Any] = {"leader": row.leader or None, "from": date.fromisoformat(row.start)}
        if row.note:
            said["note"] = row.note
        written.append(_Flow(said))
    return written or _FlowList()


def _target(target: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in target.items() if name != "reason"}
