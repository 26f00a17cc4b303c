"""A metric computed from a source, as put together on its page."""

from collections.abc import Mapping
from typing import Any

from django import forms

from metrics.definitions.conditions import COMPARISONS, Condition, together
from metrics.definitions.metric import AUDIENCES, LENSES, MetricText
from metrics.definitions.promises import OwnerRow
from metrics.forms.warehouses import KeyField
from owners.models import Leader, User
from owners.rules import can
from warehouse.catalog import Column
from warehouse.proposals import expression_of, key_of

CONDITIONS = {"where": 4, "part": 3}  # lines of each group
WAYS = {
    "count": "how many rows",
    "count_distinct": "how many different …",
    "count_new": "how many appear for the first time",
    "sum": "the sum of …",
    "avg": "the average of …",
    "median": "the median of …",
    "p90": "what 90 % lie below, of …",
    "min": "the smallest …",
    "max": "the largest …",
    "last": "the last …",
    "share": "the share of rows for which …",
}
NEED_COLUMN = ("count_distinct", "sum", "avg", "median", "p90", "min", "max", "last")
CURRENCIES = ("EUR", "GBP", "USD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "CAD", "AUD", "JPY", "INR")
UNITS = [
    ("count", "a number"),
    ("percent", "percent"),
    ("score", "a score"),
    ("ratio", "a ratio"),
    *((f"currency:{code}", code) for code in CURRENCIES),
    *((f"duration:{name}", name) for name in ("seconds", "minutes", "hours", "days")),
]
ROLES = [
    ("supporting", "supporting metric"),
    ("focus", "focus metric: moves the North Star"),
    ("guardrail", "guardrail: must not get worse"),
]
_ROWS_ONLY = ("count", "share", "count_new")


class ComputedForm(forms.Form):
    """What to count, of which rows, and what it means. `text` is what the definitions file would say."""

    name = forms.CharField(label="Name", max_length=200)
    key = KeyField(label="Key", required=False, help_text="Empty: made from the name.")
    way = forms.ChoiceField(label="Figure", choices=list(WAYS.items()))
    column = forms.CharField(label="Of", required=False, max_length=10_000)
    unit = forms.ChoiceField(label="Unit", choices=UNITS)
    role = forms.ChoiceField(label="Role", choices=ROLES)
    lens = forms.ChoiceField(
        label="Seen as", required=False, choices=[("", "nothing in particular"), *((n, n) for n in LENSES)]
    )
    better = forms.ChoiceField(label="Better is", choices=[("up", "more"), ("down", "less")])
    goal = forms.ChoiceField(
        label="A quarter’s goal is",
        required=False,
        choices=[
            ("", "as the figure suggests"),
            ("total", "a total over the quarter"),
            ("level", "a level to stand at"),
        ],
    )
    by = forms.MultipleChoiceField(label="Also split by", required=False, widget=forms.CheckboxSelectMultiple)
    owner = forms.ModelChoiceField(
        Leader.objects.none(), label="Owner", required=False, to_field_name="key", empty_label="nobody yet"
    )
    visible = forms.ChoiceField(label="Visible to", choices=[(name, name) for name in AUDIENCES])
    definition = forms.CharField(
        label="Definition", required=False, max_length=5_000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(
        self,
        *args: Any,
        user: User,
        columns: Mapping[str, Column],
        dimensions: Mapping[str, str],
        entity: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.columns, self.entity = dict(columns), entity
        star = [("north_star", "North Star")] if can(user, "metric.set_north_star") else []
        self.fields["role"].choices = [*ROLES, *star]  # type: ignore[attr-defined]
        self.fields["by"].choices = [(name, name) for name in dimensions]  # type: ignore[attr-defined]
        self.fields["owner"].queryset = Leader.objects.filter(  # type: ignore[attr-defined]
            archived_at=None
        ).order_by("name")
        if not can(user, "metric.set_owner"):
            del self.fields["owner"]
        self.fields["column"].widget.attrs |= {
            "list": "columns",
            "autocomplete": "off",
            "spellcheck": "false",
        }

    def groups(self) -> dict[str, list[dict[str, str]]]:
        """The lines of conditions as typed, by group, with what is wrong with each."""
        return {
            group: [
                {
                    "number": str(n),
                    "column": self.data.get(f"{group}-column-{n}", ""),
                    "comparison": self.data.get(f"{group}-comparison-{n}", ""),
                    "value": self.data.get(f"{group}-value-{n}", ""),
                    "error": self.wrong.get((group, n), ""),
                }
                for n in range(lines)
            ]
            for group, lines in CONDITIONS.items()
        }

    @property
    def wrong(self) -> dict[tuple[str, int], str]:
        return getattr(self, "_wrong", {})

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        self._wrong: dict[tuple[str, int], str] = {}
        self.where = self._filter("where")
        self.part = self._filter("part") if given.get("way") == "share" else ""
        way, column = given.get("way"), given.get("column", "").strip()
        if way == "count_distinct" and not column:
            column = given["column"] = self.entity
        if way in NEED_COLUMN and not column:
            self.add_error("column", "Say of which column.")
        if way == "share" and not self.part and not self._wrong:
            self.add_error(None, "Say which rows are the share: at least one condition.")
        if way in _ROWS_ONLY:
            given["column"] = ""
        return given

    def _filter(self, group: str) -> str:
        found: list[str] = []
        for n in range(CONDITIONS[group]):
            column = self.data.get(f"{group}-column-{n}", "")[:500]
            comparison = self.data.get(f"{group}-comparison-{n}", "")
            value = self.data.get(f"{group}-value-{n}", "")[:5_000]
            if not column:
                if value.strip():
                    self._wrong[group, n] = "Choose the column that is compared."
                continue
            try:
                found.append(together([Condition(column, comparison, value)], self.columns))
            except ValueError as error:
                self._wrong[group, n] = str(error)
        if any(place == group for place, _ in self._wrong):
            self.add_error(None, "See the conditions marked below.")
        return " AND ".join(found)

    def key_for(self, taken: set[str]) -> str:
        """The key as typed, or one made from the name."""
        return str(self.cleaned_data["key"]) or key_of(self.cleaned_data["name"], {*taken, "new"})

    def text(self, source: str) -> MetricText:
        """The metric in normal form."""
        given = self.cleaned_data
        way, owner = given["way"], given.get("owner")
        fields: dict[str, Any] = {
            "name": given["name"],
            "role": "" if given["role"] == "supporting" else given["role"],
            "lens": given["lens"] if given["role"] == "focus" else "",
            "definition": given["definition"],
            "unit": "" if given["unit"] == "count" else given["unit"],
            "better": "" if given["better"] == "up" else given["better"],
            "visible": "" if given["visible"] == "everyone" else given["visible"],
            "type": "ratio" if way == "share" else "simple",
            "by": given["by"],
            "goal": {"kind": given["goal"]} if given["goal"] else {},
        }
        rows = {"source": source, "agg": "count", "where": self.where}
        if way == "share":
            both = " AND ".join(f"({text})" for text in (self.where, self.part) if text)
            fields["spec"] = {"numerator": _said({**rows, "where": both}), "denominator": _said(rows)}
        else:
            measure = {**rows, "agg": way, "expr": self._expression(given["column"].strip())}
            fields["spec"] = {"measure": _said(measure)}
        return MetricText(
            fields={name: value for name, value in fields.items() if value not in ("", [], {})},
            owner=OwnerRow(owner.key) if owner else None,
        )

    def _expression(self, typed: str) -> str:
        """A column's name as its expression; what is no name of a column is one already."""
        return expression_of(typed) if typed in self.columns else typed


def _said(measure: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in measure.items() if value}


COMPARISON_CHOICES = list(COMPARISONS.items())
