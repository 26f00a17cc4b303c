"""People and a warehouse for tests of the pages on which sources and metrics are defined."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from metrics.models import Metric
from metrics.services import questions
from metrics.services.apply import apply
from tests.metrics.files import make_warehouse
from tests.people import Company, company

NEW = "/settings/sources/new/"
METRIC = "/settings/sources/orders/metrics/new/"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(questions, "WAIT", 60)  # the machine of the tests may be slow
    questions._questions.clear()
    yield
    questions._questions.clear()


@pytest.fixture
def people(db: None, tmp_path: Path) -> Company:
    made = company()
    Metric.objects.update(type="manual", spec={"kind": "amount", "grain": "month"})
    apply(f"warehouses:\n  shop: {{engine: duckdb, path: {make_warehouse(tmp_path)}}}\n")
    return made


@pytest.fixture
def analyst(people: Company) -> Client:
    client = Client()
    client.force_login(people.analyst)
    return client


def filled(page: Any) -> dict[str, str]:
    """What a browser would send of the page's form as it stands."""
    context = page.context
    form = context["form"]
    given = {name: form[name].value() or "" for name in form.fields}
    for line in context["lines"]:
        given[f"expr-{line.number}"] = line.expression
        given[f"name-{line.number}"] = line.name
        if line.used:
            given[f"use-{line.number}"] = "on"
        if not line.column and not line.expression:
            given[f"own-{line.number}"] = "1"
    return {"warehouse": "shop", "action": "save", **{k: str(v) for k, v in given.items()}}


def add(client: Client, **changes: str) -> Any:
    return client.post(NEW, {**filled(client.get(NEW, {"table": "orders"})), **changes})


def metric(client: Client, **given: Any) -> Any:
    said = {"way": "count", "unit": "count", "role": "supporting", "better": "up", "visible": "everyone"}
    return client.post(METRIC, {**said, "action": "save", **given})
