"""The OpenID Connect server that people sign in by, as the environment names it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeGuard
from urllib.parse import urlsplit

ROLES = ("viewer", "leader", "analyst", "executive", "admin")  # from the least to the most; see owners.models
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class ProviderMistake(ValueError):
    """A setting that cannot be used; its words name it."""


@dataclass(frozen=True)
class Provider:
    """`roles`: group -> role; empty: roles are given on the page of people. `unmapped`: what becomes of
    somebody with none of the groups, "refuse" or "viewer". `create`: makes an account for whoever has none.
    `only`: nobody signs in by password or passkey.
    """

    issuer: str
    client_id: str
    client_secret: str
    name: str
    scopes: tuple[str, ...]
    groups_claim: str
    roles: tuple[tuple[str, str], ...]
    unmapped: str
    create: bool
    only: bool


def provider(
    *,
    issuer: str,
    client_id: str,
    client_secret: str,
    name: str,
    scopes: Iterable[str],
    groups_claim: str,
    roles: str,
    unmapped: str,
    create: bool,
    only: bool,
    production: bool,
) -> Provider | None:
    """The checked provider; None if no issuer is set. Raises ProviderMistake."""
    if not issuer:
        if only:
            raise ProviderMistake("OIDC_ONLY without OIDC_ISSUER would let nobody in.")
        return None
    parts = urlsplit(issuer)
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
        raise ProviderMistake("OIDC_ISSUER must be an address like https://sso.example.com/realms/main.")
    if parts.scheme == "http" and (production or parts.hostname not in LOOPBACK):
        raise ProviderMistake(
            "OIDC_ISSUER must begin with https: whoever reads along could sign in as anybody."
        )
    if not client_id or not client_secret:
        raise ProviderMistake("OIDC_CLIENT_ID and OIDC_CLIENT_SECRET must be set with OIDC_ISSUER.")
    if unmapped not in {"refuse", "viewer"}:
        raise ProviderMistake("OIDC_UNMAPPED must be refuse or viewer.")
    return Provider(
        issuer=issuer,
        client_id=client_id,
        client_secret=client_secret,
        name=name or parts.hostname,
        scopes=tuple(dict.fromkeys(("openid", *scopes))),
        groups_claim=groups_claim,
        # Where groups are called by names with commas in them (those of LDAP), semicolons part the lines.
        roles=tuple(_mapped(line) for line in roles.split(";" if ";" in roles else ",") if line.strip()),
        unmapped=unmapped,
        create=create,
        only=only,
    )


def role_of(server: Provider, groups: Iterable[str]) -> str:
    """The highest role that `groups` map to; "" if none does."""
    wanted = dict.fromkeys(groups)
    found = [ROLES.index(role) for group, role in server.roles if group in wanted]
    return ROLES[max(found)] if found else ""


def _mapped(line: str) -> tuple[str, str]:
    group, sign, role = (part.strip() for part in line.rpartition("="))
    if not sign or not group or role not in ROLES:
        raise ProviderMistake(
            f"OIDC_ROLES says {line.strip()!r}; each must be group=role with a role of {', '.join(ROLES)}."
        )
    return group, role


def sso_only(server: Provider | None) -> TypeGuard[Provider]:
    """Whether nobody signs in by password or passkey."""
    return server is not None and server.only
