"""An admin of a company, a directory that pages may read, and no answers left over from another test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

if TYPE_CHECKING:  # models cannot be imported before Django is set up
    from tests.people import Company


@pytest.fixture(autouse=True)
def _no_old_answers() -> Iterator[None]:
    from metrics.services import questions

    questions._questions.clear()
    yield
    questions._questions.clear()


@pytest.fixture
def people(db: None) -> Company:
    """Accounts of every role, with metrics that no warehouse is asked for."""
    from metrics.models import Metric
    from tests.people import company

    made = company()
    Metric.objects.update(type="manual", spec={"kind": "amount", "grain": "month"})
    return made


@pytest.fixture
def admin(people: Company) -> Client:
    client = Client()
    client.force_login(people.admin)
    return client


@pytest.fixture
def here(settings: Any, tmp_path: Path) -> Path:
    """A directory in which pages may name files."""
    settings.WAREHOUSE_FILES_ON_PAGES = [str(tmp_path)]
    return tmp_path
