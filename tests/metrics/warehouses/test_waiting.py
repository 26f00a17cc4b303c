"""No page waits for a warehouse."""

import socket
import time
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from metrics.services import questions
from tests.metrics.warehouses.saving import CRM

pytestmark = pytest.mark.django_db


@pytest.fixture
def deaf() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_warehouse_that_says_nothing_holds_up_no_page(
    admin: Client, deaf: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "WAIT", 0.2)
    given = {**CRM, "host": "127.0.0.1", "port": str(deaf), "action": "test"}
    admin.get(reverse("warehouse_new"))  # the first request of a process loads the pages' code
    begun = time.monotonic()
    answer = admin.post(reverse("warehouse_new"), given, headers={"HX-Request": "true"})
    assert time.monotonic() - begun < 3
    assert b"Still asking" in answer.content
    assert b"hx-post" in answer.content
    poll = admin.post(reverse("warehouse_new"), {**given, "poll": "1"}, headers={"HX-Request": "true"})
    assert b"Still asking" in poll.content
    assert len(questions._questions) == 1


def test_questions_do_not_pile_up(admin: Client, deaf: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "WAIT", 0.05)
    monkeypatch.setattr(questions, "MOST", 2)
    answers = [
        admin.post(
            reverse("warehouse_new"),
            {**CRM, "host": "127.0.0.1", "port": str(deaf), "database": f"d{n}", "action": "test"},
        )
        for n in range(3)
    ]
    assert b"Still asking" in answers[1].content
    assert b"Try again in a moment" in answers[2].content
