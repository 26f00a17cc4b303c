"""A spreadsheet that is waiting to be taken over: every figure with what it would become here."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Any

from calc.calendar import Calendar, Grain
from metrics.definitions.build import entry_grain
from metrics.models import Entry, Metric, SheetImport
from metrics.queries import installation
from metrics.queries.entries import label
from metrics.queries.scope import visible_metrics
from metrics.services.entries import EntryRow, mistakes, token_of
from metrics.sheets.layout import propose
from metrics.sheets.periods import grain_of, place
from metrics.sheets.shapes import Choices, Figure, Problem, Sheet
from metrics.sheets.tables import Table
from owners.models import User
from owners.rules import can

ACTIONS = ("metric", "new", "skip")
SCALES = ("percent", "fraction")
_SHARES = ("percent",)
# Names of things that do not add up over a quarter.
_LEVELS = re.compile(
    r"\b(averages?|avg|mean|median|per|rate|ratio|score|nps|csat|index|active|headcount|staff|balance|stock|backlog"
    r"|churn|share|time|customers|users|accounts|members|subscribers|mrr|arr)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Match:
    """What a name of the sheet is here. action: metric (the one with `key`), new, or skip.

    unit, kind, grain, better: of a new metric; scale: whether 0.72 (fraction) or 72 (percent) of a share
    without a sign is 72 %, "" where that is not asked. count: how many of its figures would be taken over;
    refused: why none of them can be.
    """

    name: str
    field: str  # the beginning of its fields' names in the form
    action: str
    key: str = ""
    unit: str = "count"
    kind: str = "amount"
    grain: str = "month"
    better: str = "up"
    scale: str = ""
    count: int = 0
    refused: str = ""
    metric: Metric | None = None

    @property
    def label(self) -> str:
        return self.name or "the figures (they have no name)"


@dataclass(frozen=True)
class Line:
    """One figure of the sheet. place: (dimension, member, first day of its period) here. what: new, changed,
    same, unknown, skipped, or problem; stored: what stands there now; token: names that state; period: the
    period as it was read, in our words."""

    figure: Figure
    unit: str = "count"
    place: tuple[str, str, date] = ("", "", date.min)
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    what: str = "unknown"
    stored: float | None = None
    token: str = ""
    problem: str = ""
    period: str = ""

    @property
    def is_ready(self) -> bool:
        return self.what in ("new", "changed")

    @property
    def shown(self) -> float | None:
        """The figure as the board would say it."""
        if self.numerator is not None and self.denominator:
            return self.numerator / self.denominator
        return self.value


@dataclass(frozen=True)
class ImportRead:
    """The whole page: the sheet, its names, its figures, and what stands against taking them over."""

    sheet: Sheet
    matches: tuple[Match, ...]
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]
    metrics: tuple[Metric, ...]

    @property
    def ready(self) -> int:
        return sum(line.is_ready for line in self.lines)

    @property
    def digest(self) -> str:
        """Names what was shown, so that nothing else is taken over."""
        said = [
            (line.figure.place, line.place, line.what, line.token, repr(line.shown)) for line in self.lines
        ]
        return sha256(repr(said).encode("utf-8", "replace")).hexdigest()[:32]

    @property
    def counts(self) -> dict[str, int]:
        """How many figures there are of each `Line.what`."""
        found = Counter(line.what for line in self.lines)
        return {what: found[what] for what in ("new", "changed", "same", "unknown", "skipped", "problem")}


def read_import(user: User, made: SheetImport) -> ImportRead:
    """Reads a draft with its author's decisions. Four SQL statements, and those of the rights."""
    calendar = installation.calendar()
    today = installation.today(calendar)
    sheet = propose(table_of(made), calendar=calendar, choices=choices_of(made.choices))
    metrics = [m for m in visible_metrics(user) if m.type == "manual"]
    by_name: dict[str, list[Figure]] = defaultdict(list)
    for figure in sheet.figures:
        by_name[figure.name].append(figure)
    matches = _matches(user, by_name, metrics, made.matches)
    wanted = [m.metric for m in matches if m.metric is not None]
    stored: dict[int, dict[tuple[str, str, date], Entry]] = defaultdict(dict)
    for entry in Entry.objects.filter(metric__in=wanted):
        stored[entry.metric_id][entry.dimension, entry.member, entry.period_start] = entry
    found: dict[tuple[int, int], Line] = {}
    counted = []
    for match in matches:
        there = stored[match.metric.pk] if match.metric else {}
        lines = _lines(match, by_name[match.name], there, calendar, today)
        found |= {(line.figure.row, line.figure.column): line for line in lines}
        counted.append(replace(match, count=sum(line.is_ready for line in lines)))
    in_order = tuple(found[f.row, f.column] for f in sheet.figures)
    general = [p for p in sheet.problems if (p.row, p.column) not in found]
    return ImportRead(sheet, tuple(counted), in_order, tuple(general), tuple(metrics))


def table_of(made: SheetImport) -> Table:
    """The table that a draft has kept."""
    said = made.table
    rows = tuple(tuple(row) for row in said.get("rows", []))
    exact = frozenset((row, column) for row, column in said.get("exact", []))
    return Table(rows, exact, said.get("sheet", ""))


def choices_of(said: Mapping[str, Any]) -> Choices:
    """A draft's decisions; what makes no sense is left to be worked out."""
    year = str(said.get("year") or "")
    return Choices(
        layout=str(said.get("layout") or ""),
        columns={int(number): role for number, role in dict(said.get("columns") or {}).items()},
        decimal=str(said["decimal"]) if said.get("decimal") in (".", ",") else "",
        order=str(said["order"]) if said.get("order") in ("dmy", "mdy") else "",
        year=int(year) if year.isascii() and year.isdigit() and len(year) == 4 else None,
    )


def _matches(
    user: User, by_name: Mapping[str, Sequence[Figure]], metrics: Sequence[Metric], said: Mapping[str, Any]
) -> list[Match]:
    known = {_folded(m.name): m for m in metrics} | {_folded(m.key): m for m in metrics}
    by_key = {m.key: m for m in metrics}
    only = metrics[0] if len(metrics) == 1 else next((m for m in metrics if m.role == "north_star"), None)
    may_add = can(user, "metric.define_manual")
    found = []
    for number, (name, figures) in enumerate(by_name.items()):
        decided = said.get(name) if isinstance(said.get(name), dict) else {}
        assert decided is not None
        guess = _guess(name, figures)
        metric = known.get(_folded(name))
        if metric is None and len(by_name) == 1 and (not name or not may_add):
            metric = only  # one column of figures can only mean the metric that there is
        action = "metric" if metric else "new" if name and may_add else "skip"
        if decided.get("action") in ACTIONS:
            action = decided["action"]
            metric = by_key.get(decided.get("key", "")) if action == "metric" else None
            if (action == "metric" and metric is None) or (action == "new" and not (name and may_add)):
                action = "skip"
        else:
            metric = metric if action == "metric" else None
        match = replace(
            guess, field=f"m{number}", action=action, key=metric.key if metric else "", metric=metric
        )
        match = replace(
            match, **{k: decided[k] for k in ("unit", "kind", "grain", "better") if decided.get(k)}
        )
        if metric is not None:
            grain = entry_grain(metric)
            match = replace(
                match, unit=metric.unit, kind=metric.spec["kind"], grain=str(grain), better=metric.better
            )
            if not can(user, "metric.enter_values", metric):
                match = replace(match, refused="Its owner enters these figures; you may not.")
        found.append(replace(match, scale=_scale(match, figures, str(decided.get("scale", "")))))
    return found


def _guess(name: str, figures: Sequence[Figure]) -> Match:
    """What a new metric of these figures would be."""
    known = [f for f in figures if f.value is not None]
    currency = next((f.currency for f in known if f.currency), "")
    pairs = bool(known) and all(f.numerator is not None for f in known)
    shares = pairs or any(f.percent for f in known)
    grain = grain_of(tuple(figures)) or Grain.MONTH
    if grain is Grain.YEAR:  # nobody is asked for a figure once a year: the rarest is a quarter's
        grain = Grain.QUARTER
    unit = "percent" if shares else f"currency:{currency}" if currency else "count"
    stands = shares or bool(_LEVELS.search(name))
    kind = "share" if pairs else "level" if stands else "amount"
    return Match(name, "", "new", unit=unit, kind=kind, grain=str(grain))


def _scale(match: Match, figures: Sequence[Figure], decided: str) -> str:
    """Whether numbers without a sign are percent or fractions; "" where there are none, or no share."""
    plain = [f.value for f in figures if f.value is not None and not f.percent and f.numerator is None]
    if match.unit not in _SHARES or match.kind == "share" or not plain:
        return ""
    if decided in SCALES:
        return decided
    return "fraction" if all(abs(value) <= 1 for value in plain) else "percent"


def _lines(
    match: Match,
    figures: Sequence[Figure],
    stored: Mapping[tuple[str, str, date], Entry],
    calendar: Calendar,
    today: date,
) -> list[Line]:
    if match.action == "skip" or match.refused:
        what = "problem" if match.refused else "skipped"
        return [Line(f, match.unit, what=what, value=f.value, problem=match.refused) for f in figures]
    metric = match.metric or Metric(
        key="new", name=match.name, type="manual", spec={"kind": match.kind, "grain": match.grain}, by=[]
    )
    lines, rows, at = [], [], []
    for placed in place(tuple(figures), Grain(match.grain), calendar):
        figure = placed.figure
        if figure.problem or placed.start is None:
            lines.append(
                Line(
                    figure,
                    match.unit,
                    what="problem" if figure.problem else "unknown",
                    problem=figure.problem,
                )
            )
            continue
        where = (_dimension(metric, figure), figure.member, placed.start)
        period = label(calendar, calendar.period(Grain(match.grain), placed.start))
        if figure.is_unknown:
            lines.append(Line(figure, match.unit, where, period=period))
            continue
        line = replace(_line(match, figure, where, stored.get(where)), period=period)
        if line.is_ready:
            at.append(len(lines))
            rows.append(
                EntryRow(
                    where[2],
                    line.value,
                    line.numerator,
                    line.denominator,
                    where[0],
                    where[1],
                    figure.note or None,
                )
            )
        lines.append(line)
    for index, words in mistakes(metric, rows, calendar, today).items():
        line = lines[at[index]]
        said = f"{words[:1].upper()}{words[1:]}."
        lines[at[index]] = replace(line, what="problem", problem=said)
    return lines


def _dimension(metric: Metric, figure: Figure) -> str:
    """The metric's own word for the sheet's dimension."""
    if not figure.member:
        return ""
    return next((name for name in metric.by if _folded(name) == _folded(figure.dimension)), figure.dimension)


def _line(match: Match, figure: Figure, where: tuple[str, str, date], there: Entry | None) -> Line:
    value, above, below = figure.value, figure.numerator, figure.denominator
    problem = ""
    if match.kind == "share":
        value = None
        if above is None:
            problem = "This metric takes two numbers, as in 18 of 25."
    else:
        if match.unit in _SHARES and not figure.percent and above is None and match.scale == "percent":
            value = (value or 0.0) / 100
        if match.unit not in _SHARES and figure.percent:
            problem = "This is a percentage, but the metric is not: choose percent as its unit."
        above = below = None
    line = Line(figure, match.unit, where, value, above, below, token=token_of(there))
    if problem:
        return replace(line, what="problem", problem=problem)
    if there is None:
        return replace(line, what="new")
    before = there.value if there.value is not None else (there.numerator or 0.0) / (there.denominator or 1.0)
    same = (there.value, there.numerator, there.denominator) == (value, above, below)
    return replace(line, what="same" if same else "changed", stored=before)


def _folded(text: str) -> str:
    """For comparing names: without case, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if c.isalnum())
