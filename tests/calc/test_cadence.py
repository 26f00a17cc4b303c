"""When an owner's word is due, against tables made by hand from a paper calendar."""

from datetime import date

import pytest

from calc import clock
from calc.cadence import due_check_in
from calc.calendar import Calendar, Grain

MONDAYS, SUNDAYS = Calendar(), Calendar(week_start=6)
# 2025: 5 May is a Monday and, in Britain, a holiday; 1 Sep a Monday; 26 May a Monday and a holiday.
BANK = frozenset({date(2025, 5, 5), date(2025, 5, 26)})


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
    due = due_check_in(
        MONDAYS, Grain.WEEK, date.fromisoformat(as_of), date.fromisoformat(last) if last else None
    )
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
    due = due_check_in(calendar, grain, date.fromisoformat(as_of), None, BANK)
    assert (due.since.isoformat(), due.due_date.isoformat()) == (since, until)


def test_a_week_of_holidays_is_late_for_nobody() -> None:
    free = frozenset(date(2025, 9, day) for day in range(1, 6))
    due = due_check_in(MONDAYS, Grain.WEEK, date(2025, 9, 7), None, free)
    assert (due.due_date, due.late) == (date(2025, 9, 8), False)


def test_the_word_is_not_due_before_its_figure() -> None:
    third = clock.Due(3, working=True)  # 1 Sep 2025 is a Monday: Wednesday 3 Sep
    early = due_check_in(MONDAYS, Grain.MONTH, date(2025, 9, 3), None, figure=third)
    assert (early.due_date, early.late) == (date(2025, 9, 3), False)
    assert due_check_in(MONDAYS, Grain.MONTH, date(2025, 9, 4), None, figure=third).late


def test_who_has_just_taken_over_is_not_late() -> None:
    day = date(2025, 9, 4)
    assert not due_check_in(MONDAYS, Grain.WEEK, day, None, begun=date(2025, 9, 3)).late
    assert due_check_in(MONDAYS, Grain.WEEK, day, None, begun=date(2025, 9, 1)).late
