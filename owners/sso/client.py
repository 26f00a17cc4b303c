"""The protocol: OpenID Connect's authorization code flow with PKCE, state and nonce.

https://openid.net/specs/openid-connect-core-1_0.html, section 3.1; RFC 7636; RFC 9207. What the server says
is believed only after its ID token is checked: signature by a key of the issuer, issuer, audience, times,
nonce.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
import requests

from owners.sso.provider import Provider

TIMEOUT = (5, 10)  # seconds to connect, and between two bytes
LARGEST = 1_000_000  # bytes of an answer
# Signed with a key of which the issuer alone has the private half. Neither "none" nor HMAC is ever believed.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY = 60  # seconds that two clocks may differ by


class ServerFault(Exception):
    """The server is down, or what it says must not be believed. The words are for the log."""


@dataclass(frozen=True)
class Endpoints:
    """What the issuer's discovery document says; `issuer` as it is to stand in ID tokens."""

    issuer: str
    authorize: str
    token: str
    keys: str
    userinfo: str
    basic: bool  # the client's secret goes into the Authorization header, not into the form


@dataclass(frozen=True)
class Attempt:
    """What is kept in the browser's session between the way there and the way back."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Claims:
    """Who has signed in there. `email` is "" unless the server has verified that address."""

    issuer: str
    subject: str
    email: str
    name: str
    groups: tuple[str, ...]


def new_attempt() -> Attempt:
    return Attempt(*(secrets.token_urlsafe(32) for _ in range(3)))


def discover(server: Provider) -> Endpoints:
    """Asks the issuer where its doors are. Raises ServerFault."""
    said = _get(server.issuer.rstrip("/") + "/.well-known/openid-configuration")
    issuer = _text(said, "issuer")
    if issuer.rstrip("/") != server.issuer.rstrip("/"):
        raise ServerFault(f"the document of {server.issuer} is that of {issuer}")
    methods = said.get("token_endpoint_auth_methods_supported")
    found = Endpoints(
        issuer=issuer,
        authorize=_text(said, "authorization_endpoint"),
        token=_text(said, "token_endpoint"),
        keys=_text(said, "jwks_uri"),
        userinfo=str(said.get("userinfo_endpoint") or ""),
        basic=not isinstance(methods, list) or "client_secret_basic" in methods,
    )
    secure = urlsplit(server.issuer).scheme == "https"
    for url in (found.authorize, found.token, found.keys, found.userinfo):
        if url and urlsplit(url).scheme != "https" and (secure or urlsplit(url).scheme != "http"):
            raise ServerFault(f"{url} is not https")
    return found


def way_there(server: Provider, doors: Endpoints, attempt: Attempt, callback: str) -> str:
    """The address to which the browser goes to sign in."""
    hashed = hashlib.sha256(attempt.verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": server.client_id,
        "redirect_uri": callback,
        "scope": " ".join(server.scopes),
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": base64.urlsafe_b64encode(hashed).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return f"{doors.authorize}{'&' if '?' in doors.authorize else '?'}{urlencode(asked)}"


def claims_of(server: Provider, code: str, attempt: Attempt, callback: str, issuer: str = "") -> Claims:
    """Who brought `code` back. `issuer`: what stood beside it, if anything. Raises ServerFault."""
    doors = discover(server)
    if issuer and issuer != doors.issuer:
        raise ServerFault(f"the code comes from {issuer[:200]}")
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": callback,
        "code_verifier": attempt.verifier,
    }
    if doors.basic:
        answer = _ask("POST", doors.token, data=form, auth=_basic(server))
    else:
        secret = {"client_id": server.client_id, "client_secret": server.client_secret}
        answer = _ask("POST", doors.token, data={**form, **secret})
    said = verified(server, doors, _text(answer, "id_token"), attempt.nonce)
    if doors.userinfo and not _enough(server, said):
        bearer = {"Authorization": f"Bearer {_text(answer, 'access_token')}"}
        more = _ask("GET", doors.userinfo, headers=bearer)
        if more.get("sub") != said["sub"]:
            raise ServerFault("the user info is about somebody else")
        if "email_verified" not in said:
            said.pop("email", None)  # an address and whether it is verified are believed from one place
        said = {**more, **said}
    return _claims(server, doors, said)


def verified(server: Provider, doors: Endpoints, token: str, nonce: str) -> dict[str, Any]:
    """What an ID token says, after every check of section 3.1.3.7. Raises ServerFault."""
    try:
        header = jwt.get_unverified_header(token)
        key = _key(_get(doors.keys), header)
        said: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            audience=server.client_id,
            issuer=doors.issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError) as error:
        raise ServerFault(f"the ID token is not valid: {error}") from error
    if not secrets.compare_digest(str(said["nonce"]).encode(), nonce.encode()):
        raise ServerFault("the ID token was made for another sign-in")
    several = isinstance(said["aud"], list) and len(said["aud"]) > 1
    if (several or "azp" in said) and said.get("azp") != server.client_id:
        raise ServerFault("the ID token was made for another client")
    if not 0 < len(said["sub"]) <= 255 or not said["sub"].isprintable():
        raise ServerFault("the ID token names nobody")
    return said


def _key(said: Mapping[str, Any], header: Mapping[str, Any]) -> Any:
    """The issuer's public key that signed a token with this header."""
    if header.get("alg") not in ALGORITHMS:
        raise ServerFault(f"the ID token is signed by {header.get('alg')}")
    keys = [
        key
        for key in jwt.PyJWKSet.from_dict(dict(said)).keys
        if key.public_key_use in (None, "sig") and ("kid" not in header or key.key_id == header["kid"])
    ]
    if len(keys) != 1:
        raise ServerFault(f"{len(keys)} of the issuer's keys are called {header.get('kid')!r}")
    return keys[0].key


def _enough(server: Provider, said: Mapping[str, Any]) -> bool:
    return {"email", "email_verified"} <= said.keys() and (not server.roles or server.groups_claim in said)


def _claims(server: Provider, doors: Endpoints, said: Mapping[str, Any]) -> Claims:
    groups = said.get(server.groups_claim)
    if isinstance(groups, str):
        groups = [groups]
    email = said.get("email")
    known = isinstance(email, str) and email.isprintable()
    word = said.get("email_verified")
    proved = word is True or word == "true"  # some servers write it as text
    name = "".join(c for c in str(said.get("name") or "") if c.isprintable())
    return Claims(
        issuer=doors.issuer,
        subject=str(said["sub"]),
        email=str(email).strip().lower() if known and proved else "",
        name=name.strip()[:200],
        groups=tuple(group for group in groups if isinstance(group, str)) if isinstance(groups, list) else (),
    )


def _basic(server: Provider) -> requests.auth.HTTPBasicAuth:
    """RFC 6749, 2.3.1: both parts are form-encoded first."""
    encoded = (urlencode({"": part})[1:] for part in (server.client_id, server.client_secret))
    return requests.auth.HTTPBasicAuth(*encoded)


def _get(url: str) -> dict[str, Any]:
    return _ask("GET", url)


def _ask(method: str, url: str, **more: Any) -> dict[str, Any]:
    """The JSON object that `url` answers with; no redirect is followed. Raises ServerFault."""
    try:
        with (
            requests.Session() as session,
            session.request(
                method, url, timeout=TIMEOUT, allow_redirects=False, stream=True, **more
            ) as answer,
        ):
            body = answer.raw.read(LARGEST + 1, decode_content=True)
            status = answer.status_code
    except (requests.RequestException, OSError, ValueError) as error:
        raise ServerFault(f"{url} cannot be reached: {error}") from error
    except Exception as error:  # urllib3's own, for a body that breaks off
        raise ServerFault(f"{url} broke off: {error}") from error
    if status != 200 or len(body) > LARGEST:
        raise ServerFault(f"{url} answered {status}: {body[:200]!r}")
    try:
        said = json.loads(body)
    except ValueError as error:
        raise ServerFault(f"{url} answered no JSON") from error
    if not isinstance(said, dict):
        raise ServerFault(f"{url} answered no object")
    return said


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value:
        raise ServerFault(f"there is no {name} in the answer")
    return value
