"""What is final, due, and equally old."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.calendar import Calendar, Grain, Period
from calc.clock import (
    Due,
    FreeDays,
    days_behind,
    due_date,
    equal_part,
    is_final,
    is_working,
    last_due_day,
    last_due_period,
    next_working,
)

CALENDAR = Calendar()
Q1, Q2, Q3 = (CALENDAR.quarter(f"2011-Q{n}") for n in (1, 2, 3))
JULY = CALENDAR.period(Grain.MONTH, date(2011, 7, 1))
DAYS = st.dates(date(1990, 1, 1), date(2060, 1, 1))


@pytest.mark.parametrize(
    ("watermark", "lateness", "final"),
    [
        (date(2011, 8, 1), timedelta(0), True),
        (date(2011, 7, 31), timedelta(0), False),
        (date(2011, 8, 1), timedelta(days=3), False),
        (date(2011, 8, 3), timedelta(days=3), False),
        (date(2011, 8, 4), timedelta(days=3), True),
        (date(2011, 8, 2), timedelta(hours=36), False),  # a begun day of lateness is a whole one
        (date(2011, 8, 3), timedelta(hours=36), True),
    ],
)
def test_final_when_the_end_lies_before_the_watermark_less_lateness(
    watermark: date, lateness: timedelta, final: bool
) -> None:
    assert is_final(JULY, watermark, lateness) is final


def test_the_last_due_day_is_the_earliest_of_all_clocks() -> None:
    as_of = date(2011, 8, 20)
    assert last_due_day(as_of, date(2011, 8, 15)) == date(2011, 8, 14)  # the watermark is exclusive
    assert last_due_day(as_of, date(2011, 9, 15)) == as_of
    assert last_due_day(as_of, None) == as_of
    assert last_due_day(as_of, None, JULY.end) == date(2011, 7, 31)
    assert last_due_day(as_of, date(2011, 7, 15), JULY.end) == date(2011, 7, 14)


def test_days_behind() -> None:
    assert days_behind(date(2011, 8, 20), date(2011, 8, 20), Q3.end) == 0  # complete through yesterday
    assert days_behind(date(2011, 8, 20), date(2011, 8, 18), Q3.end) == 2
    assert days_behind(date(2011, 8, 20), date(2012, 1, 1), Q3.end) == 0
    # data that end in December make no past quarter stale
    assert days_behind(date(2012, 5, 1), date(2011, 12, 10), Q3.end) == 0
    # nor a load that stopped long ago one that has not begun; of one that has, its own days count
    assert days_behind(date(2011, 6, 30), date(2011, 6, 1), Q3.end, Q3.start) == 0
    assert days_behind(date(2011, 7, 3), date(2011, 6, 1), Q3.end, Q3.start) == 2
    assert days_behind(date(2012, 5, 1), date(2011, 9, 25), Q3.end) == 6


@pytest.mark.parametrize(
    ("period", "through", "other", "end"),
    [
        (Q3, date(2011, 8, 15), Q2, date(2011, 5, 16)),
        (Q3, date(2011, 7, 31), Q2, date(2011, 5, 1)),  # April has no 31st
        (Q2, date(2011, 4, 30), Q1, date(2011, 1, 31)),  # 30 days each
        (Q3, date(2011, 9, 30), Q2, Q2.end),  # whole against whole
        (Q3, date(2012, 1, 1), Q2, Q2.end),
        (Q3, date(2011, 6, 30), Q2, Q2.start),  # nothing has elapsed
        (Q3, date(2011, 8, 15), CALENDAR.quarter("2010-Q3"), date(2010, 8, 16)),
    ],
)
def test_equal_parts_by_calendar_day(period: Period, through: date, other: Period, end: date) -> None:
    assert equal_part(period, through, other) == Period(other.start, end, other.grain)


def test_equal_parts_of_weeks_are_days() -> None:
    week = CALENDAR.period(Grain.WEEK, date(2011, 8, 10))
    before = CALENDAR.previous(week)
    assert equal_part(week, date(2011, 8, 10), before) == Period(
        date(2011, 8, 1), date(2011, 8, 4), Grain.WEEK
    )


def test_leap_days() -> None:
    leap, plain = (CALENDAR.period(Grain.YEAR, date(year, 1, 1)) for year in (2024, 2023))
    assert equal_part(leap, date(2024, 2, 29), plain).end == date(2023, 3, 1)
    assert equal_part(plain, date(2023, 2, 28), leap).end == date(2024, 2, 29)


@given(DAYS, st.sampled_from([Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR]), st.integers(0, 365))
def test_equal_parts_lie_inside_and_grow(day: date, grain: Grain, more: int) -> None:
    period = CALENDAR.period(grain, day)
    other = CALENDAR.year_back(period)
    part, later = (equal_part(period, d, other) for d in (day, day + timedelta(days=more)))
    assert other.start < part.end <= later.end <= other.end
    assert abs(part.days - ((day - period.start).days + 1)) <= 3


@pytest.mark.parametrize(
    ("due", "holidays", "expected"),
    [
        (Due(3, working=True), [], date(2011, 8, 3)),  # Monday, Tuesday, Wednesday
        (Due(3, working=True), [date(2011, 8, 2)], date(2011, 8, 4)),
        (Due(6, working=True), [], date(2011, 8, 8)),  # over a weekend
        (Due(0, working=True), [], date(2011, 8, 1)),
        (Due(3), [date(2011, 8, 2)], date(2011, 8, 3)),
        (Due(0), [], date(2011, 8, 1)),
    ],
)
def test_due_dates(due: Due, holidays: list[date], expected: date) -> None:
    assert due_date(JULY, due, holidays) == expected


def test_working_days_are_those_of_the_countrys_week() -> None:
    """August 2011 began on a Monday. In Egypt, say, one rests on Friday and Saturday and works on Sunday."""
    egypt = FreeDays([date(2011, 8, 2)], weekend=(4, 5))
    worked = [day for n in range(14) if is_working(day := date(2011, 8, 1) + timedelta(days=n), egypt)]
    assert [day.day for day in worked] == [1, 3, 4, 7, 8, 9, 10, 11, 14]
    assert due_date(JULY, Due(4, working=True), egypt) == date(2011, 8, 7)  # a Sunday
    assert next_working(date(2011, 8, 5), egypt) == date(2011, 8, 7)
    assert next_working(date(2011, 8, 5), FreeDays([date(2011, 8, 5)])) == date(2011, 8, 8)


def test_a_period_is_due_the_day_after_its_due_date() -> None:
    due = Due(3, working=True)
    assert last_due_period(CALENDAR, Grain.MONTH, date(2011, 8, 3), due).start == date(2011, 6, 1)
    assert last_due_period(CALENDAR, Grain.MONTH, date(2011, 8, 4), due) == JULY
    # so long that two periods wait
    assert last_due_period(CALENDAR, Grain.MONTH, date(2011, 8, 20), Due(45)).start == date(2011, 6, 1)


@given(DAYS, st.integers(1, 15), st.lists(DAYS, max_size=5))
def test_working_days_are_counted_one_by_one(day: date, count: int, holidays: list[date]) -> None:
    period = Period(day - timedelta(days=1), day, Grain.DAY)
    last = due_date(period, Due(count, working=True), holidays)
    days = [day + timedelta(days=n) for n in range((last - day).days + 1)]
    worked = [d for d in days if d.strftime("%a") not in ("Sat", "Sun") and d not in holidays]
    assert len(worked) == count
    assert worked[-1] == last
    assert is_working(last, holidays)
