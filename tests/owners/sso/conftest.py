"""A server that signs people in, the company they belong to, and the settings that let the two meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from owners.sso.provider import Provider, provider
from tests.owners.sso import oidc
from tests.owners.sso.oidc import Server

if TYPE_CHECKING:  # models cannot be imported before Django is set up
    from tests.people import Company


@pytest.fixture
def server() -> Iterator[Server]:
    """An OpenID Connect server of this test alone."""
    made = Server()
    yield made
    made.close()


@pytest.fixture
def people(db: None) -> Company:
    """Accounts of every role."""
    from tests.people import company

    return company()


@pytest.fixture
def configured(server: Server, settings: Any) -> Any:
    """Sets the provider; call it with what differs."""

    def configure(**more: Any) -> Provider:
        values: dict[str, Any] = {
            "issuer": server.issuer,
            "client_id": oidc.CLIENT,
            "client_secret": oidc.SECRET,
            "name": "Acme ID",
            "scopes": ["openid", "email"],
            "groups_claim": "groups",
            "roles": "",
            "unmapped": "refuse",
            "create": True,
            "only": False,
            "production": False,
        }
        made = provider(**{**values, **more})
        assert made is not None
        settings.OIDC = made
        settings.SITE_URL = "http://testserver"
        return made

    configure()
    return configure
