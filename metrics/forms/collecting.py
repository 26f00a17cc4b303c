"""Counted by whom, when, from where and how: a manual metric's `collect` as a form."""

from collections.abc import Mapping
from typing import Any

from django import forms

from metrics.definitions.specs import spec_of
from metrics.models import Metric
from metrics.services.collecting import token_of
from owners.models import Leader

_SHORT = {"class": "short", "rows": 3}


class CollectForm(forms.Form):
    """`by` offers leaders who are here; empty, the owner counts."""

    by = forms.ChoiceField(required=False, label="Counted by")
    every = forms.BooleanField(required=False)
    due = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=366,
        label="Due",
        widget=forms.NumberInput(attrs={"class": "fit"}),
    )
    working = forms.ChoiceField(
        choices=[("working", "working days"), ("days", "days")],
        required=False,
        widget=forms.Select(attrs={"aria-label": "Working days or days", "class": "fit"}),
    )
    origin = forms.CharField(required=False, max_length=200, label="From where")
    how = forms.CharField(required=False, max_length=2_000, label="How", widget=forms.Textarea(attrs=_SHORT))
    token = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)

    def __init__(self, *args: Any, metric: Metric, **kwargs: Any) -> None:
        kwargs.setdefault("prefix", "counted")  # beside the form that hands over
        kwargs.setdefault("initial", _initial(metric))
        super().__init__(*args, **kwargs)
        self.grain = str(metric.spec["grain"])
        people = {leader.key: leader for leader in Leader.objects.order_by("name")}
        here = [(key, leader.name) for key, leader in people.items() if leader.archived_at is None]
        self.fields["by"].choices = [("", "whoever owns it"), *here]  # type: ignore[attr-defined]
        held = people.get(str((metric.spec.get("collect") or {}).get("by", "")))
        self.gone = held if held is not None and held.archived_at is not None else None

    @property
    def said(self) -> dict[str, str]:
        """What a valid form says, in the words of the definitions file."""
        given = self.cleaned_data
        due = given["due"]
        unit = "day" if given["working"] == "days" else "working day"
        return {
            "by": given["by"],
            "every": self.grain if given["every"] else "",
            "due": "" if due is None else f"{due} {unit}{'' if due == 1 else 's'}",
            "from": given["origin"],
            "how": given["how"].replace("\r\n", "\n"),
        }


def _initial(metric: Metric) -> dict[str, Any]:
    written: Mapping[str, Any] = metric.spec.get("collect") or {}
    known = spec_of("manual", metric.spec).collect  # type: ignore[union-attr]
    return {
        "by": known.by,
        "every": bool(known.every),
        "due": known.due_days if written.get("due") else None,
        "working": "working" if known.due_working else "days",
        "origin": known.where,
        "how": known.how,
        "token": token_of(metric),
    }
