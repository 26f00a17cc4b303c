"""A spreadsheet that waits to be taken over, as its pages show it."""

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256

from calc.numbers import full
from metrics.models import Entry, Metric
from metrics.services.entries import EntryRow
from metrics.sheets.shapes import Figure, Problem, Sheet


@dataclass(frozen=True)
class Match:
    """What a name of the sheet is here. action: metric (the one with `key`), new, skip, or "": undecided.

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
    """One figure of the sheet. what: new, changed, same, unknown, skipped, or problem; metric: whose it would
    be, None for a new one's; row: what would be entered; there: what stands at its place now; period: the
    period as it was read, in our words."""

    figure: Figure
    unit: str = "count"
    metric: Metric | None = None
    value: float | None = None
    row: EntryRow | None = None
    what: str = "unknown"
    there: Entry | None = None
    problem: str = ""
    period: str = ""

    @property
    def is_ready(self) -> bool:
        return self.what in ("new", "changed")

    @property
    def shown(self) -> float | None:
        """The figure as the board would say it."""
        return self.value if self.row is None else _said(self.row)

    @property
    def stored(self) -> float | None:
        """What the board would say of what is stored."""
        return None if self.there is None else _said(self.there)

    @property
    def before(self) -> str:
        return _words(self.there, self.unit)

    @property
    def after(self) -> str:
        """In words; what has a problem as it is written."""
        return self.figure.text.strip()[:60] if self.row is None else _words(self.row, self.unit)


@dataclass(frozen=True)
class Column:
    """A column of the sheet, for the choice of what it means."""

    number: int
    name: str  # "B: Orders"
    role: str
    proposed: str  # the role, unless its person has chosen it


@dataclass(frozen=True)
class ImportRead:
    """The whole page: the sheet, its names, its figures, and what stands against taking them over."""

    sheet: Sheet
    matches: tuple[Match, ...]
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]
    metrics: tuple[Metric, ...]
    columns: tuple[Column, ...]

    @property
    def ready(self) -> int:
        return sum(line.is_ready for line in self.lines)

    @property
    def told(self) -> tuple[Line, ...]:
        """The figures that are neither blank nor left out."""
        return tuple(line for line in self.lines if line.what not in ("unknown", "skipped"))

    @property
    def left_out(self) -> int:
        return len(self.lines) - len(self.told)

    @property
    def is_sound(self) -> bool:
        """Whether nothing stands against taking over all of it."""
        return not self.problems and not self.counts["problem"] and bool(self.told)

    @property
    def digest(self) -> str:
        """Names what was shown, so that nothing else is taken over."""
        said = [
            (line.figure.place, line.metric.key if line.metric else "", line.what, repr(line.row))
            for line in self.lines
        ]
        return sha256(repr(said).encode("utf-8", "replace")).hexdigest()[:32]

    @property
    def counts(self) -> dict[str, int]:
        """How many figures there are of each `Line.what`."""
        found = Counter(line.what for line in self.lines)
        return {what: found[what] for what in ("new", "changed", "same", "unknown", "skipped", "problem")}


def _said(figure: Entry | EntryRow) -> float | None:
    if figure.numerator is not None and figure.denominator:
        return figure.numerator / figure.denominator
    return figure.value


def _words(figure: Entry | EntryRow | None, unit: str) -> str:
    if figure is None:
        return ""
    if figure.value is not None:
        return full(figure.value, unit)
    if figure.numerator is None or figure.denominator is None:
        return ""
    return f"{full(figure.numerator)} of {full(figure.denominator)}"
