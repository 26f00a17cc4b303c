"""The company whose figures come out of spreadsheets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # models cannot be imported before Django is set up
    from tests.people import Company


@pytest.fixture
def people(db: None) -> Company:
    """Accounts of every role and no metric."""
    from metrics.models import Metric
    from tests.people import company

    made = company()
    Metric.objects.all().delete()
    return made
