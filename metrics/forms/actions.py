"""An action as it is written: text, person, date, metric."""

from django import forms
from django.db.models import QuerySet

from metrics.models import Metric
from owners.models import Leader
from owners.services.actions import LONGEST


class ActionForm(forms.Form):
    """`metrics` are those that the writer may see; `token` names the state that they saw."""

    text = forms.CharField(max_length=LONGEST, error_messages={"required": "Say what is to be done."})
    leader = forms.ModelChoiceField(
        Leader.objects.filter(archived_at=None),
        required=False,
        to_field_name="key",
        empty_label="nobody yet",
        error_messages={"invalid_choice": "There is no such leader; choose one of the list."},
    )
    due = forms.DateField(
        required=False,
        error_messages={"invalid": "Write the date like 2026-09-30."},
        widget=forms.DateInput(attrs={"type": "date", "class": "fit"}, format="%Y-%m-%d"),
    )
    metric = forms.ModelChoiceField(
        Metric.objects.none(),
        required=False,
        to_field_name="key",
        empty_label="no metric",
        error_messages={"invalid_choice": "There is no such metric; choose one of the list."},
    )
    token = forms.CharField(required=False, max_length=80)

    def __init__(self, *args: object, metrics: QuerySet[Metric], kept: Leader | None = None, **more: object):
        super().__init__(*args, **more)  # type: ignore[arg-type]
        self.fields["metric"].queryset = metrics  # type: ignore[attr-defined]
        if kept is not None:  # an action stays with whoever has it, also after they left
            people = Leader.objects.filter(archived_at=None) | Leader.objects.filter(pk=kept.pk)
            self.fields["leader"].queryset = people  # type: ignore[attr-defined]
