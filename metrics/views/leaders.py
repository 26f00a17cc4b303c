"""How each leader's quarter goes, and the leader's own words on it."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from metrics.queries.leaders import leader_page
from metrics.queries.leaders import leaders as load
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show
from owners.models import Leader
from owners.rules import can, leader_of, require
from owners.services.words import summarise


class SummaryForm(forms.Form):
    """The quarter in the leader's words. `token` names the text that was on the page when editing began."""

    text = forms.CharField(required=False, max_length=20_000, widget=forms.Textarea)
    needs = forms.CharField(required=False, max_length=5_000, widget=forms.Textarea)
    token = forms.CharField(required=False, max_length=80)


@require_safe
@clear_refusal
def leaders(request: HttpRequest) -> HttpResponse:
    state = states.read(request)
    shown = load(reader(request), quarter=state.quarter, as_of=state.as_of)
    return show(request, "owners/leaders.html", state, {"section": "leaders", "shown": shown})


@require_safe
@clear_refusal
def leader(request: HttpRequest, key: str) -> HttpResponse:
    state = states.read(request)
    page = leader_page(reader(request), key, quarter=state.quarter, as_of=state.as_of)
    if page is None:
        raise Http404("There is no such leader.")
    own = leader_of(reader(request))
    can_act = can(reader(request), "action.add")
    context = {
        "section": "leaders",
        "page": page,
        "can_act": can_act,
        "can_leave": can(reader(request), "people.leaders") or bool(own and own.key == key),
        "can_change": can(reader(request), "people.leaders"),
        "can_edit": bool(own and own.key == key and can_act) or can(reader(request), "action.edit"),
        "can_own": can(reader(request), "metric.set_owner"),
        "is_self": bool(own and own.key == key),
        "can_write": can(reader(request), "leader.write_summary", own) if own and own.key == key else False,
    }
    return show(request, "owners/leader.html", state, context)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def summary(request: HttpRequest, key: str) -> HttpResponse:
    """Edits the summary of the quarter in the address."""
    state = states.read(request)
    person = get_object_or_404(Leader, key=key)
    require(reader(request), "leader.write_summary", person)
    page = leader_page(reader(request), key, quarter=state.quarter, as_of=state.as_of)
    if page is None:
        raise Http404("There is no such leader.")
    token = page.summary_at.isoformat() if page.summary_at else ""
    if request.method == "POST":
        form = SummaryForm(request.POST)
        if form.is_valid():
            try:
                summarise(reader(request), person, state.shown, **form.cleaned_data)
            except ValidationError as refused:
                form.add_error(None, refused)
            else:
                messages.success(request, f"Your summary of {state.label} is saved.")
                back = reverse("leader", args=[key])
                return redirect(f"{back}?quarter={state.shown}")
    else:
        form = SummaryForm(initial={"text": page.summary, "needs": page.needs, "token": token})
    context = {"section": "leaders", "page": page, "form": form, "token": token}
    return show(
        request, "owners/leader_summary.html", state, context, status=422 if request.method == "POST" else 200
    )
