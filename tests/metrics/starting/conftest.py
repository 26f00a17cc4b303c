"""A company of accounts alone, and its executive's browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

if TYPE_CHECKING:  # models cannot be imported before Django is set up
    from tests.people import Company


@pytest.fixture
def people(db: None) -> Company:
    """Accounts of every role and no metric."""
    from metrics.models import Metric
    from owners.models import Ownership
    from tests.people import company

    made = company()
    Metric.objects.all().delete()
    Ownership.objects.all().delete()
    return made


@pytest.fixture
def executive(people: Company, client: Client) -> Client:
    client.force_login(people.executive)
    return client
