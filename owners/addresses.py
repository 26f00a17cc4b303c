"""From where a request comes: one rule for sign-in limits, sessions and the audit."""

from ipaddress import IPv6Address, ip_address, ip_network

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


def network_of(request: HttpRequest) -> str:
    """What tries are counted by: the address, of IPv6 the network of 64 bits that one household or machine
    has to itself, since whoever has one can come from a new address each time."""
    return _network(address_of(request))


def _network(address: str) -> str:
    try:
        number = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(number, IPv6Address):
        return address
    return str(number.ipv4_mapped or ip_network((number, 64), strict=False))
