"""A small OpenID Connect server for tests: discovery, keys, authorize, token, user info, over real HTTP.

It signs people in without asking and can be told to lie. Written from the specification alone: it shares no
code with the client.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt.algorithms import RSAAlgorithm

CLIENT, SECRET = "north-star", "s3cret & sign"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGERS_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(key: RSAPrivateKey, kid: str) -> dict[str, Any]:
    return {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", "alg": "RS256"}


def ana(**more: Any) -> dict[str, Any]:
    return {"sub": "ana-1", "email": "ana@example.com", "email_verified": True, "name": "Ana Ruiz", **more}


@dataclass
class Server:
    """`person` signs in next. The rest is what it lies about."""

    person: dict[str, Any] = field(default_factory=ana)
    userinfo: dict[str, Any] | None = None
    tampered: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    sign: Callable[[dict[str, Any]], str] | None = None
    discovery: dict[str, Any] = field(default_factory=dict)
    keys: list[dict[str, Any]] = field(default_factory=lambda: [jwk(KEY, "k1")])
    denied: str = ""
    raw: dict[str, tuple[int, bytes]] = field(default_factory=dict)  # path -> answer as it is
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # paths, in order
    post: bool = False  # the client's secret is wanted in the form

    def __post_init__(self) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self, {})

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                form = parse_qs(self.rfile.read(length).decode(), keep_blank_values=True)
                server.answer(self, {name: values[0] for name, values in form.items()})

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.http.server_address[1]}/realms/main"
        self.thread = threading.Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self.thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def answer(self, request: BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        url = urlsplit(request.path)
        path = url.path.removeprefix("/realms/main")
        self.asked.append(path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if path in self.raw:
            return self.send(request, *self.raw[path])
        if path == "/.well-known/openid-configuration":
            return self.json(request, {**self.document(), **self.discovery})
        if path == "/keys":
            return self.json(request, {"keys": self.keys})
        if path == "/authorize":
            return self.authorize(request, query)
        if path == "/token":
            return self.token(request, form)
        if path == "/userinfo" and request.headers.get("Authorization") == "Bearer access":
            return self.json(request, self.userinfo or {})
        return self.send(request, 404, b"no such place")

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": [f"client_secret_{'post' if self.post else 'basic'}"],
            **({"userinfo_endpoint": f"{self.issuer}/userinfo"} if self.userinfo is not None else {}),
        }

    def authorize(self, request: BaseHTTPRequestHandler, query: dict[str, str]) -> None:
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert "openid" in query["scope"].split()
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        back = {"error": self.denied} if self.denied else {"code": code, "iss": self.issuer}
        request.send_response(302)
        request.send_header(
            "Location", f"{query['redirect_uri']}?{urlencode({**back, 'state': query['state']})}"
        )
        request.send_header("Content-Length", "0")
        request.end_headers()

    def token(self, request: BaseHTTPRequestHandler, form: dict[str, str]) -> None:
        if self.post:
            who = (form.get("client_id", ""), form.get("client_secret", ""))
        else:
            encoded = request.headers.get("Authorization", "").removeprefix("Basic ")
            name, _, secret = base64.b64decode(encoded).decode().partition(":")
            who = (unquote_plus(name), unquote_plus(secret))
        begun = self.codes.pop(form.get("code", ""), None)
        hashed = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(hashed).decode().rstrip("=")
        if (
            who != (CLIENT, SECRET)
            or begun is None
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != begun["redirect_uri"]
            or challenge != begun["code_challenge"]
        ):
            return self.json(request, {"error": "invalid_grant"}, 400)
        claims = self.tampered(
            {
                "iss": self.issuer,
                "aud": CLIENT,
                "iat": int(time.time()),
                "exp": int(time.time()) + 300,
                "nonce": begun["nonce"],
                **self.person,
            }
        )
        token = (self.sign or signed)(claims)
        return self.json(request, {"access_token": "access", "token_type": "Bearer", "id_token": token})

    def json(self, request: BaseHTTPRequestHandler, said: dict[str, Any], status: int = 200) -> None:
        self.send(request, status, json.dumps(said).encode())

    def send(self, request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        if status in (301, 302):
            request.send_header("Location", body.decode())
        request.end_headers()
        request.wfile.write(body)


def signed(claims: dict[str, Any], key: Any = KEY, alg: str = "RS256", kid: str | None = "k1") -> str:
    return jwt.encode(claims, key, algorithm=alg, headers={"kid": kid} if kid else None)
