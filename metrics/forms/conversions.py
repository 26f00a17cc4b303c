"""A conversion as typed: after which event which other follows, and within how long."""

from collections.abc import Mapping
from typing import Any

from django import forms

from metrics.definitions.fields import compact
from metrics.definitions.quantities import parse_span
from metrics.forms.computed import AGGREGATES
from metrics.forms.meaning import lines_of, meaning_of
from metrics.forms.sides import SidesForm, side_initial
from warehouse.catalog import Column
from warehouse.expressions import check_expression

_EVENTS = ("count", "count_distinct", "count_new")
_WORDS = {**AGGREGATES, "count": "each row", "count_distinct": "each different …"}
_WORDS["count_new"] = "only the first of each"


class ConversionForm(SidesForm):
    """Base events, and the conversions that follow them in time."""

    SIDES = {"base": "It begins with", "conversion": "It is reached with"}
    LINES = {"base": 3, "conversion": 3}
    WAYS = {
        "base": {way: _WORDS[way] for way in _EVENTS},
        "conversion": {way: _WORDS[way] for way in _EVENTS[:2]},
    }

    within = forms.CharField(
        label="Within",
        max_length=40,
        help_text="Days, weeks or months from the first event on: 45 days, 6 weeks, 1 month.",
    )
    calculation = forms.ChoiceField(
        label="Figure",
        required=False,
        choices=[("rate", "the share that is reached"), ("count", "how many are reached")],
    )
    period_by = forms.ChoiceField(
        label="It counts for the period",
        required=False,
        choices=[("start", "in which it began"), ("due", "in which its window closes")],
    )
    match = forms.CharField(
        label="Both must agree in",
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="Besides the entity: columns, one a line, such as product_id.",
    )

    def clean_within(self) -> str:
        typed = " ".join(self.cleaned_data["within"].split())
        try:
            span = parse_span(typed)
            if not span.count:
                raise forms.ValidationError("A window must have a length.")
            span.as_within()
        except ValueError as error:
            raise forms.ValidationError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
        return typed

    def clean_match(self) -> list[str]:
        found = [line.strip() for line in lines_of(self.cleaned_data["match"]).split("\n") if line.strip()]
        for line in found:
            try:
                check_expression(line)
            except ValueError as error:
                raise forms.ValidationError(f"“{line[:80]}”: {error}") from None
        return found

    def field_of(self, path: list[str]) -> str:
        if path and path[0].startswith("match["):
            return "match"
        return super().field_of(path)

    def spec(self) -> tuple[str, dict[str, Any]]:
        given = self.cleaned_data
        spec = {
            **self.measures,
            "within": given["within"],
            "calculation": "" if given["calculation"] == "rate" else given["calculation"],
            "match": given["match"],
            "period_by": "" if given["period_by"] == "start" else given["period_by"],
        }
        return "conversion", compact(spec)


def initial_of(
    stored: Mapping[str, Any], columns: Mapping[str, Mapping[str, Column]]
) -> dict[str, Any] | None:
    """What the form shows of a stored conversion; None for one that it has no fields for."""
    spec = stored.get("spec", {})
    said = {
        **meaning_of(stored),
        "within": spec.get("within", ""),
        "calculation": spec.get("calculation", "rate"),
        "period_by": spec.get("period_by", "start"),
        "match": "\n".join(spec.get("match", [])),
    }
    for side in ConversionForm.SIDES:
        found = side_initial(ConversionForm, side, spec.get(side), columns)
        if found is None:
            return None
        said |= found
    return said
