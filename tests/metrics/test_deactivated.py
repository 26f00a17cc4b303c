"""Whoever leaves the company keeps their name on what they said, entered and changed."""

import pytest
from django.test import Client
from django.utils import timezone

from metrics.models import Metric
from metrics.services.entries import EntryRow, enter
from tests.metrics.stage import NOTED, Stage, stage


@pytest.fixture
def company(db: None) -> Stage:
    return stage(timezone.localdate())


def read(company: Stage, path: str) -> str:
    client = Client()
    client.force_login(company.analyst if not path.startswith("/settings/") else company.admin)
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_a_deactivated_persons_name_stays(company: Stage) -> None:
    figure = EntryRow(company.month, numerator=17, denominator=20)
    enter(Metric.objects.get(key="plans"), [figure], author=company.elena, origin="page")
    client = Client()
    client.force_login(company.admin)
    pages = ("/metrics/on_time/", "/metrics/plans/", f"/leaders/{company.state}", "/settings/audit/")
    before = {path: read(company, path).count("Elena") for path in pages}
    assert all(before.values()), before
    answer = client.post(f"/settings/people/{company.elena.pk}/active/", {"active": "no"})
    assert answer.status_code == 302
    after = {path: read(company, path).count("Elena") for path in pages}
    assert {path: after[path] for path in pages[:3]} == {path: before[path] for path in pages[:3]}
    assert after["/settings/audit/"] >= before["/settings/audit/"]
    assert NOTED in read(company, "/metrics/on_time/")
    assert "elena@example.com" in read(company, "/settings/people/")
