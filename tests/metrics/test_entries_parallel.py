"""Twenty leaders at once, by the grid, the API and spreadsheets: nothing is lost, conflicts are seen."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.test import Client

from metrics.models import Entry, Metric, Value
from metrics.queries.recorded import events
from metrics.services.apply import apply
from owners.models import Leader, Role, User
from owners.services import tokens
from tests.people import company

LEADERS = 20
JAN, FEB = date(2026, 1, 1), date(2026, 2, 1)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def users() -> list[User]:
    """Twenty leaders: each owns a metric, and all stand in for one that they share by turns."""
    company()
    Metric.objects.all().delete()
    made = []
    for n in range(LEADERS):
        user = User.objects.create_user(f"l{n}@example.com", name=f"L{n}", role=Role.LEADER)
        Leader.objects.create(key=f"l{n}", name=f"L{n}", email=user.email, user=user)
        made.append(user)
    lines = [
        f"  m{n}: {{name: M{n}, type: manual, kind: amount, grain: month, owner: l{n}}}"
        for n in range(LEADERS)
    ]
    lines.append(
        "  total: {name: Total, type: derived, formula: " + " + ".join(f"m{n}" for n in range(LEADERS)) + "}"
    )
    apply("metrics:\n" + "\n".join(lines))
    return made


def at_once(work: Any, count: int = LEADERS) -> list[Any]:
    """What `work(n)` returns for each n, all begun together, each on a connection of its own."""
    start = Barrier(count)

    def run(n: int) -> Any:
        close_old_connections()
        try:
            start.wait()
            return work(n)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def by_grid(user: User, key: str, value: float, token: str = "") -> int:
    form = {
        "token-2026-01-01": token,
        "value-2026-01-01": value,
        "was-value-2026-01-01": "",
        "was-note-2026-01-01": "",
    }
    return client_of(user).post(f"/metrics/{key}/values/", form).status_code


def by_api(user: User, key: str, value: float, **more: Any) -> int:
    _, secret = tokens.create(user, "feeder", ["values:write"], 1)
    body = json.dumps([{"metric": key, "period_start": "2026-01-01", "value": value, **more}])
    headers = {"Authorization": f"Bearer {secret}"}
    return (
        Client().post("/api/v1/values/", body, content_type="application/json", headers=headers).status_code
    )


def by_sheet(user: User, key: str, value: float) -> int:
    client = client_of(user)
    address = client.post("/import/", {"cells": f"Metric\tJan 2026\n{key}\t{value}\n"})["Location"]
    # Out of the page: what the test client keeps of templates is mixed up between threads.
    digest = client.get(address).content.decode().split('name="digest" value="')[1].split('"')[0]
    return client.post(address, {"do": "enter", "digest": digest}).status_code


WAYS = (by_grid, by_api, by_sheet)
DONE = {200, 302}


def test_twenty_at_once_on_their_own_metrics_lose_nothing(users: list[User]) -> None:
    answers = at_once(lambda n: WAYS[n % 3](users[n], f"m{n}", n + 1))
    assert set(answers) <= DONE, Counter(answers)
    stored = {e.metric.key: e.value for e in Entry.objects.select_related("metric")}
    assert stored == {f"m{n}": n + 1 for n in range(LEADERS)}
    assert Value.objects.get(metric__key="total", grain="month", period_start=JAN).value == 210, (
        "1 + ... + 20"
    )


def test_twenty_at_once_on_one_figure_one_wins_and_the_others_see_it(users: list[User]) -> None:
    """The grid and the API say what they saw, an empty cell: whoever comes second is told."""
    owner = users[0]
    answers = at_once(
        lambda n: by_api(owner, "m0", n + 1, expected="") if n % 2 else by_grid(owner, "m0", n + 1)
    )
    done = [n for n, status in enumerate(answers) if status in DONE]
    assert len(done) == 1
    assert Counter(answers[n] for n in range(LEADERS) if n not in done) <= Counter({409: 20, 422: 20})
    (entry,) = Entry.objects.all()
    assert entry.value == done[0] + 1
    assert events(Entry).objects.count() == 1
