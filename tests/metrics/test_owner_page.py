"""Who answers for a metric and its members: handing over, taking back, what stands open, what is new."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metrics.models import Target
from metrics.queries.progress import progress
from owners.models import Action, CheckIn, Leader, Ownership, User
from owners.queries.handing import NEW_FOR, handed_to
from owners.queries.ownership import member_owner_on, owner_on
from owners.services.ownership import hand_over
from tests.metrics import making
from tests.metrics.stage import Stage, stage
from tests.metrics.test_pages_writing import inputs, signed_in

pytestmark = pytest.mark.django_db
PATH = "/metrics/orders/owner/"
DAY = timedelta(days=1)


@pytest.fixture
def company() -> Stage:
    return stage(timezone.localdate())


def page(client: Client, path: str = PATH) -> str:
    return " ".join(client.get(path).content.decode().split())


def test_what_stands_open_is_shown_and_actions_go_along(company: Stage) -> None:
    charlie, elena = Leader.objects.get(key="charlie"), Leader.objects.get(key="elena")
    Action.objects.all().delete()
    Action.objects.create(text="Call the Leeds depot", leader=charlie, metric_key="orders")
    Action.objects.create(text="Ask finance", leader=elena, metric_key="orders")
    CheckIn.objects.create(metric_key="orders", leader=charlie, date=company.today, text="Quiet week.")
    client = signed_in(company.executive)
    shown = page(client)
    assert "Call the Leeds depot" in shown and "Ask finance" in shown
    assert "Quiet week." in shown
    fields = inputs(client, PATH) | {"part": "whole", "leader": "elena", "note": "", "move_actions": "on"}
    assert client.post(PATH, fields).status_code == 302
    assert {a.text: a.leader.key for a in Action.objects.all()} == {
        "Call the Leeds depot": "elena",
        "Ask finance": "elena",
    }


def test_nobody_is_chosen_until_somebody_chooses(company: Stage) -> None:
    client = signed_in(company.executive)
    assert '<option value="?" selected>' in page(client)  # no vacancy by an early tap
    fields = inputs(client, PATH) | {"part": "whole", "leader": "?", "note": "Half a note"}
    answer = client.post(PATH, fields)
    assert answer.status_code == 422
    assert "Choose who takes over, or nobody." in answer.content.decode()
    assert "Half a note" in answer.content.decode()
    assert Ownership.objects.filter(metric_key="orders").count() == 1


def test_without_the_tick_actions_stay(company: Stage) -> None:
    Action.objects.create(text="x", leader=company.charlie.leader, metric_key="orders")
    client = signed_in(company.executive)
    fields = inputs(client, PATH) | {"part": "whole", "leader": "elena"}
    fields.pop("move_actions", None)
    client.post(PATH, fields)
    assert Action.objects.get(text="x").leader == company.charlie.leader
    assert owner_on("orders", company.today) == company.elena.leader


def test_targets_that_nobody_has_agreed_to_stand_open(company: Stage) -> None:
    from calc.calendar import Calendar

    Target.objects.filter(metric__key="orders").update(
        quarter=Calendar().quarter_name(company.today), value=9_300
    )
    assert re.search(r"Targets not agreed yet.*9\W300", page(signed_in(company.executive)))
    Target.objects.update(agreed_at=timezone.now())
    assert "Targets not agreed yet" not in page(signed_in(company.executive))


def test_a_hand_over_ahead_is_shown_and_taken_back(company: Stage) -> None:
    client = signed_in(company.executive)
    ahead = company.today + 30 * DAY
    fields = inputs(client, PATH) | {"part": "whole", "leader": "elena", "from_date": ahead.isoformat()}
    client.post(PATH, fields)
    assert owner_on("orders", company.today) == company.charlie.leader
    assert "Take back" in page(client)
    undo = {"from_date": ahead.isoformat(), "token": "stale"}
    assert client.post(f"{PATH}undo/", undo).status_code == 409
    assert signed_in(company.elena).post(f"{PATH}undo/", undo).status_code == 403
    assert owner_on("orders", ahead) == company.elena.leader
    undo["token"] = inputs(client, PATH)["token"]
    assert client.post(f"{PATH}undo/", undo).status_code == 302
    assert owner_on("orders", ahead) == company.charlie.leader
    assert client.post(f"{PATH}undo/", undo | {"from_date": "x"}).status_code == 422


def test_until_it_begins_nobody_answers_for_what_nobody_answered_for(company: Stage) -> None:
    """A metric without an owner stays loud, everywhere, while its first owner is still to come."""
    ahead = company.today + 30 * DAY
    assert not Ownership.objects.filter(metric_key="refunds").exists()
    hand_over("refunds", company.elena.leader, ahead, author=None)
    shown = page(signed_in(company.executive), "/leaders/")
    assert "Refund share" in shown.split('aria-label="Metrics without an owner"')[1].split("</section>")[0]
    (row,) = [p for p in progress(None, company.quarter) if p.metric.key == "refunds"]
    assert row.metric.owner is None
    hand_over("refunds", company.charlie.leader, company.today, author=None)
    (row,) = [p for p in progress(None, company.quarter) if p.metric.key == "refunds"]
    assert row.metric.owner is not None and row.metric.owner.key == "charlie"


def test_a_day_gone_by_ends_where_the_next_one_begins(company: Stage) -> None:
    client = signed_in(company.executive)
    hand_over("orders", company.elena.leader, company.today, author=None)
    past = company.today - 40 * DAY
    fields = inputs(client, PATH) | {"part": "whole", "leader": "", "from_date": past.isoformat()}
    response = client.post(PATH, fields, follow=True)
    assert "Nobody answers for Orders from" in response.content.decode()
    assert "when the next one begins" in response.content.decode()
    assert owner_on("orders", past) is None
    assert owner_on("orders", company.today) == company.elena.leader


def test_a_member_is_given_an_owner_left_vacant_and_given_back(company: Stage) -> None:
    client = signed_in(company.executive)
    assert "the metric’s owner" in page(client)

    def give(leader: str, back: int = 0) -> Any:
        start = (company.today - back * DAY).isoformat()
        fields = inputs(client, PATH) | {"part": "city:Leeds", "leader": leader, "from_date": start}
        return client.post(PATH, fields)

    assert give("elena", 2)["Location"] == PATH
    assert member_owner_on("orders", "city", "Leeds", company.today) == company.elena.leader
    shown = page(client, f"/metrics/orders/{company.state}")
    assert "<bdi>Leeds</bdi><br><small><bdi>Elena</bdi></small>" in shown
    give("", 1)
    assert '<strong class="no-owner">no owner</strong>' in page(client, f"/metrics/orders/{company.state}")
    give("=")
    assert member_owner_on("orders", "city", "Leeds", company.today) == company.charlie.leader
    assert owner_on("orders", company.today) == company.charlie.leader
    assert "<bdi>Leeds</bdi></th>" in page(client, f"/metrics/orders/{company.state}")


def test_members_that_do_not_exist_and_a_whole_without_anybody_named_are_refused(company: Stage) -> None:
    client = signed_in(company.executive)
    fields = inputs(client, PATH)
    rows = Ownership.objects.count()
    for wrong in (
        {"part": "city:Atlantis", "leader": "elena"},
        {"part": "whole", "leader": "="},
        {"part": "whole", "leader": "nobody_here"},
        {"part": "whole", "leader": "elena", "from_date": "tomorrow"},
        {"part": "whole", "leader": "elena", "note": "x" * 5_001},
    ):
        assert client.post(PATH, fields | wrong).status_code == 422, wrong
    assert Ownership.objects.count() == rows


@pytest.mark.parametrize("who", ["viewer", "elena", "charlie"])
def test_others_change_no_owner_of_a_member(company: Stage, who: str) -> None:
    client = signed_in(getattr(company, who))
    fields = {"part": "city:Leeds", "leader": "elena", "from_date": company.today.isoformat()}
    rows = Ownership.objects.count()
    assert client.post(PATH, fields).status_code == 403
    assert client.post(f"{PATH}undo/", fields).status_code == 403
    assert Ownership.objects.count() == rows


def test_what_was_handed_to_somebody_says_so_until_their_first_word(company: Stage) -> None:
    hand_over("orders", company.elena.leader, company.today, author=company.executive, note="Watch Leeds")
    shown = page(signed_in(company.elena), "/metrics/orders/")
    assert "Handed to you on" in shown and "Watch Leeds" in shown and "Executive" in shown
    assert "<bdi>Charlie</bdi> answered for it before" in shown
    for other in (company.charlie, company.executive):
        assert "Handed to you" not in page(signed_in(other), "/metrics/orders/")
    CheckIn.objects.create(
        metric_key="orders", leader=company.elena.leader, date=company.today, text="I have it now."
    )
    assert "Handed to you" not in page(signed_in(company.elena), "/metrics/orders/")


def test_a_first_owner_was_handed_nothing_and_news_grows_old(company: Stage) -> None:
    elena, today = company.elena.leader, company.today
    CheckIn.objects.all().delete()
    assert handed_to(elena, today) == {}
    hand_over("orders", elena, today - NEW_FOR, author=None)
    assert handed_to(elena, today) == {}
    hand_over("orders", elena, today - NEW_FOR + DAY, author=None)
    assert handed_to(elena, today) == {}, "the same person again is no hand-over"
    hand_over("orders", company.charlie.leader, today - NEW_FOR, author=None)
    (handed,) = handed_to(elena, today).values()
    assert (handed.since, handed.giver) == (today - NEW_FOR + DAY, company.charlie.leader)


def test_statements_do_not_grow_with_members(company: Stage) -> None:
    client = signed_in(company.executive)
    client.get(PATH)

    def count(path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            client.get(path)
        return len(found)

    paths = (PATH, f"/metrics/orders/{company.state}")
    before = [count(path) for path in paths]
    star = making.Metric.objects.get(key="orders")
    for n in range(12):
        making.month(star, company.month.year, company.month.month, 1.0, dimension="city", member=f"Town {n}")
        hand_over(
            "orders", company.elena.leader, company.today, author=None, dimension="city", member=f"Town {n}"
        )
    assert [count(path) for path in paths] == before


def test_a_stranger_is_sent_to_sign_in(company: Stage) -> None:
    assert Client().get(PATH).status_code == 302
    hidden = making.Metric.objects.filter(key="orders")
    hidden.update(visible="leadership")
    assert signed_in(company.viewer).get(PATH).status_code == 404
    assert User.objects.count() == 6
