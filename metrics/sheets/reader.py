"""What every sheet of figures needs while it is read, whichever way its periods run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from calc.calendar import Calendar
from metrics.sheets.dates import Moment, day_order, read_dates
from metrics.sheets.figures import Cells
from metrics.sheets.shapes import Choices, Figure, Layout, Problem, Question, Sheet
from metrics.sheets.tables import Table, column_name

NO_DATES = (
    "There are no months or dates in it. Copy the headings too: months across the top, or a column with a "
    "date in each row."
)


class Reader:
    """One sheet under one set of choices. Gathers what is wrong, what is asked and what is left out."""

    def __init__(self, table: Table, calendar: Calendar, choices: Choices) -> None:
        self.table, self.calendar, self.choices = table, calendar, choices
        self.problems: list[Problem] = []
        self.questions: list[Question] = []
        self.ignored: list[str] = []

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
