"""From where a request comes: one rule for sign-in limits, sessions and the audit."""

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The network address of whoever asks; "" where there is none (a unix socket without a proxy).

    `X-Forwarded-For` counts only with `BEHIND_PROXY`, and then only what the nearest proxy has written: its
    last entry. Whatever a visitor puts in front of it is not believed.
    """
    try:
        return str(get_adapter().get_client_ip(request))
    except PermissionDenied:
        return ""
