"""A target from proposed to agreed: who may say what, what is kept, and what a later change asks for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.template.loader import render_to_string
from django.utils import timezone

from calc.calendar import Calendar
from metrics.charts import quarter_chart, quarter_svg, quarter_table
from metrics.definitions.mistakes import DefinitionsError
from metrics.models import Benchmark, Metric, Target, TargetAnswer
from metrics.queries.agreements import conversation, waiting_for_decision, waiting_for_owner
from metrics.queries.courses import load
from metrics.queries.dump import dump
from metrics.queries.progress import progress
from metrics.queries.quarters import chart
from metrics.queries.recorded import events
from metrics.queries.target_grid import target_line
from metrics.queries.targets import goalposts
from metrics.services.agreements import accept, answer, decide
from metrics.services.apply import Conflicts, apply
from metrics.services.targets import set_benchmarks, set_target, token_of
from owners.models import Notice, Ownership
from owners.services.meanwhile import ChangedMeanwhile
from tests.people import Company, company

QUARTER = "2096-Q3"  # ahead of today, whenever that is
JUL, AUG, SEP = date(2096, 7, 1), date(2096, 8, 1), date(2096, 9, 1)
MONTHS = {JUL: 10.0, AUG: 20.0, SEP: 30.0}
FILE = """
metrics:
  calls: {name: Calls, type: manual, kind: amount, grain: month}
  plans: {name: Plans, unit: percent, type: manual, kind: share, grain: month}
"""
pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Company:
    """Alice owns calls and plans."""
    apply(FILE, now=datetime(2026, 3, 10, tzinfo=UTC))
    made = company()
    Metric.objects.filter(key__startswith="for_").delete()  # they have no measure to be read by
    for key in ("calls", "plans"):
        Ownership.objects.create(metric_key=key, from_date=date(2020, 1, 1), leader=made.leaders["alice"])
    return made


def metric(key: str = "calls") -> Metric:
    return Metric.objects.get(key=key)


def proposed(people: Company, value: float | None = 60.0, **fields: Any) -> Target:
    months = fields.pop("months", MONTHS if value == 60 else {})
    made = set_target(metric(), QUARTER, value, months, author=people.executive, **fields)
    assert made is not None
    return made


def earlier() -> datetime:
    """Makes what has happened so far a day old (a test's transaction has one time only); an instant since."""
    now = timezone.now()
    for model in (Target, Benchmark):
        events(model).objects.update(pgh_created_at=now - timedelta(days=1))
    return now - timedelta(hours=1)


def target() -> Target:
    return Target.objects.get(metric__key="calls")


def test_the_owner_accepts_and_it_is_written_down(people: Company) -> None:
    proposed(people)
    assert target().state == "proposed" and target().agreed_at is None
    accept(people.alice, metric(), QUARTER, expected=token_of(target()))
    now = target()
    assert (now.state, now.agreed_value, now.agreed_by) == ("agreed", 60, people.alice)
    assert now.agreed_months == {"2096-07-01": 10.0, "2096-08-01": 20.0, "2096-09-01": 30.0}
    assert now.agreed_at is not None
    said = conversation(metric(), QUARTER)
    assert [(one.kind, one.figure, one.by) for one in said] == [
        ("proposed", 60, "Executive"), ("accepted", 60, "Alice")
    ]  # fmt: skip
    with pytest.raises(ValidationError, match="agreed already"):
        accept(people.alice, metric(), QUARTER)


def test_the_owner_answers_and_the_executive_takes_it(people: Company) -> None:
    proposed(people)
    answer(people.alice, metric(), QUARTER, 48, "Two people leave in August.")
    assert (target().state, target().value) == ("answered", 60)  # until it is decided the proposal counts
    decide(people.executive, metric(), QUARTER, take=True, expected=token_of(target()))
    now = target()
    assert (now.state, now.value, now.agreed_value, now.agreed_by) == ("agreed", 48, 48, people.executive)
    # 10, 20 and 30 of 60 are a sixth, a third and a half of 48
    assert dict(Benchmark.objects.values_list("month", "value")) == {JUL: 8, AUG: 16, SEP: 24}
    assert list(now.agreed_months.values()) == [8, 16, 24]
    assert [one.kind for one in conversation(metric(), QUARTER)] == ["proposed", "answered", "taken"]


def test_the_executive_keeps_the_own_figure_with_a_sentence(people: Company) -> None:
    proposed(people)
    answer(people.alice, metric(), QUARTER, 48, "Two people leave in August.")
    with pytest.raises(ValidationError, match="sentence"):
        decide(people.executive, metric(), QUARTER, take=False, text="  ")
    assert target().state == "answered"
    decide(people.executive, metric(), QUARTER, take=False, text="Two others come in July.")
    assert (target().state, target().value, target().agreed_value) == ("agreed", 60, 60)
    last = conversation(metric(), QUARTER)[-1]
    assert (last.kind, last.text) == ("kept", "Two others come in July.")


def test_what_is_said_is_told_to_the_other_side(people: Company) -> None:
    proposed(people)
    answer(people.alice, metric(), QUARTER, 48, "Two people leave.")
    decide(people.executive, metric(), QUARTER, take=False, text="Others come.")
    set_target(metric(), QUARTER, 70, {}, author=people.executive, reason="A new client.")
    alice = people.leaders["alice"]
    assert [(n.kind, n.leader or n.user) for n in Notice.objects.order_by("pk")] == [
        ("target_proposed", alice),
        ("target_answered", people.executive),
        ("target_agreed", alice),
        ("target_changed", alice),
    ]
    changed = Notice.objects.get(kind="target_changed")
    assert "A new client." in changed.body and "70, agreed 60" in changed.body
    assert changed.about == ["calls"]


@pytest.mark.parametrize("who", ["bob", "charlie", "viewer", "leader", "analyst", "executive", "admin"])
def test_nobody_else_agrees_for_the_owner(people: Company, who: str) -> None:
    proposed(people)
    with pytest.raises(PermissionDenied):
        accept(people.users[who], metric(), QUARTER)
    with pytest.raises(PermissionDenied):
        answer(people.users[who], metric(), QUARTER, 1, "Mine.")
    assert target().state == "proposed"
    assert TargetAnswer.objects.count() == 1  # the proposal


@pytest.mark.parametrize("who", ["alice", "bob", "viewer", "leader", "analyst"])
def test_nobody_but_executives_decides(people: Company, who: str) -> None:
    proposed(people)
    answer(people.alice, metric(), QUARTER, 48, "Two people leave in August.")
    with pytest.raises(PermissionDenied):
        decide(people.users[who], metric(), QUARTER, take=True)
    assert (target().state, target().value) == ("answered", 60)


def test_one_agrees_to_what_one_saw(people: Company) -> None:
    seen = token_of(proposed(people))
    set_target(metric(), QUARTER, 90, {}, author=people.analyst)
    for act in (
        lambda: accept(people.alice, metric(), QUARTER, expected=seen),
        lambda: answer(people.alice, metric(), QUARTER, 48, "Too much.", expected=seen),
    ):
        with pytest.raises(ChangedMeanwhile, match="by Analyst: read it again"):
            act()
    assert target().state == "proposed"


def test_another_proposal_asks_the_owner_again(people: Company) -> None:
    proposed(people)
    answer(people.alice, metric(), QUARTER, 48, "Two people leave.")
    set_target(metric(), QUARTER, 54, {}, author=people.executive, reason="Half way.")
    assert target().state == "proposed"
    assert [one.kind for one in conversation(metric(), QUARTER)] == ["proposed", "answered", "proposed"]
    with pytest.raises(ValidationError, match="no answer waits"):
        decide(people.executive, metric(), QUARTER, take=True)


WRONG: list[tuple[str, float, str, str]] = [
    ("calls", 48, "   ", "sentence"),
    ("calls", float("nan"), "Why.", "finite"),
    ("calls", 60, "Why.", "accept it"),
    ("plans", 1.2, "Why.", "cannot pass 100 %"),
    ("calls", 48, "a\x00b", "."),
]


@pytest.mark.parametrize(("key", "figure", "text", "words"), WRONG, ids=range(len(WRONG)))
def test_answers_that_are_none(people: Company, key: str, figure: float, text: str, words: str) -> None:
    set_target(metric(key), QUARTER, 60 if key == "calls" else 0.6, {}, author=None)
    with pytest.raises(ValidationError, match=words):
        answer(people.alice, metric(key), QUARTER, figure, text)
    assert not TargetAnswer.objects.filter(kind="answered").exists()
    with pytest.raises(ValidationError, match="no target to agree"):
        accept(people.alice, metric(key), "2096-Q4")


def test_an_agreed_target_changes_with_a_reason_and_stays_beside(people: Company) -> None:
    proposed(people)
    accept(people.alice, metric(), QUARTER)
    other = {JUL: 20.0, AUG: 20.0, SEP: 20.0}
    for act in (
        lambda: set_target(metric(), QUARTER, 70, {}, author=people.executive),
        lambda: set_benchmarks(metric(), QUARTER, other, author=people.executive),
        lambda: set_target(metric(), QUARTER, None, {}, author=people.executive, reason=" "),
    ):
        with pytest.raises(ValidationError, match="say why it changes"):
            act()
    assert target().value == 60
    set_benchmarks(metric(), QUARTER, other, author=people.executive, reason="The hall opens in July.")
    post = goalposts([metric().pk], QUARTER)[metric().pk]
    assert post.differs and dict(post.agreed_months) == MONTHS and dict(post.benchmarks) == other
    set_target(metric(), QUARTER, 70, {}, author=people.executive, reason="A new client.")
    now = target()
    assert (now.value, now.agreed_value, now.state, now.reason) == (70, 60, "agreed", "A new client.")
    assert [(o.kind, o.text) for o in conversation(metric(), QUARTER)[2:]] == [
        ("changed", "The hall opens in July."), ("changed", "A new client.")
    ]  # fmt: skip


def test_an_agreed_target_that_is_taken_away_leaves_what_was_agreed(people: Company) -> None:
    proposed(people)
    accept(people.alice, metric(), QUARTER)
    set_target(metric(), QUARTER, None, {}, author=people.executive, reason="The line is sold.")
    now = target()
    assert (now.value, now.growth, now.agreed_value) == (None, "", 60)
    (row,) = progress(None, QUARTER, leader="alice")[:1]
    assert (row.target, row.agreed_target, row.status.state) == (None, 60, "no_target")
    assert QUARTER not in dump()  # a file has no word for it
    assert apply(dump()).changes == ()
    # and it can be set again
    set_target(metric(), QUARTER, 30, {}, author=people.executive, reason="Half of it is back.")
    assert (target().value, target().agreed_value) == (30, 60)


def test_a_growth_is_agreed_as_written(people: Company) -> None:
    set_target(metric(), QUARTER, None, {}, author=people.executive, growth="10%", baseline=200)
    accept(people.alice, metric(), QUARTER)
    assert (target().agreed_value, target().agreed_growth) == (pytest.approx(220), "10%")
    row = progress(None, QUARTER, leader="alice")[0]
    assert (row.target, row.agreed_target) == (pytest.approx(220), pytest.approx(220))
    assert not row.agreed_changed
    set_target(
        metric(), QUARTER, None, {}, author=people.executive, growth="5%", baseline=200, reason="Less."
    )
    row = progress(None, QUARTER, leader="alice")[0]
    assert (row.target, row.agreed_target) == (pytest.approx(210), pytest.approx(220))
    assert row.agreed_changed


def test_another_baseline_is_another_target(people: Company) -> None:
    """10 % on 200 was agreed; on 300 it is another promise, even if it is written the same."""
    growth: dict[str, Any] = {"growth": "10%", "author": people.executive}
    set_target(metric(), QUARTER, None, {}, baseline=200, **growth)
    accept(people.alice, metric(), QUARTER)
    for baseline in (300, 400):
        set_target(metric(), QUARTER, None, {}, baseline=baseline, reason="A larger field.", **growth)
        row = progress(None, QUARTER, leader="alice")[0]
        assert row.target == pytest.approx(baseline * 1.1)
        assert row.agreed_target == pytest.approx(220) and row.agreed_changed
    set_target(metric(), QUARTER, None, {}, baseline=200, reason="As it was.", **growth)
    assert not progress(None, QUARTER, leader="alice")[0].agreed_changed


def test_what_was_agreed_stays_through_every_change(people: Company) -> None:
    proposed(people)
    accept(people.alice, metric(), QUARTER)
    for value in (70.0, 54.0):
        set_target(metric(), QUARTER, value, {}, author=people.executive, reason="Again.")
        row = progress(None, QUARTER, leader="alice")[0]
        assert (row.target, row.agreed_target, row.agreed_changed) == (value, 60, True)
        assert target().agreed_months == {"2096-07-01": 10.0, "2096-08-01": 20.0, "2096-09-01": 30.0}
    set_target(metric(), QUARTER, 60, MONTHS, author=people.executive, reason="As agreed after all.")
    assert not progress(None, QUARTER, leader="alice")[0].agreed_changed


def test_progress_tells_target_and_agreed_now_and_as_it_was(people: Company) -> None:
    proposed(people)
    accept(people.alice, metric(), QUARTER)
    before = earlier()
    set_target(metric(), QUARTER, 70, {}, author=people.executive, reason="A new client.")
    now, then = (progress(None, QUARTER, known_at=at)[0] for at in (None, before))
    assert (now.target, now.agreed_target, now.agreed_changed) == (70, 60, True)
    assert (then.target, then.agreed_target, then.agreed_changed) == (60, 60, False)
    assert (now.target_state, now.target_reason) == ("agreed", "A new client.")


def test_other_months_to_the_same_target_keep_the_agreed_ones_beside(people: Company) -> None:
    """Of 60 the months were agreed as 10, 20, 30 and are 20 each by now: on the grid and on the chart, where
    they run up to 10, 30, 60 and 20, 40, 60."""
    proposed(people)
    accept(people.alice, metric(), QUARTER)
    even = dict.fromkeys(MONTHS, 20.0)
    set_target(metric(), QUARTER, 60, even, author=people.executive, reason="Summer begins earlier.")
    line = target_line(metric(), QUARTER)
    assert [(cell.value, cell.agreed) for cell in line.months] == [(20, 10), (20, None), (20, 30)]
    (course,) = load([metric()], QUARTER, cal=Calendar(), as_of=date(2096, 7, 20))
    drawn = chart(course, "Q3")
    ends = [date(2096, 7, 31), date(2096, 8, 31), date(2096, 9, 30)]
    assert drawn.benchmarks == tuple(zip(ends, (20, 40, 60), strict=True))
    assert drawn.agreed_benchmarks == tuple(zip(ends, (10, 30, 60), strict=True))
    told = {row.when: row.agreed for row in quarter_table(drawn) if row.agreed is not None}
    assert list(told.values()) == [10, 30, 60]
    assert quarter_svg(drawn).count("benchmark agreed") == 3
    assert "Agreed" in {trace.get("name") for trace in quarter_chart(drawn)["data"]}
    row = progress(None, QUARTER)[0]
    assert (row.target, row.agreed_target, row.agreed_changed) == (60, 60, True)
    shown = render_to_string("metrics/parts/target_note.html", {"progress": row, "kind": "note"})
    assert "plan changed since agreed" in shown


def test_who_is_waited_for(people: Company) -> None:
    proposed(people)
    set_target(metric("plans"), QUARTER, 0.8, {}, author=people.analyst)
    set_target(metric("plans"), "2020-Q1", 0.8, {}, author=people.analyst)  # over long ago
    assert [t.metric.key for t in waiting_for_owner(people.alice)] == ["calls", "plans"]
    assert waiting_for_owner(people.bob) == () == waiting_for_owner(people.executive)
    answer(people.alice, metric(), QUARTER, 48, "Two people leave.")
    assert [t.metric.key for t in waiting_for_owner(people.alice)] == ["plans"]
    (open_,) = waiting_for_decision(people.executive)
    assert open_.answer is not None
    assert (open_.metric.key, open_.answer.figure, open_.target) == ("calls", 48, 60)
    assert waiting_for_decision(people.analyst) == () == waiting_for_decision(people.alice)


def test_a_file_changes_what_is_agreed_only_with_a_reason(people: Company) -> None:
    proposed(people)
    accept(people.alice, metric(), QUARTER)
    text = dump()
    assert "agreed" not in text  # to agree is a matter of people, not of the file
    other = text.replace("value: 60", "value: 72").replace("2096-09: 30", "2096-09: 42")
    assert other != text
    with pytest.raises(DefinitionsError, match="is agreed; say why it changes"):
        apply(other)
    assert target().value == 60
    apply(other.replace("{value: 72", "{reason: A new client, value: 72"))
    assert (target().value, target().agreed_value, target().state) == (72, 60, "agreed")
    assert conversation(metric(), QUARTER)[-1].kind == "changed"


def test_to_agree_on_a_page_is_no_edit_that_a_file_would_undo(people: Company) -> None:
    apply(FILE.replace("calls: {name: Calls,", f"calls: {{name: Calls, targets: {{{QUARTER}: 60}},"))
    accept(people.alice, metric(), QUARTER)
    said = f"calls: {{name: Calls, targets: {{{QUARTER}: {{value: 70, reason: More people}}}},"
    apply(FILE.replace("calls: {name: Calls,", said))
    assert target().value == 70
    earlier()
    set_target(metric(), QUARTER, 80, {}, author=people.executive, reason="By hand.")
    with pytest.raises(Conflicts):
        apply(FILE.replace("calls: {name: Calls,", said))


def test_every_step_is_in_the_history(people: Company) -> None:
    proposed(people)
    answer(people.alice, metric(), QUARTER, 48, "Two people leave.")
    decide(people.executive, metric(), QUARTER, take=True)
    states = list(events(Target).objects.order_by("pgh_id").values_list("state", "value", "agreed_value"))
    assert states == [("proposed", 60, None), ("answered", 60, None), ("agreed", 48, 48)]
    assert events(TargetAnswer).objects.count() == 3
