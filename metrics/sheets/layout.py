"""How a spreadsheet is laid out, and the figures in it: a proposal that a person can put right."""

from collections import Counter
from collections.abc import Sequence

from calc.calendar import Calendar
from metrics.sheets.across import Across
from metrics.sheets.dates import read_date
from metrics.sheets.down import Down
from metrics.sheets.numbers import kind_of, read_number
from metrics.sheets.reader import NO_DATES
from metrics.sheets.shapes import Choices, Layout, Problem, Sheet
from metrics.sheets.tables import Table, read_table
from metrics.sheets.words import role_of

_MOST_SHEETS = 10  # of a workbook in which figures are looked for
_SEARCHED = 40  # rows and columns in which the periods are looked for


def propose(table: Table, *, calendar: Calendar | None = None, choices: Choices | None = None) -> Sheet:
    """Reads a table as it is: wide, tall or long, with what `choices` decide. Never raises: what cannot be
    read is among the problems, at its cell."""
    return _Search(table, calendar or Calendar(), choices or Choices()).sheet()


def find_table(content: str | bytes, name: str = "") -> Table:
    """The table; of a workbook the first sheet that holds figures of periods, else its first one. Raises
    TableError."""
    first = read_table(content, name)
    others = [sheet for sheet in first.sheets if sheet != first.sheet][:_MOST_SHEETS]
    for table in (first, *(read_table(content, name, sheet=sheet) for sheet in others)):
        found = propose(table)
        if found.figures or found.questions:
            return table
    return first


class _Search:
    """Where the periods are."""

    def __init__(self, table: Table, calendar: Calendar, choices: Choices) -> None:
        self.table, self.calendar, self.choices = table, calendar, choices

    def sheet(self) -> Sheet:
        row, in_row = self._best_row()
        column, in_column = self._best_column()
        layout = self._layout(row, in_row, column, in_column)
        if layout is None:
            return Sheet(Layout.WIDE, problems=(Problem(NO_DATES),), choices=self.choices)
        given = (self.table, self.calendar, self.choices)
        if layout is Layout.WIDE:
            return Across(*given).sheet(row if self.choices.header is None else self.choices.header)
        first, above = self._first_dated(column), self._head_of(column)
        return Down(*given).sheet(column, layout, first=first, above=above)

    def _best_row(self) -> tuple[int, int]:
        return _most([self._dates(row) for row in self.table.rows[:_SEARCHED]])

    def _best_column(self) -> tuple[int, int]:
        for column, role in self.choices.columns.items():
            if role == "date" and 0 <= column < self.table.width:
                return column, self._dates(self._column(column))
        width = min(self.table.width, _SEARCHED)
        return _most([self._dates(self._column(n)) for n in range(width)])

    def _column(self, column: int) -> tuple[str, ...]:
        return tuple(row[column] for row in self.table.rows)

    def _dates(self, cells: Sequence[str]) -> int:
        """How many of the cells are dates. Bare numbers count where all of them could be periods in order."""
        read = [m for m in (read_date(cell, calendar=self.calendar) for cell in cells) if m.is_date]
        strong = sum(not m.weak for m in read)
        weak = [m.start for m in read if m.weak and m.start]
        numbers = sum(read_number(cell).value is not None for cell in cells)
        if not strong and len(weak) >= 2 and len(weak) >= numbers - 1 and _in_order(weak):
            return len(weak)
        return strong

    def _layout(self, row: int, in_row: int, column: int, in_column: int) -> Layout | None:
        if self.choices.layout in tuple(Layout):
            return Layout(self.choices.layout) if in_row or in_column else None
        if not in_row and not in_column:
            return None
        heading = self.table.rows[self._head_of(column)][column] if in_column else ""
        if in_row > in_column or (in_row == in_column and role_of(heading) not in ("date", "year")):
            # One date only: a heading with the figures below it, or a row that begins with its date.
            if in_row == 1 == in_column and column == 0 and row == self._first_dated(column):
                return self._tall_or_long(column)
            return Layout.WIDE
        return self._tall_or_long(column)

    def _first_dated(self, column: int) -> int:
        return next(
            (
                n
                for n, cell in enumerate(self._column(column))
                if read_date(cell, calendar=self.calendar).is_date
            ),
            0,
        )

    def _head_of(self, column: int) -> int:
        """The row with the headings of a sheet that runs down: the last with texts above the first date."""
        first = self._first_dated(column)
        above = [n for n in range(first) if sum(bool(c.strip()) for c in self.table.rows[n]) > 1]
        return above[-1] if above else max(first - 1, 0)

    def _tall_or_long(self, column: int) -> Layout:
        head = self._head_of(column)
        roles = {role_of(cell) for n, cell in enumerate(self.table.rows[head]) if n != column}
        if {"numerator", "denominator"} <= roles or ("metric" in roles and "value" in roles):
            return Layout.LONG
        body = self.table.rows[head + 1 :]
        texts, numbers = 0, 0
        for n in range(self.table.width):
            if n == column or role_of(self.table.rows[head][n]) in ("note", "year", "ignore"):
                continue
            kinds = Counter(kind_of(row[n]) for row in body)
            texts += kinds["text"] > kinds["number"]
            numbers += kinds["number"] >= max(kinds["text"], 1)
        days = [c for c in (row[column] for row in body) if c.strip()]
        if texts and numbers == 1 and (len(set(days)) < len(days) or "metric" in roles):
            return Layout.LONG
        return Layout.LONG if texts and numbers == 1 and len(days) == 1 else Layout.TALL


def _most(counts: Sequence[int]) -> tuple[int, int]:
    """The index of the first largest count, and that count."""
    best = max(counts, default=0)
    return (counts.index(best), best) if best else (0, 0)


def _in_order(days: Sequence[object]) -> bool:
    return list(days) == sorted(set(days))  # type: ignore[type-var]
