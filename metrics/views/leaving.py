"""Archiving a leader: what they still answer for, and one form that hands all of it over."""

from datetime import date, timedelta

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from metrics.models import Metric, Source
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show
from metrics.views.state import State
from owners.models import Action, Leader
from owners.queries.ownership import owned_by
from owners.services.leaders import StillAnswers, archive_leader
from owners.services.ownership import hand_all_over

_FURTHEST = timedelta(days=366)


class HandAllForm(forms.Form):
    """To whom all goes from which day on."""

    taker = forms.ModelChoiceField(
        Leader.objects.none(),
        required=False,
        to_field_name="key",
        empty_label="nobody: all become vacant",
        label="To",
    )
    from_date = forms.DateField(
        label="From",
        widget=forms.DateInput(attrs={"type": "date", "class": "fit"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write the date like 2026-09-30."},
    )
    note = forms.CharField(
        required=False,
        max_length=5_000,
        label="Note",
        widget=forms.Textarea(attrs={"class": "short", "rows": 3}),
    )
    with_actions = forms.BooleanField(required=False, initial=True)

    def __init__(self, *args: object, giver: Leader, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        others = Leader.objects.filter(archived_at=None).exclude(pk=giver.pk)
        self.fields["taker"].queryset = others  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def archive(request: HttpRequest, key: str) -> HttpResponse:
    """By POST hands everything over, or with `archive` archives who answers for nothing any more."""
    user, state = reader(request), states.read(request)
    leader = get_object_or_404(Leader, key=key, archived_at=None)
    form = HandAllForm(
        request.POST if "hand_over" in request.POST else None,
        giver=leader,
        initial={"from_date": state.today},
    )
    refused = ""
    if "archive" in request.POST:
        try:
            archive_leader(user, leader, day=state.today)
        except StillAnswers as error:
            refused = " ".join(error.messages)
        else:
            messages.success(request, f"{leader.name} is archived. Their words and their history stay.")
            return redirect("teams")
    elif form.is_bound and form.is_valid() and _handed(request, form, leader, state):
        return redirect("leader_archive", key)
    return _page(request, leader, form, state, refused)


def _handed(request: HttpRequest, form: HandAllForm, leader: Leader, state: State) -> bool:
    given = form.cleaned_data
    start: date = given["from_date"]
    if not state.today - _FURTHEST <= start <= state.today + _FURTHEST:
        form.add_error("from_date", "All at once is handed over within a year of today.")
        return False
    try:
        with transaction.atomic():
            number = hand_all_over(
                leader,
                given["taker"],
                start,
                author=reader(request),
                note=given["note"].strip(),
                with_actions=given["with_actions"],
            )
    except (ValidationError, ValueError) as refused:
        form.add_error(None, refused.messages if isinstance(refused, ValidationError) else str(refused))
        return False
    who = given["taker"].name if given["taker"] else "Nobody"
    what = "one metric or member" if number == 1 else f"{number} metrics and members"
    messages.success(request, f"{who} answers for {what} from {start:%-d %b %Y} on.")
    return True


def _page(
    request: HttpRequest, leader: Leader, form: HandAllForm, state: State, refused: str
) -> HttpResponse:
    rows = owned_by(leader, state.today)
    metrics = {m.key: m for m in Metric.objects.filter(key__in={row.metric_key for row in rows})}
    context = {
        "section": "settings",
        "leader": leader,
        "form": form,
        "refused": refused,
        "owned": [(metrics.get(row.metric_key), row) for row in rows],
        "ahead": any(row.from_date > state.today for row in rows),
        "counted": list(Metric.objects.filter(archived_at=None, spec__collect__by=leader.key)),
        "sources": list(Source.objects.filter(archived_at=None, data_owner=leader)),
        "actions": Action.objects.filter(leader=leader, done_at=None).count(),
        "today": state.today,
    }
    status = 409 if refused else 422 if form.errors else 200
    return show(request, "metrics/leaving.html", state, context, status=status)
