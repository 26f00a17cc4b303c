"""Targets and benchmarks as set on pages and by API."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from metrics.models import Benchmark, Metric, Target
from metrics.queries.recorded import events
from metrics.queries.targets import goalposts
from metrics.services.apply import apply
from metrics.services.targets import set_benchmarks, set_target, token_of
from owners.services.meanwhile import ChangedMeanwhile
from tests.people import company

JUL, AUG, SEP = date(2026, 7, 1), date(2026, 8, 1), date(2026, 9, 1)
OCT = date(2026, 10, 1)
MONTHS = {JUL: 10.0, AUG: 20.0, SEP: 30.0}
FILE = """
metrics:
  calls: {name: Calls, type: manual, kind: amount, grain: month}
  plans: {name: Plans, unit: percent, type: manual, kind: share, grain: month}
  nps: {name: NPS, unit: score, type: manual, kind: level, grain: month}
"""
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def definitions() -> None:
    apply(FILE, now=datetime(2026, 3, 10, tzinfo=UTC))


def metric(key: str = "calls") -> Metric:
    return Metric.objects.get(key=key)


def test_a_target_is_set_changed_and_taken_away_with_its_history() -> None:
    set_target(metric(), "2026-Q3", 60, MONTHS, author=None, reason="as agreed in June")
    target = Target.objects.get()
    assert (target.value, target.reason) == (60, "as agreed in June")
    set_target(metric(), "2026-Q3", 90, {JUL: 30.0, AUG: 30.0, SEP: 30.0}, author=None, reason="more people")
    assert list(Benchmark.objects.values_list("value", flat=True)) == [30, 30, 30]
    assert set_target(metric(), "2026-Q3", None, {}, author=None) is None
    assert not Target.objects.exists() and not Benchmark.objects.exists()
    assert list(events(Target).objects.order_by("pgh_id").values_list("pgh_label", "value")) == [
        ("insert", 60), ("update", 90), ("delete", 90)
    ]  # fmt: skip


def test_a_repeat_writes_no_history() -> None:
    for _ in range(2):
        set_target(metric(), "2026-Q3", 60, MONTHS, author=None)
    assert events(Target).objects.count() == 1 and events(Benchmark).objects.count() == 3


def test_what_was_agreed_stays_beside_a_change() -> None:
    set_target(metric(), "2026-Q3", 60, MONTHS, author=None)
    Target.objects.update(agreed_value=60)
    set_target(metric(), "2026-Q3", 70, {}, author=None)
    assert Target.objects.get().agreed_value == 60


REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("calls", "2026-Q5", {"value": 60}, "unknown quarter"),
    ("calls", "Q3 2026", {"value": 60}, "unknown quarter"),
    ("calls", "2026-Q3", {"value": 61, "benchmarks": MONTHS}, "1 less than the target"),
    (
        "calls",
        "2026-Q3",
        {"value": 60, "benchmarks": {**MONTHS, date(2026, 10, 1): 0.0}},
        "2026-10 is not a month",
    ),
    ("calls", "2026-Q3", {"value": 60, "benchmarks": {date(2026, 7, 2): 60.0}}, "not its first day"),
    ("calls", "2026-Q3", {"value": None, "benchmarks": MONTHS}, "write it too"),
    ("calls", "2026-Q3", {"value": math.nan}, "finite"),
    ("calls", "2026-Q3", {"value": 1e16}, "too large to be right"),
    ("calls", "2026-Q3", {"value": 60, "baseline": -1e16}, "too large to be right"),
    ("plans", "2026-Q3", {"value": 0.7, "benchmarks": {JUL: -1e16}}, "too large to be right"),
    ("calls", "2026-Q3", {"value": None, "growth": "lots"}, "10%"),
    ("plans", "2026-Q3", {"value": 72}, "cannot pass 100 %"),
    ("plans", "2026-Q3", {"value": 0.7, "benchmarks": {JUL: 1.1}}, "cannot pass 100 %"),
    ("plans", "2026-Q3", {"value": None, "growth": "10%"}, "10% relative"),
]


@pytest.mark.parametrize(("key", "quarter", "said", "words"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_is_refused(key: str, quarter: str, said: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        set_target(metric(key), quarter, author=None, **said)
    assert not Target.objects.exists()


def test_months_of_a_level_need_not_add_up() -> None:
    set_target(metric("nps"), "2026-Q3", 45, {JUL: 41.0, AUG: 43.0, SEP: 45.0}, author=None)
    assert Benchmark.objects.count() == 3


def test_benchmarks_alone() -> None:
    with pytest.raises(ValidationError, match="no target"):
        set_benchmarks(metric(), "2026-Q3", MONTHS, author=None)
    set_target(metric(), "2026-Q3", 60, {}, author=None)
    set_benchmarks(metric(), "2026-Q3", MONTHS, author=None)
    assert Target.objects.get().value == 60 and Benchmark.objects.count() == 3


def test_the_token_is_that_of_the_page_and_tells_of_a_change() -> None:
    seen = goalposts([metric().pk], "2026-Q3").get(metric().pk)
    assert seen is None
    set_target(metric(), "2026-Q3", 60, MONTHS, author=None, expected=token_of(None))
    shown = goalposts([metric().pk], "2026-Q3")[metric().pk].token
    assert shown == token_of(Target.objects.get())
    set_target(metric(), "2026-Q3", 60, {JUL: 20.0, AUG: 20.0, SEP: 20.0}, author=None, expected=shown)
    with pytest.raises(ChangedMeanwhile):
        set_target(metric(), "2026-Q3", 90, {}, author=None, expected=shown)


def test_who_may_set_targets() -> None:
    people = company()
    for author in (people.analyst, people.executive, people.admin):
        set_target(metric(), "2026-Q3", 60, {}, author=author)
    for nobody in (people.viewer, people.alice):
        with pytest.raises(PermissionDenied):
            set_target(metric(), "2026-Q3", 70, {}, author=nobody)
    assert Target.objects.get().value == 60
