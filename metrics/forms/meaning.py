"""What every computed metric says besides how it is computed, and what a change of it is to be known by."""

from collections.abc import Collection, Mapping
from typing import Any

from django import forms

from metrics.definitions.fields import compact
from metrics.definitions.metric import MetricText
from metrics.definitions.promises import OwnerRow
from metrics.forms.start_metrics import AUDIENCES, BAND, LENSES, STAGES, STAR, BandMixin, typed_number
from metrics.forms.warehouses import KeyField
from owners.models import Leader, User
from owners.rules import can
from warehouse.proposals import key_of

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
SINCE = (("always", "for all history"), ("day", "from a day on; earlier figures stay as they are"))
OF_CHANGES = ("reason", "since", "effective", "token")


class MeaningForm(BandMixin):
    """A metric of which the subclass says how it is computed. `text` is what the definitions file would say.

    With `stored` (the metric's fields in normal form) it is a change of that metric: it has no key and no
    owner any more, and a reason, and `token` names the definition that the page has shown.
    """

    name = forms.CharField(label="Name", max_length=200)
    key = KeyField(label="Key", required=False, help_text="Empty: made from the name.")
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
    by = forms.MultipleChoiceField(
        label="Also split by",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "There is nothing to split by “%(value)s” in what it is made of."},
    )
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
    reason = forms.CharField(
        label="Why", required=False, max_length=2_000, help_text="Needed where figures will change."
    )
    since = forms.ChoiceField(label="It holds", choices=SINCE, widget=forms.RadioSelect, initial="always")
    effective = forms.DateField(
        label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    token = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        user: User,
        dimensions: Collection[str],
        stored: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.stored: Mapping[str, Any] = stored or {}
        steers = can(user, "metric.set_north_star")
        self.fields["role"].choices = [*ROLES, *([STAR] if steers else [])]  # type: ignore[attr-defined]
        self.fields["by"].choices = [(name, name) for name in dimensions]  # type: ignore[attr-defined]
        if stored is None:
            for name in OF_CHANGES:
                del self.fields[name]
            self.fields["owner"].queryset = Leader.objects.filter(  # type: ignore[attr-defined]
                archived_at=None
            ).order_by("name")
            if not can(user, "metric.set_owner"):
                del self.fields["owner"]
        else:
            del self.fields["key"], self.fields["owner"]  # it is handed over on a page of its own
            self.offer("unit", self.stored.get("unit", "count"))
            if self.stored.get("role") == STAR[0] and not steers:
                self.fields["role"].choices = [STAR]  # type: ignore[attr-defined]

    def offer(self, name: str, stored: str) -> None:
        """What is stored stays among the choices."""
        known = list(self.fields[name].choices)  # type: ignore[attr-defined]
        if stored not in dict(known):
            words = stored.replace("_", " ").partition(":")[2] or stored.replace("_", " ")
            self.fields[name].choices = [*known, (stored, words)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("since") == "day" and not given.get("effective") and "effective" not in self.errors:
            self.add_error("effective", "Say from which day on.")
        return given

    @property
    def effective_day(self) -> str:
        """As the definitions file says it; "" for all history."""
        day = self.cleaned_data.get("effective")
        return day.isoformat() if day and self.cleaned_data["since"] == "day" else ""

    def key_for(self, taken: set[str]) -> str:
        """The key as typed, or one made from the name."""
        return str(self.cleaned_data["key"]) or key_of(self.cleaned_data["name"], {*taken, "new"})

    def spec(self) -> tuple[str, dict[str, Any]]:
        """(type, its own keys in normal form) of a valid form; as stored, where no subclass says more."""
        return str(self.stored.get("type", "")), dict(self.stored.get("spec", {}))

    def field_of(self, path: list[str]) -> str:
        """The field to which a mistake at this path inside the metric is told; "" for the form as a whole."""
        return path[0] if path and path[0] in self.fields else ""

    def text(self) -> MetricText:
        """The metric in normal form; of the stored one stays what there is no field for."""
        given, before = self.cleaned_data, self.stored
        owner = given.get("owner")
        goal = {name: said for name, said in before.get("goal", {}).items() if name != "kind"}
        band = given["better"] == "band"
        kind, spec = self.spec()
        fields: dict[str, Any] = {
            "name": given["name"],
            "role": "" if given["role"] == "supporting" else given["role"],
            "lens": given["lens"] if given["role"] == "focus" else "",
            "stage": given["stage"],
            "definition": lines_of(given["definition"]),
            "success": lines_of(given["success"]),
            "segment": given["segment"],
            "unit": "" if given["unit"] == "count" else given["unit"],
            "better": "" if given["better"] == "up" else given["better"],
            "low": given["low"] if band else None,
            "high": given["high"] if band else None,
            "visible": "" if given["visible"] == "everyone" else given["visible"],
            "type": kind,
            "spec": spec,
            "by": _in_order(given["by"], before.get("by", [])),
            "goal": compact({"kind": given["goal"], **goal}),
        }
        kept = {name: value for name, value in before.items() if name not in fields}
        return MetricText(
            fields=compact({**kept, **fields}),
            owner=OwnerRow(owner.key) if owner else None,
            reason=given.get("reason", ""),
            effective=self.effective_day if "since" in self.fields else "",
        )


def meaning_of(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What the form shows of a stored metric's meaning."""
    unit = stored.get("unit", "count")
    said = {
        "name": stored.get("name", ""),
        "unit": unit,
        "role": stored.get("role", "supporting"),
        "better": stored.get("better", "up"),
        "low": typed_number(stored.get("low"), unit),
        "high": typed_number(stored.get("high"), unit),
        "goal": stored.get("goal", {}).get("kind", ""),
        "by": stored.get("by", []),
        "visible": stored.get("visible", "everyone"),
        "since": SINCE[0][0],
    }
    return said | {
        name: stored.get(name, "") for name in ("lens", "stage", "definition", "success", "segment")
    }


def lines_of(typed: str) -> str:
    """Text with the ends of lines that the definitions file has."""
    return typed.replace("\r\n", "\n")


def _in_order(chosen: list[str], before: list[str]) -> list[str]:
    """What was stored first, as it was."""
    return [*(name for name in before if name in chosen), *(name for name in chosen if name not in before)]
