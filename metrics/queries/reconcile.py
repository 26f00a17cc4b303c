"""Holds somebody's own figures against the stored ones: period, theirs, ours, difference."""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from calc.calendar import Calendar, Grain
from metrics.definitions.build import entry_grain
from metrics.definitions.fields import parse_day
from metrics.definitions.mistakes import Report, nearest
from metrics.definitions.quantities import parse_number
from metrics.models import Metric
from metrics.queries.values import stored_values

COLUMNS = ("period_start", "value", "numerator", "denominator", "dimension", "member")
SAME = 1e-12  # relative; figures that differ by less are the same
MOST_ROWS = 200_000

Place = tuple[str, str, date]  # dimension and member ("" for the whole), first day of the period


@dataclass(frozen=True, slots=True)
class Compared:
    """One period. None: that side has no figure. `difference` is ours less theirs, None where one is
    missing."""

    period: date
    dimension: str
    member: str
    theirs: float | None
    ours: float | None
    difference: float | None

    @property
    def agrees(self) -> bool:
        return self.difference == 0 or (self.theirs is None and self.ours is None)


def reconcile(metric: Metric, text: str, cal: Calendar, grain: Grain | None = None) -> list[Compared]:
    """Their figures, a CSV file's text, against ours of `grain` (default: a manual metric's own, else the
    month), by segment and period. One SQL statement for each dimension in the file.

    Raises DefinitionsError with a line for every mistake in the file.
    """
    grain = grain or entry_grain(metric) or Grain.MONTH
    theirs = parse(text, metric, cal, grain)
    ours: dict[Place, float | None] = {}
    days = [place[2] for place in theirs]
    first, until = min(days), cal.period(grain, max(days)).end
    for dimension in sorted({place[0] for place in theirs}):
        for line in stored_values(metric, grain, start=first, end=until, dimension=dimension):
            ours[dimension, line.member, line.period_start] = line.value
    return compare(theirs, ours)


def compare(theirs: Mapping[Place, float | None], ours: Mapping[Place, float | None]) -> list[Compared]:
    """Both side by side, by segment and period: every figure of theirs, and those of ours that they lack
    between their first and last of the same segment."""
    spans: dict[tuple[str, str], tuple[date, date]] = {}
    for dimension, member, day in theirs:
        first, last = spans.get((dimension, member), (day, day))
        spans[dimension, member] = min(first, day), max(last, day)
    places = set(theirs)
    for dimension, member, day in ours:
        span = spans.get((dimension, member))
        if span and span[0] <= day <= span[1]:
            places.add((dimension, member, day))
    found = []
    for place in sorted(places):
        dimension, member, day = place
        their, our = theirs.get(place), ours.get(place)
        found.append(Compared(day, dimension, member, their, our, _difference(their, our)))
    return found


def _difference(theirs: float | None, ours: float | None) -> float | None:
    if theirs is None or ours is None:
        return None
    return 0.0 if math.isclose(theirs, ours, rel_tol=SAME, abs_tol=0.0) else ours - theirs


def parse(text: str, metric: Metric, cal: Calendar, grain: Grain) -> dict[Place, float | None]:
    """The file's figures by place; a share of nothing is None.

    Columns: period_start, value or numerator and denominator, optionally dimension and member. Raises
    DefinitionsError with a line for every mistake, also for a file without figures.
    """
    report = Report()
    found: dict[Place, float | None] = {}
    for number, said in _read(text, report):
        before = len(report.mistakes)
        day = _day(said["period_start"], cal, grain, number, report)
        place = _segment(said, metric, number, report)
        value = _value(said, number, report)
        if day is None or len(report.mistakes) > before:
            continue
        if (*place, day) in found:
            report.add(number, "period_start", f"{day} stands there twice")
        found[*place, day] = value
    if not found and not report.mistakes:
        report.add(1, "", "the file holds no figure")
    report.raise_any()
    return found


def _day(said: str, cal: Calendar, grain: Grain, number: int, report: Report) -> date | None:
    try:
        day = parse_day(said)
        period = cal.period(grain, day)
    except (ValueError, OverflowError) as error:
        report.add(number, "period_start", str(error) if said else "the cell is empty")
        return None
    if not grain.is_to_date and period.start != day:
        report.add(number, "period_start", f"{day} opens no {grain}; its {grain} begins on {period.start}")
        return None
    return day


def _segment(said: Mapping[str, str], metric: Metric, number: int, report: Report) -> tuple[str, str]:
    dimension, member = said.get("dimension", ""), said.get("member", "")
    if bool(dimension) != bool(member):
        report.add(number, "dimension", "dimension and member go together")
    elif dimension and dimension not in metric.by:
        stored = ", ".join(metric.by) or "none"
        report.add(
            number, "dimension", f"{metric.key} is not stored by {dimension!r}; its dimensions: {stored}"
        )
    return dimension, member


def _value(said: Mapping[str, str], number: int, report: Report) -> float | None:
    numbers: dict[str, float] = {}
    for name in ("value", "numerator", "denominator"):
        if said.get(name):
            try:
                numbers[name] = parse_number(said[name])
            except ValueError as error:
                report.add(number, name, str(error))
                return None
    if set(numbers) == {"value"}:
        return numbers["value"]
    if set(numbers) == {"numerator", "denominator"}:
        share, whole = numbers["numerator"], numbers["denominator"]
        return share / whole if whole else None
    report.add(number, "value", "give a value, or numerator and denominator")
    return None


def _read(text: str, report: Report) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, cell by column) of every line that is not blank."""
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if not _header(names, report):
            return
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if reader.line_num > MOST_ROWS:
                report.add(reader.line_num, "", f"the file has more than {MOST_ROWS:,} lines")
                return
            if len(cells) != len(names):
                report.add(reader.line_num, "", f"{len(cells)} cells instead of {len(names)}")
                continue
            yield reader.line_num, dict(zip(names, (cell.strip() for cell in cells), strict=True))
    except csv.Error as error:
        report.add(reader.line_num, "", f"this is not a CSV file: {error}")


def _header(names: Sequence[str], report: Report) -> bool:
    before = len(report.mistakes)
    if not any(names):
        report.add(1, "", "the file is empty")
    elif "period_start" not in names:
        report.add(1, "", "the column 'period_start' is missing")
    elif "value" not in names and not {"numerator", "denominator"} <= set(names):
        report.add(1, "", "the column 'value' is missing (or 'numerator' and 'denominator')")
    for name in _unknown(names):
        left = [column for column in COLUMNS if column not in names]
        report.add(1, "", f"the column {name!r} is unknown{nearest(name, left)}")
    if len(set(names)) < len(names):
        report.add(1, "", "a column stands there twice")
    return len(report.mistakes) == before


def _unknown(names: Iterable[str]) -> list[str]:
    return [name for name in names if name and name not in COLUMNS]
