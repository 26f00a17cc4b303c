"""The delegate of somebody on leave: what `/me/` asks of them, in whose name they speak, and after it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metrics.models import Entry, Metric
from metrics.queries.me import count_due, my_page
from owners.models import CheckIn, Leader, Leave, Role, User
from owners.services.check_ins import check_in
from owners.services.leave import take_leave
from owners.services.ownership import hand_over
from tests.metrics import making
from tests.metrics.stage import Stage, stage
from tests.metrics.test_pages_writing import inputs, signed_in

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def company() -> Stage:
    return stage(timezone.localdate())


def send_away(company: Stage, who: str = "elena", delegate: str = "charlie") -> Leave:
    leaders = Leader.objects.in_bulk(field_name="key")
    return take_leave(None, leaders[who], company.today, company.today + 9 * DAY, leaders[delegate])


def me(user: User) -> User:
    return User.objects.get(pk=user.pk)


def page(client: Client, path: str) -> str:
    return " ".join(client.get(path).content.decode().split())


def test_the_delegate_is_asked_for_what_the_absent_one_owns(company: Stage) -> None:
    before = {item.key for item in my_page(me(company.charlie)).items}
    assert before == {"orders"}
    due = count_due(me(company.charlie))
    send_away(company)
    mine = my_page(me(company.charlie))
    theirs = {item.key: item.asked.stands_in for item in mine.items}
    assert set(theirs) == {"orders", "on_time", "plans"}
    assert theirs["orders"] is None
    assert theirs["on_time"].leader.key == theirs["plans"].leader.key == "elena"
    # the words; what is proposed to the absent one waits for their own answer
    assert count_due(me(company.charlie)) == due + len(my_page(me(company.elena)).waiting)
    shown = page(signed_in(company.charlie), "/me/")
    until = company.today + 9 * DAY
    assert f"for <bdi>Elena</bdi>, on leave until {until.day} {until:%b}" in shown


def test_the_owner_is_asked_as_before(company: Stage) -> None:
    before = [item.key for item in my_page(me(company.elena)).items]
    send_away(company)
    after = my_page(me(company.elena))
    assert [item.key for item in after.items] == before
    assert all(item.asked.stands_in is None for item in after.items)


def test_a_delegate_checks_in_and_enters_in_the_owners_name(company: Stage) -> None:
    send_away(company)
    client = signed_in(company.charlie)
    path = "/me/plans/"
    assert "on leave until" in page(client, path)
    day = company.month.isoformat()
    fields = inputs(client, path) | {
        f"numerator-{day}": "18",
        f"denominator-{day}": "25",
        "text": "Counted by me.",
        "period": day,
    }
    assert client.post(path, fields).status_code == 302
    said = CheckIn.objects.get(metric_key="plans", text="Counted by me.")
    assert (said.leader.key, said.author) == ("elena", company.charlie)
    assert Entry.objects.get(metric__key="plans", period_start=company.month).author == company.charlie
    assert "<bdi>Charlie for Elena</bdi>" in page(client, f"/metrics/plans/{company.state}")
    assert "<bdi>Elena</bdi>" in page(client, "/leaders/"), "Elena answers for it still"


def test_the_owners_last_words_are_filled_in(company: Stage) -> None:
    check_in(company.elena, Metric.objects.get(key="on_time"), text="Depots are short of drivers.")
    send_away(company)
    shown = page(signed_in(company.charlie), "/me/on_time/")
    assert "Depots are short of drivers." in shown and "The last words, of" in shown


def test_who_named_nobody_and_who_names_somebody_away(company: Stage) -> None:
    leave = send_away(company)
    take_leave(None, company.charlie.leader, company.today, company.today + DAY, None)
    assert {i.key for i in my_page(me(company.charlie)).items} == {"orders"}, "away themself"
    Leave.objects.filter(pk=leave.pk).update(delegate=None)
    assert signed_in(company.charlie).get("/me/on_time/").status_code == 403


def test_a_stranger_stands_in_for_nobody(company: Stage) -> None:
    send_away(company)
    rows = CheckIn.objects.count()
    for who in (company.viewer, company.executive, company.analyst):
        assert signed_in(who).post("/me/on_time/", {"text": "x"}).status_code == 403
    assert CheckIn.objects.count() == rows


def test_who_stands_in_for_a_collector_counts_and_does_not_speak(company: Stage) -> None:
    counter = Leader.objects.create(key="ana", name="Ana")
    making.manual("calls", "level", collect={"by": "ana"}, visible="leadership")
    hand_over("calls", company.charlie.leader, company.today, author=None)
    take_leave(None, counter, company.today, company.today + DAY, company.elena.leader)
    User.objects.filter(pk=company.elena.pk).update(role=Role.VIEWER)
    (item,) = (i for i in my_page(me(company.elena)).items if i.key == "calls")
    assert item.asked.stands_in.leader == counter and not item.asked.speaks
    client = signed_in(company.elena)
    fields = inputs(client, "/me/calls/")
    name = f"value-{fields['period']}"
    assert client.post("/me/calls/", fields | {name: "41", "text": "I speak."}).status_code == 302
    assert Entry.objects.get(metric__key="calls").value == 41
    assert not CheckIn.objects.filter(metric_key="calls").exists()


def test_ones_own_members_are_listed_with_their_figures(company: Stage) -> None:
    hand_over(
        "orders",
        company.elena.leader,
        company.today,
        author=None,
        dimension="city",
        member="Leeds",
        note="North",
    )
    shown = page(signed_in(company.elena), "/me/")
    assert "Your part" in shown and "<bdi>Leeds</bdi> of <bdi>Orders</bdi>" in shown and "North" in shown
    assert {i.key for i in my_page(me(company.elena)).items} == {"on_time", "plans"}
    assert "Your part" not in page(signed_in(company.charlie), "/me/")
    (line,) = my_page(me(company.elena)).parts
    assert line.figure == 2_000


def test_statements_do_not_grow_with_who_is_away(company: Stage) -> None:
    send_away(company)

    def count() -> int:
        with CaptureQueriesContext(connection) as found:
            my_page(me(company.charlie))
        return len(found)

    before = count()
    for n in range(5):
        leader = Leader.objects.create(key=f"l{n}", name=f"L{n}")
        making.metric(f"m{n}", role="focus")
        hand_over(f"m{n}", leader, company.today - DAY, author=None)
        take_leave(None, leader, company.today, company.today + DAY, company.charlie.leader)
    assert len(my_page(me(company.charlie)).items) == 8
    assert count() == before


def test_leaders_shows_who_is_away_who_is_idle_and_what_was_left_to_nobody(company: Stage) -> None:
    idle = Leader.objects.create(key="idle", name="Ida Idle")
    hand_over("orders", None, company.today, author=None, dimension="city", member="Leeds")
    send_away(company)
    shown = page(signed_in(company.viewer), "/leaders/")
    assert "<strong>1 leader without a metric:</strong>" in shown and "Ida Idle" in shown
    assert "<strong>1 member left to nobody:</strong>" in shown
    assert "<bdi>Charlie</bdi> stands in" in shown
    Leave.objects.update(delegate=None)
    assert "(nobody was named)" in page(signed_in(company.viewer), "/leaders/")
    hand_over("orders", idle, company.today, author=None, dimension="city", member="Leeds")
    shown = page(signed_in(company.viewer), "/leaders/")
    assert "without a metric" not in shown and "left to nobody" not in shown
    theirs = page(signed_in(company.viewer), "/leaders/idle/")
    assert "Members of other metrics" in theirs and "<bdi>Leeds</bdi> of <bdi>Orders</bdi>" in theirs
    assert "/leaders/idle/leave/" not in theirs
    assert "/leaders/idle/leave/" in page(signed_in(company.executive), "/leaders/idle/")
