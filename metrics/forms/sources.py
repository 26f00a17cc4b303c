"""A source as typed on its page: what each column is for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from django import forms

from metrics.forms.warehouses import KeyField
from metrics.services.looking import Look
from owners.models import Leader
from warehouse.catalog import Column
from warehouse.proposals import expression_of, key_of

MOST_LINES = 400  # that are read
OWN_LINES = 2  # for expressions that are no plain column


@dataclass(frozen=True)
class Line:
    """One line of the table of columns: a column or an expression, and whether figures are split by it."""

    number: int
    name: str
    expression: str
    used: bool
    column: Column | None = None
    error: str = ""


class SourceForm(forms.Form):
    """All but the dimensions, which are `Line`s; no field of SQL for whoever may not write it."""

    key = KeyField(label="Key", help_text="What metrics call it, such as orders.")
    table = forms.CharField(label="Table", required=False, max_length=400)
    sql = forms.CharField(
        label="Query",
        required=False,
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text="One SELECT in the warehouse’s own dialect.",
    )
    time = forms.CharField(label="Time of a row", max_length=10_000)
    timezone = forms.CharField(label="Its time zone", required=False, max_length=60)
    changed_at = forms.CharField(label="Changed at", required=False, max_length=10_000)
    entity = forms.CharField(label="Whom it is about", required=False, max_length=10_000)
    rows = forms.ChoiceField(
        label="A day without rows",
        required=False,
        choices=[("events", "is a day on which nothing happened"), ("daily", "is a day that is missing")],
    )
    lateness = forms.CharField(
        label="Rows arrive late by", required=False, max_length=40, help_text="Such as 3 days."
    )
    fresh_by = forms.CharField(
        label="Yesterday should be there by", required=False, max_length=5, help_text="Such as 08:00."
    )
    data_owner = forms.ModelChoiceField(
        Leader.objects.none(), label="Data owner", required=False, to_field_name="key", empty_label="nobody"
    )
    loaded_to = forms.CharField(
        label="Loaded up to",
        required=False,
        max_length=100_000,
        help_text="A SELECT of one day or time. Empty: up to the newest row.",
    )
    token = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)

    def __init__(self, *args: Any, key: str = "", may_write_sql: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if key:
            del self.fields["key"]
        if not may_write_sql:
            del self.fields["sql"]
            del self.fields["loaded_to"]
        people = Leader.objects.filter(archived_at=None).order_by("name")
        self.fields["data_owner"].queryset = people  # type: ignore[attr-defined]
        for name in ("time", "changed_at", "entity"):
            self.fields[name].widget.attrs |= {
                "list": "columns",
                "autocomplete": "off",
                "spellcheck": "false",
            }
        self.fields["timezone"].widget.attrs |= {"list": "zones", "autocomplete": "off"}

    def clean_timezone(self) -> str:
        zone: str = self.cleaned_data["timezone"]
        if zone and zone not in available_timezones():
            raise forms.ValidationError(f"There is no time zone “{zone}”. Write one like Europe/London.")
        return "" if zone == "UTC" else zone

    def fields_of(
        self, warehouse: str, lines: Iterable[Line], before: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """What the definitions file would say. before: the stored fields, of which stays what has no field
        here."""
        given = self.cleaned_data
        owner = given.get("data_owner")
        said: dict[str, Any] = {**(before or {}), "warehouse": warehouse}
        for name in (
            "table",
            "sql",
            "time",
            "timezone",
            "changed_at",
            "entity",
            "lateness",
            "fresh_by",
            "loaded_to",
        ):
            if name in self.fields:
                said[name] = given.get(name, "")
        said["rows"] = "" if given.get("rows") == "events" else given.get("rows", "")
        said["data_owner"] = owner.key if owner else ""
        said["dimensions"] = {line.name: line.expression for line in lines if line.used}
        if said.get("sql"):
            said.pop("table", None)
        top = {name: most for name, most in said.get("top", {}).items() if name in said["dimensions"]}
        said["top"] = top
        return {name: value for name, value in said.items() if value not in (None, "", {}, [])}


def initial(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the form of a stored source."""
    return {**fields, "timezone": fields.get("timezone", "UTC"), "rows": fields.get("rows", "events")}


def proposed(look: Look, table: str, taken: Iterable[str]) -> dict[str, Any]:
    """What stands in the form of a new source."""
    found = look.proposal
    return {
        "key": key_of(table.rpartition(".")[2] or "source", {*taken, "new"}),
        "table": table,
        "time": found.time,
        "timezone": "UTC",
        "changed_at": found.changed_at,
        "entity": found.entity,
        "rows": found.rows,
    }


def lines_of(
    look: Look | None, dimensions: Mapping[str, str], typed: Mapping[str, str] | None = None
) -> tuple[Line, ...]:
    """The table of columns: as stored or proposed, or as typed. What cannot be split by stands there too, to
    be seen."""
    if typed is not None:
        return _typed(look, typed)
    columns = look.sample.columns if look else ()
    by_expression = {expression: name for name, expression in dimensions.items()}
    found: list[Line] = []
    taken = set(dimensions)
    for column in columns:
        expression = expression_of(column.name)
        name = by_expression.pop(expression, "")
        key = name or key_of(column.name, taken)
        taken.add(key)
        found.append(Line(len(found), key, expression, bool(name), column))
    for expression, name in by_expression.items():
        found.append(Line(len(found), name, expression, True))
    found += [Line(len(found) + n, "", "", False) for n in range(OWN_LINES)]
    return tuple(found)


def _typed(look: Look | None, typed: Mapping[str, str]) -> tuple[Line, ...]:
    columns = {expression_of(c.name): c for c in look.sample.columns} if look else {}
    found = []
    for number in range(MOST_LINES):
        if f"expr-{number}" not in typed:
            break
        expression = typed[f"expr-{number}"].strip()[:10_000]
        name = typed.get(f"name-{number}", "").strip()[:80]
        column = columns.get(expression)
        # An expression of one's own counts as soon as it is written.
        own = f"own-{number}" in typed
        used = bool(expression and (name or f"use-{number}" in typed)) if own else f"use-{number}" in typed
        found.append(Line(number, name, expression, used, column))
    return tuple(found)
