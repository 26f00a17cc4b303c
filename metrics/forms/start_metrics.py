"""A metric that people count, as typed: on the first hour's screens, and on the metric's own page."""

import re
from dataclasses import replace
from typing import Any

from django import forms

from metrics.forms.numbers import read_number, write_number
from metrics.services.manual_metrics import Counted
from owners.models import Leader

KINDS = (
    ("amount", "Adds up over the quarter, like orders"),
    ("level", "Stands at a level, like active customers"),
    ("share", "A share of two numbers, like 18 of 25"),
)
GRAINS = (("week", "Weekly"), ("month", "Monthly"), ("day", "Daily"), ("quarter", "Quarterly"))
OTHER = "currency"
UNITS = (
    ("count", "A number"),
    ("percent", "Percent"),
    ("currency:GBP", "Pounds £"),
    ("currency:EUR", "Euros €"),
    ("currency:USD", "Dollars $"),
    (OTHER, "Another currency"),
    ("duration:days", "Days"),
    ("duration:hours", "Hours"),
    ("duration:minutes", "Minutes"),
    ("score", "A score"),
    ("ratio", "A ratio"),
)
BETTER = (("up", "Up"), ("down", "Down"))
BAND = ("band", "Inside a band")
ROLES = (
    ("focus", "Focus metric: moves the North Star"),
    ("guardrail", "Guardrail: must not get worse"),
    ("supporting", "Supporting"),
)
STAR = ("north_star", "North Star")
LENSES = (
    ("", "None"),
    ("breadth", "Breadth: how many"),
    ("depth", "Depth: how much each"),
    ("frequency", "Frequency: how often"),
    ("efficiency", "Efficiency: how well"),
)
STAGES = (("", "Not said"), ("crawl", "Engagement"), ("walk", "Value"), ("run", "Health score"))
AUDIENCES = (("everyone", "Everyone"), ("team", "The owner’s team"), ("leadership", "Leadership"))
_CODE = re.compile(r"[A-Z]{3}")


class UnitMixin(forms.Form):
    """A unit from the list, or another currency by its code."""

    unit = forms.ChoiceField(choices=UNITS)
    currency = forms.CharField(
        required=False, max_length=3, label="Its three letters", help_text="For another currency: CHF, SEK."
    )

    def offer_unit(self, stored: str) -> None:
        """Keeps a stored unit that the list does not have."""
        if stored not in dict(UNITS):
            self.fields["unit"].choices = [*UNITS, (stored, stored.partition(":")[2] or stored)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any] | None:
        said = super().clean() or {}
        if said.get("unit") == OTHER:
            code = said.get("currency", "").strip().upper()
            if _CODE.fullmatch(code):
                said["unit"] = f"currency:{code}"
            else:
                self.add_error("currency", "Write the currency’s three letters, for example CHF.")
        return said


class BandMixin(forms.Form):
    """The band inside of which a figure is to stay; a share's is typed in percent."""

    low = forms.CharField(max_length=40, required=False, label="The band from")
    high = forms.CharField(max_length=40, required=False, label="The band to")

    def clean(self) -> dict[str, Any] | None:
        said = super().clean() or {}
        for name in ("low", "high"):
            try:
                said[name] = read_number(said.get(name, ""), share=said.get("unit") == "percent")
            except ValueError as wrong:
                self.add_error(name, str(wrong))
        return said


def typed_number(value: float | None, unit: str) -> str:
    """A number as its field of a band shows it."""
    return write_number(value, share=unit == "percent")


class StarForm(UnitMixin):
    """The North Star in a few words."""

    segment = forms.CharField(
        max_length=200, required=False, label="For whom?", help_text="The customers whom it is about."
    )
    name = forms.CharField(
        max_length=200, label="Its name", help_text="Short, as on the board: Weekly active teams."
    )
    definition = forms.CharField(
        max_length=1000,
        label="What it counts, in one sentence",
        widget=forms.Textarea(attrs={"rows": 2, "class": "short"}),
    )
    success = forms.CharField(
        max_length=1000,
        required=False,
        label="What success would be",
        widget=forms.Textarea(attrs={"rows": 2, "class": "short"}),
    )
    better = forms.ChoiceField(choices=BETTER, label="Better is")
    kind = forms.ChoiceField(choices=KINDS, label="What kind of figure?")
    grain = forms.ChoiceField(choices=GRAINS, initial="month", label="Counted")
    token = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)

    field_order = (
        "segment", "name", "definition", "success", "unit", "currency", "better", "kind", "grain", "token",
    )  # fmt: skip

    def counted(self) -> Counted:
        """What a valid form says."""
        said = {name: self.cleaned_data[name] for name in _STAR_FIELDS}
        return Counted(role="north_star", **said)


_STAR_FIELDS = ("segment", "name", "definition", "success", "unit", "better", "kind", "grain")


class MetricForm(BandMixin, UnitMixin):
    """Everything about a metric that is counted by hand."""

    name = forms.CharField(max_length=200)
    role = forms.ChoiceField(choices=ROLES, label="The part it plays")
    definition = forms.CharField(
        max_length=5000,
        required=False,
        label="What it counts",
        widget=forms.Textarea(attrs={"rows": 2, "class": "short"}),
    )
    success = forms.CharField(
        max_length=5000,
        required=False,
        label="What success would be",
        widget=forms.Textarea(attrs={"rows": 2, "class": "short"}),
    )
    segment = forms.CharField(max_length=200, required=False, label="For whom")
    better = forms.ChoiceField(choices=(*BETTER, BAND), label="Better is")
    kind = forms.ChoiceField(choices=KINDS, label="What kind of figure?")
    grain = forms.ChoiceField(choices=GRAINS, initial="month", label="How often")
    by = forms.ModelChoiceField(
        Leader.objects.filter(archived_at=None),
        required=False,
        to_field_name="key",
        empty_label="The owner",
        label="Counted by",
    )
    due = forms.IntegerField(
        min_value=0,
        max_value=60,
        required=False,
        label="Due after, in working days",
        help_text="After each period has ended. Empty: never asked for.",
    )
    origin = forms.CharField(
        max_length=200, required=False, label="Taken from", help_text="Such as: CRM export, column F."
    )
    how = forms.CharField(
        max_length=2000,
        required=False,
        label="Step by step",
        widget=forms.Textarea(attrs={"rows": 2, "class": "short"}),
    )
    lens = forms.ChoiceField(choices=LENSES, required=False)
    stage = forms.ChoiceField(choices=STAGES, required=False, label="How mature is it?")
    visible = forms.ChoiceField(choices=AUDIENCES, label="Who sees it")
    token = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)

    field_order = (
        "name", "role", "definition", "success", "segment", "unit", "currency", "better", "low", "high",
        "kind", "grain", "by", "due", "origin", "how", "lens", "stage", "visible", "token",
    )  # fmt: skip

    def __init__(self, *args: Any, star: bool = False, **kwargs: Any) -> None:
        """star: whether the metric may be the North Star: the page's reader may say so."""
        super().__init__(*args, **kwargs)
        if star:
            self.fields["role"].choices = [STAR, *ROLES]  # type: ignore[attr-defined]

    def offer_stored(self, counted: Counted) -> None:
        """Keeps what is stored among the choices."""
        self.offer_unit(counted.unit)
        known = self.fields["role"].choices  # type: ignore[attr-defined]
        if counted.role not in dict(known):
            self.fields["role"].choices = [STAR, *known]  # type: ignore[attr-defined]

    def counted(self, before: Counted | None = None) -> Counted:
        """What a valid form says; what it has no field for stays as `before`."""
        said = {**self.cleaned_data}
        leader = said.pop("by")
        for name in ("token", "currency"):
            said.pop(name)
        base = before or Counted(name=said["name"])
        return replace(base, **said, by=leader.key if leader else "")


def initial_of(counted: Counted, token: str) -> dict[str, Any]:
    """The values with which a stored metric's form opens."""
    fields = (
        "name", "role", "definition", "success", "segment", "unit", "better", "kind", "grain", "by", "due",
        "origin", "how", "lens", "stage", "visible",
    )  # fmt: skip
    said = {name: getattr(counted, name) for name in fields}
    band = {name: typed_number(getattr(counted, name), counted.unit) for name in ("low", "high")}
    return {**said, **band, "token": token}
