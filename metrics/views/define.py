"""A metric that people count, added or changed on a page."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from metrics.forms.start_metrics import MetricForm, initial_of
from metrics.queries import sources
from metrics.services.manual_metrics import add_own, change, counted_of, token_of
from metrics.views import state as states
from metrics.views.metrics import visible
from metrics.views.shell import clear_refusal, reader, show
from owners.rules import can, require
from owners.views.errors import add_errors


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def new(request: HttpRequest) -> HttpResponse:
    """The empty form; by POST adds the metric, whose owner is who added it until it is handed over."""
    form = MetricForm(
        request.POST or None,
        star=can(reader(request), "metric.set_north_star"),
        initial={"due": 3, "role": "focus"},
    )
    if request.method == "POST" and form.is_valid():
        try:
            metric = add_own(form.counted(), reader(request))
            messages.success(request, f"{metric.name} is added. Enter its first figures, or hand it over.")
            return redirect("metric", metric.key)
        except ValidationError as error:
            add_errors(form, error)
    context = {"section": "metrics", "form": form, "first_source": sources.first()}
    return show(
        request, "metrics/define.html", states.read(request), context, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """The form of a metric that people count; by POST saves it, unless somebody else has meanwhile."""
    metric = visible(request, key)
    require(reader(request), "metric.define_manual", metric)
    if metric.type != "manual":
        raise Http404("This metric is computed.")
    before = counted_of(metric)
    star = can(reader(request), "metric.set_north_star")
    form = MetricForm(request.POST or None, star=star, initial=initial_of(before, token_of(metric)))
    form.offer_stored(before)
    if request.method == "POST" and form.is_valid():
        try:
            change(metric, form.counted(before), author=reader(request), expected=form.cleaned_data["token"])
            messages.success(request, "Saved.")
            return redirect("metric", key)
        except ValidationError as error:
            add_errors(form, error)
    context = {"section": "metrics", "form": form, "metric": metric}
    return show(
        request, "metrics/define.html", states.read(request), context, status=422 if form.errors else 200
    )
