"""Single sign-on: there, and back."""

import time
from dataclasses import asdict

import structlog
from allauth.account.utils import perform_login
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from owners.addresses import network_of
from owners.services import limits, sso
from owners.sso import client
from owners.sso.provider import Provider

KEPT = "northstar_sso"  # attempts under way, in the browser's session
MOST = 5  # of them: one person opens a few tabs
LASTS = 600  # seconds for signing in there
log = structlog.get_logger(__name__)


@never_cache
@require_safe
def begin(request: HttpRequest) -> HttpResponse:
    """Sends the browser to the server, which sends it back to `callback`."""
    server = _server()
    if not limits.take(limits.PER_SSO, network_of(request)):
        return render(request, "429.html", status=429)
    attempt = client.new_attempt()
    try:
        there = client.way_there(server, client.discover(server), attempt, _callback_url())
    except client.ServerFault as fault:
        return _failed(request, server, fault)
    to = request.GET.get("next", "")
    kept = {
        "to": to if url_has_allowed_host_and_scheme(to, None) else "",
        "at": time.time(),
        **asdict(attempt),
    }
    fresh = [a for a in request.session.get(KEPT, []) if time.time() - a["at"] < LASTS]
    request.session[KEPT] = [*fresh, kept][-MOST:]
    return HttpResponseRedirect(there)


@never_cache
@require_safe
@sensitive_variables("code", "attempt", "kept")
def callback(request: HttpRequest) -> HttpResponse:
    """Back from there: checks what it says, and lets the person in."""
    server = _server()
    kept = _taken(request)
    if kept is None:
        words = "This took too long, or was begun in another browser. Nothing is wrong: sign in again."
        return _refused(request, server, words, 400)
    if "error" in request.GET:
        log.info("single sign-on was not completed", error=request.GET["error"][:200])
        return _refused(request, server, f"{server.name} did not sign you in.", 403)
    attempt = client.Attempt(kept["state"], kept["nonce"], kept["verifier"])
    code, issuer = request.GET.get("code", ""), request.GET.get("iss", "")
    try:
        claims = client.claims_of(server, code, attempt, _callback_url(), issuer)
    except client.ServerFault as fault:
        return _failed(request, server, fault)
    try:
        user = sso.admit(server, claims)
    except sso.Refused as why:
        return _refused(request, server, str(why), 403)
    limits.give_back(limits.PER_SSO, network_of(request))
    return perform_login(request, user, redirect_url=kept["to"] or None)


def _server() -> Provider:
    if settings.OIDC is None:
        raise Http404
    return settings.OIDC


def _callback_url() -> str:
    """As it is registered there: by SITE_URL, not by whatever host the browser named."""
    return settings.SITE_URL.rstrip("/") + reverse("account_sso_callback")


def _taken(request: HttpRequest) -> dict[str, str] | None:
    """The attempt that `state` names, which is used up by this."""
    state = request.GET.get("state", "")
    kept = request.session.get(KEPT, [])
    found = next((a for a in kept if a["state"] == state), None)
    if found is None:
        return None
    request.session[KEPT] = [a for a in kept if a is not found]
    return found if time.time() - found["at"] < LASTS else None


def _failed(request: HttpRequest, server: Provider, fault: client.ServerFault) -> HttpResponse:
    log.error("single sign-on failed", issuer=server.issuer, fault=str(fault)[:1000])
    words = f"{server.name} cannot be reached, or gave an answer that must not be believed."
    return _refused(request, server, f"{words} Try again; if it stays so, tell an admin.", 502)


def _refused(request: HttpRequest, server: Provider, words: str, status: int) -> HttpResponse:
    return render(request, "account/sso_refused.html", {"words": words, "server": server}, status=status)
