"""Periods against independent computations: ISO weeks of the standard library, months counted by hand."""

import calendar as stdlib
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.calendar import PERIODS, TO_DATE, Calendar, Grain, Period, add_months

DAYS = st.dates(date(1950, 1, 1), date(2090, 1, 1))
STARTS = st.integers(1, 12)
CALENDARS = st.builds(Calendar, week_start=st.integers(0, 6), fiscal_year_start=STARTS)


def fiscal(day: date, start: int) -> tuple[int, int]:
    """Year (in which it ends) and quarter, by walking month by month from a year's opening."""
    year, month, number = day.year - 2, start, 0
    while (year, month) != (day.year, day.month):
        month, year = (1, year + 1) if month == 12 else (month + 1, year)
        number += 1
    opened = day.year - 2 + number // 12
    return opened if start == 1 else opened + 1, number % 12 // 3 + 1


@given(DAYS, STARTS)
def test_quarter_names_of_every_fiscal_year(day: date, start: int) -> None:
    calendar = Calendar(fiscal_year_start=start)
    year, quarter = fiscal(day, start)
    name = calendar.quarter_name(day)
    assert name == f"{year}-Q{quarter}"
    assert day in calendar.quarter(name)


@pytest.mark.parametrize(
    ("start", "name", "opens", "label"),
    [
        (1, "2011-Q3", date(2011, 7, 1), "Q3 2011 (Jul–Sep)"),
        (7, "2026-Q1", date(2025, 7, 1), "Q1 FY26 (Jul–Sep 2025)"),
        (7, "2026-Q3", date(2026, 1, 1), "Q3 FY26 (Jan–Mar 2026)"),
        (11, "2026-Q1", date(2025, 11, 1), "Q1 FY26 (Nov–Jan 2026)"),
        (12, "2026-Q1", date(2025, 12, 1), "Q1 FY26 (Dec–Feb 2026)"),
        (2, "2026-Q4", date(2025, 11, 1), "Q4 FY26 (Nov–Jan 2026)"),
    ],
)
def test_quarters_by_name(start: int, name: str, opens: date, label: str) -> None:
    calendar = Calendar(fiscal_year_start=start)
    assert calendar.quarter(name).start == opens
    assert calendar.quarter_name(opens) == name
    assert calendar.quarter_label(name) == label


@given(st.integers(1950, 2090), st.integers(1, 4), STARTS)
def test_quarters_of_a_year_follow_each_other(year: int, number: int, start: int) -> None:
    calendar = Calendar(fiscal_year_start=start)
    quarter = calendar.quarter(f"{year}-Q{number}")
    after = f"{year + (number == 4)}-Q{number % 4 + 1}"
    assert calendar.quarter(after) == calendar.next(quarter)
    assert calendar.previous(calendar.quarter(after)) == quarter


NO_NAMES = ["2011", "2011-Q5", "2011-Q0", "2011-q3", "Q3-2011", "2011-Q33", "0001-Q1", "9999-Q4", "٢٠١١-Q3"]


@pytest.mark.parametrize("name", [*NO_NAMES, "", " 2011-Q3", "2011-Q3\n"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="write it like 2026-Q3"):
        Calendar().quarter(name)


@given(DAYS)
def test_monday_weeks_are_iso_weeks(day: date) -> None:
    week = Calendar().period(Grain.WEEK, day)
    year, number, _ = day.isocalendar()
    assert week.start == date.fromisocalendar(year, number, 1)
    assert week.days == 7


@given(DAYS, st.integers(0, 6))
def test_weeks_open_on_their_weekday(day: date, week_start: int) -> None:
    week = Calendar(week_start=week_start).period(Grain.WEEK, day)
    assert week.start.weekday() == week_start
    assert day in week and week.days == 7


def test_a_53rd_week_is_a_week_like_any_other() -> None:
    calendar = Calendar()
    last = calendar.period(Grain.WEEK, date(2020, 12, 31))  # ISO week 53 of 2020
    assert last == Period(date(2020, 12, 28), date(2021, 1, 4), Grain.WEEK)
    assert calendar.next(last).start == date(2021, 1, 4)
    # 364 days back, never "the week of the same number" (2019 had no week 53)
    assert calendar.year_back(last) == Period(date(2019, 12, 30), date(2020, 1, 6), Grain.WEEK)


@given(CALENDARS, DAYS, st.sampled_from(PERIODS))
def test_periods_contain_their_day_and_tile_time(calendar: Calendar, day: date, grain: Grain) -> None:
    period = calendar.period(grain, day)
    assert day in period
    assert period.end not in period
    assert calendar.next(period).start == period.end
    assert calendar.previous(period).end == period.start
    assert calendar.period(grain, period.end - timedelta(days=1)) == period


@given(CALENDARS, DAYS, st.integers(0, 400), st.sampled_from(PERIODS))
def test_periods_of_a_span_are_those_of_its_days(
    calendar: Calendar, start: date, length: int, grain: Grain
) -> None:
    end = start + timedelta(days=length)
    expected: list[Period] = []
    for n in range(length):
        period = calendar.period(grain, start + timedelta(days=n))
        if not expected or expected[-1] != period:
            expected.append(period)
    assert list(calendar.periods(grain, start, end)) == expected
    low, high = calendar.widen(grain, start, end)
    if length:
        assert (low, high) == (expected[0].start, expected[-1].end)
    else:
        assert (low, high) == (start, start)


@given(CALENDARS, DAYS, st.sampled_from(TO_DATE))
def test_to_date_periods_end_with_their_day(calendar: Calendar, day: date, grain: Grain) -> None:
    period = calendar.period(grain, day)
    assert period == Period(calendar.period(grain.whole, day).start, day + timedelta(days=1), grain)
    assert grain.whole.to_date is grain
    assert next(calendar.periods(grain, day, day + timedelta(days=3))) == period


def test_days_and_weeks_have_no_to_date_grain() -> None:
    for grain in (Grain.DAY, Grain.WEEK):
        with pytest.raises(ValueError, match="to_date"):
            _ = grain.to_date


@given(CALENDARS, DAYS)
def test_months_have_the_days_of_the_wall_calendar(calendar: Calendar, day: date) -> None:
    month = calendar.period(Grain.MONTH, day)
    assert month.start == day.replace(day=1)
    assert month.days == stdlib.monthrange(day.year, day.month)[1]
    quarter, year = calendar.period(Grain.QUARTER, day), calendar.period(Grain.YEAR, day)
    assert year.days in (365, 366)
    assert year.start.month == calendar.fiscal_year_start and year.start.day == 1
    assert (quarter.start.month - calendar.fiscal_year_start) % 3 == 0
    assert 89 <= quarter.days <= 92


@pytest.mark.parametrize(
    ("grain", "day", "start", "end"),
    [
        (Grain.MONTH, date(2024, 2, 29), date(2023, 2, 1), date(2023, 3, 1)),
        (
            Grain.MONTH,
            date(2025, 2, 10),
            date(2024, 2, 1),
            date(2024, 3, 1),
        ),  # all 29 days
        (Grain.QUARTER, date(2024, 2, 29), date(2023, 1, 1), date(2023, 4, 1)),
        (Grain.YEAR, date(2024, 2, 29), date(2023, 1, 1), date(2024, 1, 1)),
        (Grain.MONTH_TO_DATE, date(2024, 2, 29), date(2023, 2, 1), date(2023, 3, 1)),
        (Grain.YEAR_TO_DATE, date(2025, 2, 28), date(2024, 1, 1), date(2024, 2, 29)),
        (Grain.QUARTER_TO_DATE, date(2011, 8, 15), date(2010, 7, 1), date(2010, 8, 16)),
        (Grain.DAY, date(2024, 2, 29), date(2023, 3, 2), date(2023, 3, 3)),  # Thursday to Thursday
        (Grain.WEEK, date(2011, 8, 15), date(2010, 8, 16), date(2010, 8, 23)),
    ],
)
def test_a_year_back(grain: Grain, day: date, start: date, end: date) -> None:
    calendar = Calendar()
    assert calendar.year_back(calendar.period(grain, day)) == Period(start, end, grain)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/London", date(2011, 3, 27), 23),
        ("Europe/London", date(2011, 10, 30), 25),
        ("Europe/London", date(2011, 7, 1), 24),
        ("America/New_York", date(2024, 3, 10), 23),
        ("America/New_York", date(2024, 11, 3), 25),
        ("Australia/Lord_Howe", date(2024, 4, 7), 24.5),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # midnight itself does not exist
        ("UTC", date(2011, 3, 27), 24),
    ],
)
def test_local_days_have_23_to_25_hours(zone: str, day: date, hours: float) -> None:
    calendar = Calendar(timezone=zone)
    opens, closes = calendar.opens(day), calendar.opens(day + timedelta(days=1))
    assert (closes - opens).total_seconds() / 3600 == hours
    assert calendar.day_of(opens) == day
    assert calendar.day_of(closes - timedelta(seconds=1)) == day


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Apia"]),
)
def test_every_instant_lies_in_one_local_day(instant: datetime, zone: str) -> None:
    calendar = Calendar(timezone=zone)
    day = calendar.day_of(instant)
    assert calendar.opens(day) <= instant < calendar.opens(day + timedelta(days=1))


@given(DAYS, st.integers(-600, 600))
def test_add_months_keeps_the_day_or_takes_the_months_last(day: date, months: int) -> None:
    moved = add_months(day, months)
    assert (moved.year - day.year) * 12 + moved.month - day.month == months
    assert moved.day == min(day.day, stdlib.monthrange(moved.year, moved.month)[1])
