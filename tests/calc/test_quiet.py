"""When a message may arrive, against walking through the minutes one by one."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from calc.quiet import Hours, arrival

NIGHT = Hours(time(20), time(7))
MINUTE = timedelta(minutes=1)
LONDON = ZoneInfo("Europe/London")
ZONES = (
    *("UTC", "Europe/London", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "Africa/Casablanca"),
)
# Around clocks that were moved: by an hour, by half an hour, at midnight, by a whole day.
EDGES = (
    *(datetime(2026, 3, 28), datetime(2026, 10, 24), datetime(2026, 3, 7), datetime(2026, 10, 31)),
    *(datetime(2026, 4, 4), datetime(2026, 10, 3), datetime(2011, 12, 29), datetime(2018, 11, 3)),
    datetime(2026, 7, 1),
)


def weekend(day: date) -> bool:
    return day.weekday() >= 5


def walked(now: datetime, zone: ZoneInfo, quiet: Hours, free: frozenset[date]) -> datetime:
    """The oracle: minute after minute, what does the clock on the wall say?"""
    moment = now
    for _ in range(9 * 24 * 60):
        wall = moment.astimezone(zone)
        minutes = wall.hour * 60 + wall.minute
        begin, end = (h.hour * 60 + h.minute for h in (quiet.begin, quiet.end))
        held = begin <= minutes < end if begin <= end else minutes >= begin or minutes < end
        if not held and wall.weekday() < 5 and wall.date() not in free:
            return moment
        moment += MINUTE
    raise AssertionError("nothing fits")


minutes = st.integers(0, 24 * 60 - 1).map(lambda n: time(n // 60, n % 60))


@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    edge=st.sampled_from(EDGES),
    after=st.integers(0, 72 * 60),
    begin=minutes,
    end=minutes,
    free=st.sets(st.integers(0, 4), max_size=2),
)
@example(LONDON, datetime(2026, 3, 28), 20 * 60, time(22), time(1, 30), set())
@example(ZoneInfo("Pacific/Apia"), datetime(2011, 12, 29), 30 * 60, time(20), time(7), set())
@example(ZoneInfo("America/Sao_Paulo"), datetime(2018, 11, 3), 20 * 60, time(20), time(0, 30), set())
def test_it_is_the_first_minute_that_fits(
    zone: ZoneInfo, edge: datetime, after: int, begin: time, end: time, free: set[int]
) -> None:
    now = edge.replace(tzinfo=UTC) + after * MINUTE
    days = frozenset((edge + timedelta(days=n)).date() for n in free)
    quiet = Hours(begin, end)
    found = arrival(now, zone, quiet, lambda day: weekend(day) or day in days)
    assert found == walked(now, zone, quiet, days)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-08-06T11:00", "2026-08-06T11:00"),  # a Thursday in summer: London is an hour ahead
        ("2026-08-06T19:00", "2026-08-07T06:00"),  # 20:00 there: at seven tomorrow
        ("2026-08-07T19:30", "2026-08-10T06:00"),  # Friday night: on Monday
        (
            "2026-10-23T19:30",
            "2026-10-26T07:00",
        ),  # the weekend in which summer ends: at seven by winter's clock
        ("2026-03-27T21:00", "2026-03-30T06:00"),  # and begins
    ],
)
def test_nights_and_weekends_in_london(now: str, expected: str) -> None:
    began = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert arrival(began, LONDON, NIGHT, weekend).isoformat() == f"{expected}:00+00:00"


def test_without_quiet_hours_only_days_count() -> None:
    none = Hours(time(9), time(9))
    night = datetime(2026, 8, 6, 2, 13, 7, tzinfo=UTC)
    assert arrival(night, LONDON, none, weekend) == night
    saturday = datetime(2026, 8, 8, 12, tzinfo=UTC)
    assert arrival(saturday, LONDON, none, weekend) == datetime(2026, 8, 9, 23, tzinfo=UTC)  # midnight there


def test_whoever_is_never_at_work_is_told_at_once() -> None:
    now = datetime(2026, 8, 6, tzinfo=UTC)
    assert arrival(now, LONDON, NIGHT, lambda day: True) == now
