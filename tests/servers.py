"""Servers that tests talk to over real sockets: one that takes web hooks, with TLS if wanted."""

import datetime
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Asked:
    """One request that came in. `sni` is the name that the client asked the certificate of."""

    path: str
    headers: dict[str, str]
    body: bytes
    sni: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = Callable[[BaseHTTPRequestHandler, Asked], None]


def answering(status: int = 200, body: bytes = b"ok", **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@dataclass
class Hook:
    """A running server: where it listens, what it was asked, and what it answers."""

    port: int
    answer: Answer = field(default_factory=answering)
    asked: list[Asked] = field(default_factory=list)
    names: list[str] = field(default_factory=list)  # of TLS, one a connection


@contextmanager
def hook_server(tls: tuple[Path, Path] | None = None) -> Iterator[Hook]:
    """A web hook's server on a free port of 127.0.0.1; `tls`: certificate and key."""
    hook: Hook

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def take(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.path, headers, self.rfile.read(length), (hook.names or [""])[-1])
            hook.asked.append(asked)
            self.close_connection = True
            with suppress(OSError):  # the client may have gone
                hook.answer(self, asked)

        do_GET = do_POST = take

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hook = Hook(server.server_address[1])
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        context.sni_callback = lambda _socket, name, _context: hook.names.append(name or "")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def certificate(place: Path, *names: str) -> tuple[Path, Path]:
    """A self-signed certificate for these hosts and its key, as files; it is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    where = place / f"{names[0]}.pem", place / f"{names[0]}.key"
    where[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    where[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return where
