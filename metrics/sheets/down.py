"""A sheet whose periods run down the side: a column for each metric, or a row for each figure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from calc.calendar import Grain
from metrics.sheets.dates import Moment, read_date
from metrics.sheets.figures import Cells, Segment
from metrics.sheets.numbers import kind_of
from metrics.sheets.reader import Reader
from metrics.sheets.shapes import Layout, Sheet
from metrics.sheets.words import role_of


class Down(Reader):
    """Reads it; `sheet` once."""

    def sheet(self, column: int, layout: Layout, *, first: int, above: int) -> Sheet:
        """The figures beside the dates of `column`, which begin in the row `first`. above: the row that holds
        the headings, unless another one is chosen."""
        head = above if self.choices.header is None else self.choices.header
        has_head = head < first or self.choices.header is not None
        body = range(head + 1 if has_head else first, len(self.table.rows))
        heading = self.table.rows[head] if has_head else tuple("" for _ in range(self.table.width))
        moments = dict(zip(body, self._read_dates([self.table.rows[r][column] for r in body]), strict=True))
        roles = self._roles(column, heading, body, layout)
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
                elif filled and (text or any(kind_of(row[n]) == "number" for n in filled)):
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

    def _roles(
        self, column: int, heading: tuple[str, ...], body: Sequence[int], layout: Layout
    ) -> dict[int, str]:
        roles: dict[int, str] = {column: "date"}
        for n in range(self.table.width):
            if n == column:
                continue
            if (chosen := self.choices.columns.get(n)) is not None:
                roles[n] = chosen
                continue
            kinds = Counter(kind_of(self.table.rows[r][n]) for r in body)
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
