"""Find a metric, a leader or a page by a few letters."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from metrics.queries.search import find as search
from metrics.views import state as states
from metrics.views.shell import clear_refusal, reader, show
from owners.models import User
from owners.routes import Right, access
from owners.rules import can

_PAGES = (
    ("Board", "board"),
    ("Me: what is due", "me"),
    ("My calibration", "calibration"),
    ("Note an action", "action_new"),
    ("Leaders", "leaders"),
    ("Metrics", "metrics"),
    ("Targets", "targets"),
    ("Settings", "settings"),
    ("Sources", "settings_sources"),
    ("Updates", "settings_updates"),
    ("People", "people"),
    ("Changes", "settings_audit"),
    ("Your account", "account"),
)
_LONGEST = 80


@require_safe
@clear_refusal
def find(request: HttpRequest) -> HttpResponse:
    """What was found, as a page or, for the dialog, as its list."""
    state = states.read(request)
    text = request.GET.get("q", "").replace("\x00", "").strip()[:_LONGEST]
    user = reader(request)
    found = [*search(user, text), *_pages(user, text)] if text else []
    return show(
        request, "metrics/find.html", state, {"found": found, "text": text}, part="metrics/parts/found.html"
    )


def _pages(user: User, text: str) -> list[tuple[str, str, str]]:
    """Pages of that name which `user` may open."""
    fitting = [(name, route) for name, route in _PAGES if text.lower() in name.lower()]
    return [("page", name, reverse(route)) for name, route in fitting if _may(user, route)]


def _may(user: User, route: str) -> bool:
    asked = access(route, "GET")
    return asked is not None and (not isinstance(asked, Right) or can(user, asked.permission))
