"""Reads what a metric promises and who answers for it: owners, targets and benchmarks."""

import re
from dataclasses import dataclass
from typing import Any

from calc.calendar import Calendar
from metrics.definitions.fields import Fields, compact
from metrics.definitions.quantities import parse_growth, parse_number
from metrics.definitions.reading import Map, Text, kind_of

_MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])\Z", re.ASCII)


@dataclass(frozen=True)
class OwnerRow:
    """From a day (ISO text; "" is today) on `leader` answers; "" says that nobody does."""

    leader: str
    start: str = ""
    note: str = ""


def read_owners(metric: Fields) -> tuple[OwnerRow | None, list[OwnerRow] | None]:
    """`owner` and `owners`; they exclude each other, and so do two owners from the same day."""
    owner = _read_owner(metric)
    listed = metric.listed("owners")
    if listed is None:
        return owner, None
    if "owner" in metric:
        metric.wrong("owner", "two owners at once: write `owner` (from today on) or `owners` (the history)")
    rows: list[OwnerRow] = []
    for path, node in listed:
        if not isinstance(node, Map):
            metric.report.add(node.line, path, f"write `{{leader: KEY, from: DATE}}`, not {kind_of(node)}")
            continue
        metric.report.lines[path] = node.line
        fields = Fields(node, path, metric.report)
        if "leader" not in node.items:
            fields.require("leader")
        fields.require("from")
        leader, start = fields.key("leader"), fields.day("from")
        row = OwnerRow(leader, start.isoformat() if start else "", fields.text("note", most=5_000))
        if start and any(other.start == row.start for other in rows):
            fields.wrong("from", f"two owners at once: another row begins on {row.start} too")
        fields.done()
        rows.append(row)
    return None, sorted(rows, key=lambda row: row.start)


def _read_owner(metric: Fields) -> OwnerRow | None:
    node = metric.node.items.get("owner")
    if node is not None and not isinstance(node, Text):
        metric.known.append("owner")
        metric.wrong("owner", "two owners at once: one person answers for a metric at any moment")
        return None
    leader = metric.key("owner")
    return OwnerRow(leader) if leader else None


def read_targets(metric: Fields) -> dict[str, dict[str, Any]] | None:
    """quarter -> {value | growth, baseline, benchmarks: {"2011-07": amount}, reason}; None if not said."""
    section = metric.mapping("targets")
    if section is None:
        return None
    targets: dict[str, dict[str, Any]] = {}
    for quarter, node in section.entries(keyed=False):
        try:
            Calendar().quarter(quarter)
        except ValueError:
            section.report.add(
                section.node.lines[quarter],
                section.at(quarter),
                f"a target for an unknown quarter: {quarter!r}; write it like 2026-Q3",
            )
            continue
        if isinstance(node, Text):
            value = section.parsed(quarter, parse_number)
            if value is not None:
                targets[quarter] = {"value": value}
            elif node.is_null:
                section.wrong(quarter, "a target needs a number, or a mapping with `value` or `growth`")
            continue
        fields = section.mapping(quarter)
        if fields is not None:
            targets[quarter] = _read_target(fields)
    return dict(sorted(targets.items()))


def _read_target(fields: Fields) -> dict[str, Any]:
    if ("value" in fields) == ("growth" in fields):
        fields.report.add(fields.node.line, fields.path, "a target needs either `value` or `growth`")
    target = {
        "value": fields.number("value"),
        "growth": fields.as_written("growth", parse_growth),
        "baseline": fields.number("baseline"),
        "benchmarks": _read_benchmarks(fields),
        "reason": fields.text("reason", most=5_000),
    }
    fields.done()
    return compact(target)


def _read_benchmarks(target: Fields) -> dict[str, float]:
    section = target.mapping("benchmarks")
    benchmarks: dict[str, float] = {}
    for month, node in section.entries(keyed=False) if section else ():
        assert section is not None
        if not _MONTH.match(month):
            section.report.add(
                section.node.lines[month],
                section.at(month),
                f"{month!r} is not a month; write it like 2011-07",
            )
            continue
        value = section.number(month)
        if value is not None:
            benchmarks[month] = value
        elif isinstance(node, Text) and node.is_null:
            section.wrong(month, "a benchmark needs a number")
    return dict(sorted(benchmarks.items()))
