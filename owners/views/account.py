"""One's own account."""

from typing import Any

from allauth.account.views import LoginView
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from owners.queries.sessions import browsers
from owners.rules import leader_of
from owners.views import Signed


class SignIn(LoginView):
    """E-mail and password, or the single sign-on server where there is one."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "sso": settings.OIDC}


@require_safe
def account(request: Signed) -> HttpResponse:
    """Who I am here, and the ways to password, second factor and sign-out."""
    context = {
        "leader": leader_of(request.user),
        "second_factor": is_mfa_enabled(request.user),
        "passkeys": Authenticator.objects.filter(user=request.user, type=Authenticator.Type.WEBAUTHN).count(),
        "browsers": len(browsers(request.user, "", timezone.now())),
    }
    return render(request, "account/account.html", context)
