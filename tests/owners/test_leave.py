"""On leave with a delegate: who stands in on which day, what they may do, and who stays accountable."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from metrics.models import Metric
from owners import rules
from owners.models import CheckIn, Leader, Leave, Ownership, Role, User
from owners.queries.leave import absent_pks, away_on, delegate_on, standing_in
from owners.queries.ownership import owned_keys, owner_on
from owners.services.check_ins import check_in
from owners.services.leave import cancel_leave, change_leave, take_leave, warnings
from tests.people import Company, company, metric

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)
DAY = timedelta(days=1)


@pytest.fixture
def people() -> Company:
    return company()


def away(people: Company, who: str, delegate: str | None, start: int = 0, end: int = 10) -> Leave:
    """`who` is away from today + start through today + end."""
    today = timezone.localdate()
    stand_in = people.leaders[delegate] if delegate else None
    return take_leave(None, people.leaders[who], today + start * DAY, today + end * DAY, stand_in)


def fresh(people: Company, name: str) -> User:
    return User.objects.get(pk=people.users[name].pk)


def test_a_delegate_stands_in_on_every_day_of_the_leave_and_on_no_other(people: Company) -> None:
    today = timezone.localdate()
    leave = away(people, "alice", "charlie", 1, 3)
    days = [today + n * DAY for n in range(6)]
    charlie, alice = people.leaders["charlie"], people.leaders["alice"]
    assert [delegate_on(alice, day) for day in days] == [None, charlie, charlie, charlie, None, None]
    assert [standing_in(charlie, day) for day in days] == [(), (alice,), (alice,), (alice,), (), ()]
    assert [alice.pk in away_on(day) for day in days] == [False, True, True, True, False, False]
    assert away_on(days[1])[alice.pk].until_date == leave.until_date


def test_what_a_delegate_may_do_and_what_not(people: Company) -> None:
    secret = people.metrics["leadership"]
    counted = metric("nps", "bob", visible="leadership", type="manual", spec={"collect": {"by": "alice"}})
    other = metric("costs", "bob", visible="leadership")
    may = ("metric.read", "metric.check_in", "metric.enter_values", "metric.annotate")
    assert not any(rules.can(people.charlie, right, secret) for right in may)
    away(people, "alice", "charlie")
    charlie = fresh(people, "charlie")
    assert all(rules.can(charlie, right, secret) for right in may)
    assert not rules.can(charlie, "metric.set_target", secret)
    assert not rules.can(charlie, "metric.set_owner", secret)
    assert not rules.can(charlie, "leader.write_summary", people.leaders["alice"])
    assert rules.can(charlie, "metric.enter_values", counted), "Alice counts it, so her delegate may"
    assert not rules.can(charlie, "metric.check_in", counted), "Bob, who owns it, is here"
    seen = Metric.objects.filter(rules.visibility_filter(charlie))
    assert {secret.key, counted.key} <= {m.key for m in seen} and other not in seen
    assert all(rules.can(fresh(people, "alice"), right, secret) for right in may), "the owner stays the owner"


def test_a_delegate_who_is_only_a_viewer_reads_and_counts(people: Company) -> None:
    User.objects.filter(pk=people.charlie.pk).update(role=Role.VIEWER)
    counted = metric("nps", "bob", visible="leadership", type="manual", spec={"collect": {"by": "alice"}})
    away(people, "alice", "charlie")
    charlie = fresh(people, "charlie")
    assert rules.can(charlie, "metric.read", people.metrics["leadership"])
    assert rules.can(charlie, "metric.enter_values", counted)
    assert not rules.can(charlie, "metric.check_in", people.metrics["leadership"])
    assert not rules.can(charlie, "metric.enter_values", people.metrics["leadership"])


def test_the_word_is_the_owners_and_the_delegate_spoke(people: Company) -> None:
    away(people, "alice", "charlie")
    said = check_in(fresh(people, "charlie"), people.metrics["everyone"], text="All fine.")
    assert (said.leader.key, said.author) == ("alice", people.charlie)
    with pytest.raises(PermissionDenied):
        check_in(people.bob, people.metrics["everyone"], text="Me too.")
    assert CheckIn.objects.count() == 1


def test_after_the_leave_the_delegate_is_a_stranger_again(people: Company) -> None:
    leave = away(people, "alice", "charlie", -3, 5)
    # As the system: a leave in the past is only ever made by time going by.
    cancel_leave(people.alice, leave)
    assert Leave.objects.get().until_date == timezone.localdate() - DAY, "what was is kept"
    charlie = fresh(people, "charlie")
    assert not rules.can(charlie, "metric.check_in", people.metrics["everyone"])
    assert not Metric.objects.filter(rules.visibility_filter(charlie), visible="leadership").exists()
    with pytest.raises(ValidationError, match="over"):
        cancel_leave(people.alice, Leave.objects.get())


def test_a_leave_ahead_is_taken_away(people: Company) -> None:
    cancel_leave(people.alice, away(people, "alice", "charlie", 5, 9))
    assert not Leave.objects.exists()


def test_who_is_away_stands_in_for_nobody_and_nobody_takes_their_place(people: Company) -> None:
    away(people, "charlie", "bob", 2, 4)
    leave = away(people, "alice", "charlie", 0, 6)
    today = timezone.localdate()
    alice, bob, charlie = (people.leaders[name] for name in ("alice", "bob", "charlie"))
    who = [delegate_on(alice, today + n * DAY) for n in range(7)]
    assert who == [charlie, charlie, None, None, None, charlie, charlie]
    assert standing_in(charlie, today + 3 * DAY) == ()
    assert standing_in(bob, today + 3 * DAY) == (charlie,), "for Charlie, not for whom Charlie stood in"
    (said,) = warnings(leave)
    assert "Charlie is away too" in said and "nobody stands in for Alice" in said
    assert away_on(today + 3 * DAY)[alice.pk].why_nobody == "Charlie is away too"


def test_two_who_name_each_other_are_both_without(people: Company) -> None:
    away(people, "alice", "bob")
    away(people, "bob", "alice")
    assert delegate_on(people.leaders["alice"], timezone.localdate()) is None
    assert not rules.can(fresh(people, "bob"), "metric.check_in", people.metrics["everyone"])


def test_without_a_delegate_it_says_so(people: Company) -> None:
    leave = away(people, "alice", None)
    assert "name a delegate" in warnings(leave)[0]
    assert away_on(timezone.localdate())[people.leaders["alice"].pk].why_nobody == "nobody was named"


def test_a_delegate_who_has_left_stands_in_for_nobody(people: Company) -> None:
    away(people, "alice", "charlie")
    Leader.objects.filter(key="charlie").update(archived_at=timezone.now())
    assert delegate_on(people.leaders["alice"], timezone.localdate()) is None
    assert standing_in(Leader.objects.get(key="charlie"), timezone.localdate()) == ()
    assert not rules.can(fresh(people, "charlie"), "metric.read", people.metrics["leadership"])
    with pytest.raises(ValidationError, match="has left"):
        take_leave(
            None,
            people.leaders["bob"],
            timezone.localdate(),
            timezone.localdate(),
            Leader.objects.get(key="charlie"),
        )


@pytest.mark.parametrize("who", ["bob", "charlie", "viewer", "leader", "analyst"])
def test_nobody_sends_somebody_else_on_leave(people: Company, who: str) -> None:
    today = timezone.localdate()
    alice = people.leaders["alice"]
    with pytest.raises(PermissionDenied):
        take_leave(people.users[who], alice, today, today, None)
    leave = take_leave(people.executive, alice, today, today + WEEK, None)
    with pytest.raises(PermissionDenied):
        change_leave(people.users[who], leave, today, today, None)
    with pytest.raises(PermissionDenied):
        cancel_leave(people.users[who], leave)
    assert Leave.objects.get().until_date == today + WEEK


@pytest.mark.parametrize(
    ("start", "end", "delegate", "said"),
    [
        (3, 2, "bob", "before the first"),
        (-9, -1, "bob", "over already"),
        (0, 3000, "bob", "three years"),
        (2000, 2001, "bob", "three years"),
        (0, 3, "alice", "Somebody else"),
    ],
)
def test_days_and_people_that_make_no_sense(
    people: Company, start: int, end: int, delegate: str, said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        away(people, "alice", delegate, start, end)
    assert not Leave.objects.exists()


def test_a_second_leave_on_one_day_is_refused_by_us_and_by_the_database(people: Company) -> None:
    today = timezone.localdate()
    first = away(people, "alice", "bob", 0, 3)
    with pytest.raises(ValidationError, match="already"):
        away(people, "alice", "bob", 3, 5)
    with pytest.raises(IntegrityError), transaction.atomic():
        Leave.objects.create(
            leader=people.leaders["alice"], from_date=today + 3 * DAY, until_date=today + WEEK
        )
    away(people, "alice", "bob", 4, 5)
    away(people, "bob", "alice", 0, 3)
    with pytest.raises(ValidationError, match="already"):
        change_leave(None, first, today, today + 4 * DAY, None)
    change_leave(None, first, today + DAY, today + 2 * DAY, people.leaders["charlie"], note="shorter")
    assert Leave.objects.count() == 3


spans = st.tuples(st.sampled_from("abc"), st.integers(0, 12), st.integers(0, 6), st.sampled_from("abc-"))


class TestAgainstPlainPython(TestCase):
    """Leave and ownership against an oracle that knows only lists and days."""

    @settings(max_examples=20, deadline=None)
    @given(
        asked=st.lists(spans, max_size=8), owned=st.dictionaries(st.integers(0, 14), st.sampled_from("abc-"))
    )
    def test_who_may_speak_on_each_day(
        self, asked: list[tuple[str, int, int, str]], owned: dict[int, str]
    ) -> None:
        leaders = {k: Leader.objects.create(key=k, name=k) for k in "abc"}
        today = timezone.localdate()
        taken: list[tuple[str, int, int, str]] = []
        for who, start, length, delegate in asked:
            end = start + length
            clash = any(w == who and s <= end and start <= e for w, s, e, _ in taken)
            stand_in = leaders.get(delegate)
            try:
                take_leave(None, leaders[who], today + start * DAY, today + end * DAY, stand_in)
            except ValidationError:
                assert clash or who == delegate
            else:
                assert not clash and who != delegate
                taken.append((who, start, end, delegate))
        for start, who in owned.items():
            Ownership.objects.create(metric_key="m", from_date=today + start * DAY, leader=leaders.get(who))
        for n in range(-1, 20):
            day = today + n * DAY
            gone = {w: d for w, s, e, d in taken if s <= n <= e}
            speaks = {w: d for w, d in gone.items() if d != "-" and d not in gone}
            for who, leader in leaders.items():
                found = delegate_on(leader, day)
                assert (found.key if found else None) == speaks.get(who)
                assert [a.key for a in standing_in(leader, day)] == sorted(
                    w for w, d in speaks.items() if d == who
                )
            assert {a.leader.key: a.stand_in and a.stand_in.key for a in away_on(day).values()} == {
                w: speaks.get(w) for w in gone
            }
            begun = [start for start in owned if start <= n]
            owner = owner_on("m", day)
            assert (owner.key if owner else "-") == (owned[max(begun)] if begun else "-")
            speakers = [k for k in "abc" if "m" in owned_keys(day, pk__in=absent_pks(leaders[k], day))]
            assert speakers == ([speaks[owner.key]] if owner and owner.key in speaks else [])


def test_a_leave_that_somebody_else_changed_is_not_written_over(people: Company) -> None:
    leave = away(people, "alice", "charlie", 1, 3)
    path = f"/leaders/alice/leave/{leave.pk}/"
    client = Client()
    client.force_login(people.executive)
    form = client.get(path).context["form"]
    seen = {name: form[name].value() or "" for name in form.fields}
    change_leave(people.alice, leave, leave.from_date, leave.until_date, None, note="Nobody can")
    answer = client.post(path, seen | {"until_date": leave.until_date + DAY})
    assert answer.status_code == 422
    assert "Somebody else changed this" in answer.content.decode()
    leave.refresh_from_db()
    assert (leave.delegate, leave.note) == (None, "Nobody can")
    form = answer.context["form"]
    assert (form["delegate"].value(), form["note"].value()) == (None, "Nobody can")
    again = {name: form[name].value() or "" for name in form.fields}
    assert client.post(path, again | {"until_date": leave.until_date + DAY}).status_code == 302
    leave.refresh_from_db()
    assert (leave.note, leave.until_date) == ("Nobody can", timezone.localdate() + 4 * DAY)
