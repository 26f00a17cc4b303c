"""A level's agreed target keeps its benchmarks and what it climbs from, whatever changes later.

The on-time share stood at 90 % in June and is to stand at 96 % in September: 92, 94 and 96 % by month. July
brought 91 %.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib import import_module

import pytest
from django.apps import apps

from metrics.models import Metric, Target, Value
from metrics.queries import installation
from metrics.queries.courses import load
from metrics.queries.dump import dump
from metrics.queries.quarters import chart
from metrics.queries.shapes import QuarterChart
from metrics.queries.target_grid import target_line
from metrics.services.agreements import accept
from metrics.services.targets import set_target
from tests.metrics import making
from tests.metrics.quarter import QUARTER, TODAY, at, line, quarter, signed_in
from tests.people import Company, metric

pytestmark = pytest.mark.django_db
JUL, AUG, SEP = date(2026, 7, 31), date(2026, 8, 31), date(2026, 9, 30)
KEY = "on_time"


@pytest.fixture
def people() -> Iterator[Company]:
    with at():
        made = quarter()
        share = metric(KEY, "alice", type="ratio", spec=making.SHARE, unit="percent", role="focus")
        making.month(share, 2026, 6, 0.90)
        making.month(share, 2026, 7, 0.91)
        set_target(share, QUARTER, 0.96, {}, author=made.executive)
        made.metrics[KEY] = share
        yield made


def agreed(people: Company) -> Target:
    accept(people.alice, people.metrics[KEY], QUARTER)
    return Target.objects.get(metric__key=KEY)


def june_becomes(value: float) -> None:
    Value.objects.filter(metric__key=KEY, period_start=date(2026, 6, 1)).update(value=value)


def drawn(key: str = KEY) -> QuarterChart:
    (course,) = load([Metric.objects.get(key=key)], QUARTER, cal=installation.calendar(), as_of=TODAY)
    return chart(course, "Q3")


def test_a_restated_month_before_moves_no_agreed_plan(people: Company) -> None:
    assert agreed(people).agreed_baseline == 0.90
    june_becomes(0.84)
    now = line(KEY)
    assert (now.baseline, now.planned_to_date) == (0.90, pytest.approx(0.92))
    assert now.pace == pytest.approx(1 - 0.01 / 0.06)
    assert not now.agreed_changed
    assert dict(drawn().benchmarks) == pytest.approx({JUL: 0.92, AUG: 0.94, SEP: 0.96})
    assert "baseline" not in dump().partition("on_time")[2]  # nothing that somebody wrote


def test_before_it_is_agreed_the_plan_follows_the_figure(people: Company) -> None:
    june_becomes(0.84)
    assert (line(KEY).baseline, line(KEY).planned_to_date) == (0.84, pytest.approx(0.88))


def test_what_is_not_final_when_it_is_agreed_is_not_held_to(people: Company) -> None:
    Value.objects.filter(metric__key=KEY, period_start=date(2026, 6, 1)).update(status="provisional")
    assert agreed(people).agreed_baseline is None
    june_becomes(0.84)
    assert line(KEY).baseline == 0.84


def test_another_target_keeps_the_agreed_benchmarks_beside_it(people: Company) -> None:
    """From 90 % to 93 % instead: 91, 92, 93 %; agreed were 92, 94, 96 %."""
    agreed(people)
    share = people.metrics[KEY]
    set_target(share, QUARTER, 0.93, {}, author=people.executive, reason="Two depots are closed.")
    now = line(KEY)
    assert (now.target, now.agreed_target, now.agreed_changed) == (0.93, 0.96, True)
    assert (now.benchmark, now.agreed_benchmark) == (pytest.approx(0.91), pytest.approx(0.92))
    seen = drawn()
    assert dict(seen.benchmarks) == pytest.approx({JUL: 0.91, AUG: 0.92, SEP: 0.93})
    assert dict(seen.agreed_benchmarks) == pytest.approx({JUL: 0.92, AUG: 0.94, SEP: 0.96})
    assert seen.agreed_target == 0.96
    grid = target_line(share, QUARTER)
    assert [cell.agreed for cell in grid.months] == pytest.approx([0.92, 0.94, 0.96])
    client = signed_in(people.viewer)
    board, page = (client.get(path).content.decode() for path in ("/", f"/metrics/{KEY}/"))
    assert "agreed 96\u202f%" in board
    assert "Two depots are closed." in page and "our plan then 92\u202f%" in page


def test_another_baseline_keeps_the_agreed_benchmarks_beside_it(people: Company) -> None:
    """From a stated 84 % to the same 96 %: 88, 92, 96 %. The agreed months do not start from there."""
    agreed(people)
    share = people.metrics[KEY]
    set_target(
        share, QUARTER, 0.96, {}, baseline=0.84, author=people.executive, reason="June was counted wrongly."
    )
    now = line(KEY)
    assert (now.baseline, now.agreed_baseline, now.agreed_changed) == (0.84, 0.90, True)
    assert (now.benchmark, now.agreed_benchmark) == (pytest.approx(0.88), pytest.approx(0.92))
    assert dict(drawn().agreed_benchmarks) == pytest.approx({JUL: 0.92, AUG: 0.94, SEP: 0.96})
    client = signed_in(people.viewer)
    board, page = (client.get(path).content.decode() for path in ("/", f"/metrics/{KEY}/"))
    assert "plan changed since agreed" in board
    assert "from 90\u202f%, now from 84\u202f%" in page
    set_target(share, QUARTER, 0.96, {}, baseline=0.90, author=people.executive, reason="It was right.")
    assert not line(KEY).agreed_changed


def test_a_stated_baseline_is_agreed_as_it_is_stated(people: Company) -> None:
    share = people.metrics[KEY]
    set_target(share, QUARTER, 0.96, {}, baseline=0.87, author=people.executive)
    assert agreed(people).agreed_baseline == 0.87
    assert line(KEY).planned_to_date == pytest.approx(0.90)
    told = signed_in(people.viewer).get(f"/api/v1/targets/?metric={KEY}").json()["results"]
    assert told[0]["agreed_baseline"] == 0.87


def test_history_tells_what_the_agreement_that_stands_began_from(people: Company) -> None:
    """A target agreed before this was written down: agreed from 85 %, opened and agreed again from 87 %,
    and since then moved to 80 %."""
    share = people.metrics[KEY]
    target = Target.objects.get(metric=share)
    for baseline, day in ((0.85, 3), (0.87, 9), (0.80, 9)):
        target.baseline = baseline
        target.agreed_at = datetime(2026, 7, day, 9, tzinfo=UTC)
        target.save()
    Target.objects.update(agreed_baseline=None)
    written = import_module("metrics.migrations.0011_agreed_baselines_from_history")
    written.from_history(apps, None)
    assert Target.objects.get(metric=share).agreed_baseline == 0.87
