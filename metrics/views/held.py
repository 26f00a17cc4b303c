"""Figures that were held back as implausible: somebody who knows releases or rejects them."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from metrics.services.held import decide
from metrics.views.metrics import visible
from metrics.views.shell import clear_refusal, reader
from owners.rules import require


@require_POST
@clear_refusal
def accept(request: HttpRequest, key: str) -> HttpResponse:
    """Decides about the figures that the reader has seen; a released one is written by the next update."""
    metric = visible(request, key)
    user = reader(request)
    require(user, "metric.annotate", metric)
    outcome = request.POST.get("outcome", "")
    seen = request.POST.getlist("figure")
    try:
        done = decide(user, metric, outcome, request.POST.get("reason", ""), figures=seen)
    except ValidationError as refused:
        messages.error(request, refused.messages[0])
        return redirect("metric", key)
    which = "The held figure is" if done == 1 else f"{done} held figures are"
    if not done:
        messages.info(request, "No figure is held any more.")
    elif outcome == "released":
        them = "it" if done == 1 else "them"
        messages.success(request, f"{which} released. The next update takes {them} in.")
    else:
        messages.success(request, f"{which} rejected. The last good one stays.")
    return redirect("metric", key)
