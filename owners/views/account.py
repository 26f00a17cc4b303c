"""One's own account."""

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from owners.queries.sessions import browsers
from owners.rules import leader_of
from owners.views import Signed


@require_safe
def account(request: Signed) -> HttpResponse:
    """Who I am here, and the ways to password, second factor and sign-out."""
    context = {
        "leader": leader_of(request.user),
        "second_factor": is_mfa_enabled(request.user),
        "browsers": len(browsers(request.user, "", timezone.now())),
    }
    return render(request, "account/account.html", context)
