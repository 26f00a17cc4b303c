"""Between question and answer: what was begun elsewhere, twice, long ago or too often."""

import time
from typing import Any

import pytest
import time_machine
from django.test import Client

from owners.services import limits
from tests.owners.sso.oidc import Server
from tests.owners.sso.steps import come_in, inside, refused, there
from tests.people import Company


def test_what_was_begun_in_another_browser_ends_here(
    server: Server, configured: Any, people: Company
) -> None:
    """Otherwise somebody could be signed in as another by following a link."""
    back = there(Client())
    client = Client()
    refused(client, client.get(back), 400)
    assert "/token" not in server.asked


def test_an_answer_counts_once(server: Server, configured: Any, people: Company) -> None:
    client = Client()
    back = there(client)
    assert client.get(back).status_code == 302
    assert client.get(back).status_code == 400


def test_an_answer_without_a_question(server: Server, configured: Any, people: Company) -> None:
    for query in ("", "?state=x&code=y", "?code=y", "?error=access_denied"):
        client = Client()
        refused(client, client.get("/account/sso/callback/" + query), 400)
    assert server.asked == []


def test_an_answer_that_comes_late(server: Server, configured: Any, people: Company) -> None:
    client = Client()
    back = there(client)
    with time_machine.travel(time.time() + 601):
        refused(client, client.get(back), 400)


def test_who_cancels_there_is_told_so_here(server: Server, configured: Any, people: Company) -> None:
    server.denied = "access_denied"
    client = Client()
    answer = come_in(client)
    refused(client, answer, 403)
    assert b"Acme ID did not sign you in" in answer.content


def test_two_tabs_at_once(server: Server, configured: Any, people: Company) -> None:
    client = Client()
    first, second = there(client), there(client)
    assert client.get(first).status_code == 302
    assert client.get(second).status_code in (302, 400)
    assert inside(client)


def test_not_to_another_site(server: Server, configured: Any, people: Company) -> None:
    for to in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        assert come_in(Client(), f"/account/sso/?next={to}")["Location"] == "/"


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PER_SSO", limits.Limit("sso", 3, 300))


def test_a_stranger_cannot_make_us_ask_for_ever(
    server: Server, configured: Any, people: Company, three: None
) -> None:
    answers = [Client().get("/account/sso/").status_code for _ in range(5)]
    assert answers == [302, 302, 302, 429, 429]
    assert len(server.asked) == 3
    assert Client(REMOTE_ADDR="10.0.0.9").get("/account/sso/").status_code == 302


def test_who_signs_in_often_is_not_shut_out(
    server: Server, configured: Any, people: Company, three: None
) -> None:
    assert {come_in(Client()).status_code for _ in range(5)} == {302}
