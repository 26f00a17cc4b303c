"""Reads one metric of the file: what it is, and what it says about owner, targets and drivers."""

import re
from dataclasses import dataclass, field
from typing import Any

from metrics.definitions.fields import Fields, compact
from metrics.definitions.mistakes import nearest
from metrics.definitions.promises import OwnerRow, read_owners, read_targets
from metrics.definitions.quantities import parse_span
from metrics.definitions.reading import Map, Text, kind_of
from metrics.definitions.types import GRAINS, read_spec, read_type

ROLES = ("north_star", "focus", "guardrail", "supporting")
LENSES = ("breadth", "depth", "frequency", "efficiency")
STAGES = ("crawl", "walk", "run")
AUDIENCES = ("everyone", "team", "leadership")
SHAPES = ("flat", "working_days", "last_year")
RELATIONS = ("component", "influence")
UNITS = ("count", "percent", "score", "ratio")
DURATIONS = ("seconds", "minutes", "hours", "days")
_CURRENCY = re.compile(r"^currency:[A-Z]{3}$")


@dataclass
class MetricText:
    """What the file says about one metric. `fields` are the columns of the model in normal form, `spec` among
    them.

    owner: who answers from today on; owners: the whole history; targets: quarter -> {value | growth,
    baseline, benchmarks}; drivers: what moves it. None is not said, and then not managed by the file. was,
    reason and effective speak about this change, not about the metric.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    owner: OwnerRow | None = None
    owners: list[OwnerRow] | None = None
    targets: dict[str, dict[str, Any]] | None = None
    drivers: list[dict[str, str]] | None = None
    was: str = ""
    reason: str = ""
    effective: str = ""


def read_metrics(section: Fields) -> dict[str, MetricText]:
    """All metrics of the section, in the order of the file."""
    return {key: read_metric(fields) for key, fields in section.objects()}


def read_metric(fields: Fields) -> MetricText:
    fields.require("name")
    role = fields.choice("role", ROLES)
    lens = fields.choice("lens", LENSES)
    if lens and role != "focus":
        fields.wrong("lens", "only a focus metric is seen through a lens; write `role: focus`")
    better = fields.choice("better", ("up", "down", "band"))
    low, high = fields.number("low"), fields.number("high")
    _check_band(fields, better, low, high)
    columns: dict[str, Any] = {
        "name": fields.text("name"),
        "role": "" if role == "supporting" else role,
        "lens": lens,
        "stage": fields.choice("stage", STAGES),
        "definition": fields.text("definition", most=5_000),
        "success": fields.text("success", most=5_000),
        "segment": fields.text("segment"),
        "unit": _default(fields.parsed("unit", check_unit), "count"),
        "better": _default(better, "up"),
        "low": low,
        "high": high,
        "visible": _default(fields.choice("visible", AUDIENCES), "everyone"),
        "type": read_type(fields),
    }
    columns["spec"] = read_spec(fields, columns["type"])
    columns["by"] = fields.words("by")
    columns["plausible"] = _read_plausible(fields)
    columns["goal"] = _read_goal(fields)
    columns["plan"] = _default(fields.choice("plan", SHAPES), "flat")
    effective = fields.day("effective")
    owner, owners = read_owners(fields)
    metric = MetricText(
        fields=compact(columns),
        owner=owner,
        owners=owners,
        targets=read_targets(fields),
        drivers=_read_drivers(fields),
        was=fields.key("was"),
        reason=fields.text("reason", most=2_000),
        effective=effective.isoformat() if effective else "",
    )
    fields.done()
    return metric


def _default(word: str | None, default: str) -> str:
    return "" if word in (None, default) else str(word)


def _check_band(fields: Fields, better: str, low: float | None, high: float | None) -> None:
    if better == "band":
        if low is None or high is None:
            if not fields.node.items.keys() & {"low", "high"} or (low is None) != (high is None):
                fields.wrong("better", "a band needs `low` and `high`")
        elif low >= high:
            fields.wrong("low", f"low ({low:g}) must be below high ({high:g})")
    elif low is not None or high is not None:
        fields.wrong("low" if low is not None else "high", "low and high go with `better: band`")


def check_unit(text: str) -> str:
    """A unit; ValueError lists what there is."""
    kind, _, detail = text.partition(":")
    if text in UNITS or _CURRENCY.match(text) or (kind == "duration" and detail in DURATIONS):
        return text
    if kind == "currency":
        raise ValueError(f"{text!r} is not a currency; write it like currency:GBP")
    if kind == "duration":
        raise ValueError(f"{text!r} is not a duration; write duration: and one of {', '.join(DURATIONS)}")
    words = (*UNITS, "currency:GBP", "duration:hours")
    raise ValueError(f"{text!r} is not a unit{nearest(text, words)}")


def _read_plausible(metric: Fields) -> dict[str, Any]:
    fields = metric.mapping("plausible")
    if fields is None:
        return {}
    low, high = fields.number("low"), fields.number("high")
    if low is not None and high is not None and low >= high:
        fields.wrong("low", f"low ({low:g}) must be below high ({high:g})")
    plausible = compact(
        {
            "low": low,
            "high": high,
            "grain": fields.choice("grain", GRAINS),
            "max_change": fields.number("max_change", low=0.0),
        }
    )
    fields.done()
    return plausible


def _read_goal(metric: Fields) -> dict[str, Any]:
    fields = metric.mapping("goal")
    if fields is None:
        return {}
    goal: dict[str, Any] = {
        "kind": fields.choice("kind", ("total", "level")),
        "grain": fields.choice("grain", GRAINS),
        "tolerance": fields.number("tolerance", low=0.0),
    }
    if goal["kind"] == "total" and goal["grain"] and goal["grain"] != "quarter":
        fields.wrong("grain", "a total is the quarter's own figure; `grain` goes with `kind: level`")
    thresholds = fields.mapping("thresholds")
    if thresholds is not None:
        on_track = thresholds.number("on_track", low=0.0, high=1.0)
        at_risk = thresholds.number("at_risk", low=0.0, high=1.0)
        upper, lower = 0.97 if on_track is None else on_track, 0.90 if at_risk is None else at_risk
        if lower >= upper:
            name = "at_risk" if at_risk is not None else "on_track"
            thresholds.wrong(name, f"at_risk ({lower:g}) must be below on_track ({upper:g})")
        goal["thresholds"] = compact({"on_track": on_track, "at_risk": at_risk})
        thresholds.done()
    fields.done()
    return compact(goal)


def _read_drivers(metric: Fields) -> list[dict[str, str]] | None:
    listed = metric.listed("drivers")
    if listed is None:
        return None
    drivers: list[dict[str, str]] = []
    for path, node in listed:
        if not isinstance(node, Map):
            said = f"`{{metric: {node.text}}}`" if isinstance(node, Text) else "`{metric: KEY}`"
            metric.report.add(node.line, path, f"write a driver as {said}, not as {kind_of(node)}")
            continue
        metric.report.lines[path] = node.line
        fields = Fields(node, path, metric.report)
        fields.require("metric")
        driver = {
            "metric": fields.key("metric"),
            "relation": _default(fields.choice("relation", RELATIONS), "influence"),
            "lag": fields.as_written("lag", parse_span),
        }
        if any(driver["metric"] == other["metric"] for other in drivers):
            fields.wrong("metric", f"{driver['metric']!r} stands here a second time")
        fields.done()
        drivers.append(compact(driver))
    return sorted(drivers, key=lambda driver: driver.get("metric", ""))
