"""The one client for every HTTP request that leaves this installation: webhooks, Slack, Teams.

Its addresses are typed by people, so each is suspected of pointing into our own network (SSRF). The name is
resolved once, every address it has is checked, and the connection goes to an address that was checked: a name
that resolves differently a moment later gains nothing. Redirects are not followed, proxies of the environment
are not asked, certificates are verified, answers are cut off at a size and at a time.

`OUTGOING_ALLOW` names hosts and networks that are exempt from the check of addresses, `OUTGOING_HTTP` allows
plain http, `OUTGOING_CA_FILE` adds authorities of one's own.
"""

import contextlib
import re
import socket
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationParseError, NewConnectionError
from urllib3.util import parse_url
from urllib3.util.ssl_ import create_urllib3_context

CONNECTING = 5.0  # seconds
READING = 10.0  # seconds of silence
TOTAL = 20.0  # seconds for the whole answer, however steadily it drips
LARGEST = 64 * 1024  # bytes of an answer that are read; the rest is not waited for
LONGEST_URL = 2000  # characters
PORTS = {80, 443}  # below 1024; other low ports speak other protocols

# What `is_global` calls public, and what can still lead to an address inside: translated and tunnelled ones.
TRANSLATED = [
    ip_network(net)
    for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "::ffff:0:0:0/96")
]
ODD_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)

Address = IPv4Address | IPv6Address


class Refused(Exception):
    """This address is not to be asked; the words are for whoever typed it."""


def check(url: str) -> None:
    """Whether a request to `url` would be made now: its form, and the addresses of its host. Asks the DNS.

    Raises Refused.
    """
    host, port = _parts(url)
    try:
        _addresses(host, port)
    except OSError:
        raise Refused(f"There is no host {host}. Check the address.") from None


def post(url: str, body: bytes, headers: Mapping[str, str]) -> requests.Response:
    """The answer, its content cut off at `LARGEST`. Raises Refused, requests.RequestException."""
    with Session() as session:
        return session.request("POST", url, data=body, headers=dict(headers))


class Session(requests.Session):
    """requests' session with this module's rules; what a caller says against them is not heard."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False  # neither proxies nor passwords of the environment
        self.adapters.clear()
        self.mount("https://", _Adapter())
        self.mount("http://", _Adapter())

    def request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """As requests, with data, json, params and headers only."""
        kept = {name: kwargs[name] for name in ("data", "json", "params", "headers") if kwargs.get(name)}
        return super().request(method, url, allow_redirects=False, **kept)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Nowhere: where a redirect leads has not been checked."""
        return None


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        context = create_urllib3_context()
        context.load_default_certs()
        if settings.OUTGOING_CA_FILE:
            context.load_verify_locations(settings.OUTGOING_CA_FILE)
        super().init_poolmanager(*args, ssl_context=context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
        host, tls = super().build_connection_pool_key_attributes(*args, **kwargs)
        # With `ssl_context` of its own requests would replace ours.
        tls.pop("ssl_context", None)
        return host, {**tls, "cert_reqs": "CERT_REQUIRED"}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        _parts(request.url or "")
        with _Deadline() as deadline:
            response = super().send(
                request, stream=True, timeout=(CONNECTING, READING), verify=True, cert=None, proxies=None
            )
            try:
                response._content = response.raw.read(LARGEST, decode_content=True)
                cast(Any, response)._content_consumed = True
            except (HTTPError, OSError) as error:
                raise requests.ConnectionError(error, request=request) from error
            finally:
                response.close()
                response.raw.close()
        if deadline.over:  # to the reader it looked like the answer's end
            raise requests.ReadTimeout("the answer took too long", request=request)
        return response


class _Deadline:
    """Ends the connections that are made inside of it once the time is over."""

    def __init__(self) -> None:
        self.over = False
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(TOTAL, self._end)
        self._timer.daemon = True

    def __enter__(self) -> "_Deadline":
        self._token = _deadline.set(self)
        self._timer.start()
        return self

    def __exit__(self, *args: object) -> None:
        _deadline.reset(self._token)
        self._timer.cancel()
        for sock in self._sockets:
            sock.close()

    def watch(self, sock: socket.socket) -> None:
        """A duplicate of the socket, which ends the same connection: TLS takes the original over."""
        self._sockets.append(sock.dup())

    def _end(self) -> None:
        self.over = True
        for sock in self._sockets:
            with contextlib.suppress(OSError):  # it may have ended by itself
                sock.shutdown(socket.SHUT_RDWR)


_deadline: ContextVar[_Deadline | None] = ContextVar("deadline", default=None)


class _Pinned:
    """A connection to an address that was checked."""

    def _new_conn(self) -> socket.socket:
        connection = cast(HTTPConnection, self)
        host, port = connection._dns_host, connection.port or 0
        try:
            sock = _connect(host, port)
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, f"{host} does not answer") from error
        except OSError as error:
            raise NewConnectionError(connection, f"{host} cannot be reached: {error}") from error
        deadline = _deadline.get()
        if deadline is not None:
            deadline.watch(sock)
        return sock


class _Connection(_Pinned, HTTPConnection):
    pass


class _SecureConnection(_Pinned, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def _connect(host: str, port: int) -> socket.socket:
    """A connection to one of the host's addresses, all of them checked."""
    failed: OSError | None = None
    for family, kind, protocol, target in _addresses(host, port):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(CONNECTING)
            sock.connect(target)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sock.close()
            failed = error
        else:
            return sock
    raise failed or OSError("it has no address")


def resolve(host: str, port: int) -> list[tuple[Any, ...]]:
    """What the system knows of the host, as socket.getaddrinfo says it; OSError if nothing."""
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def _addresses(host: str, port: int) -> list[tuple[Any, Any, Any, Any]]:
    """(family, type, protocol, target) of each address. Refused if one is not public: that a name has a
    public address too proves nothing."""
    found = resolve(host, port)
    if host.rstrip(".").lower() not in settings.OUTGOING_ALLOW:
        for *_, target in found:
            if not is_allowed(ip_address(str(target[0]).partition("%")[0])):
                raise Refused(
                    f"{host} is inside of a private network ({target[0]}), and is not asked. Whoever runs "
                    "this server can allow it: OUTGOING_ALLOW."
                )
    return [(family, kind, protocol, target) for family, kind, protocol, _, target in found]


def is_allowed(address: Address) -> bool:
    """Whether this address is public, or in a network of OUTGOING_ALLOW."""
    for allowed in settings.OUTGOING_ALLOW:
        try:
            network = ip_network(allowed)
        except ValueError:
            continue  # the name of a host
        if address.version == network.version and address in network:
            return True
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_allowed(address.ipv4_mapped)
        if any(address in network for network in TRANSLATED) or address.is_site_local:
            return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    )


def _parts(url: str) -> tuple[str, int]:
    """Host and port of an address that may be asked for its form; Refused for any other."""
    if len(url) > LONGEST_URL:
        raise Refused("This address is too long.")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise Refused("An address has no spaces, backslashes or letters beyond a to z.")
    try:
        parsed, other = parse_url(url), urlsplit(url)
        host, port = parsed.host or "", parsed.port
        same = (other.hostname or "") == host.strip("[]").lower() and other.port == port
    except (LocationParseError, ValueError):
        raise Refused("This is not the address of a web hook.") from None
    if parsed.scheme not in ("https", "http") or not host:
        raise Refused("The address begins with https://.")
    if parsed.scheme == "http" and not settings.OUTGOING_HTTP:
        raise Refused("The address begins with https://; without the s everybody on the way could read it.")
    if parsed.auth is not None or "@" in (parsed.netloc or "") or not same:
        raise Refused("The address holds no user or password before the host.")
    bare = host.strip("[]")
    if not _is_address(bare) and ODD_NUMBER.fullmatch(bare.rstrip(".").rpartition(".")[2]):
        raise Refused("Write the host as a name.")
    port = port or (443 if parsed.scheme == "https" else 80)
    if port < 1024 and port not in PORTS:
        raise Refused(f"Port {port} is not one of a web server.")
    return bare, port


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
