"""What a metric's figures depend on, boiled down to a text that changes when and only when they may
change."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from calc.formula import Formula
from metrics.definitions.build import parts_of
from metrics.definitions.checks import model_of
from metrics.definitions.file import Definitions
from metrics.definitions.metric import MetricText

# What of a source decides a figure; the rest (lateness, changed_at, data_owner ...) decides when it is
# computed.
SOURCE_KEYS = ("warehouse", "table", "sql", "time", "timezone", "entity", "rows", "loaded_to")
_WORD = re.compile(r"[a-z][a-z0-9_]*")
CALENDAR_KEYS = ("timezone", "week_start", "fiscal_year_start")


def fingerprints(whole: Definitions) -> dict[str, str]:
    """The fingerprint of every metric, hidden parts of ratios among them."""
    return {key: _digest(value) for key, value in computations(whole).items()}


def computations(whole: Definitions) -> dict[str, dict[str, Any]]:
    """How each metric is computed, as plain data: its type and spec, its sources, its operands' computations'
    digests, and the calendar. This is also what a version records."""
    metrics = whole.metrics or {}
    known: dict[str, dict[str, Any]] = {}

    def digest(key: str) -> str:
        if key not in known:
            known[key] = {}  # a circle would have been refused; this only keeps the walk finite
            known[key] = _computation(metrics[key], whole, digest)
        return _digest(known[key])

    for key, text in metrics.items():
        digest(key)
        for part, spec in parts_of(model_of(key, text)).items():
            measure = MetricText(fields={"type": "simple", "spec": spec, "by": text.fields.get("by", [])})
            known[part] = _computation(measure, whole, digest)
    return known


def _computation(text: MetricText, whole: Definitions, digest: Any) -> dict[str, Any]:
    kind, spec = text.fields["type"], dict(text.fields.get("spec", {}))
    calendar = {name: (whole.calendar or {}).get(name) for name in CALENDAR_KEYS}
    if kind == "manual":
        # Who counts, when and how does not change what a figure means.
        return {"type": kind, "kind": spec["kind"], "grain": spec["grain"], "calendar": calendar}
    sources: dict[str, Any] = {}
    for name in ("measure", "numerator", "denominator", "base", "conversion"):
        if isinstance(spec.get(name), dict):
            key = spec[name]["source"]
            sources[key] = _source((whole.sources or {})[key], text.fields.get("by", []))
        elif isinstance(spec.get(name), str):
            spec[name] = digest(spec[name])
    if "inputs" in spec:
        # Operands are numbered and told by their own digests, so that a metric's new name is no new version.
        numbers = {name: f"_{n}" for n, name in enumerate(Formula.parse(spec["formula"]).names)}
        spec["formula"] = _WORD.sub(lambda word: numbers.get(word[0], word[0]), spec["formula"])
        spec["inputs"] = {
            numbers[name]: {
                **(written if isinstance(written, dict) else {}),
                "metric": digest(_metric(written)),
            }
            for name, written in spec["inputs"].items()
        }
    return {"type": kind, "spec": spec, "sources": sources, "calendar": calendar}


def _metric(written: str | Mapping[str, str]) -> str:
    return written if isinstance(written, str) else written["metric"]


def _source(source: Mapping[str, Any], by: list[str]) -> dict[str, Any]:
    """Of its dimensions only those by which the metric is stored, and only what they mean."""
    said = {name: source[name] for name in SOURCE_KEYS if name in source}
    dimensions = {name: source.get("dimensions", {}).get(name) for name in by}
    return {**said, **({"dimensions": dimensions} if dimensions else {})}


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
