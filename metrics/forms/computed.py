"""A metric computed from one source, as put together on its page: one aggregate, or a share of the rows."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms

from metrics.definitions.fields import compact
from metrics.forms.filters import PLAIN, FiltersMixin, expression_field
from metrics.forms.meaning import MeaningForm, meaning_of
from owners.models import User
from warehouse.catalog import Column
from warehouse.expressions import check_expression
from warehouse.proposals import expression_of

AGGREGATES = {
    "count": "how many rows",
    "count_distinct": "how many different …",
    "count_new": "how many appear for the first time",
    "sum": "the sum of …",
    "sum_boolean": "how many rows for which it is true: …",
    "avg": "the average of …",
    "median": "the median of …",
    "p75": "what 75 % lie below, of …",
    "p90": "what 90 % lie below, of …",
    "p95": "what 95 % lie below, of …",
    "p99": "what 99 % lie below, of …",
    "min": "the smallest …",
    "max": "the largest …",
    "first": "the first …",
    "last": "the last …",
}
WAYS = {**AGGREGATES, "share": "the share of rows for which …"}
ROWS_ONLY = ("count", "count_new", "share")  # need no column
FILLS = [("", "as the figure suggests"), ("zero", "0"), ("null", "unknown")]
MEASURE = frozenset({"source", "agg", "expr", "where", "additive", "fill"})
_OR = re.compile(r"\bor\b", re.IGNORECASE)  # in "a or b and c" the parts are not what they seem


class ComputedForm(FiltersMixin, MeaningForm):
    """What to count in the rows of `source`, of which rows, and what it means."""

    LINES = {"where": 4, "part": 3}

    way = forms.ChoiceField(label="Figure", choices=list(WAYS.items()))
    column = forms.CharField(
        label="Of", required=False, max_length=10_000, widget=forms.TextInput({"list": "columns", **PLAIN})
    )
    additive = forms.BooleanField(
        label="Days add up",
        required=False,
        help_text="Of different ones: each stands on one day only. It is checked.",
    )
    fill = forms.ChoiceField(label="A day without rows is", required=False, choices=FILLS)
    where_text = expression_field("For what the lines cannot say: amount > 0 OR status = 'paid'.")
    part_text = expression_field()

    def __init__(
        self,
        *args: Any,
        user: User,
        source: str,
        columns: Mapping[str, Column],
        dimensions: Mapping[str, str],
        entity: str,
        stored: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, user=user, dimensions=dimensions, stored=stored, **kwargs)
        self.source, self.columns, self.entity = source, dict(columns), entity
        if stored is not None:
            self.offer("way", _way(stored))

    def columns_of(self, group: str) -> Mapping[str, Column]:
        return self.columns

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        self.where = self.read_filter("where")
        self.part = self.read_filter("part") if given.get("way") == "share" else ""
        way, column = given.get("way"), given.get("column", "").strip()
        if way == "count_distinct" and not column:
            column = given["column"] = self.entity
        if way and way not in ROWS_ONLY and not column:
            self.add_error("column", "Say of which column.")
        if way == "share" and not self.part and not self.wrong:
            self.add_error(None, "Say which rows are the share: at least one condition.")
        if way in ("count", "share"):
            given["column"] = ""
        return given

    def field_of(self, path: list[str]) -> str:
        inside = {"expr": "column", "where": "where_text", "agg": "way"}
        if path[:1] == ["measure"] and len(path) > 1:
            return inside.get(path[1], path[1] if path[1] in self.fields else "")
        return super().field_of(path)

    def spec(self) -> tuple[str, dict[str, Any]]:
        given = self.cleaned_data
        way = given["way"]
        rows = {"source": self.source, "agg": "count", "where": self.where}
        if way == "share":
            old = self.stored.get("spec", {})
            if _share(old) == (self.where, self.part) and source_of(self.stored) == self.source:
                return "ratio", dict(old)  # filters that are as they were also to the letter
            both = f"({self.where}) AND ({self.part})" if self.where else self.part
            return "ratio", {"numerator": compact({**rows, "where": both}), "denominator": compact(rows)}
        measure: dict[str, Any] = {**rows, "agg": way, "expr": written(given["column"], self.columns)}
        measure |= {"additive": given["additive"] and way == "count_distinct", "fill": given["fill"]}
        return "simple", {"measure": compact(measure)}


def written(typed: str, columns: Mapping[str, Column]) -> str:
    """A column's name as its expression; what is no name of a column is one already."""
    typed = typed.strip()
    return expression_of(typed) if typed in columns else typed


def source_of(stored: Mapping[str, Any]) -> str:
    """The key of the one source that a definition reads; "" where it reads none, or several."""
    measures = [
        said for said in stored.get("spec", {}).values() if isinstance(said, dict) and "source" in said
    ]
    keys = {said["source"] for said in measures}
    return str(keys.pop()) if len(keys) == 1 else ""


def initial_of(stored: Mapping[str, Any], columns: Mapping[str, Column]) -> dict[str, Any] | None:
    """What the form shows of a stored definition; None for one that it has no fields for. Filters are told by
    lines where the columns are known and lines can say them, else as the expressions that they are."""
    spec = stored.get("spec", {})
    measure = spec.get("measure", {})
    share = _share(spec)
    if stored.get("type") == "ratio" and share is None:
        return None
    if "\n" in measure.get("expr", ""):  # a field of one line would run the lines together
        return None
    where, part = share or (measure.get("where", ""), "")
    said = {
        **meaning_of(stored),
        "way": _way(stored),
        "column": measure.get("expr", ""),
        "additive": measure.get("additive", False),
        "fill": measure.get("fill", ""),
    }
    filters = ComputedForm.filter_initial("where", where, columns)
    return said | filters | ComputedForm.filter_initial("part", part, columns)


def _way(stored: Mapping[str, Any]) -> str:
    if stored.get("type") == "ratio":
        return "share"
    return str(stored.get("spec", {}).get("measure", {}).get("agg") or next(iter(WAYS)))


def _share(spec: Mapping[str, Any]) -> tuple[str, str] | None:
    """(of which rows, which of them) if a ratio counts some of a source's rows among others of them."""
    part, whole = spec.get("numerator"), spec.get("denominator")
    if not isinstance(part, dict) or not isinstance(whole, dict):
        return None
    plain = {"agg": "count", "source": part.get("source")}
    if any({k: v for k, v in side.items() if k != "where"} != plain for side in (part, whole)):
        return None
    where, both = whole.get("where", ""), part.get("where", "")
    before = f"({where}) AND ("
    if not where:
        found = both
    elif both.startswith(before) and both.endswith(")"):
        found = both[len(before) : -1]
    elif re.match(rf"{re.escape(where)}\s+and\s", both, re.IGNORECASE) and not _OR.search(both):
        found = both[len(where) :].lstrip()[len("and") :].lstrip()  # as people write it
    else:
        return None
    try:
        check_expression(found)
    except ValueError:
        return None
    return where, found
