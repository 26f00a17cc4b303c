"""What is said beside a status: the owner's call, a deviation with its figure."""

import math

from django import forms

from calc.numbers import is_share
from metrics.forms.numbers import read_number, write_number
from metrics.services.sentences import LONGEST

CALLS = (("on_track", "on track"), ("at_risk", "at risk"), ("off_track", "off track"))
DAY = {"invalid": "Write the day like 2026-09-30."}


class CallForm(forms.Form):
    """The owner's own call. An empty day is the quarter's last."""

    status = forms.ChoiceField(
        choices=CALLS,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose what you call it."),
    )
    reason = forms.CharField(required=False, max_length=LONGEST)
    until = forms.DateField(required=False, error_messages=DAY)


class CheckInCallForm(CallForm):
    """The same, folded in a check-in: nothing chosen leaves all as it is."""

    prefix = "call"
    status = forms.ChoiceField(
        choices=CALLS, required=False, error_messages={"invalid_choice": "Choose what you call it."}
    )

    def clean(self) -> dict[str, object]:
        given = self.cleaned_data
        if given.get("reason") and not given.get("status") and "status" not in self.errors:
            self.add_error("status", "Choose what you call it.")
        return given


class DeviationForm(forms.Form):
    """How far behind plan is accepted, why and until when. A share's gap is typed in points."""

    shortfall = forms.CharField(
        max_length=40, error_messages={"required": "Say how far behind plan it may be."}
    )
    reason = forms.CharField(required=False, max_length=LONGEST)
    until = forms.DateField(required=False, error_messages=DAY)

    def __init__(self, *args: object, unit: str, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]
        self.unit = unit

    def clean_shortfall(self) -> float | None:
        try:
            return read_number(self.cleaned_data["shortfall"], share=is_share(self.unit))
        except ValueError as wrong:
            raise forms.ValidationError(str(wrong)) from None


def rounded_up(size: float, unit: str) -> str:
    """A gap for the form, rounded up to three digits, so that it covers the gap that it was made from."""
    shown = size * 100 if is_share(unit) else size
    step = 10.0 ** (math.floor(math.log10(shown)) - 2) if shown > 0 else 1.0
    return write_number(float(f"{math.ceil(shown / step - 1e-9) * step:.6g}"))
