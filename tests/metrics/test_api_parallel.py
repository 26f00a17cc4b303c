"""The API under many at once, over real connections: one effect for each key, exactly the limit for each
sender, nothing lost."""

import http.client
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from metrics.models import Entry, IdempotencyKey, Metric, Value
from metrics.queries.recorded import events
from metrics.services.apply import apply
from owners.services import tokens
from tests.people import Company, company

FILE = "metrics: {nps: {name: NPS, unit: score, type: manual, kind: level, grain: month, owner: alice}}"
FEB = date(2026, 2, 1)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people() -> Company:
    made = company()
    Metric.objects.all().delete()
    apply(FILE)
    return made


def call(server: Any, secret: str, body: Any = None, **headers: str) -> tuple[int, dict, dict]:
    """Status, headers and JSON of one request over a connection of its own; a POST if there is a body.

    The test server's queue is short: who is turned away before being heard comes again.
    """
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json", **headers}
    while True:
        line = http.client.HTTPConnection(server.thread.host, server.thread.port, timeout=60)
        try:
            line.request("GET" if body is None else "POST", "/api/v1/values/", json.dumps(body), headers)
            answer = line.getresponse()
        except ConnectionError:
            continue
        said = answer.status, dict(answer.getheaders()), json.loads(answer.read())
        line.close()
        return said


def test_fifty_posts_of_one_key_make_one_value(people: Company, live_server: Any) -> None:
    _, secret = tokens.create(people.alice, "feeder", ["values:write"], 30)
    at_once = Barrier(50)

    def post(_: int) -> tuple[int, dict, dict]:
        at_once.wait()
        row = {"metric": "nps", "period_start": "2026-02-01", "value": 41}
        return call(live_server, secret, [row], **{"Idempotency-Key": "one"})

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(post, range(50)))
    assert Counter(status for status, _, _ in answers) == {200: 50}
    first = {"added": 1, "changed": 0, "removed": 0, "unchanged": 0}
    assert all(body == first for _, _, body in answers), "every one is told of the one effect"
    assert sum("Idempotency-Replayed" not in headers for _, headers, _ in answers) == 1
    assert Entry.objects.get().value == 41
    assert events(Entry).objects.count() == 1
    assert Value.objects.filter(grain="month").count() == 1
    assert IdempotencyKey.objects.count() == 1


def test_fifty_posts_of_one_key_and_different_bodies_make_one_value(
    people: Company, live_server: Any
) -> None:
    _, secret = tokens.create(people.alice, "feeder", ["values:write"], 30)

    def post(n: int) -> int:
        row = {"metric": "nps", "period_start": "2026-02-01", "value": n}
        return call(live_server, secret, [row], **{"Idempotency-Key": "one"})[0]

    with ThreadPoolExecutor(50) as pool:
        answers = Counter(pool.map(post, range(50)))
    assert answers == {200: 1, 422: 49}
    assert events(Entry).objects.count() == 1


@pytest.mark.parametrize("writes", [False, True])
def test_of_two_hundred_parallel_requests_exactly_the_limit_passes(
    people: Company, live_server: Any, settings: Any, writes: bool
) -> None:
    settings.API_READS_PER_MINUTE = settings.API_WRITES_PER_MINUTE = 30
    _, secret = tokens.create(people.alice, "feeder", ["read", "values:write"], 30)
    body = [{"metric": "nps", "period_start": "2026-02-01", "value": 41}] if writes else None
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: call(live_server, secret, body), range(200)))
    assert Counter(status for status, _, _ in answers) == {200: 30, 429: 170}
    refused = [headers for status, headers, _ in answers if status == 429]
    assert all(1 <= int(headers["Retry-After"]) <= 60 for headers in refused)
    _, other = tokens.create(people.bob, "reader", ["read"], 30)
    assert call(live_server, other)[0] == 200, "another's requests are counted apart"


def test_the_limit_ends_with_its_minute(people: Company, live_server: Any, settings: Any) -> None:
    settings.API_READS_PER_MINUTE = 1
    _, secret = tokens.create(people.alice, "reader", ["read"], 30)
    assert [call(live_server, secret)[0] for _ in range(2)] == [200, 429]
    with connection.cursor() as cursor:
        cursor.execute("update owners_attempt set since = since - interval '61 seconds'")
    assert call(live_server, secret)[0] == 200


def test_one_address_with_many_tokens_has_a_limit_too(
    people: Company, live_server: Any, settings: Any
) -> None:
    settings.API_READS_PER_MINUTE = 2
    made = [
        tokens.create(people.users[name], "reader", ["read"], 30)[1] for name in people.users for _ in "ab"
    ]
    assert len(made) >= 12
    answers = Counter(call(live_server, secret)[0] for secret in made for _ in "ab")
    assert answers[200] == 20, "ten times what one may ask"
