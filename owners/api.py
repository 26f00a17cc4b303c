"""How the API knows people and asks the table of routes: the door of the pages, in REST framework's words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.http import HttpRequest
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer

from owners.routes import Open, access, methods
from owners.rules import can, signed_in

if TYPE_CHECKING:  # the views themselves read the settings that name this module
    from rest_framework.request import Request
    from rest_framework.views import APIView


class Session(SessionAuthentication):
    """The browser's session. A stranger gets 401, not 403: who signs in may well be allowed."""

    def authenticate_header(self, request: Request) -> str:
        return 'Session realm="api"'


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
        if isinstance(asked, Open):
            return asked.strangers or signed_in.test(request.user)
        return signed_in.test(request.user) and bool(asked.about or can(request.user, asked.permission))


class OneForm(BaseContentNegotiation):
    """JSON, whatever is asked for: there is nothing else to choose."""

    def select_parser(self, request: HttpRequest, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return next(iter(parsers), None)

    def select_renderer(
        self, request: HttpRequest, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        only = next(iter(renderers))
        return only, only.media_type
