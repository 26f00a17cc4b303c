"""How django-allauth behaves here: nobody signs up, tries are counted for good, secrets are encrypted."""

from typing import Any
from urllib.parse import urlsplit

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme

from owners.addresses import network_of
from owners.models import User
from owners.queries.sessions import device_words
from owners.services import known, limits, sessions
from owners.services.ways_in import end_links

log = structlog.get_logger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """Accounts come by invitation only."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuses a try beyond the limits before any password is compared."""
        account, address, own = _subjects(request, credentials)
        # A browser that the person has used before has a count of its own, whatever strangers do beside it.
        within = bool(own) or limits.take(limits.PER_ADDRESS, address)
        # Counted even when the address is over its limit: which of the two refused must not show.
        within = limits.take(limits.PER_ACCOUNT, own or account) and within
        if not within:
            log.warning("too many tries to sign in", address=address)
            raise self.validation_error("too_many_login_attempts")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        self._login_failed_rl_usage = None
        user: User | None = super().authenticate(request, **credentials)
        if user is not None:
            account, address, own = _subjects(request, credentials)
            limits.give_back(limits.PER_ACCOUNT, own or account)
            if not own:
                limits.give_back(limits.PER_ADDRESS, address)
        return user

    def post_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **more)
        known.remember(request, response, user.email)
        return response

    def _rollback_login_failed_rl_usage(self) -> None:
        """The tries are given back by `authenticate`; there is nothing in the cache."""

    def reauthenticate(self, user: User, password: str) -> bool:
        """By the account's own address: no separate list of addresses is kept."""
        found = self.authenticate(context.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def set_password(self, user: User, password: str) -> None:
        """A new password, changed or reset, ends what is open elsewhere, and links that are on their way."""
        super().set_password(user, password)
        end_links(user)
        request = context.request
        own = request is not None and request.user.is_authenticated and request.user.pk == user.pk
        sessions.end_all(user, keep=request.session.session_key or "" if own else "")

    def is_safe_url(self, url: str) -> bool:
        """Only pages of this site: the library would also go to every other host that is listed as ours."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)


class MFAAdapter(DefaultMFAAdapter):
    """Keeps the secrets of second factors encrypted with a key that is not in the database."""

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _box().decrypt(encrypted_text.encode()).decode()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": passkey_host(), "name": "North Star"}

    def generate_authenticator_name(self, user: User, type: Any) -> str:
        return device_words(context.request.META.get("HTTP_USER_AGENT", ""))

    def get_totp_issuer(self) -> str:
        return "North Star"


def passkey_host() -> str:
    """The name that passkeys are bound to: SITE_URL's, since a browser names what host it likes.

    A number is no name to a browser; where the site is on this computer only, it is called localhost.
    """
    host = urlsplit(settings.SITE_URL).hostname or ""
    return "localhost" if host in {"127.0.0.1", "::1"} else host


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.NORTHSTAR_ENCRYPTION_KEYS])


def _subjects(request: HttpRequest, credentials: dict[str, Any]) -> tuple[str, str, str]:
    """What tries are counted by: the account, the address, and "" or the account in a browser it knows."""
    account = str(credentials.get("email") or "").strip().lower()
    mark = known.mark_of(request, account)
    return account, network_of(request), f"{account} {mark}" if mark else ""
