"""What a spreadsheet turns out to say, and what people may decide about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from metrics.sheets.dates import Moment
from metrics.sheets.tables import place_of


class Layout(StrEnum):
    """WIDE: periods across the top, a metric a row. TALL: periods down the side, a metric a column. LONG: a
    figure a row, with columns that say when and of which metric."""

    WIDE = "wide"
    TALL = "tall"
    LONG = "long"


# What a column can mean. In a wide sheet those beside the periods are metric, member or ignored.
ROLES = ("date", "year", "metric", "value", "numerator", "denominator", "member", "note", "ignore")


@dataclass(frozen=True)
class Choices:
    """What a person has decided; everything left empty is worked out.

    layout: of `Layout`. header: the row with the headings, from 0. columns: column, from 0 -> one of `ROLES`.
    decimal: "." or ",". order: "dmy" or "mdy". year: of the first month that has none.
    """

    layout: str = ""
    header: int | None = None
    columns: Mapping[int, str] = field(default_factory=dict)
    decimal: str = ""
    order: str = ""
    year: int | None = None


@dataclass(frozen=True)
class Problem:
    """What is wrong, at a cell (row and column from 0) or, where they are None, with the whole."""

    message: str
    row: int | None = None
    column: int | None = None

    @property
    def place(self) -> str:
        """B4, or "" for the whole."""
        return "" if self.row is None or self.column is None else place_of(self.row, self.column)

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


@dataclass(frozen=True)
class Question:
    """What the sheet leaves open. name: the field of `Choices`; options: (value, what it means); chosen: what
    was taken for now."""

    name: str
    text: str
    options: tuple[tuple[str, str], ...]
    chosen: str


@dataclass(frozen=True)
class Figure:
    """One figure as read, at its cell. name: the metric as the sheet calls it ("" where it has none); value:
    None for an unknown one (or one with a `problem`); percent: it had the sign, and 72 % is 0.72."""

    row: int
    column: int
    name: str
    when: Moment
    text: str
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    percent: bool = False
    exact: bool = False
    currency: str = ""
    dimension: str = ""
    member: str = ""
    note: str = ""
    doubt: str = ""
    problem: str = ""

    @property
    def place(self) -> str:
        return place_of(self.row, self.column)

    @property
    def is_unknown(self) -> bool:
        return self.value is None and not self.problem


@dataclass(frozen=True)
class Sheet:
    """A spreadsheet read. figures: every one, in the order of its cells; names: the metrics as they come;
    columns: column -> role, of those that have one; ignored: headings of what was left out; questions: what
    a person may have to decide; choices: the decisions that this reading followed, asked or worked out."""

    layout: Layout
    figures: tuple[Figure, ...] = ()
    names: tuple[str, ...] = ()
    columns: Mapping[int, str] = field(default_factory=dict)
    headings: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    questions: tuple[Question, ...] = ()
    choices: Choices = field(default_factory=Choices)

    @property
    def known(self) -> tuple[Figure, ...]:
        """The figures that have a number."""
        return tuple(figure for figure in self.figures if figure.value is not None)
