"""Is the machinery healthy? Sources, updates, and one button to recompute."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from metrics.models import Run, Source
from metrics.queries import machinery
from metrics.services import ledger
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show
from owners.rules import can

_SHOWN = 50


@require_safe
@clear_refusal
def settings(request: HttpRequest) -> HttpResponse:
    """What there is to look after, with the state of each."""
    state = states.read(request)
    context = {"section": "settings", "still_page": True, "tab": "overview", "calendar": state.calendar}
    if can(reader(request), "machinery.read"):
        lines = machinery.sources(reader(request))
        context |= {
            "sources": lines,
            "unwell": [s for s in lines if s.state in ("late", "failed")],
            "runs": machinery.runs(reader(request), limit=5),
        }
    return show(request, "metrics/settings.html", state, context)


@require_safe
@clear_refusal
def sources(request: HttpRequest) -> HttpResponse:
    """Where figures come from and how fresh they are."""
    state = states.read(request)
    context = {
        "section": "settings",
        "still_page": True,
        "tab": "sources",
        "sources": machinery.sources(reader(request)),
        "can_recompute": can(reader(request), "metric.recompute"),
    }
    return show(request, "metrics/sources.html", state, context)


@require_safe
@clear_refusal
def updates(request: HttpRequest) -> HttpResponse:
    """The latest recomputes; while one is open, the list renews itself."""
    state = states.read(request)
    runs = machinery.runs(reader(request), limit=_SHOWN)
    context = {
        "section": "settings",
        "still_page": True,
        "tab": "updates",
        "runs": runs,
        "open": any(run.state in Run.OPEN for run in runs),
        "can_recompute": can(reader(request), "metric.recompute"),
        "has_sources": Source.objects.filter(archived_at=None).exists(),
    }
    return show(request, "metrics/updates.html", state, context, part="metrics/parts/runs.html")


@require_POST
@clear_refusal
def recompute(request: HttpRequest) -> HttpResponse:
    """Asks for an update of one source, or of all."""
    key = request.POST.get("source", "")
    if "\0" in key:
        raise Http404("no source is called so")
    chosen = Source.objects.filter(archived_at=None)
    if key:
        chosen = Source.objects.filter(pk=get_object_or_404(chosen, key=key).pk)
    asked = [ledger.request(source, cause="request", user=reader(request)) for source in chosen]
    if asked:
        messages.success(request, "An update is asked for. It goes on when you leave this page.")
    else:
        messages.warning(request, "There is no source to update yet.")
    return redirect("settings_updates")
