"""Filters as typed on a page: lines of column, comparison and value, and an expression for what lines cannot
say."""

from collections.abc import Mapping
from typing import Any

from django import forms

from metrics.definitions.conditions import COMPARISONS, Condition, read, together
from metrics.forms.meaning import lines_of
from warehouse.catalog import Column
from warehouse.expressions import check_expression

COMPARISON_CHOICES = list(COMPARISONS.items())
PLAIN = {"autocomplete": "off", "spellcheck": "false"}


def expression_field(help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label="And, as an expression",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 1, **PLAIN}),
        help_text=help_text,
    )


class FiltersMixin(forms.Form):
    """A form with groups of conditions; `LINES` says how many lines each has. Beside the lines stands the
    field `{group}_text`."""

    LINES: Mapping[str, int] = {}

    def columns_of(self, group: str) -> Mapping[str, Column]:
        """The columns that a group's conditions may name; none where the subclass knows none."""
        return {}

    def groups(self) -> dict[str, list[dict[str, str]]]:
        """The lines of conditions as typed or stored, by group, with what is wrong with each."""
        said = self.data if self.is_bound else self.initial
        return {
            group: [
                {
                    "number": str(n),
                    "column": said.get(f"{group}-column-{n}", ""),
                    "comparison": said.get(f"{group}-comparison-{n}", ""),
                    "value": said.get(f"{group}-value-{n}", ""),
                    "error": self.wrong.get((group, n), ""),
                }
                for n in range(lines)
            ]
            for group, lines in self.LINES.items()
        }

    @property
    def wrong(self) -> dict[tuple[str, int], str]:
        """What is wrong with a line, by (group, its number)."""
        if not hasattr(self, "_wrong"):
            self._wrong: dict[tuple[str, int], str] = {}
        return self._wrong

    def read_filter(self, group: str) -> str:
        """The group as one expression; "" for no condition. What is wrong is told to its line or field."""
        columns = self.columns_of(group)
        found: list[str] = []
        for n in range(self.LINES[group]):
            column = self.data.get(f"{group}-column-{n}", "")[:500]
            comparison = self.data.get(f"{group}-comparison-{n}", "")
            value = self.data.get(f"{group}-value-{n}", "")[:5_000]
            if not column:
                if value.strip():
                    self.wrong[group, n] = "Choose the column that is compared."
                continue
            try:
                found.append(together([Condition(column, comparison, value)], columns))
            except ValueError as error:
                self.wrong[group, n] = str(error)
        if any(place == group for place, _ in self.wrong):
            self.add_error(None, "See the conditions marked below.")
        typed = lines_of(self.cleaned_data.get(f"{group}_text", ""))
        if typed:
            try:
                check_expression(typed)
            except ValueError as error:
                self.add_error(f"{group}_text", str(error))
            found.append(f"({typed})" if found else typed)
        return " AND ".join(found)

    @classmethod
    def filter_initial(cls, group: str, text: str, columns: Mapping[str, Column]) -> dict[str, Any]:
        """A stored filter as lines where the columns are known and lines can say it, else as the expression
        that it is."""
        conditions = read(text, columns) if columns else None
        if conditions is None or len(conditions) > cls.LINES[group]:
            return {f"{group}_text": text}
        said = {}
        for n, condition in enumerate(conditions):
            said[f"{group}-column-{n}"] = condition.column
            said[f"{group}-comparison-{n}"] = condition.comparison
            said[f"{group}-value-{n}"] = condition.value
        return said
