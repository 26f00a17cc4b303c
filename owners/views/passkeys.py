"""Passkeys beside django-allauth's own views: one kind only, which opens the account alone."""

from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.views import AddWebAuthnView
from django.conf import settings

from owners.adapters import passkey_host
from owners.forms.passkeys import options_for_new


class AddPasskey(AddWebAuthnView):
    """Makes a passkey; `elsewhere` is the address to do so at, where this one will not do."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return {**context, "js_data": options_for_new(self.request.user), "elsewhere": self._elsewhere()}

    def _elsewhere(self) -> str:
        host = self.request.get_host()
        here, name = urlsplit(f"//{host}").hostname or "", passkey_host()
        if here == name or here.endswith(f".{name}"):
            return ""
        site = urlsplit(settings.SITE_URL)
        port = f":{site.port}" if site.port else ""
        return f"{site.scheme}://{name}{port}{self.request.path}"


class SecondFactor(AuthenticateView):
    """After the password: what this account has, and nothing else."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kinds = set(Authenticator.objects.filter(user=self.stage.login.user).values_list("type", flat=True))
        return {
            **super().get_context_data(**kwargs),
            "has_passkeys": Authenticator.Type.WEBAUTHN in kinds,
            "has_app": Authenticator.Type.TOTP in kinds,
        }
