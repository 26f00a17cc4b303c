"""Actions: noted anywhere, given to a person, changed and dropped on one page."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from metrics.forms.actions import ActionForm
from metrics.queries.scope import visible_metrics
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show
from owners.models import Action
from owners.rules import leader_of, require
from owners.services.actions import add_action, drop_action, edit_action, token_of

_NOT_YOURS = "You can note actions for yourself, and for others about metrics that you own."


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def new(request: HttpRequest) -> HttpResponse:
    """Notes an action; the address may say for whom, about which metric, and where to go on."""
    user = reader(request)
    metrics = visible_metrics(user)
    if request.method == "POST":
        form = ActionForm(request.POST, metrics=metrics)
        if form.is_valid():
            given = form.cleaned_data
            try:
                add_action(
                    user,
                    text=given["text"],
                    leader=given["leader"],
                    metric=given["metric"],
                    due=given["due"],
                )
            except PermissionDenied:
                form.add_error("leader", _NOT_YOURS)
            except ValidationError as refused:
                form.add_error(None, refused)
            else:
                messages.success(request, "Noted.")
                return redirect(_back(request))
    else:
        own = leader_of(user)
        leader = request.GET.get("leader") or (own.key if own else None)
        initial = {"leader": leader, "metric": request.GET.get("metric")}
        form = ActionForm(metrics=metrics, initial=initial)
    return _show(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@clear_refusal
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes an action, gives it to somebody else, or with `drop` takes it away."""
    user = reader(request)
    found = get_object_or_404(Action.objects.select_related("leader"), pk=pk)
    require(user, "action.edit", found)
    metrics = visible_metrics(user)
    if request.method == "POST" and "drop" in request.POST:
        drop_action(user, found)
        messages.success(request, "Dropped. Its history is kept.")
        return redirect(_back(request))
    if request.method == "POST":
        form = ActionForm(request.POST, metrics=metrics, kept=found.leader)
        if form.is_valid() and _edited(request, found, form):
            messages.success(request, "Saved.")
            return redirect(_back(request))
    else:
        initial = {
            "text": found.text,
            "leader": found.leader.key if found.leader else None,
            "due": found.due_date,
            "metric": found.metric_key,
            "token": token_of(found),
        }
        form = ActionForm(metrics=metrics, kept=found.leader, initial=initial)
    return _show(request, form, found)


def _edited(request: HttpRequest, found: Action, form: ActionForm) -> bool:
    given = form.cleaned_data
    metric = given["metric"]
    hidden = found.metric_key and not visible_metrics(reader(request)).filter(key=found.metric_key).exists()
    try:
        edit_action(
            reader(request),
            found,
            text=given["text"],
            leader=given["leader"],
            # What the writer may not see is no choice of theirs, and stays.
            metric=_Named(found.metric_key) if hidden and metric is None else metric,
            due=given["due"],
            token=given["token"],
        )
    except ValidationError as refused:
        form.add_error(None, refused)
        if getattr(refused, "code", "") == "conflict":
            found.refresh_from_db()
            form.data = {**form.data.dict(), "token": token_of(found)}  # type: ignore[attr-defined]
        return False
    return True


class _Named:
    """A metric of which no more than the key is known."""

    visible = ""

    def __init__(self, key: str) -> None:
        self.key = key


def _show(request: HttpRequest, form: ActionForm, action: Action | None) -> HttpResponse:
    state = states.read(request)
    context = {"section": "me", "form": form, "action": action, "back": _back(request)}
    status = 422 if request.method == "POST" else 200
    return show(request, "metrics/action.html", state, context, status=status)


def _back(request: HttpRequest) -> str:
    """The page that the reader came from, if it is one of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return reverse("me")
