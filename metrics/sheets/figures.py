"""The cells of a sheet that hold figures, read together: the whole decides which mark its decimals have."""

from collections import defaultdict
from dataclasses import dataclass, replace

from metrics.sheets.dates import Moment
from metrics.sheets.numbers import Reading, decimal_mark, read_number
from metrics.sheets.shapes import Figure, Question
from metrics.sheets.tables import Table

_OPTIONS = ((".", "A point: 1,234.5"), (",", "A comma: 1.234,5"))


@dataclass(frozen=True)
class Segment:
    """Of which member of a dimension a figure is, and what is noted beside it."""

    dimension: str = ""
    member: str = ""
    note: str = ""


@dataclass(frozen=True)
class _Waiting:
    figure: Figure
    below: int | None = None  # the column of the denominator


class Cells:
    """Collects cells by `add` and reads them all by `read`. decimal: the mark that a person chose, or "";
    after `read` the one that the sheet proves."""

    def __init__(self, table: Table, decimal: str = "") -> None:
        self.table, self.decimal = table, decimal
        self._asked = bool(decimal)
        self._waiting: list[_Waiting] = []

    def add(
        self,
        row: int,
        column: int,
        name: str,
        when: Moment,
        of: Segment | None = None,
        *,
        below: int | None = None,
    ) -> None:
        """A figure of the metric `name`. below: the column of its denominator, of a share in two cells."""
        of = of or Segment()
        text = self.table.rows[row][column]
        self._waiting.append(
            _Waiting(
                Figure(
                    row,
                    column,
                    name[:200],
                    when,
                    text,
                    dimension=of.dimension[:80],
                    member=of.member[:200],
                    note=of.note[:500],
                ),
                below,
            )
        )

    def read(self) -> tuple[list[Figure], Question | None]:
        """The figures in the order in which they came, and the question which decimal mark they have, if it
        stays open or somebody has answered it."""
        texts: dict[str, list[str]] = defaultdict(list)
        for waiting in self._waiting:
            texts[waiting.figure.name] += self._texts(waiting)
        if not self._asked:
            self.decimal = decimal_mark(t for found in texts.values() for t in found)
        marks = {name: self.decimal or decimal_mark(found) for name, found in texts.items()}
        figures = [self._figure(waiting, marks[waiting.figure.name]) for waiting in self._waiting]
        doubtful = next((f for f in figures if f.doubt and not self.decimal), None)
        if doubtful is None and not self._asked:
            return figures, None
        example = f" such as {doubtful.text.strip()}" if doubtful else ""
        text = f"Which mark do decimals have in numbers{example}?"
        return figures, Question("decimal", text, _OPTIONS, self.decimal or self._taken(doubtful))

    @staticmethod
    def _taken(doubtful: Figure | None) -> str:
        """Taken for now: the mark in 1,234 parts thousands, so decimals have the other one."""
        return "," if doubtful and "." in doubtful.text else "."

    def _texts(self, waiting: _Waiting) -> list[str]:
        """What may prove a mark: not the numbers that a workbook has itself."""
        row, columns = waiting.figure.row, [waiting.figure.column, waiting.below]
        return [
            self.table.rows[row][n] for n in columns if n is not None and (row, n) not in self.table.exact
        ]

    def _cell(self, row: int, column: int, decimal: str) -> Reading:
        return read_number(
            self.table.rows[row][column], decimal=decimal, exact=(row, column) in self.table.exact
        )

    def _figure(self, waiting: _Waiting, decimal: str) -> Figure:
        figure = waiting.figure
        read = self._cell(figure.row, figure.column, decimal)
        if waiting.below is not None:
            return self._pair(figure, read, self._cell(figure.row, waiting.below, decimal), waiting.below)
        return replace(
            figure,
            value=read.value,
            numerator=read.numerator,
            denominator=read.denominator,
            percent=read.percent,
            exact=(figure.row, figure.column) in self.table.exact,
            currency=read.currency,
            doubt=read.doubt,
            problem=read.problem,
        )

    def _pair(self, figure: Figure, above: Reading, below: Reading, column: int) -> Figure:
        text = f"{above.text.strip()} of {below.text.strip()}"
        if above.problem or below.problem:
            at = figure.column if above.problem else column
            return replace(figure, text=text, column=at, problem=above.problem or below.problem)
        if above.value is None and below.value is None:
            return replace(figure, text="")
        if above.value is None or below.value is None:
            missing = figure.column if above.value is None else column
            problem = "A share needs both numbers, as in 18 of 25."
            return replace(figure, text=text, column=missing, problem=problem)
        if below.value <= 0:
            problem = "The second number of a share must be more than 0."
            return replace(figure, text=text, column=column, problem=problem)
        doubt = above.doubt or below.doubt
        return replace(
            figure,
            text=text,
            value=above.value / below.value,
            numerator=above.value,
            denominator=below.value,
            doubt=doubt,
        )
