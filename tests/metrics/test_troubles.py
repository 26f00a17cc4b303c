"""A source that is late or fails is told on each page of what follows from it, and on no other."""

import html
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from metrics.models import Source
from metrics.queries.board import board
from metrics.queries.leaders import leader_page
from metrics.queries.me import my_page
from metrics.queries.metric import metric_page
from owners.models import Leader, Role, User
from tests.metrics import making

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
LATE = "The source orders is late: figures are as of Thu 19 Nov; Ada has been told."
FAILED = (
    "The source orders could not be read since Sat 21 Nov: figures are as of Thu 19 Nov; Ada has been told."
)
OVER = {"formula": "a / b", "inputs": {"a": "orders", "b": "visits"}}


@pytest.fixture
def elena(time_machine) -> User:
    """Elena owns a metric of orders, one of visits, and one that follows from both by another."""
    time_machine.move_to(NOW, tick=False)
    making.installation(timezone="UTC")
    ada = Leader.objects.create(key="ada", name="Ada")
    making.source(date(2026, 11, 20), "orders", data_owner=ada)
    making.source(date(2026, 11, 20), "visits")
    making.metric("orders")
    making.metric("visits", {"measure": {"source": "visits", "agg": "count"}})
    making.metric("rate", OVER, "derived")
    making.metric("twice", {"formula": "a * 2", "inputs": {"a": "rate"}}, "derived")
    user = User.objects.create_user("elena@example.com", name="Elena", role=Role.LEADER)
    Leader.objects.create(key="elena", name="Elena", user=user)
    for key in ("orders", "visits", "rate", "twice"):
        making.owner(key, "elena", date(2026, 1, 1))
    return user


def pages(user: User, key: str) -> list[str]:
    client = Client()
    client.force_login(user)
    answers = [client.get(path) for path in (f"/metrics/{key}/", f"/me/{key}/")]
    assert [answer.status_code for answer in answers] == [200, 200]
    return [html.unescape(answer.content.decode()) for answer in answers]


@pytest.mark.parametrize(("column", "words"), [("late_since", LATE), ("failed_since", FAILED)])
def test_what_follows_from_it_says_so_until_it_recovers(elena: User, column: str, words: str) -> None:
    Source.objects.filter(key="orders").update(**{column: NOW})
    for key in ("orders", "rate", "twice"):
        for page in pages(elena, key):
            assert page.count(words) == 1
            assert "Stale since" not in page  # said once is enough
    for page in pages(elena, "visits"):
        assert "The source" not in page
    short = "orders is late" if column == "late_since" else "orders cannot be read"
    told = {row.metric.key: [t.short for t in row.progress.troubles] for row in board(elena).rows}
    assert told == {"orders": [short], "rate": [short], "twice": [short], "visits": []}
    client = Client()
    client.force_login(elena)
    assert client.get("/").content.decode().count(f">{short}<") == 3
    assert client.get("/leaders/elena/").content.decode().count(words) == 3
    Source.objects.update(**{column: None})
    for key in ("orders", "twice"):
        for page in pages(elena, key):
            assert "The source" not in page


def test_without_a_data_owner_the_admins_are_told(elena: User) -> None:
    Source.objects.filter(key="visits").update(late_since=NOW, watermark=None)
    words = "The source visits is late: nothing is loaded; the admins have been told."
    assert all(words in page for page in pages(elena, "twice"))


def test_both_sources_of_one_metric_are_told(elena: User) -> None:
    Source.objects.update(late_since=NOW)
    assert all(page.count("is late: figures") == 2 for page in pages(elena, "twice"))


def test_an_archived_source_troubles_nobody(elena: User) -> None:
    Source.objects.update(late_since=NOW, archived_at=NOW)
    assert board(elena).banners == ()
    assert all("The source" not in page for page in pages(elena, "twice"))


@pytest.mark.parametrize(
    "page",
    [board, my_page, lambda u: metric_page(u, "twice"), lambda u: leader_page(u, "elena")],
    ids=["board", "me", "metric", "leader"],
)
def test_banners_cost_no_statement(elena: User, page) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as seen:
            page(elena)
        return len(seen)

    before = statements()
    ben = Leader.objects.create(key="ben", name="Ben")
    for n in range(4):
        making.source(date(2026, 11, 20), f"more{n}", data_owner=ben)
        making.metric(f"more{n}", {"measure": {"source": f"more{n}", "agg": "count"}})
    Source.objects.update(late_since=NOW)
    assert statements() == before
