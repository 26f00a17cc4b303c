"""The owner's word and to-dos: who may, what is refused, and that nothing said is lost."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from metrics.models import Metric
from metrics.queries.recorded import events
from owners.models import Action, CheckIn
from owners.rules import can
from owners.services.actions import add_action, finish_action, reopen
from owners.services.check_ins import NOTHING_NEW, check_in, last_said, token_of
from tests.people import Company, company

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Company:
    return company()


def of(people: Company) -> Metric:
    return people.metrics["everyone"]


def test_the_owner_alone_speaks(people: Company) -> None:
    for name in set(people.users) - {"alice"}:
        with pytest.raises(PermissionDenied):
            check_in(people.users[name], of(people), text="Mine now.")
    assert not CheckIn.objects.exists()
    said = check_in(
        people.alice,
        of(people),
        text=" Two depots hired. ",
        confidence=0.7,
        next_step="Train",
        help_needed="IT",
    )
    assert (said.text, said.confidence, said.next_step, said.help_needed) == (
        "Two depots hired.",
        0.7,
        "Train",
        "IT",
    )
    assert (said.leader, said.author, said.date) == (
        people.leaders["alice"],
        people.alice,
        timezone.localdate(),
    )


def test_the_same_day_is_corrected_and_both_are_on_record(people: Company) -> None:
    check_in(people.alice, of(people), text="First.")
    check_in(people.alice, of(people), text="Second.")
    assert list(CheckIn.objects.values_list("text", flat=True)) == ["Second."]
    recorded = events(CheckIn).objects.order_by("pgh_id").values_list("pgh_label", "text")
    assert list(recorded) == [("insert", "First."), ("update", "Second.")]


def test_nothing_new_says_the_last_words_again(people: Company) -> None:
    today = timezone.localdate()
    assert check_in(people.alice, of(people), text="", same=True, on=today - timedelta(8)).text == NOTHING_NEW
    check_in(
        people.alice, of(people), text="Hired.", confidence=0.6, on=today - timedelta(7), help_needed="IT"
    )
    again = check_in(people.alice, of(people), text="typed, not meant", same=True)
    assert (again.text, again.confidence, again.help_needed) == ("Hired.", 0.6, "IT")
    assert CheckIn.objects.count() == 3


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"text": "  "}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"text": "a" * 2001}, "text"),
        ({"text": "a", "confidence": 1.2}, "confidence"),
        ({"text": "a", "confidence": float("nan")}, "confidence"),
        ({"text": "a", "next_step": "b" * 2001}, "next_step"),
    ],
)
def test_what_is_wrong_is_refused_by_field(people: Company, wrong: dict, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check_in(people.alice, of(people), **wrong)
    assert set(refused.value.error_dict) == {field}
    assert not CheckIn.objects.exists()


def test_nothing_is_dated_ahead(people: Company) -> None:
    with pytest.raises(ValidationError):
        check_in(people.alice, of(people), text="a", on=timezone.localdate() + timedelta(1))


def test_two_windows_see_each_other(people: Company) -> None:
    first = check_in(people.alice, of(people), text="First.", token="")
    with pytest.raises(ValidationError) as refused:
        check_in(people.alice, of(people), text="Second.", token="")
    assert refused.value.code == "conflict"
    check_in(people.alice, of(people), text="Third.", token=token_of(first))
    last = last_said(of(people).key, people.leaders["alice"], timezone.localdate())
    assert last is not None
    assert last.text == "Third."


def test_an_action_concerns_its_person_and_the_metrics_owner(people: Company) -> None:
    action = add_action(
        people.alice, text="Call the depots", leader=people.leaders["charlie"], metric=of(people)
    )
    assert {n for n, user in people.users.items() if can(user, "action.edit", action)} == {
        "alice",
        "charlie",
        "executive",
        "admin",
    }
    for name in ("bob", "viewer", "leader", "analyst"):
        for act in (finish_action, reopen):
            with pytest.raises(PermissionDenied):
                act(people.users[name], action)
    done = finish_action(people.charlie, action)
    assert done.done_at is not None
    assert finish_action(people.alice, action).done_at == done.done_at  # again changes nothing
    assert reopen(people.alice, action).done_at is None


def test_actions_are_ones_own_to_add(people: Company) -> None:
    with pytest.raises(PermissionDenied):
        add_action(people.bob, text="Do it", leader=people.leaders["charlie"])
    with pytest.raises(PermissionDenied):  # of a metric that Charlie may not see
        add_action(people.charlie, text="x", leader=people.leaders["charlie"], metric=people.metrics["team"])
    for text in ("", "  ", "a" * 501, "a\x00"):
        with pytest.raises(ValidationError):
            add_action(people.bob, text=text, leader=people.leaders["bob"])
    assert not Action.objects.exists()
