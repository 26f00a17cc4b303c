"""The browsers in which one is signed in: seen and ended by their owner."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from owners.queries.sessions import browsers
from owners.services import sessions as service
from owners.views import Signed


@require_safe
def sessions(request: Signed) -> HttpResponse:
    """Where I am signed in."""
    found = browsers(request.user, request.session.session_key or "", timezone.now())
    return render(request, "account/sessions.html", {"browsers": found})


@require_POST
def end(request: Signed, pk: int) -> HttpResponse:
    """Signs one of my browsers out; this one goes to the sign-in page."""
    ended = service.end(request.user, pk)
    if not ended:
        raise Http404
    if ended == request.session.session_key:
        logout(request)
        return redirect("account_login")
    messages.success(request, "That browser is signed out.")
    return redirect("account_sessions")


@require_POST
def end_others(request: Signed) -> HttpResponse:
    """Signs all my browsers out but this one."""
    ended = service.end_all(request.user, keep=request.session.session_key or "")
    words = (
        f"{ended} other browser{'' if ended == 1 else 's'} signed out." if ended else "There was no other."
    )
    messages.success(request, words)
    return redirect("account_sessions")
