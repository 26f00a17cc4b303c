"""What was known at an instant: figures, statuses, versions, what was held, rejected and disputed.

Against a replay in plain Python of everything that was done, with its time; read back at random instants.
"""

from copy import deepcopy
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calc.calendar import PERIODS, Grain
from metrics.models import Dispute, HeldDecision, Metric, Source, Target
from metrics.queries.clocks import clocks
from metrics.queries.progress import progress
from metrics.queries.recorded import events
from metrics.queries.series import Wanted, read
from metrics.queries.values import stored_values
from metrics.services.held import decide
from metrics.services.writing import settle
from tests.metrics import making
from tests.metrics.waiting import (
    CALENDAR,
    DAY,
    DAYS,
    HIGH,
    MEMBERS,
    NOW,
    Replay,
    amounts,
    days,
    load,
    month_of,
)  # fmt: skip

HOUR = timedelta(hours=1)
BEGINNING = datetime(2020, 4, 10, 6, tzinfo=NOW.tzinfo)
what = st.sampled_from(
    ["say", "say", "load", "load", "released", "rejected", "settle", "edit", "dispute", "withdraw"]
)
steps = st.lists(
    st.tuples(what, days, st.sampled_from(MEMBERS), amounts, st.sampled_from([1, 5, 30])),
    min_size=4,
    max_size=14,
)


class Recorded(Replay):
    """What stands, with the status and the version of every figure, by (grain, start, member)."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: dict[tuple[str, date, str], tuple[str, int]] = {}
        self.version, self.final_before = 1, date(2020, 4, 1)
        self.disputed: set[date] = set()

    def load(self, asked: set[date]) -> None:
        super().load(asked)
        waits = set(self.held) | {day for day, (outcome, _) in self.decided.items() if outcome == "rejected"}
        for grain in PERIODS:
            for period in {CALENDAR.period(grain, day) for day in asked}:
                if grain is Grain.DAY and period.start in waits:
                    continue
                for name in self.names(period.start, period.end):
                    label = (self.status(period.end), self.version)
                    self.labels[str(grain), period.start, name] = label
        self.labels = {k: v for k, v in self.labels.items() if k[2] in self.names(*self.period(k))}

    def settle(self, day: date) -> None:
        self.final_before = day
        self.labels = {k: (self.status(self.period(k)[1]), v) for k, (_, v) in self.labels.items()}

    def status(self, end: date) -> str:
        return "final" if end <= self.final_before else "provisional"

    def period(self, key: tuple[str, date, str]) -> tuple[date, date]:
        found = CALENDAR.period(Grain(key[0]), key[1])
        return found.start, found.end

    def names(self, start: date, end: date) -> set[str]:
        inside = [found for day, found in self.stands.items() if start <= day < end]
        return {""}.union(*inside) if inside else set()

    def figure(self, key: tuple[str, date, str]) -> float:
        start, end = self.period(key)
        inside = [found for day, found in self.stands.items() if start <= day < end]
        if key[2]:
            return sum(found.get(key[2], 0.0) for found in inside)
        return sum(sum(found.values()) for found in inside)

    def lines(self) -> dict[tuple[str, date, str], tuple[float, str, int]]:
        return {key: (self.figure(key), *label) for key, label in self.labels.items()}


def happened(at: datetime) -> None:
    """What triggers have just written into histories happened then, for a test has no other clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        (written,) = cursor.fetchone()
    for model in (HeldDecision, Dispute):
        events(model).objects.filter(pgh_created_at=written).update(pgh_created_at=at)


def do(metric: Metric, replay: Recorded, step: tuple[Any, ...], at: datetime, dirty: set[date]) -> None:
    what, day, member, amount, _ = step
    if what == "say":
        replay.said[day][member] = amount
        dirty.add(day)
    elif what in ("load", "edit"):
        replay.version += what == "edit"
        asked = set(DAYS) if what == "edit" else set().union(*(month_of(d) for d in {day, *dirty}))
        dirty.clear()
        load(
            metric,
            replay.said,
            asked,
            now=at,
            version=replay.version,
            final_before=replay.final_before,
        )
        replay.load(asked)
    elif what == "settle":
        settle({metric.pk: day}, at)
        replay.settle(day)
    elif what == "dispute" and not replay.disputed:
        place = {"grain": "day", "period_start": day, "period_end": day + DAY}
        Dispute.objects.create(metric=metric, text="Odd.", raised_at=at, **place)
        replay.disputed.add(day)
    elif what == "withdraw":
        for row in Dispute.objects.filter(state="open"):
            row.state, row.closed_at = "withdrawn", at
            row.save()
        replay.disputed.clear()
    elif what in ("released", "rejected"):
        token = f"day:{day}:{day + DAY}:{replay.held.get(day)!r}"
        decide(None, metric, what, "Somebody looked.", figures=[token], now=at)
        replay.decide(day, what)


def reads(metric: Metric, at: datetime, stood: Recorded) -> None:
    expected = stood.lines()
    for grain in PERIODS:
        for by in ("", "country"):
            told = {
                (str(grain), line.period_start, line.member): (line.value, line.status, line.version)
                for line in stored_values(metric, grain, dimension=by, known_at=at)
            }
            wanted = {k: v for k, v in expected.items() if k[0] == str(grain) and bool(k[2]) == bool(by)}
            assert told == wanted, (at, grain)
    (series,) = read([Wanted(metric.pk, "day", DAYS[0], DAYS[-1] + DAY)], at)
    assert {
        ("day", f.start, ""): (f.value, "final" if f.final else "provisional", f.version) for f in series
    } == {key: line for key, line in expected.items() if key[0] == "day" and not key[2]}
    held = clocks(CALENDAR, at)[metric.pk].held
    assert {date.fromisoformat(entry["period_start"]): entry["value"] for entry in held} == stood.held
    (found,) = progress(None, "2020-Q2", as_of=DAYS[-1], known_at=at)
    quarter = {day for day in DAYS if day >= date(2020, 4, 1)}
    assert found.figure == sum(sum(stood.stands[day].values()) for day in quarter if day in stood.stands)
    doubted = quarter & (set(stood.held) | stood.disputed)
    assert (str(found.status.state) in ("held", "disputed")) == bool(doubted), (at, found.status)
    assert {d.start for d in found.doubts} == stood.disputed & quarter
    rejected = {day for day, (outcome, _) in stood.decided.items() if outcome == "rejected"}
    assert {r.start for r in found.rejections} == rejected & quarter


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, st.data())
def test_every_instant_reads_as_it_stood(said: list[tuple[Any, ...]], data: st.DataObject) -> None:
    with transaction.atomic():
        making.source(date(2020, 7, 1))
        metric = making.metric("orders", plausible={"high": HIGH}, by=["country"])
        making.target(metric, "2020-Q2", 9_000)
        for model in (Source, Target):
            events(model).objects.update(pgh_created_at=BEGINNING - DAY)
        replay, dirty, at = Recorded(), set[date](), BEGINNING
        load(metric, replay.said, set(DAYS), now=at, final_before=replay.final_before)
        replay.load(set(DAYS))
        told = [(at, deepcopy(replay))]
        for step in said:
            at += step[-1] * HOUR
            do(metric, replay, step, at, dirty)
            happened(at)
            told.append((at, deepcopy(replay)))
        for n in data.draw(st.sets(st.integers(0, len(told) - 1), max_size=4)) | {len(told) - 1}:
            moment, stood = told[n]
            reads(metric, moment, stood)
            reads(metric, moment + HOUR / 2, stood)
        assert not stored_values(metric, "day", known_at=BEGINNING - HOUR)
        transaction.set_rollback(True)
