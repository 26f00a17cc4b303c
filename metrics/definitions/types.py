"""Reads the keys of a metric's type: what is computed, or who counts it."""

from collections.abc import Callable
from typing import Any

from calc.calendar import PERIODS
from calc.formula import Formula, FormulaError
from metrics.definitions.fields import Fields, compact
from metrics.definitions.mistakes import nearest
from metrics.definitions.quantities import parse_span, parse_working_days
from metrics.definitions.reading import Map, Text, kind_of
from metrics.definitions.sections import check_sql
from warehouse.definitions import AGGREGATIONS

COMPUTED = ("simple", "ratio", "derived", "conversion", "manual")
KNOWN = ("cumulative", "states", "retention", "movement", "composite", "sql")
GRAINS = tuple(grain.value for grain in PERIODS)
# The long row of percentiles would bury the others in a message.
_PLAIN_AGGREGATIONS = ("count", "count_distinct", "count_new", "sum", "sum_boolean", "avg", "min", "max",
                       "median", "p90", "first", "last")  # fmt: skip


def read_type(metric: Fields) -> str:
    """The metric's type, or "" with a mistake."""

    def parse(text: str) -> str:
        if text in KNOWN:
            raise ValueError(f"type {text} is known but not computed by this version")
        if text not in COMPUTED:
            raise ValueError(f"{text!r} is not a type{nearest(text, (*COMPUTED, *KNOWN))}")
        return text

    metric.require("type")
    return metric.parsed("type", parse) or ""


def read_spec(metric: Fields, kind: str) -> dict[str, Any]:
    """The type's own keys in normal form. Without a type all keys of all types pass, to keep to one
    mistake."""
    if not kind:
        for name in _KEYS:
            metric.known.append(name)
        return {}
    return compact(_READERS[kind](metric))


def _simple(metric: Fields) -> dict[str, Any]:
    metric.require("measure")
    return {"measure": read_measure(metric, "measure")}


def _ratio(metric: Fields) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    for side in ("numerator", "denominator"):
        metric.require(side)
        if isinstance(metric.node.items.get(side), Text):
            spec[side] = metric.key(side)
        else:
            spec[side] = read_measure(metric, side)
    return spec


def read_measure(metric: Fields, name: str, *, events: tuple[str, ...] = ()) -> dict[str, Any]:
    """An aggregate over a source's rows. events: of a conversion, what may be done with its events, the
    default first."""
    fields = metric.mapping(name)
    if fields is None:
        return {}
    fields.require("source")
    if not events:
        fields.require("agg")
    agg = fields.parsed("agg", _aggregation)
    expression = fields.parsed("expr", check_sql, most=10_000)
    additive = fields.flag("additive")
    measure = {
        "source": fields.key("source"),
        "agg": agg or (events[0] if events else ""),
        "expr": expression,
        "where": fields.parsed("where", check_sql, most=10_000),
        "additive": additive,
        "fill": fields.choice("fill", ("zero", "null")),
    }
    said = fields.node.items.get("fill")
    if isinstance(said, Text) and said.text == "null":  # here the word, not the absence of one
        measure["fill"] = "null"
    if agg and agg not in ("count", "count_new") and "expr" not in fields:
        fields.report.add(fields.node.line, fields.path, f"{agg} needs an `expr`: what to aggregate")
    if agg and additive and agg != "count_distinct":
        fields.wrong("additive", "only a distinct count needs the promise that its days add up")
    if events and agg and agg not in events:
        fields.wrong("agg", f"{name} counts events: {', '.join(events)}, not {agg}")
    fields.done()
    return compact(measure)


def _aggregation(text: str) -> str:
    if text not in AGGREGATIONS:
        raise ValueError(f"{text!r} is not an aggregation{nearest(text, _PLAIN_AGGREGATIONS, most=20)}")
    return text


def _derived(metric: Fields) -> dict[str, Any]:
    metric.require("formula")
    formula = metric.parsed("formula", _formula, most=1_000)
    inputs: dict[str, Any] = {}
    section = metric.mapping("inputs")
    for name, node in section.entries() if section else ():
        assert section is not None
        if isinstance(node, Text):
            inputs[name] = section.key(name)
        elif isinstance(node, Map):
            inputs[name] = _read_input(Fields(node, section.at(name), section.report))
        else:
            section.wrong(name, f"a metric's key or a mapping is needed here, not {kind_of(node)}")
    names = _names(formula)
    for name in inputs:
        if formula and name not in names:
            assert section is not None
            section.wrong(name, f"the formula does not use {name!r}")
    if formula and not names:
        metric.wrong("formula", "the formula names no metric")
    for name in names:
        # A bare metric key in the formula is its own input.
        inputs.setdefault(name, name)
    return {"formula": formula, "inputs": dict(sorted(inputs.items()))}


def _read_input(fields: Fields) -> str | dict[str, str]:
    fields.require("metric")
    written = {
        "metric": fields.key("metric"),
        "offset": fields.as_written("offset", lambda text: parse_span(text).as_within()),
        "to": fields.choice("to", ("month", "quarter", "year")),
    }
    if written["offset"] and written["to"]:
        fields.wrong("to", "write either `offset` or `to`")
    fields.done()
    said = compact(written)
    return said["metric"] if said.keys() == {"metric"} else said


def _formula(text: str) -> str:
    try:
        Formula.parse(text)
    except FormulaError as error:
        raise ValueError(str(error)) from None
    return " ".join(text.split())


def _names(formula: str | None) -> tuple[str, ...]:
    return Formula.parse(formula).names if formula else ()


def _conversion(metric: Fields) -> dict[str, Any]:
    for name in ("base", "conversion", "within"):
        metric.require(name)
    match: list[str] = []
    for path, node in metric.listed("match") or []:
        if not isinstance(node, Text):
            metric.report.add(node.line, path, f"a column is needed here, not {kind_of(node)}")
            continue
        try:
            match.append(check_sql(node.text.strip()))
        except ValueError as error:
            metric.report.add(node.line, path, str(error))
    calculation = metric.choice("calculation", ("rate", "count"))
    period_by = metric.choice("period_by", ("start", "due"))
    return {
        "base": read_measure(metric, "base", events=("count", "count_distinct", "count_new")),
        "conversion": read_measure(metric, "conversion", events=("count", "count_distinct")),
        "within": metric.as_written("within", _window),
        "calculation": "" if calculation == "rate" else calculation,
        "match": match,
        "period_by": "" if period_by == "start" else period_by,
    }


def _window(text: str) -> None:
    span = parse_span(text)
    if span.count == 0:
        raise ValueError("a window must have a length")
    span.as_within()


def _manual(metric: Fields) -> dict[str, Any]:
    metric.require("kind")
    metric.require("grain")
    spec: dict[str, Any] = {
        "kind": metric.choice("kind", ("amount", "level", "share")),
        "grain": metric.choice("grain", GRAINS),
    }
    fields = metric.mapping("collect")
    if fields is not None:
        spec["collect"] = compact(
            {
                "by": fields.key("by"),
                "every": fields.choice("every", GRAINS),
                "due": fields.as_written("due", parse_working_days),
                "from": fields.text("from"),
                "how": fields.text("how", most=2_000),
            }
        )
        if spec["collect"].get("every") and spec["grain"] and spec["collect"]["every"] != spec["grain"]:
            fields.wrong("every", f"figures of this metric are entered by {spec['grain']}")
        fields.done()
    return spec


_READERS: dict[str, Callable[[Fields], dict[str, Any]]] = {
    "simple": _simple,
    "ratio": _ratio,
    "derived": _derived,
    "conversion": _conversion,
    "manual": _manual,
}
_KEYS = (
    "measure", "numerator", "denominator", "formula", "inputs", "base", "conversion", "within",
    "calculation", "match", "period_by", "kind", "grain", "collect", "window", "to_date", "period",
    "source", "state", "active", "first", "return", "after", "amount", "movement", "parts", "sql", "rollup",
)  # fmt: skip
