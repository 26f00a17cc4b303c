"""Back to an earlier target or definition: what would change, and the button that does it."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from metrics.definitions.mistakes import DefinitionsError
from metrics.models import Target
from metrics.queries.audit import EarlierDefinition, EarlierTarget, earlier_definition, earlier_target
from metrics.queries.dump import stored
from metrics.services import defining
from metrics.services.returning import return_definition, return_target
from metrics.services.targets import token_of
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show
from metrics.views.state import State
from owners.services.meanwhile import ChangedMeanwhile
from warehouse.definitions import WarehouseError

_REASON = 500


class ReturnForm(forms.Form):
    """`token` names what stood there when the page was opened."""

    reason = forms.CharField(max_length=_REASON, error_messages={"required": "Say why, for the record."})
    token = forms.CharField(required=False, max_length=200)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def target(request: HttpRequest, event: int) -> HttpResponse:
    """Back to the target as it was after a change of it."""
    return _target(request, earlier_target(event))


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def plan(request: HttpRequest, event: int) -> HttpResponse:
    """Back to the target as it was after a change of one of its months."""
    return _target(request, earlier_target(event, plan=True))


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def metric(request: HttpRequest, event: int) -> HttpResponse:
    """Back to the definition of a metric as it was after a change of it."""
    return _definition(request, "metric", event)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def source(request: HttpRequest, event: int) -> HttpResponse:
    """Back to the definition of a source as it was after a change of it."""
    return _definition(request, "source", event)


def _definition(request: HttpRequest, what: str, event: int) -> HttpResponse:
    state = states.read(request)
    found = earlier_definition(what, event)
    if found is None:
        raise Http404("There is no such change.")
    token = defining.token(getattr(stored(), found.section).get(found.key))
    form = _form(request, found.at.astimezone(state.calendar.zone).date(), token)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            return_definition(
                reader(request), found, reason=given["reason"], expected=given["token"], today=state.today
            )
        except DefinitionsError as refused:
            form.add_error(None, [str(mistake.message) for mistake in refused.mistakes])
        except WarehouseError as refused:
            form.add_error(None, f"The warehouse could not be asked: {refused}")
        except ChangedMeanwhile:
            _changed(form, token)
        else:
            messages.success(request, f"{found.name} is defined as it was; its figures are computed anew.")
            return redirect(_home(found))
    return _show(request, state, found, form, f"{found.name}: its definition", _home(found))


def _home(found: EarlierDefinition) -> str:
    if found.section == "metrics":
        return reverse("metric", args=[found.key])
    return reverse("settings_sources")


def _target(request: HttpRequest, found: EarlierTarget | None) -> HttpResponse:
    state = states.read(request)
    if found is None:
        raise Http404("There is no such change.")
    of: dict[str, Any] = {"metric": found.metric, "quarter": found.quarter}
    of |= {"dimension": found.dimension, "member": found.member}
    token = token_of(Target.objects.filter(**of).prefetch_related("benchmarks").first())
    form = _form(request, found.at.astimezone(state.calendar.zone).date(), token)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            return_target(reader(request), found, reason=given["reason"], expected=given["token"])
        except ChangedMeanwhile:
            _changed(form, token)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, f"The target of {found.metric.name} is what it was.")
            return redirect("target_grid", found.quarter)
    name = f"{found.metric.name}, {found.quarter}" + (f", {found.member}" if found.member else "")
    back = reverse("target_grid", args=[found.quarter])
    return _show(request, state, found, form, f"{name}: its target", back)


def _form(request: HttpRequest, day: date, token: str) -> ReturnForm:
    if request.method == "POST":
        return ReturnForm(request.POST)
    return ReturnForm(initial={"reason": f"Back to what it was on {day.day} {day:%b %Y}", "token": token})


def _changed(form: ReturnForm, token: str) -> None:
    form.add_error(None, "Somebody has changed it meanwhile. Look at what would change now, then go on.")
    form.data = {**form.data.dict(), "token": token}  # type: ignore[attr-defined]


def _show(
    request: HttpRequest,
    state: State,
    found: EarlierTarget | EarlierDefinition,
    form: ReturnForm,
    title: str,
    back: str,
) -> HttpResponse:
    context = {"section": "settings", "found": found, "form": form, "title": title, "back": back}
    status = 422 if request.method == "POST" else 200
    return show(request, "metrics/return.html", state, context, status=status)
