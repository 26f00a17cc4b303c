"""Handing a metric over."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from metrics.models import Metric
from metrics.views import state as states
from metrics.views.metrics import visible
from metrics.views.shell import clear_refusal, reader, show
from owners.models import Leader
from owners.queries.ownership import history, owner_on
from owners.rules import require
from owners.services.ownership import hand_over

_FURTHEST = timedelta(days=366)  # a hand-over is planned for a year ahead at most


class OwnerForm(forms.Form):
    """Who answers from which day on. An empty leader leaves the metric vacant, which pages show loudly."""

    leader = forms.ModelChoiceField(
        Leader.objects.filter(archived_at=None),
        required=False,
        to_field_name="key",
        empty_label="nobody: vacant",
    )
    from_date = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    note = forms.CharField(required=False, max_length=500)
    token = forms.CharField(required=False, max_length=200)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def owner(request: HttpRequest, key: str) -> HttpResponse:
    """The form; by POST hands over, unless somebody else has meanwhile."""
    state = states.read(request)
    metric = visible(request, key)
    require(reader(request), "metric.set_owner", metric)
    tenures = history(metric.key)
    token = f"{len(tenures)}:{tenures[-1]}" if tenures else ""
    now = owner_on(metric.key, state.today)
    if request.method == "POST":
        form = OwnerForm(request.POST)
        if form.is_valid() and _handed_over(request, form, metric, token, state.today + _FURTHEST):
            return redirect("metric", key)
    else:
        form = OwnerForm(
            initial={"leader": now.key if now else None, "from_date": state.today, "token": token[:200]}
        )
    context = {"section": "metrics", "metric": metric, "form": form, "tenures": reversed(tenures)}
    return show(
        request, "metrics/owner.html", state, context, status=422 if request.method == "POST" else 200
    )


def _handed_over(request: HttpRequest, form: OwnerForm, metric: Metric, token: str, latest: object) -> bool:
    """Whether it was done; else the form says why not."""
    given = form.cleaned_data
    if given["token"] != token[:200]:
        form.add_error(
            None, "The owner was changed while you were choosing. Look below, then hand over again."
        )
        form.data = {**form.data.dict(), "token": token[:200]}  # type: ignore[attr-defined]
        return False
    if given["from_date"] > latest:
        form.add_error("from_date", "A hand-over can be planned for a year ahead at most.")
        return False
    try:
        hand_over(
            metric.key,
            given["leader"],
            given["from_date"],
            author=reader(request),
            note=given["note"],
        )
    except (ValidationError, ValueError) as refused:
        form.add_error(None, str(refused))
        return False
    who = given["leader"] or "Nobody"
    messages.success(request, f"{who} answers for {metric.name} from {given['from_date']:%-d %b %Y} on.")
    return True
