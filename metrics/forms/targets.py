"""The grid of targets as typed: which lines have changed, to what, and what is wrong with them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256

from calc.calendar import Period
from calc.numbers import gap, is_share, short
from calc.plan import GoalKind
from calc.splits import split_goal
from metrics.definitions.quantities import parse_growth
from metrics.forms.numbers import figures_of, read_plan, same_number, write_number
from metrics.queries.shapes import TargetCell, TargetRow

NEAR = 1e-6  # relative; the same tolerance as in static/js/sums.js
LONGEST_PASTE = 20_000  # characters
_GROWS = ("point", "points", "relative", "hold")


@dataclass(frozen=True)
class MonthCell:
    """One month: its place among the stored ones, what stands in the field, the number typed there."""

    stored: TargetCell
    text: str
    value: float | None
    was: str = ""  # what the writer saw before typing

    @property
    def month(self) -> date:
        return self.stored.month


@dataclass(frozen=True)
class Line:
    """One target and its benchmarks: stored, as typed, and as numbers. `was` is what the writer saw.

    growth: the target as it was typed, where it is a growth; `resolved` is its number, None while unknown.
    """

    stored: TargetRow
    target_text: str
    months: tuple[MonthCell, ...]
    token: str
    was: str
    target: float | None = None
    growth: str = ""
    changed: bool = False
    error: str = ""

    @property
    def key(self) -> str:
        """Names the line's fields."""
        member = self.stored.member
        return f"m{sha256(member.encode()).hexdigest()[:12]}" if member else self.stored.metric.key

    @property
    def name(self) -> str:
        return self.stored.member or self.stored.metric.name

    @property
    def target_was(self) -> str:
        return self.was.split("|")[0]

    @property
    def resolved(self) -> float | None:
        return _resolved(self.stored, self.target, self.growth)

    @property
    def sum_words(self) -> str:
        """Whether the months come to the target, for the folded line; "" of what does not add up."""
        target, months = self.resolved, self.benchmarks
        if not self.stored.adds_up or target is None:
            return ""
        if len(months) < len(self.months):
            return f"{len(months)} of {len(self.months)} months" if months else "no months yet"
        off = math.fsum(months.values()) - target
        if abs(off) <= NEAR * max(1.0, abs(target)):
            return "months add up"
        return f"months {gap(off, self.stored.metric.unit, sign=False)} {'over' if off > 0 else 'short'}"

    @property
    def benchmarks(self) -> dict[date, float]:
        return {cell.month: cell.value for cell in self.months if cell.value is not None}


def read_lines(rows: tuple[TargetRow, ...], typed: Mapping[str, str] | None) -> tuple[Line, ...]:
    """The grid's lines, filled from what was typed (None: as stored); what is wrong is said at its line."""
    return tuple(_read(row, typed) for row in rows)


def read_goal(text: str, unit: str) -> tuple[float | None, str]:
    """A target as people write it: a figure, or a growth that is kept as written (`10%`, of a share
    `2 points` or `10% relative`; `hold`). ValueError in words for the cell."""
    plain = " ".join(text.replace("\u2212", "-").split())
    grows = plain.endswith(_GROWS) or (plain.endswith("%") and not is_share(unit))
    if grows:
        parse_growth(plain)
        return None, plain
    return read_plan(plain, share=is_share(unit)), ""


def split_line(line: Line, how: str, quarter: Period) -> tuple[Line, str]:
    """The line with months proposed by calc.splits, and in words what kept it from that."""
    row, target = line.stored, line.resolved
    if target is None:
        return line, f"{line.name}: write its target first."
    try:
        months = split_goal(
            target,
            quarter,
            how,
            kind=GoalKind(row.metric.goal_kind),
            additive=row.additive,
            unit=row.metric.unit,
            baseline=row.baseline,
            last_year={cell.month: cell.last_year for cell in row.months},
        )
    except ValueError as error:
        return line, f"{line.name}: {error}."
    share = is_share(row.metric.unit)
    # a proposal is as it is written: thirds of a target have no last digit
    texts = [write_number(float(f"{months[c.month]:.12g}"), share=share) for c in line.months]
    return refill(line, line.target_text, texts), ""


def paste_lines(lines: tuple[Line, ...], text: str) -> tuple[tuple[Line, ...], list[str]]:
    """The lines with a pasted block laid over them, and in words what did not fit.

    A row is a name (or key), the target and the months; a heading is passed over. Without names the rows go
    to the lines in their order. An empty cell leaves what is there.
    """
    rows = [
        [cell.strip().strip('"') for cell in row.split("\t" if "\t" in row else ";")]
        for row in text[:LONGEST_PASTE].splitlines()
        if row.strip()
    ]
    known = {name.casefold(): n for n, line in enumerate(lines) for name in (line.key, line.name)}
    named = any(row[0].casefold() in known for row in rows)
    filled, notes = list(lines), []
    figures = iter(figures_of([cell for row in rows for cell in row[named:]]))
    for number, row in enumerate(rows):
        place = known.get(row[0].casefold()) if named else number
        cells = [next(figures) for _ in row[named:]]
        if place is None or place >= len(lines):
            if any(any(c.isdigit() for c in cell) for cell in cells) and (place is not None or number):
                notes.append(f"“{row[0][:40]}” is not in this grid.")
            continue
        line = filled[place]
        fields = [line.target_text, *(cell.text for cell in line.months)]
        if len(cells) > len(fields):
            notes.append(f"{line.name}: {len(cells) - len(fields)} cells too many were left out.")
        given = [*cells, *([""] * len(fields))][: len(fields)]
        texts = [new or old for new, old in zip(given, fields, strict=True)]
        filled[place] = refill(line, texts[0], texts[1:])
    return tuple(filled), notes


def refill(line: Line, target: str, months: list[str]) -> Line:
    """The line as if these texts had been typed into it."""
    typed = {f"token-{line.key}": line.token, f"was-{line.key}": line.was, f"target-{line.key}": target}
    typed |= {
        f"month-{line.key}-{cell.month:%Y-%m}": text for cell, text in zip(line.months, months, strict=True)
    }
    return _read(line.stored, typed)


def _read(row: TargetRow, typed: Mapping[str, str] | None) -> Line:
    shown = _stored(row)
    key = shown.key
    if typed is None or f"token-{key}" not in typed:
        return shown
    target_text = typed.get(f"target-{key}", "").strip()[:60]
    texts = [typed.get(f"month-{key}-{c.month:%Y-%m}", "").strip()[:60] for c in row.months]
    was = typed.get(f"was-{key}", shown.was)[:400]
    changed = not _as_seen([target_text, *texts], was)
    target: float | None = None
    growth = ""
    values: list[float | None] = [None] * len(texts)
    error = ""
    share = is_share(row.metric.unit)
    try:
        target, growth = read_goal(target_text, row.metric.unit)
        values = [read_plan(text, share=share) for text in texts]
        error = _wrong(row, target, growth, values)
    except ValueError as wrong:
        error = f"{str(wrong)[:1].upper()}{str(wrong)[1:]}"
        error = error if error.endswith(".") else f"{error}."
    seen = [*was.split("|")[1:], *([""] * len(texts))]
    months = tuple(
        MonthCell(c, text, value, before)
        for c, text, value, before in zip(row.months, texts, values, seen, strict=False)
    )
    token = typed.get(f"token-{key}", "")[:80]
    line = Line(row, target_text, months, token, was, target, growth, changed, error if changed else "")
    return _exact(line, shown)


def _exact(line: Line, shown: Line) -> Line:
    """What was not touched is the stored figure to its last digit, not the one that its field shows."""
    months = tuple(
        replace(cell, value=old.value) if cell.text == cell.was == old.text else cell
        for cell, old in zip(line.months, shown.months, strict=True)
    )
    if line.target_text == line.target_was == shown.target_text:
        line = replace(line, target=shown.target, growth=shown.growth)
    return replace(line, months=months)


def _wrong(row: TargetRow, target: float | None, growth: str, values: list[float | None]) -> str:
    given = [v for v in values if v is not None]
    if target is None and not growth and given:
        return "Benchmarks lead to a target: write it too."
    if is_share(row.metric.unit) and any(v > 1 for v in (*given, *([target] if target is not None else []))):
        return "A share cannot pass 100 %."
    if not row.adds_up or not given or (target is None and not growth):
        return ""
    if len(given) < len(values):
        return "Write a benchmark for every month, or for none."
    if target is None:
        return ""  # the months of a growth are checked when its number is known
    total = math.fsum(given)
    if abs(total - target) > NEAR * max(1.0, abs(target)):
        unit = row.metric.unit
        off = gap(total - target, unit, sign=False)
        more = "more" if total > target else "less"
        return f"The months add up to {short(total, unit)}, {off} {more} than the target."
    return ""


def _stored(row: TargetRow) -> Line:
    share = is_share(row.metric.unit)
    texts = [write_number(c.value, share=share) for c in row.months]
    months = tuple(MonthCell(c, said, c.value, said) for c, said in zip(row.months, texts, strict=True))
    text = write_number(row.value, share=share) if row.value is not None else row.growth
    was = "|".join([text, *texts])
    return Line(row, text, months, row.token, was, row.value, row.growth)


def _resolved(row: TargetRow, target: float | None, growth: str) -> float | None:
    if target is not None or not growth:
        return target
    return None if row.baseline is None else parse_growth(growth).of(row.baseline)


def _as_seen(texts: list[str], was: str) -> bool:
    """Whether the fields say what the writer saw, in whatever form the numbers are written."""
    seen = was.split("|")
    return len(seen) == len(texts) and all(map(same_number, texts, seen))
