"""How a spreadsheet is laid out, and the figures in it: a proposal that a person can put right."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from calc.calendar import Calendar, Grain
from metrics.sheets.dates import Moment, day_order, read_date, read_dates
from metrics.sheets.figures import Cells, Segment
from metrics.sheets.numbers import read_number
from metrics.sheets.shapes import Choices, Figure, Layout, Problem, Question, Sheet
from metrics.sheets.tables import Table, column_name, read_table
from metrics.sheets.words import role_of

_MOST_SHEETS = 10  # of a workbook in which figures are looked for
_SEARCHED = 40  # rows and columns in which the periods are looked for
_NO_DATES = (
    "There are no months or dates in it. Copy the headings too: months across the top, or a column with a "
    "date in each row."
)


def propose(table: Table, *, calendar: Calendar | None = None, choices: Choices | None = None) -> Sheet:
    """Reads a table as it is: wide, tall or long, with what `choices` decide. Never raises: what cannot be
    read is among the problems, at its cell."""
    return _Proposal(table, calendar or Calendar(), choices or Choices()).sheet()


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


class _Proposal:
    def __init__(self, table: Table, calendar: Calendar, choices: Choices) -> None:
        self.table, self.calendar, self.choices = table, calendar, choices
        self.problems: list[Problem] = []
        self.questions: list[Question] = []
        self.ignored: list[str] = []

    def sheet(self) -> Sheet:
        row, in_row = self._best_row()
        column, in_column = self._best_column()
        layout = self._layout(row, in_row, column, in_column)
        if layout is None:
            return Sheet(Layout.WIDE, problems=(Problem(_NO_DATES),), choices=self.choices)
        if layout is Layout.WIDE:
            return self._wide(row if self.choices.header is None else self.choices.header)
        return self._down(column, layout)

    # Where the periods are

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
            kinds = Counter(_kind(row[n]) for row in body)
            texts += kinds["text"] > kinds["number"]
            numbers += kinds["number"] >= max(kinds["text"], 1)
        days = [c for c in (row[column] for row in body) if c.strip()]
        if texts and numbers == 1 and (len(set(days)) < len(days) or "metric" in roles):
            return Layout.LONG
        return Layout.LONG if texts and numbers == 1 and len(days) == 1 else Layout.TALL

    # Periods across the top

    def _wide(self, head: int) -> Sheet:
        head = min(max(head, 0), len(self.table.rows) - 1)
        heading = self.table.rows[head]
        moments = self._with_years_above(head, self._read_dates(heading))
        columns = {
            n: m
            for n, m in enumerate(moments)
            if (m.is_date or (m.problem and n)) and self.choices.columns.get(n) != "ignore"
        }
        if not any(m.start for m in columns.values()) and not any(m.month for m in columns.values()):
            return Sheet(Layout.WIDE, problems=(Problem(_NO_DATES),), choices=self.choices)
        self._ask_year(moments)
        for n, moment in columns.items():
            if moment.start is None:
                self._undated(head, n, moment)
        dated = {n: m for n, m in columns.items() if m.start is not None}
        roles = self._wide_roles(head, columns)
        named = next((n for n, role in roles.items() if role == "metric"), None)
        by = next((n for n, role in roles.items() if role == "member"), None)
        self._leave_out(
            heading, [n for n in range(self.table.width) if n not in columns and n not in (named, by)]
        )
        cells = Cells(self.table, self.choices.decimal)
        last_name = ""
        for r in range(head + 1, len(self.table.rows)):
            row = self.table.rows[r]
            name = row[named].strip() if named is not None else ""
            if not any(row[n].strip() for n in dated):
                if name:
                    last_name = name  # a heading above its members, or a metric without any figure
                continue
            name = name or (last_name if by is not None else "")
            last_name = name
            member = row[by].strip() if by is not None else ""
            dimension = heading[by].strip() if by is not None and member else ""
            for n, moment in dated.items():
                cells.add(r, n, name, moment, Segment(dimension, member))
        return self._finish(Layout.WIDE, cells, {**roles, **dict.fromkeys(columns, "date")}, head)

    def _with_years_above(self, head: int, moments: tuple[Moment, ...]) -> tuple[Moment, ...]:
        """Months whose years stand once in the row above (a merged cell over twelve of them)."""
        if head == 0 or not any(m.start is None and m.month for m in moments):
            return moments
        year, found = None, []
        for cell, moment in zip(self.table.rows[head - 1], moments, strict=True):
            above = read_date(cell, calendar=Calendar())
            if above.start is not None and above.grain is Grain.YEAR:
                year = above.start.year
            if moment.start is None and moment.month and year:
                moment = replace(read_date(f"{year}-{moment.month:02d}"), text=moment.text)
            found.append(moment)
        return tuple(found)

    def _wide_roles(self, head: int, columns: Mapping[int, Moment]) -> dict[int, str]:
        """Which of the columns beside the periods names the metric, and which the member of a dimension."""
        first = min(columns)
        body = self.table.rows[head + 1 :]
        roles = {
            n: r for n, r in self.choices.columns.items() if r in ("metric", "member") and n not in columns
        }
        texts = [n for n in range(first) if any(_kind(row[n]) == "text" for row in body)]
        if "metric" not in roles.values():
            stated = [n for n in texts if role_of(self.table.rows[head][n]) == "metric"]
            free = [n for n in stated or texts if n not in roles and self.choices.columns.get(n) != "ignore"]
            if free:
                roles[free[0]] = "metric"
        named = next((n for n, role in roles.items() if role == "metric"), None)
        if named is not None and "member" not in roles.values():
            names = [row[named].strip() for row in body if row[named].strip()]
            others = [n for n in texts if n != named and self.choices.columns.get(n) != "ignore"]
            members = [n for n in others if role_of(self.table.rows[head][n]) == "member"]
            if len(set(names)) < len(names) or members:
                usable = members or [n for n in others if role_of(self.table.rows[head][n]) != "ignore"]
                if usable:
                    roles[usable[0]] = "member"
        return roles

    # Periods down the side

    def _down(self, column: int, layout: Layout) -> Sheet:
        first = self._first_dated(column)
        head = self._head_of(column) if self.choices.header is None else self.choices.header
        has_head = head < first or self.choices.header is not None
        body = range(head + 1 if has_head else first, len(self.table.rows))
        heading = self.table.rows[head] if has_head else tuple("" for _ in range(self.table.width))
        moments = dict(zip(body, self._read_dates([self.table.rows[r][column] for r in body]), strict=True))
        roles = self._down_roles(column, heading, body, layout)
        moments = self._with_year_column(moments, roles)
        self._ask_year(tuple(moments.values()))
        decimal = self.choices.decimal
        cells = Cells(self.table, decimal)
        for r, moment in moments.items():
            row = self.table.rows[r]
            filled = [n for n, role in roles.items() if role in ("value", "numerator") and row[n].strip()]
            if moment.start is None:
                text = row[column].strip()
                if text and not moment.problem and not any(c.isdigit() for c in text):
                    self.ignored.append(text[:60])  # a row such as Total or Average
                elif filled and (text or any(_kind(row[n]) == "number" for n in filled)):
                    self._undated(r, column, moment)
                continue
            if layout is Layout.LONG:
                self._long_row(cells, r, moment, roles, heading)
            else:
                for n, role in roles.items():
                    if role == "value":
                        cells.add(r, n, heading[n].strip(), moment)
        self._leave_out(heading, [n for n in range(self.table.width) if n not in roles])
        return self._finish(layout, cells, roles, head)

    def _down_roles(
        self, column: int, heading: tuple[str, ...], body: Sequence[int], layout: Layout
    ) -> dict[int, str]:
        roles: dict[int, str] = {column: "date"}
        for n in range(self.table.width):
            if n == column:
                continue
            if (chosen := self.choices.columns.get(n)) is not None:
                roles[n] = chosen
                continue
            kinds = Counter(_kind(self.table.rows[r][n]) for r in body)
            said, is_number = role_of(heading[n]), kinds["number"] > 0 and kinds["number"] >= kinds["text"]
            if said == "year" and is_number:
                roles[n] = "year"
            elif layout is Layout.TALL:
                # A heading is the metric's name here, whatever else it may mean.
                if is_number or (heading[n].strip() and kinds["unknown"] and not kinds["text"]):
                    roles[n] = "value"
            elif said in ("metric", "value", "numerator", "denominator", "member", "note"):
                roles[n] = said
            elif is_number and "value" not in roles.values():
                roles[n] = "value"
            elif kinds["text"] and said != "ignore" and said != "date":
                free = next((r for r in ("metric", "member") if r not in roles.values()), "")
                if free:
                    roles[n] = free
        return {n: role for n, role in roles.items() if role != "ignore"}

    def _long_row(
        self, cells: Cells, r: int, moment: Moment, roles: Mapping[int, str], heading: tuple[str, ...]
    ) -> None:
        row = self.table.rows[r]
        at = {role: n for n, role in reversed(list(roles.items()))}
        name = row[at["metric"]].strip() if "metric" in at else ""
        member = row[at["member"]].strip() if "member" in at else ""
        dimension = heading[at["member"]].strip() if member else ""
        note = row[at["note"]].strip() if "note" in at else ""
        of = Segment(dimension, member, note)
        if "numerator" in at and "denominator" in at:
            above, below = at["numerator"], at["denominator"]
            if row[above].strip() or row[below].strip() or "value" not in at:
                cells.add(r, above, name, moment, of, below=below)
                return
        if "value" in at:
            cells.add(r, at["value"], name, moment, of)

    def _with_year_column(self, moments: dict[int, Moment], roles: Mapping[int, str]) -> dict[int, Moment]:
        """Months whose year stands in a column of its own, maybe only in its first row."""
        column = next((n for n, role in roles.items() if role == "year"), None)
        if column is None:
            return moments
        year, found = None, {}
        for r, moment in moments.items():
            said = read_date(self.table.rows[r][column])
            year = said.start.year if said.start and said.grain is Grain.YEAR else year
            if year and moment.month and moment.grain in (None, Grain.MONTH) and moment.number is None:
                moment = replace(read_date(f"{year}-{moment.month:02d}"), text=moment.text)
            found[r] = moment
        return found

    # Common

    def _read_dates(self, texts: Sequence[str]) -> tuple[Moment, ...]:
        read = read_dates(texts, order=self.choices.order, calendar=self.calendar, year=self.choices.year)
        doubtful = next((m for m in read if m.other is not None), None)
        if doubtful is not None or self.choices.order:
            example = doubtful or next((m for m in read if m.start), None)
            order = self.choices.order or day_order(texts) or "dmy"
            if example is not None:
                text = f"Which comes first in dates such as {example.text.strip()}, the day or the month?"
                options = (("dmy", "The day"), ("mdy", "The month"))
                self.questions.append(Question("order", text, options, order))
        return read

    def _ask_year(self, moments: Sequence[Moment]) -> None:
        month = next((m.text.strip() for m in moments if m.start is None and m.month), "")
        if month or self.choices.year:
            month = month or next((m.text.strip() for m in moments if m.start), "")
            chosen = str(self.choices.year or "")
            self.questions.append(Question("year", f"Which year does {month} belong to?", (), chosen))

    def _undated(self, row: int, column: int, moment: Moment) -> None:
        if moment.month and any(
            p.message == moment.problem or "The year" in p.message for p in self.problems
        ):
            return  # said once; one answer dates them all
        message = moment.problem or (
            f"“{moment.text.strip()[:40]}” is not a date; write it like Jul 2026 or 2026-07-01."
            if moment.text.strip()
            else "The date is missing."
        )
        self.problems.append(Problem(message, row, column))

    def _leave_out(self, heading: Sequence[str], columns: Sequence[int]) -> None:
        for n in columns:
            if any(row[n].strip() for row in self.table.rows):
                self.ignored.append(heading[n].strip()[:60] or f"column {column_name(n)}")

    def _finish(self, layout: Layout, cells: Cells, roles: Mapping[int, str], head: int) -> Sheet:
        figures, question = cells.read()
        if question is not None:
            self.questions.append(question)
        figures = _once(figures)
        self.problems += [Problem(f.problem, f.row, f.column) for f in figures if f.problem]
        if not any(f.value is not None for f in figures) and not self.problems:
            self.problems.append(Problem("There are dates in it, but no figures beside them."))
        self.problems.sort(key=lambda p: (p.row is not None, p.row or 0, p.column or 0))
        settled = replace(self.choices, layout=layout.value, header=head, decimal=cells.decimal)
        return Sheet(
            layout,
            tuple(figures),
            tuple(dict.fromkeys(f.name for f in figures)),
            dict(sorted(roles.items())),
            tuple(self.table.rows[head]) if head < len(self.table.rows) else (),
            tuple(dict.fromkeys(self.ignored)),
            tuple(self.problems),
            tuple(self.questions),
            settled,
        )


def _once(figures: Sequence[Figure]) -> list[Figure]:
    """A second figure for the same metric and time is refused at its cell."""
    seen: dict[tuple[object, ...], Figure] = {}
    found = []
    for figure in figures:
        key = (figure.name.casefold(), figure.dimension, figure.member, figure.when.start, figure.when.grain)
        first = seen.setdefault(key, figure) if figure.value is not None or figure.problem else figure
        if first is not figure and not figure.problem:
            of = f" of {figure.name}" if figure.name else ""
            same = f"A figure{of} for {figure.when.text.strip()} stands in {first.place} already."
            figure = replace(figure, value=None, numerator=None, denominator=None, problem=same)
        found.append(figure)
    return found


def _most(counts: Sequence[int]) -> tuple[int, int]:
    """The index of the first largest count, and that count."""
    best = max(counts, default=0)
    return (counts.index(best), best) if best else (0, 0)


def _in_order(days: Sequence[object]) -> bool:
    return list(days) == sorted(set(days))  # type: ignore[type-var]


def _kind(cell: str) -> str:
    """number, unknown (a blank, "n/a") or text."""
    read = read_number(cell)
    return "number" if read.value is not None else "text" if read.problem else "unknown"
