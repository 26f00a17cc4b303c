"""Handing a metric over: at most one owner at any moment, and a history of who it was."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from owners.models import Action, Leader, Ownership
from owners.queries.ownership import history, member_owner_on, owned_by, owner_on, parts_on, rows_on
from owners.services.meanwhile import ChangedMeanwhile
from owners.services.ownership import (
    hand_all_over,
    hand_over,
    move_actions,
    state_history,
    token_of,
    undo_hand_over,
)
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


def test_what_lies_ahead_is_taken_back_and_what_has_begun_is_not() -> None:
    people = company()
    today = timezone.localdate()
    bob, ahead = people.leaders["bob"], today + timedelta(days=9)
    hand_over(KEY, bob, ahead, author=people.executive)
    hand_over(KEY, bob, today, author=people.executive)
    with pytest.raises(PermissionDenied):
        undo_hand_over(KEY, ahead, author=people.bob)
    undo_hand_over(KEY, ahead, author=people.executive)
    assert [t.from_date for t in history(KEY)][1:] == [today]
    with pytest.raises(ValidationError, match="has begun"):
        undo_hand_over(KEY, today, author=people.executive)
    with pytest.raises(ValidationError, match="taken back already"):
        undo_hand_over(KEY, ahead, author=people.executive)
    assert owner_on(KEY, today) == bob


def test_who_hands_over_a_second_late_is_told() -> None:
    people = company()
    seen = token_of(KEY)
    hand_over(KEY, people.leaders["bob"], MAY, author=people.executive, expected=seen)
    with pytest.raises(ChangedMeanwhile):
        hand_over(KEY, people.leaders["charlie"], MAY, author=people.analyst, expected=seen)
    with pytest.raises(ChangedMeanwhile):
        undo_hand_over(KEY, date(2999, 1, 1), author=people.analyst, expected=seen)
    assert owner_on(KEY, MAY) == people.leaders["bob"]


def test_the_database_itself_knows_one_row_a_day() -> None:
    people = company()
    of = {"metric_key": KEY, "dimension": "country", "member": "UK", "from_date": MAY}
    Ownership.objects.create(**of)
    with pytest.raises(IntegrityError), transaction.atomic():
        Ownership.objects.create(**of, leader=people.leaders["bob"])
    with pytest.raises(IntegrityError), transaction.atomic():
        Ownership.objects.create(metric_key=KEY, member="UK", from_date=JUNE)
    with pytest.raises(IntegrityError), transaction.atomic():
        Ownership.objects.create(**{**of, "from_date": JUNE}, leader=people.leaders["bob"], is_returned=True)


def test_a_member_has_an_owner_of_its_own_until_it_goes_back() -> None:
    people = company()
    alice, bob = people.leaders["alice"], people.leaders["bob"]
    uk = {"dimension": "country", "member": "UK"}
    hand_over(KEY, bob, MAY, author=people.executive, note="knows the UK", **uk)
    hand_over(KEY, None, JUNE, author=people.executive, **uk)
    hand_over(KEY, None, JULY, author=people.executive, to_the_whole=True, **uk)
    days = [date(2026, 4, 30), MAY, JUNE, JULY]
    assert [member_owner_on(KEY, "country", "UK", day) for day in days] == [alice, bob, None, alice]
    assert [[p.leader for p in parts_on(day)] for day in days] == [[], [bob], [None], []]
    assert [member_owner_on(KEY, "country", "Spain", day) for day in days] == [alice] * 4
    assert [owner_on(KEY, day) for day in days] == [alice] * 4, "the whole stays with its owner"
    assert len(history(KEY)) == 1 and len(history(KEY, "country", "UK")) == 3
    for wrong in ({"to_the_whole": True}, {"to_the_whole": True, "leader": bob, **uk}):
        with pytest.raises(ValidationError):
            hand_over(KEY, wrong.pop("leader", None), MAY, author=None, **wrong)


def test_a_stated_history_leaves_the_members_alone() -> None:
    people = company()
    hand_over(KEY, people.leaders["bob"], MAY, author=None, dimension="country", member="UK")
    state_history(KEY, [(JUNE, people.leaders["charlie"], "")], author=None)
    assert [p.leader and p.leader.key for p in parts_on(JULY)] == ["bob"]
    assert [t.leader and t.leader.key for t in history(KEY)] == ["charlie"]


def test_open_actions_go_along_and_finished_ones_stay() -> None:
    people = company()
    alice, bob, charlie = (people.leaders[name] for name in ("alice", "bob", "charlie"))
    Action.objects.create(text="open", leader=alice, metric_key=KEY)
    Action.objects.create(text="done", leader=alice, metric_key=KEY, done_at=timezone.now())
    Action.objects.create(text="Charlie's", leader=charlie, metric_key=KEY)
    Action.objects.create(text="elsewhere", leader=alice, metric_key="for_team")
    with pytest.raises(PermissionDenied):
        move_actions(KEY, alice, bob, author=people.alice)
    assert move_actions(KEY, alice, bob, author=people.executive) == 1
    assert dict(Action.objects.values_list("text", "leader__key")) == {
        "open": "bob",
        "done": "alice",
        "Charlie's": "charlie",
        "elsewhere": "alice",
    }


def test_everything_at_once_also_what_would_have_begun_later() -> None:
    people = company()
    alice, bob = people.leaders["alice"], people.leaders["bob"]
    hand_over("new", None, MAY, author=None)
    hand_over("new", alice, JULY, author=None)
    hand_over(KEY, alice, MAY, author=None, dimension="country", member="UK")
    Action.objects.create(text="open", leader=alice, metric_key=KEY)
    assert len(owned_by(alice, JUNE)) == 5
    with pytest.raises(PermissionDenied):
        hand_all_over(alice, bob, JUNE, author=people.alice)
    with pytest.raises(ValidationError):
        hand_all_over(alice, alice, JUNE, author=people.executive)
    assert owned_by(alice, JUNE), "nothing has moved so far"
    moved = hand_all_over(alice, bob, JUNE, author=people.executive, note="leaves us", with_actions=True)
    assert moved == 5 and owned_by(alice, JUNE) == ()
    assert {owner_on(key, MAY) for key in ("for_everyone", "for_team", "for_leadership")} == {alice}
    assert owner_on("new", JUNE) is None and owner_on("new", JULY) == bob
    assert member_owner_on(KEY, "country", "UK", JUNE) == bob
    assert Action.objects.get().leader == bob
    assert {row.note for row in Ownership.objects.filter(leader=bob)} == {"leaves us"}


moves = st.one_of(
    st.tuples(
        st.just("over"), st.integers(-4, 8), st.sampled_from("abc-"), st.sampled_from(["", "UK", "ES"])
    ),
    st.tuples(st.just("undo"), st.integers(-4, 8), st.just(""), st.sampled_from(["", "UK", "ES"])),
    st.tuples(st.just("back"), st.integers(-4, 8), st.just(""), st.sampled_from(["UK", "ES"])),
    st.tuples(st.just("all"), st.integers(-4, 8), st.sampled_from("ab"), st.sampled_from("bc-")),
)


class TestNeitherOverlapNorHole(TestCase):
    """Whatever is handed over, taken back or handed over at once: one row rules on every day."""

    @settings(max_examples=60, deadline=None)
    @given(done=st.lists(moves, max_size=12))
    def test_one_row_rules_on_every_day_since_the_first(self, done: list[tuple[str, int, str, str]]) -> None:
        leaders = {k: Leader.objects.create(key=k, name=k) for k in "abc"}
        today = timezone.localdate()
        # Plain Python: what is said of each part, by the day it begins. "=" is the whole's owner's again.
        said: dict[str, dict[int, str]] = {"": {}, "UK": {}, "ES": {}}

        def ruling(part: str, n: int) -> str:
            begun = [start for start in said[part] if start <= n]
            return said[part][max(begun)] if begun else ("-" if part == "" else "=")

        for what, n, who, part in done:
            day = today + timedelta(days=n)
            of = {"dimension": "country" if part else "", "member": part}
            if what == "over":
                hand_over("m", leaders.get(who), day, author=None, **of)
                said[part][n] = who
            elif what == "back":
                hand_over("m", None, day, author=None, to_the_whole=True, **of)
                said[part][n] = "="
            elif what == "undo":
                if n > 0 and n in said[part]:
                    undo_hand_over("m", day, author=None, **of)
                    del said[part][n]
                else:
                    with pytest.raises(ValidationError):
                        undo_hand_over("m", day, author=None, **of)
            elif who != part:  # `part` is who takes all
                hand_all_over(leaders[who], leaders.get(part), day, author=None)
                for rows in said.values():
                    begun = [start for start in rows if start <= n]
                    if begun and rows[max(begun)] == who:
                        rows[n] = part
                    for start in rows:
                        if start > n and rows[start] == who:
                            rows[start] = part
        for n in range(-6, 10):
            day = today + timedelta(days=n)
            in_force = list(rows_on(day))
            assert len(in_force) == (1 if any(start <= n for start in said[""]) else 0)
            whole = owner_on("m", day)
            assert (whole.key if whole else "-") == ruling("", n)
            for part in ("UK", "ES"):
                expected = ruling(part, n)
                own = member_owner_on("m", "country", part, day)
                assert (own.key if own else "-") == (ruling("", n) if expected == "=" else expected)
            shown = {p.member: p.leader.key if p.leader else "-" for p in parts_on(day)}
            assert shown == {part: ruling(part, n) for part in ("UK", "ES") if ruling(part, n) != "="}
        for part, rows in said.items():
            tenures = history("m", "country" if part else "", part)
            assert [t.from_date for t in tenures] == [today + timedelta(days=n) for n in sorted(rows)]
            assert [t.to_date for t in tenures[:-1]] == [t.from_date for t in tenures[1:]]
