"""What people are told of what others give them: metrics, leaves, actions; and what nobody is told."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from owners.models import Leader, Notice, User
from owners.services.actions import add_action, edit_action
from owners.services.leave import cancel_leave, change_leave, take_leave
from owners.services.ownership import hand_all_over, hand_over, undo_hand_over
from tests.people import Company, company

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


@pytest.fixture
def people(db: None) -> Company:
    return company()


def told(person: Leader) -> list[str]:
    """The subjects of what a person is told, oldest first."""
    return list(Notice.objects.filter(leader=person).order_by("pk").values_list("subject", flat=True))


def say(day: object) -> str:
    return f"{day:%-d %b %Y}"


def test_who_takes_over_and_who_gives_are_told(people: Company) -> None:
    start = timezone.localdate() + WEEK
    alice, bob = people.leaders["alice"], people.leaders["bob"]
    hand_over("for_everyone", bob, start, author=people.executive, note="Ask Leeds first.")
    assert told(bob) == [f"You answer for For everyone, from {say(start)}"]
    assert told(alice) == [f"You hand over For everyone, from {say(start)}"]
    taker, giver = (Notice.objects.get(leader=person) for person in (bob, alice))
    assert "Executive names you as the owner after Alice." in taker.body
    assert "Ask Leeds first." in taker.body
    assert "It goes to Bob." in giver.body
    assert taker.kind == giver.kind == "handover"
    assert (taker.about, taker.path) == (["for_everyone"], "/metrics/for_everyone/")
    undo_hand_over("for_everyone", start, author=people.executive)
    assert told(bob)[1:] == ["You do not take over For everyone"]


def test_a_member_is_told_by_its_name_and_a_vacancy_to_the_giver_alone(people: Company) -> None:
    today = timezone.localdate()
    where = {"dimension": "city", "member": "Leeds"}
    hand_over("for_everyone", people.leaders["bob"], today, author=people.executive, **where)
    assert told(people.leaders["bob"]) == [f"You answer for Leeds of For everyone, from {say(today)}"]
    hand_over("for_everyone", None, today, author=people.executive, **where)
    assert "It goes to nobody yet." in Notice.objects.filter(leader__key="bob").latest("pk").body


def test_all_at_once_is_one_notice(people: Company) -> None:
    today = timezone.localdate()
    hand_all_over(people.leaders["alice"], people.leaders["bob"], today, author=people.admin)
    assert told(people.leaders["bob"]) == ["You answer for 3 metrics and members"]
    body = Notice.objects.get(leader__key="bob").body
    for name in ("For everyone", "For team", "For leadership"):
        assert f"- {name}, from {say(today)}" in body


def test_nobody_is_told_of_what_they_do_themself_or_without_an_account(people: Company) -> None:
    today = timezone.localdate()
    lead = Leader.objects.create(key="lead", name="Lead", user=people.executive)
    hand_over("for_everyone", lead, today, author=people.executive)
    nina = Leader.objects.create(key="nina", name="Nina", email="nina@example.com")
    hand_over("for_team", nina, today, author=people.executive)
    User.objects.filter(pk=people.bob.pk).update(is_active=False)
    hand_over("for_leadership", Leader.objects.get(key="bob"), today, author=people.executive)
    hand_over("for_everyone", people.leaders["charlie"], today, author=None)  # the definitions file
    add_action(people.alice, text="Call Leeds", leader=people.leaders["alice"])
    assert {notice.leader.key for notice in Notice.objects.all() if notice.leader} == {"alice"}  # gave thrice
    assert Notice.objects.count() == 3


def test_a_delegate_is_told_of_the_leave_and_of_its_end(people: Company) -> None:
    today = timezone.localdate()
    alice, bob, charlie = (people.leaders[name] for name in ("alice", "bob", "charlie"))
    leave = take_leave(people.alice, alice, today, today + WEEK, bob, note="Ring Leeds on Monday.")
    days = f"from {say(today)} to {say(today + WEEK)}"
    assert told(bob) == [f"You stand in for Alice {days}"]
    assert "Ring Leeds on Monday." in Notice.objects.get().body
    change_leave(people.alice, leave, today, today + WEEK, charlie)
    assert told(bob)[1:] == ["You no longer stand in for Alice"]
    assert told(charlie) == [f"You stand in for Alice {days}"]
    cancel_leave(people.alice, leave)
    assert told(charlie)[1:] == ["You no longer stand in for Alice"]
    assert told(alice) == []


def test_an_action_is_told_to_whom_it_is_given(people: Company) -> None:
    due = timezone.localdate() + WEEK
    metric = people.metrics["everyone"]
    action = add_action(
        people.executive, text="Call Leeds", leader=people.leaders["bob"], metric=metric, due=due
    )
    assert told(people.leaders["bob"]) == ["An action for you: Call Leeds"]
    notice = Notice.objects.get()
    assert f"By: {say(due)}\nAbout: For everyone" in notice.body
    assert notice.about == ["for_everyone"]
    words = {"text": "Call Leeds twice", "metric": metric, "due": due}
    edit_action(people.executive, action, leader=people.leaders["bob"], **words)
    assert len(told(people.leaders["bob"])) == 1  # other words are no other action
    edit_action(people.executive, action, leader=people.leaders["charlie"], **words)
    assert told(people.leaders["charlie"]) == ["An action for you: Call Leeds twice"]


def test_the_page_tells_too(people: Company) -> None:
    client = Client()
    client.force_login(people.executive)
    client.post("/actions/new/", {"text": "Call Leeds", "leader": "bob"})
    assert told(people.leaders["bob"]) == ["An action for you: Call Leeds"]
