"""Where a warehouse may lie: which addresses are connected to, and which files are opened.

A name is resolved once, every address that it has is checked, and the connection goes to those addresses and
no others, so that an answer of DNS that changes in between leads nowhere else.
"""

import ipaddress
import os
import socket
from dataclasses import dataclass
from pathlib import Path

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MOST_ADDRESSES = 8  # of one name that are tried
# Clouds tell credentials to whoever asks here; those in link-local networks are refused with them.
METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.IPv6Network("::/96")


class Refused(ValueError):
    """A place at which no warehouse may lie; the message says what would allow it."""


@dataclass(frozen=True)
class Reach:
    """hosts: names (`db.internal`, or `.internal` for all below it), addresses, networks and directories of
    sockets to which connections may go; () is everywhere except to this machine and its cloud's own services.
    local: with () also to this machine. folders: in which files may lie; () is everywhere.
    """

    hosts: tuple[str, ...] = ()
    local: bool = False
    folders: tuple[str, ...] = ()


def addresses(host: str, port: int, reach: Reach) -> tuple[str, ...]:
    """The checked addresses of a host name or address. Refused if one of them may not be reached; OSError if
    the name has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    texts = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))[:MOST_ADDRESSES]
    for text in texts:
        check_address(host, text, reach)
    return texts


def check_address(host: str, text: str, reach: Reach) -> None:
    """Refused unless connections to `text`, an address of `host`, are allowed."""
    address = _plain(ipaddress.ip_address(text.partition("%")[0]))
    networks = [network for entry in reach.hosts if (network := _network(entry))]
    if any(address in network for network in networks):
        return
    where = host if host == text else f"{host} ({text})"
    if _never(address):
        raise Refused(
            f"{where} is an address for this machine's network or its cloud's own services, not of a "
            "warehouse; the setting WAREHOUSE_HOSTS can allow it"
        )
    if reach.hosts:
        if not any(_named(host, entry) for entry in reach.hosts):
            raise Refused(f"{where} is not among the hosts that the setting WAREHOUSE_HOSTS allows")
    elif address.is_loopback and not reach.local:
        raise Refused(f"{where} is this machine itself; the setting WAREHOUSE_HOSTS can allow it")


def check_socket(directory: str, reach: Reach) -> None:
    """Refused unless a socket in `directory` may be connected to."""
    real = os.path.realpath(directory)
    if any(entry.startswith("/") and os.path.realpath(entry) == real for entry in reach.hosts):
        return
    if reach.hosts or not reach.local:
        raise Refused(
            f"{directory} is a socket of this machine itself; the setting WAREHOUSE_HOSTS can allow it"
        )


def check_file(path: str, reach: Reach) -> str:
    """The file's real path, links followed. Refused unless it lies in one of the folders."""
    real = Path(os.path.realpath(path))
    if reach.folders and not any(real.is_relative_to(os.path.realpath(folder)) for folder in reach.folders):
        raise Refused(
            f"{path} lies outside of the directories for files of warehouses "
            f"({', '.join(reach.folders)}); the setting WAREHOUSE_FILES can add one"
        )
    return str(real)


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address.teredo is not None:
        inner = address.teredo[1]
    if inner is None and any(address in network for network in _NAT64):
        inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if inner is None and address in _COMPATIBLE and int(address) > 1:
        inner = ipaddress.IPv4Address(int(address))
    return inner or address


def _never(address: Address) -> bool:
    """Addresses at which no warehouse lies, wherever this runs."""
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (address.is_reserved and not address.is_loopback)
        or (isinstance(address, ipaddress.IPv4Address) and int(address) >> 24 == 0)
        or address in METADATA
    )


def _network(entry: str) -> Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None


def _named(host: str, entry: str) -> bool:
    host, entry = host.lower().rstrip("."), entry.lower().rstrip(".")
    return host == entry or (entry.startswith(".") and host.endswith(entry))
