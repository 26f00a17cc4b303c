"""A spreadsheet that is waiting to be taken over: every figure with what it would become here."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import Any

from calc.calendar import Calendar, Grain
from calc.numbers import is_share
from metrics.definitions.build import entry_grain
from metrics.models import Entry, Metric, SheetImport
from metrics.queries import installation
from metrics.queries.entries import label
from metrics.queries.scope import visible_metrics
from metrics.queries.shapes.sheet_imports import Column, ImportRead, Line, Match
from metrics.services.entries import EntryRow, mistakes, token_of
from metrics.sheets.layout import propose
from metrics.sheets.periods import grain_of, place
from metrics.sheets.shapes import Choices, Figure, Layout, Problem, Sheet
from metrics.sheets.tables import Table, column_name
from owners.models import User
from owners.rules import can

ACTIONS = ("metric", "new", "skip")
SCALES = ("percent", "fraction")
MOST_COLUMNS = 60  # whose meaning the page lets choose
# Names of things that do not add up over a quarter.
_LEVELS = re.compile(
    r"\b(averages?|avg|mean|median|per|rate|ratio|score|nps|csat|index|active|headcount|staff|balance|stock|backlog"
    r"|churn|share|time|customers|users|accounts|members|subscribers|mrr|arr)\b",
    re.IGNORECASE,
)


def enterable(user: User) -> tuple[Metric, ...]:
    """The manual metrics whose figures `user` may enter."""
    manual = visible_metrics(user).filter(type="manual").order_by("name", "key")
    return tuple(metric for metric in manual if can(user, "metric.enter_values", metric))


def read_import(user: User, made: SheetImport, *, whole: bool = False) -> ImportRead:
    """Reads a draft with its author's decisions. Four SQL statements, and those of the rights.

    whole: all is to be taken over or nothing, into metrics that there are: of every name somebody says which.
    """
    calendar = installation.calendar()
    table = table_of(made)
    sheet = propose(table, calendar=calendar, choices=choices_of(made.choices))
    metrics = enterable(user) if whole else [m for m in visible_metrics(user) if m.type == "manual"]
    by_name: dict[str, list[Figure]] = defaultdict(list)
    for figure in sheet.figures:
        by_name[figure.name].append(figure)
    matches = _matches(user, by_name, metrics, made.matches, whole=whole)
    found = {(line.figure.row, line.figure.column): line for line in _all_lines(matches, by_name, calendar)}
    ready = Counter(line.figure.name for line in found.values() if line.is_ready)
    problems = [p for p in sheet.problems if (p.row, p.column) not in found]
    nothing = all(line.what in ("unknown", "skipped") for line in found.values())
    if whole and sheet.figures and nothing and not problems:
        problems = [Problem("Every figure is left out.")]
    return ImportRead(
        sheet,
        tuple(replace(match, count=ready[match.name]) for match in matches),
        tuple(line for f in sheet.figures if (line := found.get((f.row, f.column))) is not None),
        tuple(problems),
        tuple(metrics),
        _columns(sheet, table),
    )


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
    user: User,
    by_name: Mapping[str, Sequence[Figure]],
    metrics: Sequence[Metric],
    said: Mapping[str, Any],
    *,
    whole: bool,
) -> list[Match]:
    known = {_folded(m.name): m for m in metrics} | {_folded(m.key): m for m in metrics}
    by_key = {m.key: m for m in metrics}
    star = None if whole else next((m for m in metrics if m.role == "north_star"), None)
    only = metrics[0] if len(metrics) == 1 else star
    may_add = not whole and can(user, "metric.define_manual")
    undecided = "" if whole else "skip"
    found = []
    for name, figures in by_name.items():
        decided = said.get(name) if isinstance(said.get(name), dict) else {}
        assert decided is not None
        guess = _guess(name, figures)
        metric = known.get(_folded(name))
        if metric is None and len(by_name) == 1 and (not name or not may_add):
            metric = only  # one column of figures can only mean the metric that there is
        action = "metric" if metric else "new" if name and may_add else undecided
        if decided.get("action") in ACTIONS:
            action = decided["action"]
            metric = by_key.get(decided.get("key", "")) if action == "metric" else None
            if (action == "metric" and metric is None) or (action == "new" and not (name and may_add)):
                action = undecided
        else:
            metric = metric if action == "metric" else None
        match = replace(
            guess, field=field_of(name), action=action, key=metric.key if metric else "", metric=metric
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


def field_of(name: str) -> str:
    """How the fields about one name of a sheet begin: the same wherever it stands in the sheet, so that what
    a page has asked still means the same when another choice has moved it."""
    return f"m{sha256(name.encode()).hexdigest()[:12]}"


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
    if not is_share(match.unit) or match.kind == "share" or not plain:
        return ""
    if decided in SCALES:
        return decided
    return "fraction" if all(abs(value) <= 1 for value in plain) else "percent"


def _all_lines(
    matches: Sequence[Match], by_name: Mapping[str, Sequence[Figure]], calendar: Calendar
) -> list[Line]:
    """Every figure of every name; two names of one metric are read together."""
    stored: dict[int, dict[tuple[str, str, date], Entry]] = defaultdict(dict)
    for entry in Entry.objects.filter(metric__in=[m.metric for m in matches if m.metric is not None]):
        stored[entry.metric_id][entry.dimension, entry.member, entry.period_start] = entry
    lines: list[Line] = []
    groups: dict[str, list[tuple[Match, Figure]]] = defaultdict(list)
    for match in matches:
        figures = by_name[match.name]
        if match.action == "skip":
            lines += [Line(f, match.unit, what="skipped", value=f.value) for f in figures]
        elif match.refused or not match.action:
            lines += [_kept_out(match, figure) for figure in figures]
        else:
            groups[match.key or f" {match.name}"] += [(match, figure) for figure in figures]
    for pairs in groups.values():
        metric = pairs[0][0].metric
        pairs.sort(key=lambda pair: (pair[1].row, pair[1].column))
        lines += _lines(pairs, stored[metric.pk] if metric else {}, calendar)
    return lines


def _kept_out(match: Match, figure: Figure) -> Line:
    if figure.is_unknown:
        return Line(figure, match.unit)
    which = "Which metric is this? Choose one above, or leave it out."
    problem = match.refused or figure.problem or which
    return Line(figure, match.unit, match.metric, what="problem", value=figure.value, problem=problem)


def _lines(
    pairs: Sequence[tuple[Match, Figure]],
    stored: Mapping[tuple[str, str, date], Entry],
    calendar: Calendar,
) -> list[Line]:
    """The figures of one metric, there or new, in the order of their cells."""
    first = pairs[0][0]
    metric = first.metric or Metric(
        key="new", name=first.name, type="manual", spec={"kind": first.kind, "grain": first.grain}, by=[]
    )
    grain = Grain(first.grain)
    lines, rows, at = [], [], []
    placed = place(tuple(replace(figure, name=metric.key) for _, figure in pairs), grain, calendar)
    for (match, written), spot in zip(pairs, placed, strict=True):
        figure = replace(spot.figure, name=written.name)
        if figure.problem or spot.start is None:
            what = "problem" if figure.problem else "unknown"
            lines.append(Line(figure, match.unit, match.metric, what=what, problem=figure.problem))
            continue
        line = _line(match, figure, _dimension(metric, figure), spot.start, stored)
        line = replace(line, period=label(calendar, calendar.period(grain, spot.start)))
        if line.row is not None and line.what != "problem":
            at.append(len(lines))
            rows.append(line.row)
        lines.append(line)
    for index, words in mistakes(metric, rows, calendar, installation.today(calendar)).items():
        said = f"{words[:1].upper()}{words[1:]}."
        lines[at[index]] = replace(lines[at[index]], what="problem", problem=said)
    return lines


def _dimension(metric: Metric, figure: Figure) -> str:
    """The metric's own word for the sheet's dimension, else the only one that the metric has."""
    if not figure.member:
        return ""
    for name in metric.by:
        if _folded(name) == _folded(figure.dimension):
            return str(name)
    return str(metric.by[0]) if len(metric.by) == 1 else figure.dimension


def _line(
    match: Match,
    figure: Figure,
    dimension: str,
    start: date,
    stored: Mapping[tuple[str, str, date], Entry],
) -> Line:
    there = stored.get((dimension, figure.member, start))
    line = Line(figure, match.unit, match.metric)
    if figure.is_unknown:
        return replace(line, there=there)  # what is stored stays: a gap in a sheet takes nothing away
    value, above, below = figure.value, figure.numerator, figure.denominator
    problem = ""
    if match.kind == "share":
        value = None
        if above is None:
            problem = "This metric takes two numbers, as in 18 of 25."
    else:
        if is_share(match.unit) and not figure.percent and above is None and match.scale == "percent":
            value = (value or 0.0) / 100
        if not is_share(match.unit) and figure.percent:
            problem = "This is a percentage, but the metric is not"
            problem += "." if match.metric else ": choose percent as its unit."
        above = below = None
    if problem:
        return replace(line, what="problem", value=figure.value, problem=problem)
    row = EntryRow(
        start, value, above, below, dimension, figure.member, figure.note or None, expected=token_of(there)
    )
    what = "new" if there is None else "same" if _is_same(row, there) else "changed"
    return replace(line, what=what, value=value, row=row, there=there)


def _is_same(row: EntryRow, there: Entry) -> bool:
    figures = (row.value, row.numerator, row.denominator) == (there.value, there.numerator, there.denominator)
    return figures and (row.note is None or row.note.strip() == there.note)


def _columns(sheet: Sheet, table: Table) -> tuple[Column, ...]:
    """Those whose meaning can be chosen; in a wide sheet not each of its months."""
    wide, headings = sheet.layout is Layout.WIDE, sheet.headings
    numbers = [n for n in range(table.width) if not (wide and sheet.columns.get(n) == "date")]

    def name(n: int) -> str:
        heading = headings[n].strip()[:40] if n < len(headings) else ""
        return f"{column_name(n)}: {heading}" if heading else column_name(n)

    roles = {n: sheet.columns.get(n, "ignore") for n in numbers[:MOST_COLUMNS]}
    return tuple(
        Column(n, name(n), role, "" if n in sheet.choices.columns else role) for n, role in roles.items()
    )


def _folded(text: str) -> str:
    """For comparing names: without case, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if c.isalnum())
