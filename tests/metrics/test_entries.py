"""Figures entered by hand: checked, kept with their history, and on the page at once."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from metrics.models import Entry, Metric, Value
from metrics.queries.recorded import events
from metrics.services.apply import apply
from metrics.services.entries import EntriesRefused, EntryOutcome, EntryRow, enter, token_of
from owners.models import Leader, User
from tests.people import company

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOW.date()
FEB, MAR = date(2026, 2, 1), date(2026, 3, 1)
FILE = """
leaders: {ana: {name: Ana}, maya: {name: Maya}}
metrics:
  nps: {name: NPS, unit: score, type: manual, kind: level, grain: month, owner: ana, collect: {by: maya}}
  plans: {name: Plans, unit: percent, type: manual, kind: share, grain: month}
  calls: {name: Calls, type: manual, kind: amount, grain: week, by: [team]}
  twice: {name: Twice, type: derived, unit: score, formula: nps * 2}
"""
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def definitions() -> None:
    apply(FILE, now=NOW)


def metric(key: str) -> Metric:
    return Metric.objects.get(key=key)


def put(key: str, *rows: EntryRow, author: User | None = None, origin: str = "page") -> EntryOutcome:
    return enter(metric(key), rows, author=author, origin=origin, today=TODAY, now=NOW)


def figure(key: str, grain: str = "month", start: date = FEB) -> float | None:
    return Value.objects.get(metric__key=key, grain=grain, period_start=start, dimension="").value


def test_a_figure_is_stored_and_shown_at_once_with_what_follows_from_it() -> None:
    assert put("nps", EntryRow(FEB, 41.0, note="survey of 300")) == EntryOutcome(added=1)
    entry = Entry.objects.get()
    assert (entry.value, entry.note, entry.origin, entry.entered_at) == (41, "survey of 300", "page", NOW)
    assert figure("nps") == 41
    assert figure("twice") == 82


def test_a_correction_keeps_its_history_and_a_repeat_changes_nothing() -> None:
    put("nps", EntryRow(FEB, 41.0))
    assert put("nps", EntryRow(FEB, 43.0), origin="api") == EntryOutcome(changed=1)
    assert put("nps", EntryRow(FEB, 43.0)) == EntryOutcome(unchanged=1)
    history = events(Entry).objects.order_by("pgh_id").values_list("value", "origin")
    assert list(history) == [(41, "page"), (43, "api")]
    assert figure("nps") == 43


def test_a_share_is_two_numbers_and_rolls_up_as_a_ratio_of_sums() -> None:
    put(
        "plans",
        EntryRow(date(2026, 1, 1), numerator=1, denominator=10),
        EntryRow(FEB, numerator=18, denominator=20),
    )
    assert figure("plans") == pytest.approx(0.9)
    total = Value.objects.filter(metric__key="plans", grain="quarter").first()
    assert total is not None and (total.numerator, total.denominator) == (19, 30)


def test_a_figure_can_be_taken_away() -> None:
    put("nps", EntryRow(FEB, 41.0))
    assert put("nps", EntryRow(FEB, remove=True)) == EntryOutcome(removed=1)
    assert put("nps", EntryRow(FEB, remove=True)) == EntryOutcome(unchanged=1)
    assert not Entry.objects.exists()
    assert events(Entry).objects.filter(pgh_label="delete").count() == 1
    assert not Value.objects.filter(metric__key="nps", grain="month", value__isnull=False).exists()


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("nps", {"period_start": FEB}, "the value is missing"),
    ("nps", {"period_start": FEB, "value": math.nan}, "finite"),
    ("nps", {"period_start": FEB, "value": math.inf}, "finite"),
    ("nps", {"period_start": FEB, "value": 1e20}, "too large"),
    ("nps", {"period_start": date(2026, 4, 1), "value": 1}, "future"),
    ("nps", {"period_start": date(2026, 2, 2), "value": 1}, "opens no month; its month begins on 2026-02-01"),
    ("calls", {"period_start": FEB, "value": 1}, "opens no week; its week begins on 2026-01-26"),
    ("nps", {"period_start": date(226, 2, 1), "value": 1}, "too long ago"),
    ("nps", {"period_start": FEB, "numerator": 1, "denominator": 2}, "one value"),
    ("nps", {"period_start": FEB, "value": 1, "dimension": "team", "member": "a"}, "not kept by “team”"),
    ("calls", {"period_start": date(2026, 2, 2), "value": 1, "dimension": "team"}, "go together"),
    ("nps", {"period_start": FEB, "value": 1, "note": "x" * 501}, "at most 500"),
    ("nps", {"period_start": FEB, "value": 1, "note": "a\x00b"}, "U+0000"),
    ("plans", {"period_start": FEB, "value": 0.5}, "two numbers"),
    ("plans", {"period_start": FEB, "numerator": 5}, "denominator is missing"),
    ("plans", {"period_start": FEB, "numerator": 0, "denominator": 0}, "more than 0"),
    ("plans", {"period_start": FEB, "numerator": 6, "denominator": 5}, "6 of 5 is no share"),
    ("plans", {"period_start": FEB, "numerator": -1, "denominator": 5}, "no share"),
]


@pytest.mark.parametrize(("key", "row", "words"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_is_refused_and_nothing_is_entered(key: str, row: dict[str, Any], words: str) -> None:
    good = {"numerator": 1.0, "denominator": 2.0} if key == "plans" else {"value": 1.0}
    start = date(2026, 1, 5) if key == "calls" else date(2026, 1, 1)
    with pytest.raises(EntriesRefused) as refused:
        put(key, EntryRow(start, **good), EntryRow(**row))
    assert list(refused.value.errors) == [1], "the row is named"
    assert words in refused.value.errors[1]
    assert not Entry.objects.exists() and not Value.objects.exists()


def test_one_figure_twice_in_one_go_is_refused() -> None:
    with pytest.raises(EntriesRefused, match="second time"):
        put("nps", EntryRow(FEB, 1.0), EntryRow(FEB, 2.0))


def test_a_computed_metric_takes_no_figures() -> None:
    with pytest.raises(ValidationError, match="computed"):
        put("twice", EntryRow(FEB, 1.0))


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten() -> None:
    seen = token_of(None)
    put("nps", EntryRow(FEB, 41.0, expected=seen))
    with pytest.raises(EntriesRefused, match="changed meanwhile: it is 41 now"):
        put("nps", EntryRow(FEB, 43.0, expected=seen))
    put("nps", EntryRow(FEB, 43.0, expected=token_of(Entry.objects.get())))
    stale = token_of(Entry.objects.get())
    put("nps", EntryRow(FEB, remove=True))
    with pytest.raises(EntriesRefused, match="removed"):
        put("nps", EntryRow(FEB, 44.0, expected=stale))


def test_only_the_owner_and_the_collector_enter_figures() -> None:
    people = company()
    Metric.objects.filter(type="simple").delete()
    Leader.objects.filter(key="maya").update(user=people.viewer)
    put("nps", EntryRow(MAR, 40.0), author=people.viewer)
    assert Entry.objects.get().author == people.viewer
    for nobody in (people.bob, people.admin, people.executive, people.analyst):
        with pytest.raises(PermissionDenied):
            put("nps", EntryRow(FEB, 1.0), author=nobody)
    assert Entry.objects.count() == 1
