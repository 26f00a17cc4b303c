"""The grid of targets as typed: which lines have changed, to what, and what is wrong with them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from calc.numbers import gap, is_share, short
from metrics.forms.numbers import read_number
from metrics.queries.shapes import TargetRow

NEAR = 1e-6  # relative; the same tolerance as in static/js/sums.js


@dataclass(frozen=True)
class MonthCell:
    month: date
    text: str
    value: float | None
    was: str = ""  # what the writer saw before typing


@dataclass(frozen=True)
class Line:
    """One metric's target and benchmarks: stored, as typed, and as numbers. `was` is what the writer saw."""

    stored: TargetRow
    target_text: str
    months: tuple[MonthCell, ...]
    token: str
    was: str
    target: float | None = None
    changed: bool = False
    error: str = ""

    @property
    def target_was(self) -> str:
        return self.was.split("|")[0]

    @property
    def benchmarks(self) -> dict[date, float]:
        return {cell.month: cell.value for cell in self.months if cell.value is not None}


def read_lines(rows: tuple[TargetRow, ...], typed: Mapping[str, str] | None) -> tuple[Line, ...]:
    """The grid's lines, filled from what was typed (None: as stored); what is wrong is said at its line."""
    return tuple(_read(row, typed) for row in rows)


def _read(row: TargetRow, typed: Mapping[str, str] | None) -> Line:
    key = row.metric.key
    shown = _stored(row)
    if typed is None or f"token-{key}" not in typed:
        return shown
    target_text = typed.get(f"target-{key}", "").strip()[:60]
    texts = [typed.get(f"month-{key}-{c.month:%Y-%m}", "").strip()[:60] for c in row.months]
    was = typed.get(f"was-{key}", shown.was)[:400]
    changed = "|".join([target_text, *texts]) != was
    target: float | None = None
    values: list[float | None] = [None] * len(texts)
    error = ""
    share = is_share(row.metric.unit)
    try:
        target = read_number(target_text, share=share)
        values = [read_number(text, share=share) for text in texts]
        error = _wrong(row, target, values)
    except ValueError as wrong:
        error = str(wrong)
    seen = [*was.split("|")[1:], *([""] * len(texts))]
    months = tuple(
        MonthCell(c.month, text, value, before)
        for c, text, value, before in zip(row.months, texts, values, seen, strict=False)
    )
    token = typed.get(f"token-{key}", "")[:80]
    return Line(row, target_text, months, token, was, target, changed, error if changed else "")


def _wrong(row: TargetRow, target: float | None, values: list[float | None]) -> str:
    given = [v for v in values if v is not None]
    if target is None and given:
        return "Benchmarks lead to a target: write it too."
    if is_share(row.metric.unit) and any(v > 1 for v in (*given, *([target] if target is not None else []))):
        return "A share cannot pass 100 %."
    if target is None or not row.adds_up or not given:
        return ""
    if len(given) < len(values):
        return "Write a benchmark for every month, or for none."
    total = math.fsum(given)
    if abs(total - target) > NEAR * max(1.0, abs(target)):
        unit = row.metric.unit
        off = gap(total - target, unit, sign=False)
        more = "more" if total > target else "less"
        return f"The months add up to {short(total, unit)}, {off} {more} than the target."
    return ""


def _stored(row: TargetRow) -> Line:
    share = is_share(row.metric.unit)
    texts = [(c, _typed(c.value, share)) for c in row.months]
    months = tuple(MonthCell(c.month, shown, c.value, shown) for c, shown in texts)
    text = _typed(row.value, share)
    was = "|".join([text, *(c.text for c in months)])
    return Line(row, text, months, row.token, was, row.value)


def _typed(value: float | None, share: bool) -> str:
    return "" if value is None else f"{value * 100 if share else value:.12g}"
