"""Figures that look wrong to somebody: saying so, and answering."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from metrics.models.disputes import OUTCOMES
from metrics.queries.disputes import Disputed, choices, disputed
from metrics.queries.disputes import listed as load
from metrics.services import disputes as service
from metrics.services.sentences import LONGEST
from metrics.views import state as states
from metrics.views.metrics import page_of, visible
from metrics.views.shell import clear_refusal, reader, show
from owners.rules import require


class DisputeForm(forms.Form):
    """Which figure, by `grain:first day`, of which member (`dimension:member`), and what is wrong with it."""

    figure = forms.RegexField(
        r"^(day|week|month|quarter|year):\d{4}-\d\d-\d\d$",
        error_messages=dict.fromkeys(("required", "invalid"), "Choose the figure that looks wrong."),
    )
    part = forms.CharField(required=False, max_length=290)
    text = forms.CharField(required=False, max_length=LONGEST)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def dispute(request: HttpRequest, key: str) -> HttpResponse:
    """The form; by POST marks the figure and tells who keeps its data. `back=me` leads to the check-in."""
    state = states.read(request, "grain", "back")
    metric = visible(request, key)
    require(reader(request), "metric.dispute", metric)
    if metric.type == "manual":
        raise Http404("A figure entered by hand is corrected where it was entered.")
    page = page_of(request, key, state)
    offered = choices(page.row, page.history.points, page.history.grain, state.calendar)
    parts = [
        (f"{dimension}:{one.member}", f"{dimension}: {one.member or '(none)'}")
        for dimension, segments in page.segments.items()
        for one in segments
    ]
    form = DisputeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _disputed(request, form, metric):
        messages.success(request, "Marked as disputed. Whoever looks after the data is told.")
        return redirect("metric_check_in" if state.filters["back"] == "me" else "metric", key)
    context: dict[str, Any] = {
        "section": "metrics",
        "metric": page.row.metric,
        "form": form,
        "choices": offered,
        "parts": parts,
        "longest": LONGEST,
        "back": state.filters["back"],
    }
    return show(
        request, "metrics/dispute.html", state, context, status=422 if request.method == "POST" else 200
    )


def _disputed(request: HttpRequest, form: DisputeForm, metric: Any) -> bool:
    """Whether it was done; else the form says why not."""
    grain, _, start = form.cleaned_data["figure"].partition(":")
    dimension, _, member = form.cleaned_data["part"].partition(":")
    try:
        day = date.fromisoformat(start)
        service.dispute(
            reader(request), metric, grain, day, form.cleaned_data["text"], dimension=dimension, member=member
        )
    except ValidationError as refused:
        form.add_error(None, refused)
    except ValueError:
        form.add_error("figure", "Choose the figure that looks wrong.")
    else:
        return True
    return False


@require_safe
@clear_refusal
def listed(request: HttpRequest) -> HttpResponse:
    return _list(request)


@require_POST
@clear_refusal
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Answers a dispute in one sentence."""
    about = _about(request, pk)
    require(reader(request), "dispute.answer", about)
    given = request.POST
    try:
        done = service.answer(
            reader(request), about, outcome=given.get("outcome", ""), text=given.get("text", "")
        )
    except ValidationError as refused:
        return _list(
            request, wrong=(pk, refused.messages[0], given.get("outcome", ""), given.get("text", ""))
        )
    if done:
        messages.success(request, "Answered. Whoever raised it is told.")
    else:
        messages.info(request, "This was closed already.")
    return redirect("disputes")


@require_POST
@clear_refusal
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes one's own dispute back."""
    about = _about(request, pk)
    if service.withdraw(reader(request), about):
        messages.success(request, "Taken back: the figure is no longer marked.")
    else:
        messages.info(request, "This was closed already.")
    return redirect("disputes")


def _about(request: HttpRequest, pk: int) -> Disputed:
    found = disputed(pk, reader(request))
    if found is None:
        raise Http404("There is no such dispute.")
    return found


def _list(request: HttpRequest, wrong: tuple[int, str, str, str] | None = None) -> HttpResponse:
    state = states.read(request)
    waiting, closed = load(reader(request))
    context = {
        "section": "settings",
        "tab": "disputes",
        "waiting": waiting,
        "closed": closed,
        "outcomes": OUTCOMES.items(),
        "wrong": wrong,
        "longest": LONGEST,
    }
    return show(request, "metrics/disputes.html", state, context, status=422 if wrong else 200)
