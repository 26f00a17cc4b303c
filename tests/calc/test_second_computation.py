"""A second computation of plan, pace, what is needed, splits and sums: day by day in fractions, sharing
nothing with the first but the calendar of the quarter.

The quarter is July to September 2011, where 2011-08-29 is free in England.
"""

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st
from pytest import approx

from calc.calendar import Calendar
from calc.members import add_up, weigh
from calc.months import describe, standings
from calc.numbers import short
from calc.pace import measure
from calc.plan import GoalKind, Plan, Shape
from calc.splits import split_goal
from calc.status import State, judge

DAY = timedelta(days=1)
Q3 = Calendar().quarter("2011-Q3")
MONTHS = (date(2011, 7, 1), date(2011, 8, 1), date(2011, 9, 1))
ENDS = (date(2011, 8, 1), date(2011, 9, 1), date(2011, 10, 1))
FREE = frozenset({date(2011, 8, 29)})
DAYS = [MONTHS[0] + n * DAY for n in range(92)]

amounts = st.tuples(*[st.integers(1, 5_000)] * 3)
shapes = st.sampled_from([Shape.FLAT, Shape.WORKING_DAYS])
elapsed = st.integers(1, 92)  # days
wholes = st.lists(st.integers(0, 400), min_size=92, max_size=92)


def weigh_day(day: date, shape: Shape) -> Fraction:
    return Fraction(int(shape is Shape.FLAT or (day.isoweekday() <= 5 and day not in FREE)))


def planned_days(months: tuple[int, ...], shape: Shape) -> list[Fraction]:
    """What each day of the quarter is to bring: its part of its month."""
    found = []
    for amount, start, end in zip(months, MONTHS, ENDS, strict=True):
        inside = [day for day in DAYS if start <= day < end]
        whole = sum(weigh_day(day, shape) for day in inside)
        found += [amount * weigh_day(day, shape) / whole for day in inside]
    return found


def plan_of(months: tuple[int, ...], shape: Shape = Shape.FLAT) -> Plan:
    stated = dict(zip(MONTHS, map(float, months), strict=True))
    return Plan(Q3, GoalKind.TOTAL, float(sum(months)), stated, shape=shape, holidays=FREE)


@given(amounts, shapes, elapsed, wholes)
def test_pace_and_what_the_rest_needs_of_a_total(
    months: tuple[int, ...], shape: Shape, days: int, brought: list[int]
) -> None:
    planned = sum(planned_days(months, shape)[:days], Fraction(0))
    reached, target = sum(brought[:days]), sum(months)
    found = measure(plan_of(months, shape), float(reached), DAYS[days - 1])
    assert found.planned == approx(float(planned), abs=1e-6)
    assert found.gap == approx(float(reached - planned), abs=1e-6)
    assert found.progress == approx(reached / target)
    if planned:
        assert found.pace == approx(float(reached / planned))
    else:
        assert found.pace is None
    rest, left = max(target - reached, 0), DAYS[days:]
    weight = sum((weigh_day(day, shape) for day in left), Fraction(0))
    month_parts = sum(
        (
            weigh_day(day, shape) / sum(weigh_day(d, shape) for d in DAYS if d.month == day.month)
            for day in left
        ),
        Fraction(0),
    )
    for told, over in (
        (found.required_rate, weight),
        (found.required_per_day, Fraction(len(left))),
        (found.required_per_month, month_parts),
    ):
        assert told == (approx(float(rest / over)) if over else None)


@given(amounts, elapsed, wholes)
def test_the_status_follows_from_the_two_sums(months: tuple[int, ...], days: int, brought: list[int]) -> None:
    """On track from 97 % of what was planned on, at risk from 90 %; too early in two weeks under 15 %."""
    planned = sum(planned_days(months, Shape.FLAT)[:days], Fraction(0))
    reached = sum(brought[:days])
    ratio = reached / planned
    assume(all(abs(ratio - edge) > Fraction(1, 10**6) for edge in (Fraction(97, 100), Fraction(9, 10))))
    state = judge(
        measure(plan_of(months), float(reached), DAYS[days - 1]), due_periods=max(days // 7, 1)
    ).state
    if days < 14 and planned / sum(months) < Fraction(15, 100):
        assert state is State.TOO_EARLY
    elif ratio >= Fraction(97, 100):
        assert state is State.ON_TRACK
    else:
        assert state is (State.AT_RISK if ratio >= Fraction(9, 10) else State.OFF_TRACK)


tenths = st.integers(1, 1_000)


@given(tenths, tenths, st.integers(1, 3), tenths)
def test_pace_of_a_level(baseline: int, target: int, ended: int, stands: int) -> None:
    """Equal steps from the baseline; the gap against the whole way; judged at the last month that ended."""
    assume(baseline != target)
    way = Fraction(target - baseline)
    planned = baseline + way * ended / 3
    better = "up" if way > 0 else "down"
    plan = Plan(Q3, GoalKind.LEVEL, float(target), baseline=float(baseline), additive=False)
    found = measure(plan, float(stands), ENDS[ended - 1] - DAY, better=better)
    ahead = (stands - planned) * (1 if way > 0 else -1)
    assert found.planned == approx(float(planned))
    assert found.pace == approx(float(1 + ahead / abs(way)))
    assert found.progress == approx(float((stands - baseline) / way))
    assert found.shortfall == approx(float(-ahead), abs=1e-9)


@given(amounts, st.lists(st.integers(0, 6_000), min_size=1, max_size=3))
def test_what_a_total_now_needs_lands_on_its_target(months: tuple[int, ...], brought: list[int]) -> None:
    """Only where the months that ended are behind together, each the same, and together all that is left."""
    plan, ended = plan_of(months), len(brought)
    actuals = dict(zip(MONTHS, map(float, brought), strict=False))
    found = standings(plan, actuals, ENDS[ended - 1])
    lacking, short_of_plan = sum(months) - sum(brought), sum(months[:ended]) - sum(brought)
    words = describe(found, plan, "count")
    to_come = [one.needed for one in found[ended:]]
    assert [one.planned for one in found] == [approx(m) for m in months]  # no month's plan has moved
    assert [one.needed for one in found[:ended]] == [None] * ended
    if lacking <= 0:
        assert to_come == [None] * (3 - ended) and words == "the target is reached"
    elif short_of_plan <= 0:
        assert to_come == [None] * (3 - ended) and words == ""
    elif ended == 3:
        assert (
            words
            == f"Sep ended {short(float(lacking), 'count')} behind, and no month is left to make up for it"
        )
    else:
        each = Fraction(lacking, 3 - ended)
        assert to_come == [approx(float(each))] * (3 - ended)
        assert sum(brought) + (3 - ended) * each == sum(months)
        assert f"which leaves {short(float(each), 'count')}" in words
        assert (" a month for " in words) == (ended == 1)


@given(tenths, tenths, st.lists(tenths, min_size=1, max_size=2))
def test_what_a_level_now_needs_climbs_in_equal_steps(baseline: int, target: int, stood: list[int]) -> None:
    assume(target > baseline)
    plan = Plan(Q3, GoalKind.LEVEL, float(target), baseline=float(baseline), additive=False)
    found = standings(plan, dict(zip(MONTHS, map(float, stood), strict=False)), ENDS[len(stood) - 1])
    planned = baseline + Fraction(target - baseline) * len(stood) / 3
    needed = [one.needed for one in found[len(stood) :]]
    if stood[-1] >= planned:
        assert needed == [None] * (3 - len(stood))
        return
    heights = [Fraction(stood[-1]), *(Fraction(n).limit_denominator(6) for n in needed if n is not None)]
    steps = {after - before for before, after in pairwise(heights)}
    assert len(steps) == 1 and heights[-1] == target


@given(st.integers(1, 100_000), amounts)
def test_a_season_shares_out_all_in_last_years_proportions(target: int, before: tuple[int, ...]) -> None:
    """The whole target, in whole pieces, each within one of its exact part, none out of order."""
    last_year = dict(zip(MONTHS, map(float, before), strict=True))
    found = split_goal(float(target), Q3, "season", kind=GoalKind.TOTAL, additive=True, last_year=last_year)
    parts = [found[month] for month in MONTHS]
    assert sum(map(Fraction, parts)) == target and all(part == int(part) >= 0 for part in parts)
    for part, size in zip(parts, before, strict=True):
        assert abs(Fraction(part) - Fraction(target * size, sum(before))) < 1
    for one in range(3):
        for other in range(3):
            assert before[one] <= before[other] or parts[one] >= parts[other]


@given(amounts, st.integers(-3, 3), st.sets(st.sampled_from(range(3)), max_size=2))
def test_the_sum_check_is_the_sum(months: tuple[int, ...], off: int, left_out: set[int]) -> None:
    """All months stated must come to the target; some may lack, as long as they do not pass it."""
    stated = {MONTHS[n]: float(months[n]) for n in range(3) if n not in left_out}
    said, target = sum(int(m) for m in stated.values()), sum(months) + off
    assume(target > 0)
    words = Plan(Q3, GoalKind.TOTAL, float(target), stated).check_sum()
    if not left_out:
        assert (words == "") == (off == 0)
        assert off == 0 or f"{abs(off)} {'less' if off > 0 else 'more'} than the target" in words
    else:
        assert (words == "") == (said <= target)


@given(st.integers(1, 10_000), st.lists(st.one_of(st.none(), st.integers(0, 3_000)), max_size=6))
def test_members_and_the_rest_are_the_whole(whole: int, members: list[int | None]) -> None:
    found = add_up(float(whole), [None if m is None else float(m) for m in members])
    known = [m for m in members if m is not None]
    if not known:
        assert found is None
        return
    assert found is not None and found.rest is not None
    assert (found.members, found.rest) == (sum(known), whole - sum(known))


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 1_000)), min_size=1, max_size=6))
def test_members_shares_come_to_all_of_all(members: list[tuple[int, int]]) -> None:
    """As if each member's people were counted one by one."""
    whole = Fraction(sum(share * people for share, people in members), 100 * sum(p for _, p in members))
    found = weigh(float(whole), [(share / 100, float(people)) for share, people in members])
    assert found is not None
    assert (found.figure, found.covered, found.gap) == (approx(float(whole)), 1.0, 0.0)
