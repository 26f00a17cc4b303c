"""Accepting that a metric is behind its plan for a while, and asking for it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from metrics.forms.reasons import DeviationForm, rounded_up
from metrics.models import Metric
from metrics.queries.standing import Now
from metrics.queries.standing import now as standing
from metrics.services import deviations
from metrics.services.sentences import LONGEST
from metrics.views import state as states
from metrics.views.metrics import visible
from metrics.views.shell import clear_refusal, reader, show
from metrics.views.state import State
from owners.rules import require


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def accept(request: HttpRequest, key: str) -> HttpResponse:
    """An executive accepts the gap; with `decline` says no to what is asked for, with `end` ends it."""
    state = states.read(request)
    metric = visible(request, key)
    user = reader(request)
    require(user, "metric.accept_deviation", metric)
    wrong = ""
    if "end" in request.POST:
        if deviations.end(user, metric, today=state.today):
            messages.success(request, "The gap is no longer accepted. The owner is told.")
        return redirect("metric", key)
    if "decline" in request.POST:
        try:
            if deviations.decline(user, metric, answer=request.POST.get("answer", ""), today=state.today):
                messages.success(request, "Not accepted. The owner is told why.")
            else:
                messages.info(request, "Nothing is asked for any more.")
            return redirect("metric", key)
        except ValidationError as refused:
            wrong = refused.messages[0]
    return _page(request, metric, state, deviations.accept, "The gap is accepted.", wrong, asking=False)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def ask(request: HttpRequest, key: str) -> HttpResponse:
    """The owner asks that the gap be accepted; with `take_back` no longer."""
    state = states.read(request)
    metric = visible(request, key)
    user = reader(request)
    require(user, "metric.check_in", metric)
    if "take_back" in request.POST:
        if deviations.take_back(user, metric, today=state.today):
            messages.success(request, "You no longer ask for it.")
        return redirect("metric", key)
    return _page(request, metric, state, deviations.ask, "Asked. The executives are told.", "", asking=True)


def _page(
    request: HttpRequest,
    metric: Metric,
    state: State,
    write: Callable[..., Any],
    done: str,
    wrong: str,
    *,
    asking: bool,
) -> HttpResponse:
    """The form of both, and what it does once it is filled in."""
    there = standing(metric, state.today)
    unit = there.progress.metric.unit
    sent = request.method == "POST" and "decline" not in request.POST
    if sent:
        form = DeviationForm(request.POST, unit=unit)
        if form.is_valid():
            try:
                write(reader(request), metric, **form.cleaned_data, today=state.today)
            except ValidationError as refused:
                form.add_error(None, refused)
            else:
                messages.success(request, done)
                return redirect("metric", metric.key)
    else:
        form = DeviationForm(initial=initial(there), unit=unit)
    context = {
        "section": "metrics",
        "metric": there.progress.metric,
        "progress": there.progress,
        "there": there,
        "form": form,
        "asking": asking,
        "wrong": wrong,
        "longest": LONGEST,
    }
    status = 422 if request.method == "POST" else 200
    return show(request, "metrics/deviation.html", state, context, status=status)


def initial(there: Now) -> dict[str, str]:
    """What is asked for, else what is accepted, else the gap as it is, until the quarter's end."""
    progress = there.progress
    terms = progress.asking or progress.accepted
    behind = progress.shortfall or 0.0
    size = max(terms.shortfall if terms else 0.0, behind)
    return {
        "shortfall": rounded_up(size, progress.metric.unit) if size > 0 else "",
        "reason": terms.reason if terms else "",
        "until": (terms.until_date if terms else there.last_day).isoformat(),
    }
