"""What all pages share: the frame's context, and clear words for an address that makes no sense."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from metrics.views.state import State
from owners.models import User

View = Callable[..., HttpResponse]


def reader(request: HttpRequest) -> User:
    """Who asks. The door lets only people through who are signed in; should it ever not, nothing is shown."""
    if not isinstance(request.user, User):
        raise PermissionDenied("sign in first")
    return request.user


def wants_part(request: HttpRequest) -> bool:
    """Whether HTMX asks, for a part of the page."""
    return request.headers.get("HX-Request") == "true" and "HX-Boosted" not in request.headers


def show(
    request: HttpRequest,
    template: str,
    state: State,
    context: dict[str, Any] | None = None,
    *,
    part: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page, or for HTMX the one part of it that `part` names (a template file that the page includes)."""
    full = {"state": state, **(context or {})}
    wanted = part if part and wants_part(request) else template
    response = render(request, wanted, full, status=status)
    response["Vary"] = "HX-Request, Cookie"
    return response


def clear_refusal(view: View) -> View:
    """A BadRequest of the view becomes a page with its words."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except BadRequest as refusal:
            return render(request, "400.html", {"words": str(refusal)}, status=400)

    return wrapped
