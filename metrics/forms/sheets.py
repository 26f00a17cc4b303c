"""A pasted or dropped spreadsheet, and what its author decides about it."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms

from metrics.forms.start_metrics import GRAINS, KINDS, UNITS
from metrics.models import SheetImport
from metrics.queries.shapes.sheet_imports import ImportRead
from metrics.queries.sheet_imports import ACTIONS, SCALES
from metrics.sheets.layout import find_table, propose
from metrics.sheets.shapes import ROLES, Layout
from metrics.sheets.tables import MOST_BYTES, Table, TableError

_CHOICES = {
    "layout": re.compile("|".join(Layout)),
    "decimal": re.compile("[.,]"),
    "order": re.compile("dmy|mdy"),
    "year": re.compile("[0-9]{4}"),
}


class SheetForm(forms.Form):
    """Cells as text, or a file; a file goes before the text."""

    text = forms.CharField(required=False, strip=False, max_length=MOST_BYTES, widget=forms.Textarea)
    file = forms.FileField(required=False, max_length=200)

    def clean(self) -> dict[str, Any] | None:
        said = super().clean() or {}
        if self.errors:
            return said
        upload, text = said.get("file"), said.get("text") or ""
        try:
            if upload:
                if upload.size > MOST_BYTES:
                    raise TableError(f"The file is larger than {MOST_BYTES // 1_000_000} MB.")
                said["table"] = _with_figures(upload.read(), upload.name)
                said["name"] = upload.name
            elif text.strip():
                said["table"], said["name"] = _with_figures(text, ""), ""
            else:
                raise TableError("Paste the cells, or choose a file.")
        except TableError as wrong:
            self.add_error("file" if upload else "text", str(wrong))
        return said

    @property
    def table(self) -> Table:
        """The table of a valid form."""
        table: Table = self.cleaned_data["table"]
        return table


def _with_figures(content: str | bytes, name: str) -> Table:
    """The table; TableError if it holds no figures of periods."""
    table = find_table(content, name)
    sheet = propose(table)
    if not (sheet.figures or sheet.questions):
        raise TableError(sheet.problems[0].message if sheet.problems else "There are no figures in it.")
    return table


def read_decisions(
    made: SheetImport, read: ImportRead, typed: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """(choices, matches) as chosen on a page that has shown `read`; what the page does not say, or no option
    is, stays as it was. A name without a choice is worked out anew."""
    return _choices(made, typed), _matches(made, read, typed)


def _choices(made: SheetImport, typed: Mapping[str, str]) -> dict[str, Any]:
    choices = dict(made.choices)
    for name, allowed in _CHOICES.items():
        said = typed.get(f"choice-{name}")
        if said is not None and allowed.fullmatch(said.strip()):
            choices[name] = said.strip()
        elif said == "":
            choices.pop(name, None)
    columns = dict(choices.get("columns") or {})
    for field in typed:
        number = field.removeprefix("column-")
        if field.startswith("column-") and number.isascii() and number.isdigit() and len(number) < 4:
            if typed[field] == typed.get(f"proposed-{number}"):
                columns.pop(
                    number, None
                )  # only proposed: worked out anew, since another choice may change it
            elif typed[field] in ROLES:
                columns[number] = typed[field]
    return {**choices, "columns": columns} if columns or "columns" in choices else choices


def _matches(made: SheetImport, read: ImportRead, typed: Mapping[str, str]) -> dict[str, dict[str, str]]:
    matches = dict(made.matches)
    for match in read.matches:
        what = typed.get(f"{match.field}-what", "")
        action, _, key = what.partition(":")
        if what == "" and f"{match.field}-what" in typed:
            matches.pop(match.name, None)
        if action not in ACTIONS:
            continue
        said = {"action": action, "key": key.replace("\x00", "")[:80]}
        options = {"unit": dict(UNITS), "kind": dict(KINDS), "grain": dict(GRAINS), "better": {"up", "down"}}
        for name, allowed in options.items():
            value = typed.get(f"{match.field}-{name}", "")
            if value in allowed or value == getattr(match, name):
                said[name] = value
        if typed.get(f"{match.field}-scale") in SCALES:
            said["scale"] = typed[f"{match.field}-scale"]
        matches[match.name] = said
    return matches
