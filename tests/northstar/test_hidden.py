"""What only the leadership may see is named to nobody else: on no page that links lead to, in no list of the
API, and in no answer to what is asked about it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from metrics.models import (
    Disposition,
    Dispute,
    Driver,
    HeldDecision,
    MetricState,
    MetricVersion,
    Revision,
    Run,
    Source,
)
from metrics.services.entries import EntryRow, enter
from owners.models import Action, CheckIn, Deviation, Leader, Ownership, User
from tests.metrics import making
from tests.metrics.stage import SINCE, Stage, stage
from tests.northstar.spider import walk

pytestmark = pytest.mark.django_db
CANARY = "zqsalar"  # in every word of the hidden metric, whatever its case
HIDDEN = ("zqsalaries", "zqsalary_nps")
API = ("metrics", "values", "entries", "targets", "leaders")


@pytest.fixture
def company() -> Stage:
    """The stage, with a metric for the leadership alone of which there is everything that there can be, and
    one for everybody that is built on it, fails because of it, and is driven by it."""
    made = stage(timezone.localdate())
    elena = Leader.objects.get(key="elena")
    hidden = making.metric(
        "zqsalaries", name="Zqsalaries", visible="leadership", definition="Zqsalary sum", by=["city"],
        success="zqsalary falls", segment="zqsalary",
    )  # fmt: skip
    Ownership.objects.create(metric_key="zqsalaries", from_date=SINCE, leader=elena, note="zqsalary")
    making.month(hidden, made.month.year, made.month.month, 77_123.0)
    making.month(
        hidden, made.month.year, made.month.month, 7.0, dimension="city", member="Zqsalary member"
    )  # fmt: skip
    making.target(hidden, made.quarter, 88_123.0, [88_000.0] * 3)
    now = timezone.now()
    CheckIn.objects.create(metric_key="zqsalaries", leader=elena, date=made.today, text="zqsalary rise")
    Action.objects.create(text="Cut zqsalaries", leader=elena, metric_key="zqsalaries")
    place: dict[str, Any] = {"metric": hidden, "grain": "month", "period_start": made.month}
    end = (made.month + timedelta(days=32)).replace(day=1)
    Dispute.objects.create(
        **place, period_end=end, author=made.executive, text="zqsalary wrong", raised_at=now
    )
    HeldDecision.objects.create(
        **place, period_end=end, value=1.0, outcome="rejected", reason="zqsalary odd", author=made.executive,
        check_words="zqsalary", decided_at=now,
    )  # fmt: skip
    Disposition.objects.create(
        metric=hidden, grain="week", period_start=made.today - timedelta(days=28), text="zqsalary"
    )
    Revision.objects.create(
        **place, period_end=end, value=1.0, status="final", version=1, computed_at=now, replaced_at=now,
        cause="source",
    )  # fmt: skip
    Deviation.objects.create(
        metric_key="zqsalaries", quarter=made.quarter, shortfall=5.0, reason="zqsalary", asked_at=now,
        until_date=made.today,
    )  # fmt: skip
    counted = making.manual("zqsalary_nps", "level", name="Zqsalary NPS", visible="leadership")
    enter(counted, [EntryRow(made.month, 41.0, note="zqsalary note")], author=None, origin="file")

    spec: dict[str, Any] = {
        "formula": "zqsalaries / orders", "inputs": {"zqsalaries": "zqsalaries", "orders": "orders"},
    }  # fmt: skip
    shown = making.metric("margin", spec, "derived", name="Margin", unit="ratio")
    Ownership.objects.create(metric_key="margin", from_date=SINCE, leader=elena)
    making.month(shown, made.month.year, made.month.month, 3.0)
    making.target(shown, made.quarter, 4.0, [4.0] * 3)
    MetricState.objects.create(metric=shown, error="waits for zqsalaries", stale_since=now)
    MetricState.objects.create(metric=hidden, error="zqsalary column is gone", stale_since=now, held=[])
    MetricVersion.objects.create(metric=shown, number=2, fingerprint="x" * 64, reason="follows zqsalaries")
    spec = {"numerator": "zqsalaries", "denominator": "orders"}
    index = making.metric("index", spec, "ratio", name="Index")
    making.month(index, made.month.year, made.month.month, 50.0)
    Driver.objects.create(metric=shown, driver=hidden, relation="component")
    Driver.objects.create(metric=hidden, driver=shown, relation="influence")
    Run.objects.create(
        source=Source.objects.get(), cause="schedule", state=Run.State.FAILED,
        error="source orders, metric zqsalaries: no column\nLINE 1: select zqsalary_bonus",
    )  # fmt: skip
    return made


def said(response: Any) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return body.decode(errors="replace") + str(dict(response.headers))


def around(text: str) -> list[str]:
    return [text[max(0, m.start() - 60) : m.end() + 30] for m in re.finditer(CANARY, text, re.IGNORECASE)]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


PAGES = (
    *(
        "/",
        "/leaders/",
        "/leaders/elena/",
        "/metrics/",
        "/metrics/margin/",
        "/metrics/index/",
        "/metrics/orders/",
    ),
    *(
        "/targets/",
        "/me/",
        "/disputes/",
        "/import/",
        "/settings/",
        "/settings/updates/",
        "/settings/sources/",
    ),
    *("/settings/tokens/", "/find/?q=zqsal", "/account/notices/"),
    *(f"/api/v1/{name}/" for name in (*API, "schema")),
)


@pytest.mark.parametrize("who", ["viewer", "charlie"])
def test_no_page_names_it(company: Stage, who: str) -> None:
    client = signed_in(getattr(company, who))
    leaks = {}
    seen = 0
    for address, response in walk(client, *PAGES, most=6):
        seen += response.status_code == 200
        found = [cut for cut in around(said(response)) if "q=zqsal" not in cut]
        if found:
            leaks[address] = found[:3]
    assert seen > 15
    assert not leaks, json.dumps(leaks, indent=1)


def test_the_leadership_sees_it(company: Stage) -> None:
    """Or the test above would find nothing because there is nothing."""
    client = signed_in(company.executive)
    for address in ("/", "/metrics/", "/metrics/margin/", "/disputes/", "/leaders/elena/", "/find/?q=zqsal"):
        assert around(said(client.get(address, follow=True))), address
    for name in API:
        assert around(said(client.get(f"/api/v1/{name}/"))), name


@pytest.mark.parametrize("who", ["viewer", "charlie"])
def test_to_ask_for_it_is_to_ask_for_nothing(company: Stage, who: str) -> None:
    """Every answer is that to a metric that does not exist, but for the name that was asked for."""
    client = signed_in(getattr(company, who))
    for key in HIDDEN:
        assert answers(client, key, company) == answers(client, "nothing_at_all", company)


def answers(client: Client, key: str, company: Stage) -> list[tuple[int, str]]:
    """What is told of a key, in words where it is told to a program."""
    row = {"metric": key, "period_start": str(company.month), "value": 1}
    told = [client.get(f"/api/v1/{name}/?metric={key}") for name in API[:-1]]
    told.append(client.post("/api/v1/values/", [row], content_type="application/json"))
    pages = ("", "values/", "owner/", "signals/", "call/", "dispute/", "cadence/", "check-in/", "deviation/")
    shown = [client.get(f"/metrics/{key}/{page}").status_code for page in pages]
    shown += [
        client.get(f"/targets/{company.quarter}/{key}/").status_code,
        client.get(f"/me/{key}/").status_code,
    ]
    words = [(answer.status_code, answer.content.decode().replace(key, "KEY")) for answer in told]
    return words + [(status, "") for status in shown]
