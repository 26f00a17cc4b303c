"""How the API knows people and asks the table of routes: the door of the pages, in REST framework's words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed, PermissionDenied, Throttled
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.throttling import BaseThrottle
from rest_framework.utils.mediatypes import media_type_matches

from owners.addresses import network_of
from owners.models import ApiToken, User
from owners.routes import Open, access, methods, scope
from owners.rules import can, signed_in
from owners.services import limits, tokens
from owners.services.limits import Limit

if TYPE_CHECKING:  # the views themselves read the settings that name this module
    from rest_framework.request import Request
    from rest_framework.views import APIView


REALM = 'Bearer realm="North Star"'
MINUTE = 60  # seconds
OF_ONE_ADDRESS = 10  # an office behind one address may ask as often as so many people


class Bearer(BaseAuthentication):
    """`Authorization: Bearer nst_...`. Whoever shows a token is nobody else: a bad one is refused even where
    the browser has a session."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        token = tokens.valid(secret.strip())
        if token is None:
            if wait := limits.wait_after(limits.PER_BAD_TOKEN, network_of(request._request)):
                raise Throttled(wait)
            raise AuthenticationFailed("This token is unknown, expired or revoked.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        shown = "Authorization" in request.headers
        return f'{REALM}, error="invalid_token"' if shown else REALM


class Session(SessionAuthentication):
    """The browser's session. A stranger gets 401, not 403: who signs in may well be allowed."""


class Counted(BaseThrottle):
    """So many requests a minute for each token or person, and so many for each address; reading and writing
    are counted apart."""

    wait_seconds = 0

    def allow_request(self, request: Request, view: APIView) -> bool:
        writes = request.method not in ("GET", "HEAD")
        most = settings.API_WRITES_PER_MINUTE if writes else settings.API_READS_PER_MINUTE
        what = "api writes" if writes else "api reads"
        holder = f"token {request.auth.pk}" if request.auth else f"user {request.user.pk}"
        self.wait_seconds = max(
            limits.wait_after(Limit(f"{what} of one", most, MINUTE), holder),
            limits.wait_after(
                Limit(f"{what} of an address", most * OF_ONE_ADDRESS, MINUTE), network_of(request._request)
            ),
        )
        return self.wait_seconds == 0

    def wait(self) -> float:
        return self.wait_seconds


class RoutePermission(BasePermission):
    """Default deny: a route that the table does not list is refused for everybody."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        match = request.resolver_match
        route = match.view_name if match else ""
        asked = access(route, request.method or "")
        if asked is None:
            if methods(route):
                raise MethodNotAllowed(request.method or "")
            return False
        if isinstance(request.auth, ApiToken):
            needed = scope(route, request.method or "")
            if needed is None:
                raise PermissionDenied("No token opens this; sign in with a browser.")
            if needed not in request.auth.scopes:
                raise PermissionDenied(f"This token lacks the scope {needed.value}.")
        if isinstance(asked, Open):
            return asked.strangers or signed_in.test(request.user)
        return signed_in.test(request.user) and bool(asked.about or can(request.user, asked.permission))


class OneForm(BaseContentNegotiation):
    """JSON, whatever is asked for: there is nothing else to choose. What is sent must say that it is."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        only = next(iter(parsers))
        return only if media_type_matches(only.media_type, request.content_type) else None

    def select_renderer(
        self, request: HttpRequest, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        only = next(iter(renderers))
        return only, only.media_type
