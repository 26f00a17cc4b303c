"""From counted by hand to computed: both side by side, and the switch."""

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from metrics.definitions.mistakes import DefinitionsError
from metrics.models import Metric
from metrics.queries.automate import candidates, compare
from metrics.services import automate
from metrics.services.manual_metrics import token_of
from metrics.views import state as states
from metrics.views.metrics import visible
from metrics.views.shell import clear_refusal, reader, show
from owners.services.meanwhile import ChangedMeanwhile
from warehouse.definitions import WarehouseError

TOLERANCES = (("0", "exactly"), ("0.001", "to 0.1 %"), ("0.01", "to 1 %"), ("0.05", "to 5 %"))


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def page(request: HttpRequest, key: str) -> HttpResponse:
    """Compares a manual metric with a computed one; by POST the computed definition takes over from a day."""
    person, state = reader(request), states.read(request)
    metric = visible(request, key)
    if metric.type != "manual":
        raise Http404("This metric is computed.")
    choices = candidates(person, metric)
    given = request.POST if request.method == "POST" else request.GET
    successor = next((one for one in choices if one.key == given.get("with")), None)
    tolerance = given.get("tolerance", "0")
    if tolerance not in dict(TOLERANCES):
        raise BadRequest("This tolerance is not among those offered.")
    problem = ""
    if request.method == "POST":
        problem = _switch(request, metric, successor)
        if not problem:
            messages.success(
                request, f"{metric.name} is computed from then on. Earlier figures stay as they were."
            )
            return redirect("metric", metric.key)
    context = {
        "section": "metrics",
        "still_page": True,
        "metric": metric,
        "choices": choices,
        "successor": successor,
        "tolerances": TOLERANCES,
        "tolerance": tolerance,
        "shown": compare(metric, successor, state.calendar, float(tolerance)) if successor else None,
        "expected": token_of(metric),
        "problem": problem,
    }
    return show(request, "metrics/automate.html", state, context, status=409 if problem else 200)


def _switch(request: HttpRequest, metric: Metric, successor: Metric | None) -> str:
    """What keeps the switch from being made, in words; "" if it was."""
    start = states.day(request.POST.get("start", ""))
    if successor is None or start is None:
        return "Choose the computed metric and the day."
    try:
        automate.switch(reader(request), metric, successor, start, expected=request.POST.get("expected", ""))
    except ChangedMeanwhile:
        return "Somebody has changed this metric since. Look again."
    except DefinitionsError as error:
        return f"The definition cannot take its place: {error}"
    except WarehouseError as error:
        return f"The warehouse cannot be asked: {error}"
    except ValidationError as error:
        return " ".join(error.messages)
    return ""
