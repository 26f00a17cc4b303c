"""schemathesis over the description, as each role and token: no 5xx, no answer that is not described, and
what does not fit the description is refused. Through the real entry point."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest
import schemathesis
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from metrics.models import Benchmark, Entry, Metric, Target, Value
from metrics.services.apply import apply
from northstar.wsgi import application
from owners.models import ApiToken, Leader
from owners.services import tokens
from tests.people import Company, company

FILE = """
metrics:
  nps: {name: NPS, unit: score, type: manual, kind: level, grain: month, owner: alice}
  plans: {name: Plans, unit: percent, type: manual, kind: share, grain: month, owner: alice, by: [team]}
  calls: {name: Calls, type: manual, kind: amount, grain: month, owner: bob, visible: team}
  twice: {name: Twice, type: derived, unit: score, formula: nps * 2, owner: alice}
"""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
EXAMPLES = {GenerationMode.POSITIVE: 5, GenerationMode.NEGATIVE: 6}
CSRF = "a" * 32
SESSIONS = ("viewer", "leader", "analyst", "executive", "admin", "alice")
TOKENS: dict[str, Callable[[Company], str]] = {
    "reads": lambda people: _token(people, "viewer", "read"),
    "writes": lambda people: _token(people, "alice", "values:write"),
    "both": lambda people: _token(people, "alice", "read", "values:write"),
    "narrow": lambda people: _token(people, "alice", "read", "values:write", keys=("plans",)),
    "expired": lambda people: _token(people, "alice", "read", ended="expires_at"),
    "revoked": lambda people: _token(people, "alice", "read", ended="revoked_at"),
    "nonsense": lambda people: "nst_nonsense",
}
pytestmark = pytest.mark.django_db(transaction=True)


def _token(people: Company, name: str, *scopes: str, keys: tuple[str, ...] = (), ended: str = "") -> str:
    token, secret = tokens.create(people.users[name], "t", scopes, 30, keys)
    if ended:
        ApiToken.objects.filter(pk=token.pk).update(**{ended: timezone.now()})
    return secret


@pytest.fixture
def people(settings: Any) -> Company:
    settings.API_READS_PER_MINUTE = settings.API_WRITES_PER_MINUTE = 1_000_000
    made = company()
    Metric.objects.all().delete()
    apply(FILE)
    stamp = datetime(2026, 3, 2, tzinfo=UTC)
    for found in Metric.objects.all():
        Value.objects.create(
            metric=found, grain="month", period_start=date(2026, 1, 1), period_end=date(2026, 2, 1),
            value=0.1, status="final", version=1, computed_at=stamp,
        )  # fmt: skip
        Entry.objects.create(
            metric=found, period_start=date(2026, 1, 1), value=1, origin="file", entered_at=stamp
        )
        target = Target.objects.create(metric=found, quarter="2026-Q1", value=1)
        Benchmark.objects.create(target=target, month=date(2026, 1, 1), value=1)
    Leader.objects.create(key="ana", name="Ana")
    return made


def description(people: Company) -> dict[str, Any]:
    client = Client()
    client.force_login(people.viewer)
    return dict(client.get("/api/v1/schema/").json())


def attack(
    told: dict[str, Any], cookies: dict[str, str], headers: dict[str, str], most: int = 100
) -> Counter[str]:
    """How often each operation gave each answer, of at most `most` examples."""
    schema = schemathesis.openapi.from_dict(told)
    schema.app = application
    tried: Counter[str] = Counter()
    for found in schema.get_all_operations():
        operation = cast(Ok, found).ok()
        for mode, examples in EXAMPLES.items():

            @given(case=operation.as_strategy(generation_mode=mode))
            @hypothesis_settings(
                max_examples=min(examples, most),
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def run(case: schemathesis.Case) -> None:
                (case.headers or {}).pop("Authorization", None)  # the library makes some up
                response = case.call(cookies=cookies, headers=headers)
                case.validate_response(response, checks=CHECKS)
                tried[f"{case.method} {case.path} {response.status_code}"] += 1

            run()
    return tried


def statuses(tried: Counter[str]) -> set[str]:
    return {line.rpartition(" ")[2] for line in tried}


@pytest.mark.parametrize("name", SESSIONS)
def test_every_answer_to_a_session_is_described(people: Company, name: str) -> None:
    client = Client()
    client.force_login(people.users[name])
    cookies = {"sessionid": client.cookies["sessionid"].value, "csrftoken": CSRF}
    tried = attack(description(people), cookies, {"X-CSRFToken": CSRF})
    for listed in ("metrics", "values", "entries", "targets", "leaders"):
        assert tried[f"GET /api/v1/{listed}/ 200"], tried
    assert tried["GET /api/v1/values/ 400"] and tried["POST /api/v1/values/ 400"], tried
    assert tried["POST /api/v1/values/ 422"], tried


@pytest.mark.parametrize("kind", TOKENS)
def test_every_answer_to_a_token_is_described(people: Company, kind: str) -> None:
    out = kind in ("expired", "revoked", "nonsense")
    headers = {"Authorization": f"Bearer {TOKENS[kind](people)}"}
    tried = attack(description(people), {}, headers, most=2 if out else 100)
    if out:
        assert statuses(tried) == {"401"}
    elif kind == "reads":
        assert tried["GET /api/v1/values/ 200"] and tried["POST /api/v1/values/ 403"], tried
        assert not tried["POST /api/v1/values/ 422"]
    else:
        assert tried["POST /api/v1/values/ 400"] and tried["POST /api/v1/values/ 422"], tried
        assert bool(tried["GET /api/v1/values/ 403"]) == (kind == "writes")


def test_every_answer_to_a_stranger_is_described(people: Company) -> None:
    assert statuses(attack(description(people), {}, {}, most=2)) == {"401"}


def test_a_session_without_the_token_of_the_form_enters_nothing(people: Company) -> None:
    client = Client()
    client.force_login(people.alice)
    before = Entry.objects.count()
    tried = attack(description(people), {"sessionid": client.cookies["sessionid"].value}, {})
    assert {line for line in tried if line.startswith("POST")} == {"POST /api/v1/values/ 403"}
    assert Entry.objects.count() == before
