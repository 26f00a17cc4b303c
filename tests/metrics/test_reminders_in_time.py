"""On which days who is reminded: each weekday, across a quarter's end, and while people are away."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache

from calc.cadence import Every
from metrics.services import reminders
from metrics.services.reminders import words
from owners.models import Cadence, CheckIn, Leader, Leave, Notice, Ownership, Role, User
from tests.metrics import making

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
KEY = "orders"


@pytest.fixture(autouse=True)
def cast(time_machine: Any) -> None:
    """Elena owns Orders; Grace and Ida own nothing."""
    time_machine.move_to(datetime(2026, 3, 1, 9, tzinfo=UTC), tick=False)
    making.installation(timezone="UTC")
    for name in ("elena", "grace", "ida"):
        user = User.objects.create_user(f"{name}@example.com", name=name.title(), role=Role.LEADER)
        Leader.objects.create(key=name, name=user.name, email=user.email, user=user)
    making.metric(KEY, name="Orders")
    making.owner(KEY, "elena", date(2020, 1, 1))


def rhythm(every: Every, **fields: Any) -> None:
    Cadence.objects.create(metric_key=KEY, every=every, **fields)


def say(day: date, by: str = "elena") -> None:
    CheckIn.objects.create(metric_key=KEY, leader=Leader.objects.get(key=by), date=day, text="Said.")


def away(who: str, start: date, end: date, delegate: str = "") -> None:
    stand_in = Leader.objects.get(key=delegate) if delegate else None
    Leave.objects.create(
        leader=Leader.objects.get(key=who), delegate=stand_in, from_date=start, until_date=end
    )


def told(days: Iterable[date], time_machine: Any) -> dict[date, list[str]]:
    """Who is reminded on which of these days."""
    found: dict[date, list[str]] = {}
    for day in days:
        now = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        time_machine.move_to(now, tick=False)
        cache.clear()
        known = set(Notice.objects.values_list("pk", flat=True))
        reminders.remind(now)
        names = [n.leader.key for n in Notice.objects.exclude(pk__in=known).order_by("pk") if n.leader]
        if names:
            found[day] = names
    return found


def span(start: date, days: int) -> list[date]:
    return [start + n * DAY for n in range(days)]


# Weeks from Monday 9 March 2026 on; the last word was on 3 March, in time for the week before.
@pytest.mark.parametrize(
    ("weekday", "march"),
    [
        (0, [9, 10, 12, 16, 17]),  # no room before it: the week that is spoken of ends on Sunday
        (1, [9, 10, 11, 13, 16, 17, 18]),  # before, on, one day after, three after, then the next one
        (2, [10, 11, 12, 16, 17, 18]),
        (3, [11, 12, 13, 17, 18]),
        (4, [12, 13, 16, 18]),  # a Friday that was missed is told of on Monday, in the next week
        (5, [13, 16, 17]),  # Saturday moves to Monday 16, when the next week has begun: on it, and after it
    ],
)
def test_a_weekly_word_is_asked_for_before_on_and_after_its_day(
    weekday: int, march: list[int], time_machine: Any
) -> None:
    rhythm(Every.WEEK, weekday=weekday)
    say(date(2026, 3, 3))
    found = told(span(date(2026, 3, 9), 10), time_machine)
    assert [day.day for day in found] == march
    assert {name for names in found.values() for name in names} == {"elena"}


def test_who_has_said_it_already_is_not_reminded_before_it_is_due(time_machine: Any) -> None:
    rhythm(Every.WEEK, weekday=2)
    say(date(2026, 3, 9))
    assert not told(span(date(2026, 3, 10), 6), time_machine)
    assert [day.day for day in told(span(date(2026, 3, 16), 3), time_machine)] == [17, 18]


def test_it_says_that_the_one_before_is_not_there(time_machine: Any) -> None:
    rhythm(Every.WEEK, weekday=4)
    say(date(2026, 3, 3))
    told(span(date(2026, 3, 16), 1), time_machine)
    now = datetime(2026, 3, 16, 9, tzinfo=UTC)
    said = words(Notice.objects.get(), now, signed=False)
    assert said
    assert said.subject == "Orders: check-in is due on Fri 20 Mar; that of Fri 13 Mar is not there"


def test_a_fortnight_leaves_no_room_before_it(time_machine: Any) -> None:
    rhythm(Every.WEEKS, weeks=2, first=date(2026, 3, 11))
    assert [day.day for day in told(span(date(2026, 3, 9), 12), time_machine)] == [11, 12, 16, 18]


def test_across_a_quarters_end(time_machine: Any) -> None:
    """Due on the third working day of April 2026: Friday the 3rd. Nothing is asked while March runs."""
    rhythm(Every.QUARTER, working_days=3)
    say(date(2026, 1, 5))
    found = told(span(date(2026, 3, 25), 24), time_machine)
    assert [(day.month, day.day) for day in found] == [(4, 2), (4, 3), (4, 6), (4, 8), (4, 10), (4, 17)]


def test_across_a_quarters_end_with_holidays(time_machine: Any) -> None:
    """In England Good Friday (3 April) and Easter Monday are free: the third working day is 7 April."""
    Leader.objects.filter(key="elena").update(country="GB")
    rhythm(Every.QUARTER, working_days=3)
    say(date(2026, 1, 5))
    found = told(span(date(2026, 3, 30), 14), time_machine)
    assert [(day.month, day.day) for day in found] == [(4, 2), (4, 7), (4, 8), (4, 10)]


def test_a_leave_over_the_quarters_end(time_machine: Any) -> None:
    """Elena is away to 3 April and back on Monday the 6th: Grace is asked before and on the day, then she."""
    rhythm(Every.QUARTER, working_days=3)
    say(date(2026, 1, 5))
    away("elena", date(2026, 3, 23), date(2026, 4, 3), "grace")
    found = told(span(date(2026, 3, 25), 15), time_machine)
    assert {day.day: names for day, names in found.items()} == {
        2: ["grace"], 3: ["grace"], 6: ["elena"], 8: ["elena"],
    }  # fmt: skip


def test_what_the_delegate_said_over_the_end_is_said(time_machine: Any) -> None:
    rhythm(Every.QUARTER, working_days=3)
    say(date(2026, 1, 5))
    away("elena", date(2026, 3, 23), date(2026, 4, 3), "grace")
    assert told([date(2026, 4, 2)], time_machine)
    say(date(2026, 4, 2))  # in Elena's name
    assert not told(span(date(2026, 4, 3), 12), time_machine)


def test_a_delegate_who_is_away_too_and_nobody_named(time_machine: Any) -> None:
    """Grace leaves on 3 April, so that nobody stands in: nobody is asked until Elena is back."""
    rhythm(Every.QUARTER, working_days=3)
    say(date(2026, 1, 5))
    away("elena", date(2026, 3, 23), date(2026, 4, 6), "grace")
    away("grace", date(2026, 4, 3), date(2026, 4, 10), "ida")  # Ida speaks for Grace, not for Elena
    found = told(span(date(2026, 4, 1), 9), time_machine)
    assert {day.day: names for day, names in found.items()} == {2: ["grace"], 8: ["elena"]}


def test_a_hand_over_on_the_quarters_first_day_asks_the_new_owner_alone(time_machine: Any) -> None:
    rhythm(Every.QUARTER, working_days=3)
    say(date(2026, 1, 5))
    ida = Leader.objects.get(key="ida")
    Ownership.objects.create(metric_key=KEY, leader=ida, from_date=date(2026, 4, 1))
    away("elena", date(2026, 3, 23), date(2026, 4, 30), "grace")  # her delegate speaks for hers alone
    found = told(span(date(2026, 3, 30), 8), time_machine)
    assert {day.day: names for day, names in found.items()} == {2: ["ida"], 3: ["ida"], 6: ["ida"]}
