"""One's own account."""

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from owners.rules import leader_of


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Who I am here, and the ways to password, second factor and sign-out."""
    context = {"leader": leader_of(request.user), "second_factor": is_mfa_enabled(request.user)}
    return render(request, "account/account.html", context)
