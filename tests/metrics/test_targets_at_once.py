"""Twenty people at the grid and at their answers at once: nothing is lost, and who came second is told."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from metrics.models import Metric, Target, TargetAnswer
from metrics.services.targets import set_target, token_of
from owners.models import Leader, Ownership, Role, User
from tests.metrics import making
from tests.metrics.test_pages_writing import inputs

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 20
QUARTER = "2096-Q3"
PATH = f"/targets/{QUARTER}/"


def together(work: Any) -> list[Any]:
    """The answers of all, each begun when everybody is there."""
    ready = Barrier(PEOPLE)

    def one(number: int) -> Any:
        try:
            ready.wait(timeout=60)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(PEOPLE) as pool:
        return list(pool.map(one, range(PEOPLE)))


@pytest.fixture
def clients() -> list[Client]:
    making.installation(timezone="UTC")
    made = []
    for n in range(PEOPLE):
        metric = making.manual(f"metric_{n:02}", position=n)
        user = User.objects.create_user(f"e{n}@example.com", name=f"E{n}", role=Role.EXECUTIVE)
        leader = Leader.objects.create(key=f"leader_{n:02}", name=f"L{n}", user=user)
        Ownership.objects.create(metric_key=metric.key, from_date=date(2020, 1, 1), leader=leader)
        client = Client()
        client.force_login(user)
        made.append(client)
    return made


def test_each_keeps_the_own_line(clients: list[Client]) -> None:
    seen = inputs(clients[0], PATH)

    def save(n: int) -> int:
        return clients[n].post(PATH, seen | {f"target-metric_{n:02}": str(100 + n)}).status_code

    assert together(save) == [302] * PEOPLE
    found = dict(Target.objects.values_list("metric__key", "value"))
    assert found == {f"metric_{n:02}": 100.0 + n for n in range(PEOPLE)}


def test_of_one_line_one_wins_and_the_others_are_told(clients: list[Client]) -> None:
    seen = inputs(clients[0], PATH)

    def save(n: int) -> tuple[int, bool]:
        # each also types a line of the own: refused together with the one that came too late
        fields = seen | {"target-metric_00": str(500 + n), f"target-metric_{n:02}": str(500 + n)}
        answer = clients[n].post(PATH, fields)
        return answer.status_code, b"changed meanwhile" in answer.content

    answers = Counter(together(save))
    assert answers == {(302, False): 1, (422, True): PEOPLE - 1}
    winner = Target.objects.get(metric__key="metric_00")
    others = Target.objects.exclude(pk=winner.pk)
    assert TargetAnswer.objects.filter(target=winner).count() == 1
    assert {t.author for t in others} <= {winner.author}  # all or nothing
    assert all(t.value == winner.value for t in others)


def test_of_twenty_acceptances_one_counts(clients: list[Client]) -> None:
    metric = Metric.objects.get(key="metric_00")
    made = set_target(metric, QUARTER, 100, {}, author=None)
    Ownership.objects.filter(metric_key="metric_00").update(leader=Leader.objects.get(key="leader_03"))

    said = {"do": "accept", "token": token_of(made)}

    def accept(n: int) -> int:
        return clients[3].post(f"{PATH}metric_00/answer/", said).status_code

    assert Counter(together(accept)) == {302: 1, 422: PEOPLE - 1}
    assert TargetAnswer.objects.filter(kind="accepted").count() == 1
    assert Target.objects.get().agreed_value == 100
