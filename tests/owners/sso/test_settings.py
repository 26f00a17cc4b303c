"""Which settings make a provider, and which are refused."""

import dataclasses
from typing import Any

import pytest

from owners.models import Role
from owners.sso.provider import ROLES, ProviderMistake, provider, role_of

GOOD: dict[str, Any] = {
    "issuer": "https://sso.example.com/realms/main", "client_id": "ns", "client_secret": "s", "name": "",
    "scopes": ["email"], "groups_claim": "groups", "roles": "", "unmapped": "refuse", "create": False,
    "only": False, "production": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"issuer": "http://sso.example.com/"}, "https"),
        ({"issuer": "http://127.0.0.1:8080/"}, "https"),
        ({"issuer": "http://sso.example.com/", "production": False}, "https"),
        ({"issuer": "sso.example.com"}, "address like"),
        ({"issuer": "https://sso.example.com/?realm=x"}, "address like"),
        ({"issuer": "file:///etc/passwd"}, "address like"),
        ({"client_id": ""}, "OIDC_CLIENT_ID"),
        ({"client_secret": ""}, "OIDC_CLIENT_SECRET"),
        ({"unmapped": "admin"}, "OIDC_UNMAPPED"),
        ({"roles": "ns-admins"}, "'ns-admins'"),
        ({"roles": "ns-admins=owner"}, "'ns-admins=owner'"),
        ({"roles": "=admin"}, "'=admin'"),
        ({"issuer": "", "only": True}, "OIDC_ONLY"),
    ],
)
def test_settings_that_cannot_be_used(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ProviderMistake, match=said):
        provider(**{**GOOD, **changed})


def test_settings_that_can() -> None:
    made = provider(**{**GOOD, "roles": "a=viewer, b = leader ,"})
    assert made is not None
    assert made.roles == (("a", "viewer"), ("b", "leader"))
    assert (made.name, made.scopes) == ("sso.example.com", ("openid", "email"))
    by_name = provider(**{**GOOD, "roles": "cn=a,dc=acme=admin;cn=b,dc=acme=viewer"})
    assert by_name is not None
    assert by_name.roles == (("cn=a,dc=acme", "admin"), ("cn=b,dc=acme", "viewer"))
    assert role_of(by_name, ["cn=b,dc=acme", "cn=a,dc=acme"]) == "admin"
    assert provider(**{**GOOD, "issuer": ""}) is None


def test_the_roles_are_those_of_accounts() -> None:
    assert list(ROLES) == Role.values


def test_the_provider_is_read_only() -> None:
    made = provider(**GOOD)
    assert made is not None
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.only = True
