"""What a sheet would change: each figure beside the one that is stored, and why a figure cannot be taken."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from calc.calendar import Calendar, Period
from calc.numbers import full, is_share
from metrics.definitions.build import calendar_of, entry_grain
from metrics.models import Entry, Installation, Metric, SheetImport
from metrics.queries.entries import label
from metrics.queries.figures_read import choices_of, table_of
from metrics.queries.scope import visible_metrics
from metrics.services.entries import EntryRow, mistakes, token_of
from metrics.sheets.layout import propose
from metrics.sheets.periods import Placed, place
from metrics.sheets.shapes import Figure, Layout, Sheet
from metrics.sheets.tables import Table, column_name, place_of
from owners.models import User
from owners.rules import can

LEAVE_OUT = "-"  # as the metric of a name: its figures are not wanted
NEW, CHANGED, SAME, REFUSED = "new", "changed", "unchanged", "refused"


@dataclass(frozen=True)
class Change:
    """One figure of the sheet at its cell. what: new | changed | unchanged | refused; then `problem` says
    why. before and after are in words; row is what would be entered."""

    place: str
    name: str  # as the sheet calls the metric
    metric: Metric | None
    period: str
    member: str
    before: str
    after: str
    what: str
    problem: str = ""
    row: EntryRow | None = None


@dataclass(frozen=True)
class Column:
    """A column of the sheet, for the choice of what it means."""

    number: int
    name: str  # "B: Orders"
    role: str
    proposed: str  # the role, unless its person has chosen it


@dataclass(frozen=True)
class Preview:
    """All that accepting would do. digest names it: what was shown is what is entered."""

    sheet: Sheet
    columns: tuple[Column, ...]
    names: tuple[tuple[str, str], ...]  # name in the sheet -> key, "" undecided, LEAVE_OUT
    metrics: tuple[Metric, ...]  # to choose from
    changes: tuple[Change, ...]
    left_out: int
    problems: tuple[str, ...]

    def count(self, what: str) -> int:
        return sum(change.what == what for change in self.changes)

    @property
    def counts(self) -> dict[str, int]:
        return {what: self.count(what) for what in (NEW, CHANGED, SAME, REFUSED)}

    @property
    def writes(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.what in (NEW, CHANGED))

    @property
    def is_ready(self) -> bool:
        return not self.problems and not self.count(REFUSED) and bool(self.changes)

    @property
    def digest(self) -> str:
        said = [(c.place, c.metric.pk if c.metric else 0, c.what, repr(c.row)) for c in self.changes]
        return hashlib.sha256(repr((said, self.problems)).encode("utf-8", "replace")).hexdigest()[:32]


def enterable(user: User) -> tuple[Metric, ...]:
    """The manual metrics whose figures `user` may enter."""
    manual = visible_metrics(user).filter(type="manual").order_by("name", "key")
    return tuple(metric for metric in manual if can(user, "metric.enter_values", metric))


def preview(kept: SheetImport, user: User, today: date) -> Preview:
    """What entering the sheet would do by now. The number of statements grows with the metrics in it only."""
    calendar = calendar_of(Installation.objects.filter(id=1).first())
    chosen = {
        name: LEAVE_OUT if match.get("action") == "skip" else match.get("key", "")
        for name, match in kept.matches.items()
    }
    table = table_of(kept)
    sheet = propose(table, calendar=calendar, choices=choices_of(kept.choices))
    metrics = enterable(user)
    names = {name: _metric_key(name, chosen, metrics, sheet) for name in sheet.names}
    by_key = {metric.key: metric for metric in metrics}
    changes: list[Change] = []
    left_out = 0
    by_metric: dict[str, list[Figure]] = {}
    for figure in sheet.figures:
        key = names.get(figure.name, "")
        if key == LEAVE_OUT:
            left_out += 1
        elif figure.problem:
            changes.append(_refused(figure, by_key.get(key), figure.problem))
        elif figure.value is None:
            left_out += 1
        elif key not in by_key:
            changes.append(_refused(figure, None, "Which metric is this? Choose one above, or leave it out."))
        else:
            by_metric.setdefault(key, []).append(figure)
    for key, figures in by_metric.items():
        changes += _changes(by_key[key], tuple(figures), calendar, today)
    order = {figure.place: (figure.row, figure.column) for figure in sheet.figures}
    changes.sort(key=lambda change: order.get(change.place, (0, 0)))
    at = {change.place for change in changes}
    problems = tuple(str(p) for p in sheet.problems if p.place not in at)
    if left_out and not changes and not problems:
        problems = ("Every figure is left out.",)
    return Preview(
        sheet, _columns(sheet, table), tuple(names.items()), metrics, tuple(changes), left_out, problems
    )


def _columns(sheet: Sheet, table: Table) -> tuple[Column, ...]:
    """Those whose meaning can be chosen; in a wide sheet not each of its months."""
    if sheet.layout is Layout.WIDE:
        numbers = [n for n in range(table.width) if sheet.columns.get(n) != "date"]
    else:
        numbers = list(range(table.width))
    headings = sheet.headings
    return tuple(
        Column(
            n,
            column_name(n)
            + (f": {headings[n].strip()[:40]}" if n < len(headings) and headings[n].strip() else ""),
            sheet.columns.get(n, "ignore"),
            "" if n in sheet.choices.columns else sheet.columns.get(n, "ignore"),
        )
        for n in numbers[:60]
    )


def _metric_key(name: str, chosen: Mapping[str, str], metrics: tuple[Metric, ...], sheet: Sheet) -> str:
    """The metric that a name in the sheet stands for: as chosen, the one so called, or the only one."""
    if name in chosen:
        return chosen[name]
    plain = " ".join(name.casefold().split())
    for metric in metrics:
        if plain in (metric.key, " ".join(metric.name.casefold().split()), metric.key.replace("_", " ")):
            return metric.key
    return metrics[0].key if len(metrics) == 1 == len(sheet.names) else ""


def _changes(metric: Metric, figures: tuple[Figure, ...], calendar: Calendar, today: date) -> list[Change]:
    grain = entry_grain(metric)
    assert grain is not None
    scale = _scale(metric, figures)
    placed = place(tuple(replace(f, name=metric.key) for f in figures), grain, calendar)
    stored = {
        (e.dimension, e.member, e.period_start): e
        for e in Entry.objects.filter(metric=metric).select_related("author")
    }
    found: list[Change] = []
    rows: list[EntryRow] = []
    waiting: list[tuple[Placed, Figure, Period]] = []
    for spot, figure in zip(placed, figures, strict=True):
        if spot.start is None:
            found.append(_refused(figure, metric, spot.figure.problem or "The date is missing."))
            continue
        row = _row(metric, figure, spot.start, scale)
        rows.append(replace(row, expected=token_of(stored.get(row.place))))
        waiting.append((spot, figure, calendar.period(grain, spot.start)))
    wrong = mistakes(metric, rows, calendar, today)
    for index, (row, (_, figure, period)) in enumerate(zip(rows, waiting, strict=True)):
        there = stored.get(row.place)
        before, after = _words(there, metric.unit), _words(row, metric.unit)
        what = NEW if there is None else SAME if _is_same(row, there) else CHANGED
        problem = str(wrong.get(index, ""))
        found.append(
            Change(
                figure.place, figure.name, metric, label(calendar, period), row.member, before, after,
                REFUSED if problem else what, f"{problem[:1].upper()}{problem[1:]}." if problem else "", row,
            )
        )  # fmt: skip
    return found


def _scale(metric: Metric, figures: tuple[Figure, ...]) -> float:
    """Of a metric in percent that is no share of two numbers: 72 without a sign means 72 %, unless all such
    figures of the sheet lie between 0 and 1."""
    bare = [f.value for f in figures if not f.percent and f.numerator is None and f.value is not None]
    in_percent = is_share(metric.unit) and metric.spec.get("kind") != "share"
    return 100.0 if in_percent and any(abs(value) > 1 for value in bare) else 1.0


def _row(metric: Metric, figure: Figure, start: date, scale: float) -> EntryRow:
    dimension = _dimension(metric, figure)
    note = figure.note or None
    if metric.spec.get("kind") == "share" and figure.numerator is not None:
        return EntryRow(
            start, None, figure.numerator, figure.denominator,
            dimension=dimension, member=figure.member, note=note,
        )  # fmt: skip
    value = figure.value
    if value is not None and not figure.percent and figure.numerator is None:
        value /= scale
    return EntryRow(start, value, dimension=dimension, member=figure.member, note=note)


def _dimension(metric: Metric, figure: Figure) -> str:
    """The dimension that the heading names, else the only one that the metric has."""
    if not figure.member:
        return ""
    for name in metric.by:
        if figure.dimension.casefold() == name.casefold():
            return str(name)
    return str(metric.by[0]) if len(metric.by) == 1 else figure.dimension


def _is_same(row: EntryRow, there: Entry) -> bool:
    figures = (row.value, row.numerator, row.denominator) == (there.value, there.numerator, there.denominator)
    return figures and (row.note is None or row.note.strip() == there.note)


def _words(figure: Entry | EntryRow | None, unit: str) -> str:
    if figure is None:
        return ""
    if figure.value is not None:
        return full(figure.value, unit)
    if figure.numerator is None or figure.denominator is None:
        return ""
    return f"{full(figure.numerator)} of {full(figure.denominator)}"


def _refused(figure: Figure, metric: Metric | None, problem: str) -> Change:
    when = figure.when.text.strip()[:40]
    return Change(
        place_of(figure.row, figure.column), figure.name, metric, when, figure.member, "",
        figure.text.strip()[:60], REFUSED, problem,
    )  # fmt: skip
