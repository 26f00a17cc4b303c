"""What an unusual change was, in the words of who knows."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from metrics.services.dispositions import explain
from metrics.views import state as states
from metrics.views.metrics import page_of, visible
from metrics.views.shell import clear_refusal, reader, show
from owners.rules import require


class ExplainForm(forms.Form):
    text = forms.CharField(max_length=2000, error_messages={"required": "Say in a sentence what it was."})


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def signals(request: HttpRequest, key: str) -> HttpResponse:
    """Explains the signal at `grain` and `start` of the address."""
    state = states.read(request, "grain", "start")
    metric = visible(request, key)
    require(reader(request), "metric.annotate", metric)
    page = page_of(request, key, state)
    chosen = [s for s in page.history.signals if s.start.isoformat() == state.filters["start"]]
    if not chosen:
        raise Http404("There is no unusual change at this period.")
    signal, grain = chosen[0], page.history.grain
    if request.method == "POST":
        form = ExplainForm(request.POST)
        if form.is_valid():
            try:
                explain(reader(request), metric, grain, signal.start, form.cleaned_data["text"])
            except ValidationError as refused:
                form.add_error("text", refused)
            else:
                messages.success(request, "Saved: the change is explained.")
                return redirect(f"{reverse('metric', args=[key])}?grain={grain}#history")
    else:
        form = ExplainForm(initial={"text": signal.disposition})
    context = {"section": "metrics", "metric": metric, "signal": signal, "grain": grain, "form": form}
    return show(
        request, "metrics/signals.html", state, context, status=422 if request.method == "POST" else 200
    )
