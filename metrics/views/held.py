"""Figures that were held back as implausible: somebody who knows says that they are right."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from metrics.services.health import accept_held
from metrics.views.metrics import visible
from metrics.views.shell import clear_refusal, reader
from owners.rules import require


@require_POST
@clear_refusal
def accept(request: HttpRequest, key: str) -> HttpResponse:
    """Takes the figures that are held now; the next update writes them."""
    metric = visible(request, key)
    require(reader(request), "metric.annotate", metric)
    taken = accept_held(metric, reader(request), timezone.now())
    if taken:
        if taken == 1:
            words = "The held figure is accepted. The next update takes it in."
        else:
            words = f"{taken} held figures are accepted. The next update takes them in."
        messages.success(request, words)
    else:
        messages.info(request, "No figure is held any more.")
    return redirect("metric", key)
