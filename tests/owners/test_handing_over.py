"""Handing a metric over: at most one owner at any moment, and a history of who it was."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from owners.models import Leader, Ownership
from owners.queries.ownership import history, owner_on
from owners.services.ownership import hand_over, state_history
from tests.people import company

MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)
KEY = "for_everyone"
pytestmark = pytest.mark.django_db


def test_from_a_day_on_another_leader_answers() -> None:
    people = company()
    bob, charlie = people.leaders["bob"], people.leaders["charlie"]
    hand_over(KEY, bob, MAY, author=people.executive, note="on leave")
    hand_over(KEY, None, JUNE, author=people.executive)
    hand_over(KEY, charlie, JULY, author=people.analyst)
    days = {day: owner_on(KEY, day) for day in (date(2026, 4, 30), MAY, date(2026, 6, 30), JULY)}
    assert list(days.values()) == [people.leaders["alice"], bob, None, charlie]
    hand_over(KEY, charlie, MAY, author=people.executive)
    assert owner_on(KEY, MAY) == charlie, "the same day said again is a correction"
    assert len(history(KEY)) == 4


def test_who_may_not_hand_over() -> None:
    people = company()
    for nobody in (people.viewer, people.alice, people.bob):
        with pytest.raises(PermissionDenied):
            hand_over(KEY, people.leaders["bob"], MAY, author=nobody)
    assert Ownership.objects.filter(metric_key=KEY).count() == 1


def test_nothing_is_handed_to_who_has_left() -> None:
    company()
    Leader.objects.filter(key="bob").update(archived_at=timezone.now())
    with pytest.raises(ValueError, match="has left"):
        hand_over(KEY, Leader.objects.get(key="bob"), MAY, author=None)


def test_a_whole_history_is_stated_and_rows_that_stay_are_not_touched() -> None:
    people = company()
    alice, bob = people.leaders["alice"], people.leaders["bob"]
    state_history(KEY, [(MAY, alice, ""), (JUNE, bob, "hand-over")], author=None)
    rows = {row.from_date: row.pk for row in Ownership.objects.filter(metric_key=KEY)}
    state_history(KEY, [(MAY, alice, ""), (JULY, bob, "")], author=None)
    after = {row.from_date: row.pk for row in Ownership.objects.filter(metric_key=KEY)}
    assert set(after) == {MAY, JULY} and after[MAY] == rows[MAY]
