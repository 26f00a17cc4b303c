"""Find a metric, a leader or a page by a few letters."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from metrics.queries.search import find as search
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show

_PAGES = (("Board", "board"), ("Leaders", "leaders"), ("Metrics", "metrics"), ("Targets", "targets"))
_LONGEST = 80


@require_safe
@clear_refusal
def find(request: HttpRequest) -> HttpResponse:
    """What was found, as a page or, for the dialog, as its list."""
    state = states.read(request)
    text = request.GET.get("q", "").replace("\x00", "").strip()[:_LONGEST]
    found = list(search(reader(request), text)) if text else []
    found += [
        ("page", name, reverse(route)) for name, route in _PAGES if text and text.lower() in name.lower()
    ]
    return show(
        request, "metrics/find.html", state, {"found": found, "text": text}, part="metrics/parts/found.html"
    )
