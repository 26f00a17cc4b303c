"""Naming who counts a manual metric, on the page of its owner."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from metrics.forms.collecting import CollectForm
from metrics.services.collecting import collect
from metrics.views import state as states
from metrics.views.metrics import visible
from metrics.views.owner import blank_page
from metrics.views.shell import clear_refusal, reader
from owners.rules import require
from owners.services.meanwhile import ChangedMeanwhile


@require_POST
@clear_refusal
def counted(request: HttpRequest, key: str) -> HttpResponse:
    """Counted by, due, from where, how; unless somebody else has changed it meanwhile."""
    state = states.read(request)
    metric = visible(request, key)
    require(reader(request), "metric.set_owner", metric)
    if metric.type != "manual":
        raise Http404("nobody counts a computed metric")
    form = CollectForm(request.POST, metric=metric)
    if form.is_valid():
        try:
            changed = collect(metric, form.said, author=reader(request), expected=form.cleaned_data["token"])
        except ChangedMeanwhile as refused:
            metric.refresh_from_db()
            return blank_page(request, metric, state, " ".join(refused.messages), status=409)
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "Saved." if changed else "Nothing was changed.")
            return redirect(f"{reverse('metric_owner', args=[key])}#counted")
    return blank_page(request, metric, state, counted=form, status=422)
