"""A company whose people sign in by password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # models cannot be imported before Django is set up
    from tests.people import Company


@pytest.fixture
def people(db: None, settings: Any) -> Company:
    """Accounts of every role, each with the password of `steps`."""
    from tests.owners.ways_in.steps import PASSWORD
    from tests.people import company

    settings.SITE_URL = "https://metrics.example.com"
    settings.ALLOWED_HOSTS = ["*"]
    made = company()
    for user in made.users.values():
        user.set_password(PASSWORD)
        user.save()
    return made
