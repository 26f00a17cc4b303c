"""A metric computed from a source, as put together on its page."""

from collections.abc import Mapping
from typing import Any

from django import forms

from metrics.definitions.conditions import COMPARISONS, Condition, together
from metrics.definitions.fields import compact
from metrics.definitions.metric import MetricText
from metrics.definitions.promises import OwnerRow
from metrics.forms.start_metrics import AUDIENCES, BAND, LENSES, STAGES, STAR, BandMixin
from metrics.forms.warehouses import KeyField
from owners.models import Leader, User
from owners.rules import can
from warehouse.catalog import Column
from warehouse.expressions import check_expression
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
FILLS = [("", "as the figure suggests"), ("zero", "0"), ("null", "unknown")]
_ROWS_ONLY = ("count", "share")


class ComputedForm(BandMixin):
    """What to count, of which rows, and what it means. `text` is what the definitions file would say."""

    name = forms.CharField(label="Name", max_length=200)
    key = KeyField(label="Key", required=False, help_text="Empty: made from the name.")
    way = forms.ChoiceField(label="Figure", choices=list(WAYS.items()))
    column = forms.CharField(label="Of", required=False, max_length=10_000)
    unit = forms.ChoiceField(label="Unit", choices=UNITS)
    role = forms.ChoiceField(label="Role", choices=ROLES)
    lens = forms.ChoiceField(label="Seen as", required=False, choices=LENSES)
    better = forms.ChoiceField(label="Better is", choices=[("up", "more"), ("down", "less"), BAND])
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
    visible = forms.ChoiceField(label="Who sees it", choices=AUDIENCES)
    definition = forms.CharField(
        label="Definition", required=False, max_length=5_000, widget=forms.Textarea(attrs={"rows": 2})
    )
    success = forms.CharField(
        label="What success would be",
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    segment = forms.CharField(label="For whom", required=False, max_length=200)
    stage = forms.ChoiceField(label="How mature is it?", required=False, choices=STAGES)
    additive = forms.BooleanField(
        label="Days add up",
        required=False,
        help_text="Of different ones: each stands on one day only. It is checked.",
    )
    fill = forms.ChoiceField(label="A day without rows is", required=False, choices=FILLS)
    where_text = forms.CharField(
        label="And, as an expression",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 1}),
        help_text="For what the lines cannot say: amount > 0 OR status = 'paid'.",
    )
    part_text = forms.CharField(
        label="And, as an expression",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 1}),
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
        star = [STAR] if can(user, "metric.set_north_star") else []
        self.fields["role"].choices = [*ROLES, *star]  # type: ignore[attr-defined]
        self.fields["by"].choices = [(name, name) for name in dimensions]  # type: ignore[attr-defined]
        self.fields["owner"].queryset = Leader.objects.filter(  # type: ignore[attr-defined]
            archived_at=None
        ).order_by("name")
        if not can(user, "metric.set_owner"):
            del self.fields["owner"]
        self.fields["column"].widget.attrs["list"] = "columns"
        for name in ("column", "where_text", "part_text"):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}

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
        typed = _lines(self.cleaned_data.get(f"{group}_text", ""))
        if typed:
            try:
                check_expression(typed)
            except ValueError as error:
                self.add_error(f"{group}_text", str(error))
            found.append(f"({typed})" if found else typed)
        return " AND ".join(found)

    def key_for(self, taken: set[str]) -> str:
        """The key as typed, or one made from the name."""
        return str(self.cleaned_data["key"]) or key_of(self.cleaned_data["name"], {*taken, "new"})

    def text(self, source: str, before: Mapping[str, Any] | None = None) -> MetricText:
        """The metric in normal form. before: the stored one; of it stays what there is no field for."""
        given, before = self.cleaned_data, before or {}
        way, owner = given["way"], given.get("owner")
        goal = {name: said for name, said in before.get("goal", {}).items() if name != "kind"}
        band = given["better"] == "band"
        fields: dict[str, Any] = {
            "name": given["name"],
            "role": "" if given["role"] == "supporting" else given["role"],
            "lens": given["lens"] if given["role"] == "focus" else "",
            "stage": given["stage"],
            "definition": _lines(given["definition"]),
            "success": _lines(given["success"]),
            "segment": given["segment"],
            "unit": "" if given["unit"] == "count" else given["unit"],
            "better": "" if given["better"] == "up" else given["better"],
            "low": given["low"] if band else None,
            "high": given["high"] if band else None,
            "visible": "" if given["visible"] == "everyone" else given["visible"],
            "type": "ratio" if way == "share" else "simple",
            "by": _in_order(given["by"], before.get("by", [])),
            "goal": compact({"kind": given["goal"], **goal}),
        }
        rows = {"source": source, "agg": "count", "where": self.where}
        if way == "share":
            both = f"({self.where}) AND ({self.part})" if self.where else self.part
            fields["spec"] = {"numerator": compact({**rows, "where": both}), "denominator": compact(rows)}
        else:
            measure: dict[str, Any] = {**rows, "agg": way, "expr": self._expression(given["column"].strip())}
            measure |= {"additive": given["additive"] and way == "count_distinct", "fill": given["fill"]}
            fields["spec"] = {"measure": compact(measure)}
        kept = {name: value for name, value in before.items() if name not in fields}
        return MetricText(fields=compact({**kept, **fields}), owner=OwnerRow(owner.key) if owner else None)

    def _expression(self, typed: str) -> str:
        """A column's name as its expression; what is no name of a column is one already."""
        return expression_of(typed) if typed in self.columns else typed


def _lines(typed: str) -> str:
    """Text with the ends of lines that the definitions file has."""
    return typed.replace("\r\n", "\n")


def _in_order(chosen: list[str], before: list[str]) -> list[str]:
    """What was stored first, as it was."""
    return [*(name for name in before if name in chosen), *(name for name in chosen if name not in before)]


COMPARISON_CHOICES = list(COMPARISONS.items())
