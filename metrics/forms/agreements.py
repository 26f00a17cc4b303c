"""What an owner answers to a proposed target, and what is decided about it."""

from typing import Any

from django import forms

from metrics.forms.numbers import read_plan
from metrics.services.agreements import LONGEST


class AnswerForm(forms.Form):
    """The owner's word: `do` accepts, or answers with a figure and a sentence. `token`: of what they saw."""

    do = forms.ChoiceField(choices=[("accept", "accept"), ("answer", "answer")])
    figure = forms.CharField(required=False, max_length=60)
    text = forms.CharField(required=False, max_length=LONGEST)
    token = forms.CharField(required=False, max_length=80)
    dimension = forms.CharField(required=False, max_length=80)
    member = forms.CharField(required=False, max_length=200)
    back = forms.ChoiceField(required=False, choices=[("me", "me"), ("targets", "targets")])

    def __init__(self, *args: Any, share: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.share = share

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("do") == "answer":
            try:
                given["number"] = read_plan(given.get("figure", ""), share=self.share)
            except ValueError as wrong:
                self.add_error("figure", str(wrong))
            else:
                if given["number"] is None:
                    self.add_error("figure", "Write the figure that you would agree to.")
            if not given.get("text", "").strip():
                self.add_error("text", "Say in a sentence why.")
        return given


class DecisionForm(forms.Form):
    """The executive's: `do` takes the owner's figure, or keeps the own one with a sentence."""

    do = forms.ChoiceField(choices=[("take", "take"), ("keep", "keep")])
    text = forms.CharField(required=False, max_length=LONGEST)
    token = forms.CharField(required=False, max_length=80)
    dimension = forms.CharField(required=False, max_length=80)
    member = forms.CharField(required=False, max_length=200)
    back = forms.ChoiceField(required=False, choices=[("me", "me"), ("targets", "targets")])

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("do") == "keep" and not given.get("text", "").strip():
            self.add_error("text", "Say in a sentence why the proposal stays.")
        return given
