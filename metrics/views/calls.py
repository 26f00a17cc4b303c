"""The owner's own call beside the computed status."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from metrics.forms.reasons import CALLS, CallForm
from metrics.queries.standing import Now
from metrics.queries.standing import now as standing
from metrics.services.calls import make_call, withdraw_call
from metrics.services.sentences import LONGEST
from metrics.views import state as states
from metrics.views.metrics import visible
from metrics.views.shell import clear_refusal, reader, show
from owners.rules import require


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def call(request: HttpRequest, key: str) -> HttpResponse:
    """The form; by POST calls it, or with `withdraw` takes the call back."""
    state = states.read(request)
    metric = visible(request, key)
    user = reader(request)
    require(user, "metric.check_in", metric)
    if request.method == "POST" and "withdraw" in request.POST:
        if withdraw_call(user, metric, today=state.today):
            messages.success(request, "Your call is taken back: the computed status stands alone.")
        return redirect("metric", key)
    there = standing(metric, state.today)
    form = CallForm(request.POST) if request.method == "POST" else CallForm(initial=initial(there))
    if request.method == "POST" and form.is_valid():
        try:
            made = make_call(user, metric, **form.cleaned_data, today=state.today)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            if made is None:
                messages.info(request, "That is the computed status: no call of your own is needed.")
            else:
                messages.success(request, "Your call stands beside the computed status.")
            return redirect("metric", key)
    context = {
        "section": "metrics",
        "metric": there.progress.metric,
        "progress": there.progress,
        "there": there,
        "form": form,
        "calls": CALLS,
        "longest": LONGEST,
    }
    return show(request, "metrics/call.html", state, context, status=422 if request.method == "POST" else 200)


def initial(there: Now) -> dict[str, object]:
    """What the form says before anybody has typed: the standing call, until the quarter's end."""
    standing_call = there.progress.call
    if standing_call is None:
        return {"until": there.last_day.isoformat()}
    return {
        "status": standing_call.state.value,
        "reason": standing_call.reason,
        "until": standing_call.until_date.isoformat(),
    }
