"""A sheet whose periods stand across the top: each row is a metric, or a member of one."""

from collections.abc import Mapping
from dataclasses import replace

from calc.calendar import Calendar, Grain
from metrics.sheets.dates import Moment, read_date
from metrics.sheets.figures import Cells, Segment
from metrics.sheets.numbers import kind_of
from metrics.sheets.reader import NO_DATES, Reader
from metrics.sheets.shapes import Layout, Problem, Sheet
from metrics.sheets.words import role_of


class Across(Reader):
    """Reads it; `sheet` once."""

    def sheet(self, head: int) -> Sheet:
        """The figures below the row `head`, in which the periods are."""
        head = min(max(head, 0), len(self.table.rows) - 1)
        heading = self.table.rows[head]
        moments = self._with_years_above(head, self._read_dates(heading))
        columns = {
            n: m
            for n, m in enumerate(moments)
            if (m.is_date or (m.problem and n)) and self.choices.columns.get(n) != "ignore"
        }
        if not any(m.start for m in columns.values()) and not any(m.month for m in columns.values()):
            return Sheet(Layout.WIDE, problems=(Problem(NO_DATES),), choices=self.choices)
        self._ask_year(moments)
        for n, moment in columns.items():
            if moment.start is None:
                self._undated(head, n, moment)
        dated = {n: m for n, m in columns.items() if m.start is not None}
        roles = self._roles(head, columns)
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

    def _roles(self, head: int, columns: Mapping[int, Moment]) -> dict[int, str]:
        """Which of the columns beside the periods names the metric, and which the member of a dimension."""
        first = min(columns)
        body = self.table.rows[head + 1 :]
        roles = {
            n: r for n, r in self.choices.columns.items() if r in ("metric", "member") and n not in columns
        }
        texts = [n for n in range(first) if any(kind_of(row[n]) == "text" for row in body)]
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
