"""What a person chooses for a new token of the API."""

from typing import Any

from django import forms

from metrics.queries.scope import visible_metrics
from owners.models import Scope, User

DAYS = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (180, "180 days"), (365, "a year"))


class TokenForm(forms.Form):
    """A new token. The metrics to choose from are those that its person may see."""

    name = forms.CharField(
        max_length=100,
        label="What is it for?",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Nightly export of the CRM"}),
    )
    scopes = forms.MultipleChoiceField(
        label="It may", choices=Scope.choices, initial=[Scope.READ], widget=forms.CheckboxSelectMultiple
    )
    days = forms.TypedChoiceField(label="It is good for", choices=DAYS, coerce=int, initial=90)
    metrics = forms.MultipleChoiceField(
        label="Only for these metrics",
        required=False,
        help_text="None chosen: all that you may see.",
        widget=forms.SelectMultiple(attrs={"size": 6}),
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        seen = visible_metrics(by).order_by("name", "key").values_list("key", "name")
        self.fields["metrics"].choices = list(seen)  # type: ignore[attr-defined]
