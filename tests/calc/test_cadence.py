"""When an owner's word is due, against tables made by hand from a paper calendar."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc import clock
from calc.cadence import Cadence, Due, Every, due_check_in
from calc.calendar import Calendar, Grain

MONDAYS, SUNDAYS = Calendar(), Calendar(week_start=6)
# 2025: 5 May is a Monday and, in Britain, a holiday; 1 Sep a Monday; 26 May a Monday and a holiday.
BANK = frozenset({date(2025, 5, 5), date(2025, 5, 26)})


def asked(*args: Any, **more: Any) -> Due:
    due = due_check_in(*args, **more)
    assert due is not None
    return due


@pytest.mark.parametrize(
    ("as_of", "last", "said", "late"),
    [
        ("2025-09-01", None, False, False),  # due today
        ("2025-09-02", None, False, True),
        ("2025-09-02", "2025-08-31", False, True),  # a word of the week before does not count
        ("2025-09-02", "2025-09-01", True, False),
        ("2025-09-07", "2025-09-01", True, False),
        ("2025-09-08", "2025-09-01", False, False),  # a new week asks again
        ("2025-09-05", "2025-09-05", True, False),  # late, but said
    ],
)
def test_weekly(as_of: str, last: str | None, said: bool, late: bool) -> None:
    due = asked(MONDAYS, Grain.WEEK, date.fromisoformat(as_of), date.fromisoformat(last) if last else None)
    assert (due.said, due.late) == (said, late)


@pytest.mark.parametrize(
    ("calendar", "grain", "as_of", "since", "until"),
    [
        (MONDAYS, Grain.WEEK, "2025-05-07", "2025-05-05", "2025-05-06"),  # Monday is free: Tuesday
        (MONDAYS, Grain.DAY, "2025-05-07", "2025-05-05", "2025-05-06"),  # not asked daily
        (SUNDAYS, Grain.WEEK, "2025-09-03", "2025-08-31", "2025-09-01"),  # Sunday opens, Monday is due
        (MONDAYS, Grain.MONTH, "2025-06-20", "2025-06-01", "2025-06-02"),  # 1 June is a Sunday
        (MONDAYS, Grain.QUARTER, "2025-09-30", "2025-07-01", "2025-07-01"),
        (MONDAYS, Grain.MONTH_TO_DATE, "2025-06-20", "2025-06-01", "2025-06-02"),
    ],
)
def test_due_on_the_first_working_day(
    calendar: Calendar, grain: Grain, as_of: str, since: str, until: str
) -> None:
    due = asked(calendar, grain, date.fromisoformat(as_of), None, BANK)
    assert (due.since.isoformat(), due.due_date.isoformat()) == (since, until)


def test_a_week_of_holidays_is_late_for_nobody() -> None:
    free = frozenset(date(2025, 9, day) for day in range(1, 6))
    due = asked(MONDAYS, Grain.WEEK, date(2025, 9, 7), None, free)
    assert (due.due_date, due.late) == (date(2025, 9, 8), False)


def test_the_word_is_not_due_before_its_figure() -> None:
    third = clock.Due(3, working=True)  # 1 Sep 2025 is a Monday: Wednesday 3 Sep
    early = asked(MONDAYS, Grain.MONTH, date(2025, 9, 3), None, figure=third)
    assert (early.due_date, early.late) == (date(2025, 9, 3), False)
    assert asked(MONDAYS, Grain.MONTH, date(2025, 9, 4), None, figure=third).late


def test_who_has_just_taken_over_is_not_late() -> None:
    day = date(2025, 9, 4)
    assert not asked(MONDAYS, Grain.WEEK, day, None, begun=date(2025, 9, 3)).late
    assert asked(MONDAYS, Grain.WEEK, day, None, begun=date(2025, 9, 1)).late


@pytest.mark.parametrize(
    ("cadence", "as_of", "since", "until"),
    [
        # a weekday: the week's word, by Thursday; 28 Aug 2025 is one
        (Cadence(Every.WEEK, weekday=3), "2025-08-27", "2025-08-25", "2025-08-28"),
        (Cadence(Every.WEEK, weekday=0), "2025-05-05", "2025-05-05", "2025-05-06"),  # Monday is free
        (
            Cadence(Every.WEEK, weekday=6),
            "2025-08-27",
            "2025-08-25",
            "2025-09-01",
        ),  # Sunday: Monday
        # July's word by the third working day of August, a Friday to begin with
        (Cadence(Every.MONTH, working_days=3), "2025-08-20", "2025-08-01", "2025-08-05"),
        (Cadence(Every.QUARTER, working_days=2), "2025-08-20", "2025-07-01", "2025-07-02"),
        # every second Wednesday from 6 Aug: 6 Aug, 20 Aug, 3 Sep
        (Cadence(Every.WEEKS, weeks=2, first=date(2025, 8, 6)), "2025-08-19", "2025-08-06", "2025-08-06"),
        (Cadence(Every.WEEKS, weeks=2, first=date(2025, 8, 6)), "2025-08-20", "2025-08-20", "2025-08-20"),
        (Cadence(Every.WEEKS, weeks=3, first=date(2025, 5, 5)), "2025-05-25", "2025-05-05", "2025-05-06"),
    ],
)
def test_a_rhythm_of_their_own(cadence: Cadence, as_of: str, since: str, until: str) -> None:
    due = asked(MONDAYS, Grain.MONTH, date.fromisoformat(as_of), None, BANK, cadence=cadence)
    assert (due.since.isoformat(), due.due_date.isoformat()) == (since, until)


def test_never_and_not_yet() -> None:
    day = date(2025, 8, 5)
    assert due_check_in(MONDAYS, Grain.WEEK, day, None, cadence=Cadence(Every.NEVER)) is None
    fortnight = Cadence(Every.WEEKS, weeks=2, first=date(2025, 8, 6))
    assert due_check_in(MONDAYS, Grain.WEEK, day, None, cadence=fortnight) is None
    assert due_check_in(MONDAYS, Grain.WEEK, date(2025, 8, 6), None, cadence=fortnight) is not None


@pytest.mark.parametrize(
    ("as_of", "last", "missed"),
    [
        ("2025-09-08", "2025-08-29", True),  # nothing in the week before: on Monday it is missed already
        ("2025-09-08", "2025-09-03", False),  # this week's is only due
        ("2025-09-09", "2025-09-03", True),
        ("2025-09-09", "2025-09-08", False),
        ("2025-09-01", None, True),
    ],
)
def test_missed_is_remembered_on_the_day_of_the_next(as_of: str, last: str | None, missed: bool) -> None:
    said = date.fromisoformat(last) if last else None
    assert asked(MONDAYS, Grain.WEEK, date.fromisoformat(as_of), said).missed is missed


def test_nothing_was_missed_before_one_took_over_or_the_rhythm_began() -> None:
    monday = date(2025, 9, 8)
    assert not asked(MONDAYS, Grain.WEEK, monday, None, begun=date(2025, 9, 3)).missed
    weekly = Cadence(Every.WEEKS, weeks=1, first=monday)
    assert not asked(MONDAYS, Grain.WEEK, monday, None, cadence=weekly).missed


CADENCES = st.builds(
    Cadence,
    st.sampled_from([Every.WEEK, Every.MONTH, Every.QUARTER, Every.WEEKS]),
    weekday=st.integers(0, 6),
    working_days=st.integers(1, 10),
    weeks=st.integers(1, 8),
    first=st.dates(date(2024, 1, 1), date(2024, 12, 31)),
)


@given(CADENCES, st.dates(date(2025, 1, 1), date(2026, 12, 31)), st.integers(0, 6))
def test_laws(cadence: Cadence, day: date, week_start: int) -> None:
    """One word between two openings settles it; a due day is a working one, and never before the opening."""
    calendar = Calendar(week_start=week_start)
    due = asked(calendar, Grain.WEEK, day, None, BANK, cadence=cadence)
    assert due.since <= day and due.since <= due.due_date
    assert due.due_date.weekday() < 5 and due.due_date not in BANK
    settled = asked(calendar, Grain.WEEK, day, due.since, BANK, cadence=cadence)
    assert settled.said and not settled.late and not settled.missed
    before = asked(calendar, Grain.WEEK, day, due.since - timedelta(days=1), BANK, cadence=cadence)
    assert not before.said
    assert asked(calendar, Grain.WEEK, due.since, None, BANK, cadence=cadence).since == due.since
