"""The link that opens one check-in for one person, and everything that ends it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from metrics.queries.me import my_page
from owners.models import CheckIn, CheckInLink, Notice, Role, User
from owners.services import outbox
from owners.services.check_in_links import link_path, revoke_links
from tests.metrics import making
from tests.metrics.reminders.telling import DAY, LINK, MONDAY, run, say, to


@pytest.fixture
def link(cast: dict[str, User], time_machine: Any) -> str:
    say("plans", MONDAY.date())
    (got,) = to(run(MONDAY, time_machine), cast["elena"])
    return str(LINK.findall(got.body)[0])


def gone(link: str) -> bool:
    """Whether it opens nothing and saves nothing, in either way."""
    before = CheckIn.objects.count()
    client = Client()
    answers = [client.get(link).status_code, client.post(link, {"text": "Forced.", "token": ""}).status_code]
    assert CheckIn.objects.count() == before
    return answers == [410, 410]


def test_the_link_opens_and_saves_one_check_in_without_a_session(cast: dict[str, User], link: str) -> None:
    client = Client(enforce_csrf_checks=True)
    for _ in range(3):  # previews and scanners
        page = client.get(link)
        assert page.status_code == 200
        client.head(link)
    assert not CheckIn.objects.filter(metric_key="orders").exists()
    assert page["Referrer-Policy"] == "strict-origin"
    assert "no-store" in page["Cache-Control"]
    html = page.content.decode()
    assert "Orders" in html
    assert "Plans" not in html
    assert "/metrics/orders/" not in html
    assert client.post(link, {"text": "No token."}).status_code == 403
    given = {"text": "Two depots are open again.", "csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    assert client.post(link, {**given, "token": ""}).status_code == 200
    said = CheckIn.objects.get(metric_key="orders")
    assert (said.text, said.author) == ("Two depots are open again.", cast["elena"])
    assert "sessionid" not in client.cookies
    for page_of_hers in ("/me/", "/", "/me/orders/", "/me/plans/"):
        assert client.get(page_of_hers).status_code == 302
    assert gone(link)  # used up


def test_a_used_link_is_over_although_a_figure_is_still_missing(cast: dict[str, User]) -> None:
    making.manual("refunds", name="Refunds", collect={"by": "elena"})
    making.owner("refunds", "elena", date(2020, 1, 1))
    item = my_page(cast["elena"]).item("refunds")
    assert item is not None and item.asked.cell is not None and item.asked.since is not None
    path = link_path(cast["elena"], "refunds", item.asked.since, MONDAY)
    assert Client().post(path, {"text": "The count comes tomorrow.", "token": ""}).status_code == 200
    after = my_page(cast["elena"]).item("refunds")
    assert after is not None and after.state in ("due", "late")  # the figure
    assert gone(path)


@pytest.mark.django_db(transaction=True)
def test_a_link_that_is_posted_twice_at_once_is_one_check_in(cast: dict[str, User]) -> None:
    item = my_page(cast["elena"]).item("orders")
    assert item is not None and item.asked.since is not None
    path = link_path(cast["elena"], "orders", item.asked.since, MONDAY)
    begin = Barrier(4)

    def post(n: int) -> int:
        begin.wait()
        try:
            return Client().post(path, {"text": f"Word {n}.", "token": ""}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(post, range(4)))
    assert answers.count(200) == 1
    assert set(answers) <= {200, 410, 422}
    said = CheckIn.objects.get(metric_key="orders")
    assert said.text == f"Word {answers.index(200)}."


def test_a_wrong_answer_keeps_the_link(cast: dict[str, User], link: str) -> None:
    answer = Client().post(link, {"text": "", "token": ""})
    assert answer.status_code == 422
    assert Client().get(link).status_code == 200


def test_the_link_ends_when_the_word_is_given_on_the_site(cast: dict[str, User], link: str) -> None:
    client = Client()
    client.force_login(cast["elena"])
    client.post("/me/orders/", {"text": "Said here.", "token": ""})
    assert CheckIn.objects.filter(metric_key="orders").count() == 1
    assert gone(link)


def test_the_link_expires(link: str, time_machine: Any) -> None:
    time_machine.move_to(MONDAY + 7 * DAY - timedelta(hours=10), tick=False)
    assert Client().get(link).status_code == 200
    CheckInLink.objects.update(expires_at=MONDAY + DAY)
    assert gone(link)


def test_the_link_is_for_the_check_in_it_was_made_for(link: str, time_machine: Any) -> None:
    CheckInLink.objects.update(expires_at=MONDAY + 30 * DAY)
    time_machine.move_to(MONDAY + 8 * DAY, tick=False)  # the next week is asked for now
    assert gone(link)


def test_the_link_ends_with_a_hand_over(cast: dict[str, User], link: str) -> None:
    making.owner("orders", "grace", MONDAY.date())
    assert gone(link)


@pytest.mark.parametrize("how", ["deactivated", "viewer", "revoked", "archived", "forged", "nonsense"])
def test_the_link_ends_in_other_ways(cast: dict[str, User], link: str, how: str) -> None:
    elena = cast["elena"]
    if how == "deactivated":
        User.objects.filter(pk=elena.pk).update(is_active=False)
    elif how == "viewer":
        User.objects.filter(pk=elena.pk).update(role=Role.VIEWER)
    elif how == "revoked":
        assert revoke_links(elena, MONDAY) == 1
    elif how == "archived":
        from metrics.models import Metric

        Metric.objects.filter(key="orders").update(archived_at=MONDAY)
    elif how == "forged":
        other = CheckInLink.objects.create(
            user=elena,
            metric_key="plans",
            since=MONDAY.date(),
            made_on=MONDAY.date(),
            expires_at=MONDAY + DAY,
        )
        link = link.replace(f"/c/{CheckInLink.objects.get(metric_key='orders').pk}~", f"/c/{other.pk}~")
    else:
        link = "/c/nonsense/"
    assert gone(link)


def test_a_repeated_mail_says_the_same(cast: dict[str, User], link: str) -> None:
    Notice.objects.filter(kind="check_ins").update(sent_at=None)
    outbox.deliver(lambda: MONDAY)
    first, second = (m for m in mail.outbox if "Orders" in m.subject)
    assert first.body == second.body
    assert first.extra_headers == second.extra_headers


def test_the_link_is_in_no_log(link: str) -> None:
    from northstar.logs import hide_secrets

    secret = link.split("/")[2]
    for words in (f"Not Found: {link}", link, f"GET http://127.0.0.1:8000{link}?x=1", f"/n/{secret}/ gone"):
        said = str(hide_secrets(None, "info", {"event": words, "path": words}))
        assert secret not in said
    assert hide_secrets(None, "info", {"event": "/metrics/orders/"}) == {"event": "/metrics/orders/"}
