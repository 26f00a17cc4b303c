"""The company whose figures come out of spreadsheets."""

import pytest

from metrics.models import Metric
from tests.people import Company, company


@pytest.fixture
def people() -> Company:
    made = company()
    Metric.objects.all().delete()
    return made
