"""What holds for every answer: who may have it, what a browser may do with it, how a log finds it again."""

import re
import secrets
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode
from pghistory.middleware import HistoryMiddleware

from metrics.models import Installation
from northstar.logs import SECRETS
from owners.addresses import address_of
from owners.routes import API, Open, access, methods
from owners.rules import can, signed_in
from owners.services import sessions

Answer = Callable[[HttpRequest], HttpResponseBase]

GIVEN_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
# Plotly writes style elements; everything else that runs needs this page's nonce or comes from this origin.
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"


class RequestId:
    """Names each request, in its answer and in every line logged meanwhile. A proxy's name is kept."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        name = given if GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = name  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=name, method=request.method, path=request.path)
        try:
            response = self.get_response(request)
        finally:
            structlog.contextvars.clear_contextvars()
        response["X-Request-ID"] = name
        return response


class BrowserPolicy:
    """Tells the browser to run nothing but our own scripts; gives templates `request.csp_nonce`."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        nonce = secrets.token_urlsafe(16)
        request.csp_nonce = nonce  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["Content-Security-Policy"] = POLICY.format(nonce=nonce)
        response["Permissions-Policy"] = PERMISSIONS
        response.setdefault("Referrer-Policy", "same-origin")
        return response


class Privacy:
    """What a signed-in person sees is kept by no cache, neither a proxy's nor the browser's."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.user.is_authenticated:
            response["Cache-Control"] = "no-store, private"
        elif request.path.startswith("/account/"):
            add_never_cache_headers(response)
        return response


class Sessions:
    """Keeps the list of browsers in which people are signed in: a write at most every ten minutes each."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            sessions.note(request)
        return self.get_response(request)


class LocalTime:
    """Works in the installation's time zone, so that "today" is its today; one statement."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Whose token it is, the API finds out later.
        if not (request.user.is_authenticated or "Authorization" in request.headers):
            return self.get_response(request)
        zone = Installation.objects.filter(id=1).values_list("timezone", flat=True).first()
        with timezone.override(zone or "UTC"):
            return self.get_response(request)


class History(HistoryMiddleware):
    """Writes beside every change who made it, on which page, from which address and in which request."""

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request)
        return {
            **context,
            "url": SECRETS.sub(r"\1...", request.path),
            "address": address_of(request),
            "request": getattr(request, "request_id", ""),
        }


class DefaultDeny:
    """Refuses every route and method that owners/routes.py does not list, and sends strangers to sign in.

    The API asks the same table for itself, after it knows who is asking (owners/api.py).
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        route = request.resolver_match.view_name if request.resolver_match else ""
        if route.startswith(API):
            return None
        asked = access(route, request.method or "")
        if asked == Open(strangers=True):
            return None
        if not signed_in.test(request.user):
            return _sign_in_first(request)
        if asked is None and methods(route):
            return HttpResponseNotAllowed(methods(route))
        if asked is None:
            raise PermissionDenied(f"the route {route} is not in the table of routes")
        if isinstance(asked, Open) or asked.about or can(request.user, asked.permission):
            return None
        raise PermissionDenied(f"{asked.permission} is asked for")


def _sign_in_first(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request") == "true":
        # The address of the page, not of the fragment, is where the person wants to be afterwards.
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        back = page.path + (f"?{page.query}" if page.query else "")
        target = reverse("account_login") + ("?" + urlencode({"next": back}) if back else "")
        return HttpResponse(status=401, headers={"HX-Redirect": target})
    if request.method in ("GET", "HEAD"):
        return redirect_to_login(request.get_full_path(), reverse("account_login"))
    return redirect_to_login(reverse("account"), reverse("account_login"))
