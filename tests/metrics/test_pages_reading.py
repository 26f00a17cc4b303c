"""What pages show to whom, what nonsense in an address is answered, and what a page costs."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metrics.models import Metric
from owners.models import Leader, Leave, Summary, User
from tests.metrics import making
from tests.metrics.stage import NOTED, Stage, more_metrics, own, stage

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


@pytest.fixture
def company() -> Stage:
    return stage(timezone.localdate())


@pytest.fixture
def sign_in() -> SignIn:
    def opened(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return opened


def text_of(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, response.content[:2000]
    return response.content.decode()


def test_the_board_answers_before_any_script(company: Stage, sign_in: SignIn) -> None:
    page = text_of(sign_in(company.viewer), f"/{company.state}")
    assert "Kestrel Kitchens" in page
    assert "Success plans done" in page
    assert NOTED in page
    assert "no owner" in page  # the guardrail has none, and says so
    assert "too few figures yet" in page  # where a line of the last weeks would stand
    assert 'class="still"' in page  # the quarter's chart as a drawing
    assert "Guardrails" in page
    assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))", page)  # no inline script


@pytest.mark.parametrize(
    "path",
    [
        "/", "/leaders/", "/leaders/elena/", "/metrics/", "/metrics/orders/", "/metrics/plans/",
        "/targets/2025-Q3/", "/settings/", "/settings/sources/", "/settings/updates/", "/find/?q=or",
        "/metrics/orders/?grain=week", "/metrics/plans/values/", "/leaders/elena/summary/",
    ],
)  # fmt: skip
def test_every_page_opens_for_a_leader(company: Stage, sign_in: SignIn, path: str) -> None:
    page = text_of(sign_in(company.elena), path)
    assert page.count("<h1") == 1
    assert "</html>" in page


@pytest.mark.parametrize("path", ["/", "/leaders/", "/metrics/", "/targets/2025-Q3/", "/settings/sources/"])
def test_an_empty_installation_says_what_to_do_next(sign_in: SignIn, db: None, path: str) -> None:
    admin = User.objects.create_user("admin@example.com", role="admin")
    way = r"Say who answers for what" if path == "/leaders/" else r"definitions file|recompute"
    assert re.search(way, text_of(sign_in(admin), path))


def test_an_empty_board_tells_a_viewer_to_wait(sign_in: SignIn) -> None:
    viewer = User.objects.create_user("viewer@example.com", role="viewer")
    page = text_of(sign_in(viewer), "/")
    assert "An executive or admin begins it" in page
    assert "manage.py" not in page


def test_what_is_not_visible_is_not_there(company: Stage, sign_in: SignIn) -> None:
    viewer = sign_in(company.viewer)
    for path in ("/", "/metrics/", "/leaders/", "/find/?q=promoter", f"/targets/{company.quarter}/"):
        assert "Net promoter score" not in text_of(viewer, path), path
    for path in ("/metrics/nps/", "/metrics/nps/values/", "/metrics/nps/owner/", "/metrics/nps/signals/"):
        text_of(viewer, path, 404)
    assert "Net promoter score" in text_of(sign_in(company.executive), "/metrics/")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        *(
            (f"quarter={quarter}", "is not a quarter. Write it like 2026-Q3.")
            for quarter in ("2025-Q5", "0000-Q1", "%00", "9999-Q4", "٢٠٢٥-Q1")
        ),
        ("as_of=tomorrow", "is not a date. Write it like 2026-09-30."),
        ("as_of=2025-02-30", "is not a date. Write it like 2026-09-30."),
        ("as_of=0001-01-01", "lies outside the years that a page can show."),
        ("lens=width", "there are breadth, depth, frequency, efficiency."),
    ],
)
def test_nonsense_in_an_address_is_answered_in_words(
    company: Stage, sign_in: SignIn, query: str, words: str
) -> None:
    page = text_of(sign_in(company.viewer), f"/?{query}", 400)
    assert "This address makes no sense here" in page
    assert words in page


@pytest.mark.parametrize(
    "path", ["/targets/2025-Q9/", "/metrics/orders/?grain=fortnight", "/metrics/orders/?as_of=x"]
)
def test_other_pages_refuse_nonsense_too(company: Stage, sign_in: SignIn, path: str) -> None:
    text_of(sign_in(company.viewer), path, 400)


def test_links_carry_what_the_sender_saw(company: Stage, sign_in: SignIn) -> None:
    page = text_of(sign_in(company.viewer), "/?quarter=2025-Q3&as_of=2025-08-14")
    assert "Q3 2025 (Jul–Sep)" in page
    assert "as of 14 Aug" in page
    assert 'href="/metrics/plans/?quarter=2025-Q3&amp;as_of=2025-08-14"' in page
    assert 'href="/?quarter=2025-Q2"' in page  # the quarter before, without this one's date


@pytest.mark.parametrize("path", ["/", "/leaders/", "/leaders/elena/", "/metrics/", "/targets/2025-Q3/"])
def test_the_number_of_queries_does_not_grow_with_metrics(company: Stage, sign_in: SignIn, path: str) -> None:
    client = sign_in(company.executive)
    client.get(path)
    with CaptureQueriesContext(
        connection,
    ) as few:
        text_of(client, path)
    more_metrics(12)
    with CaptureQueriesContext(connection) as many:
        assert "Extra 11" in text_of(client, path)
    assert len(many) == len(few)


@pytest.mark.parametrize("path", ["/leaders/", "/settings/people/", "/settings/people/leaders/"])
def test_nor_with_leaders_their_metrics_and_leaves(company: Stage, sign_in: SignIn, path: str) -> None:
    client = sign_in(company.executive)

    def away(leader: Leader, delegate: Leader) -> None:
        Leave.objects.create(
            leader=leader, from_date=company.today, until_date=company.today, delegate=delegate
        )

    elena, charlie = (Leader.objects.get(key=key) for key in ("elena", "charlie"))
    away(elena, charlie)
    client.get(path)
    with CaptureQueriesContext(connection) as few:
        text_of(client, path)
    for n in range(8):
        leader = Leader.objects.create(key=f"extra_{n}", name=f"Leader {n}", team=elena.team)
        own(making.metric(f"more_{n}", name=f"More {n}"), leader)
        away(leader, elena if n % 2 else charlie)
    with CaptureQueriesContext(connection) as many:
        assert "Leader 7" in text_of(client, path)
    assert len(many) == len(few)


def test_htmx_is_given_the_part_alone(company: Stage, sign_in: SignIn) -> None:
    client = sign_in(company.elena)
    for path, piece in (("/find/?q=plans", 'class="found"'), ("/settings/updates/", 'id="runs"')):
        part = client.get(path, headers={"HX-Request": "true"}).content.decode()
        assert piece in part
        assert "<html" not in part


def test_a_viewer_sees_no_machinery(company: Stage, sign_in: SignIn) -> None:
    viewer = sign_in(company.viewer)
    assert "/settings/sources/" not in text_of(viewer, "/settings/")
    assert "This is not yours to change" in text_of(viewer, "/settings/sources/", 403)


def test_summaries_are_markdown_without_script(company: Stage, sign_in: SignIn) -> None:
    text = (
        "**Bold** <script>alert(1)</script> <img src=x onerror=alert(1)> "
        "[a](javascript:alert(1)) [b](https://example.com) ![c](https://example.com/x.png)\n\n# Heading"
    )
    Summary.objects.create(leader=company.elena.leader, quarter=company.quarter, text=text, needs=text)
    page = text_of(sign_in(company.viewer), f"/leaders/elena/{company.state}")
    assert "<strong>Bold</strong>" in page
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "javascript:alert" not in re.sub(r"\[a\]\(javascript:alert\(1\)\)", "", page)
    assert 'href="https://example.com"' in page
    assert page.count("<h1") == 1


def test_unknown_metrics_and_leaders_are_a_clear_404(company: Stage, sign_in: SignIn) -> None:
    for path in ("/metrics/none/", "/leaders/none/", "/leaders/none/summary/", "/nothing/"):
        assert "There is nothing at this address" in text_of(sign_in(company.elena), path, 404)


def test_values_of_a_computed_metric_cannot_be_entered(company: Stage, sign_in: SignIn) -> None:
    text_of(sign_in(company.charlie), "/metrics/orders/values/", 404)
    assert Metric.objects.get(key="orders").type == "simple"
