"""Faults of a recompute, against a real warehouse: what must hold, and who is told."""

from datetime import date, timedelta
from typing import Any

import pytest

from metrics.models import HeldDecision, Metric, MetricState, Run, Source, Value
from metrics.services import ledger
from metrics.services.held import decide
from owners.models import Channel, Leader, Notice
from tests.metrics.shop import ALL, ORDERS, Shop, at, everything, figures, forget, order, some_rows

pytestmark = pytest.mark.django_db


def test_an_edit_while_the_warehouse_works_wins_and_nothing_is_mixed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from metrics.services import recompute

    shop.create(some_rows(date(2026, 1, 5), 64), loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL)
    shop.recompute()
    asked = recompute.ask
    edits = iter([True])

    def ask_and_edit(job):
        answer = asked(job)
        if next(edits, False):
            shop.edit("orders", {"measure": {"source": "orders", "agg": "sum", "expr": "2"}}, request=False)
        return answer

    monkeypatch.setattr(recompute, "ask", ask_and_edit)
    outcome = shop.recompute(start=ledger.FROM_THE_START)
    assert outcome.state == "done"
    states = list(Run.objects.order_by("id").values_list("state", flat=True))
    assert states[-2:] == ["superseded", "done"]
    versions = set(Value.objects.filter(metric__key="orders").values_list("version", "run"))
    assert {version for version, _ in versions} == {2}
    months = figures("orders", "month")
    assert months[date(2026, 2, 1)] == 2 * sum(1 for r in some_rows(date(2026, 1, 5), 64) if r[1].month == 2)


def test_one_broken_metric_does_not_stop_the_others(shop: Shop) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL)
    shop.recompute()
    revenue = figures("revenue")
    aov = figures("aov")
    shop.sql("ALTER TABLE orders RENAME amount TO total")
    shop.load(some_rows(date(2026, 3, 10), 1, first_id=5000), loaded_to=date(2026, 3, 11))
    shop.now += timedelta(days=1)
    outcome = shop.schedule()
    assert outcome.state == "done"
    assert list(outcome.failures) == ["revenue"]
    assert "amount" in outcome.failures["revenue"]
    assert figures("orders")[date(2026, 3, 10)] == 1
    assert figures("revenue") == revenue  # the last good ones
    assert figures("aov") == aov
    state = MetricState.objects.get(metric__key="revenue")
    assert (state.attempts, state.stale_since, state.dirty_from) == (1, shop.now, date(2026, 1, 1))
    assert MetricState.objects.get(metric__key="aov").error == "waits for revenue"
    told = Notice.objects.get(kind="metric_failed")
    assert told.leader.key == "ana"
    assert "amount" in told.body
    # Mended after two more days, it makes up for all that it has missed.
    shop.load(some_rows(date(2026, 3, 11), 2, first_id=6000), loaded_to=date(2026, 3, 13))
    shop.now += timedelta(days=2)
    shop.schedule()
    shop.sql("ALTER TABLE orders RENAME total TO amount")
    shop.now += timedelta(hours=1)
    assert shop.schedule().failures == {}
    assert not MetricState.objects.exists()
    back = Notice.objects.get(kind="metric_back")  # of revenue, not of aov, which has only waited
    assert (back.leader.key, back.path, back.about) == ("ana", "/metrics/revenue/", ["revenue"])
    shop.now += timedelta(hours=1)
    shop.schedule()
    assert Notice.objects.filter(kind="metric_back").count() == 1
    made_up = everything()
    forget()
    shop.recompute()
    assert made_up == everything()


def test_a_metric_that_keeps_failing_is_put_aside_and_comes_back_when_asked(shop: Shop) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    broken = {"measure": {"source": "orders", "agg": "sum", "expr": "1 / (amount - amount) * id"}}
    shop.define(metrics={"orders": ("simple", ORDERS), "broken": ("simple", broken)})
    tried = 0
    for _ in range(20):
        tried += "broken" in shop.schedule().failures
        shop.now += timedelta(minutes=31)
    assert tried == ledger.ATTEMPTS
    state = MetricState.objects.get()
    assert state.quarantined_at is not None
    assert Notice.objects.filter(kind="metric_quarantined").count() == 1
    assert not figures("broken")
    assert "broken" in shop.recompute(cause="request").failures  # a person may try at once
    shop.now += timedelta(days=1, minutes=1)
    assert "broken" in shop.schedule().failures  # and once a day it is tried anyway
    shop.edit("broken", ORDERS)
    shop.work()
    assert not MetricState.objects.exists()
    assert figures("broken") == figures("orders")


@pytest.mark.parametrize("bad", ["'NaN'::double", "'Infinity'::double", "'twelve'"])
def test_what_is_no_number_is_never_published(shop: Shop, bad: str) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    bad_measure = {"measure": {"source": "notes", "agg": "max", "expr": "amount"}}
    shop.define(
        sql=f"select *, {bad} as worth from orders",
        table="",
        metrics={
            "orders": ("simple", ORDERS),
            "worth": ("simple", {"measure": bad_measure["measure"] | {"source": "orders", "expr": "worth"}}),
        },
    )
    outcome = shop.recompute()
    assert list(outcome.failures) == ["worth"]
    assert not figures("worth")
    assert figures("orders")
    assert "worth" in outcome.failures["worth"]


def test_a_window_from_the_first_row_on_makes_up_for_what_failing_has_missed(shop: Shop) -> None:
    shop.create(some_rows(date(2026, 2, 4), 34), loaded_to=date(2026, 3, 10))
    broken = {"measure": {"source": "orders", "agg": "sum", "expr": "missing"}}
    shop.define(metrics={"broken": ("simple", broken)})
    twice = {"formula": "one * 2", "inputs": {"one": "broken"}}
    Metric.objects.create(key="twice", name="Twice", type="derived", spec=twice)
    shop.recompute()
    assert MetricState.objects.filter(metric__key="broken").exists()
    shop.edit("broken", ORDERS, request=False)
    shop.recompute(start=date(2026, 2, 4))
    assert not MetricState.objects.exists()
    assert figures("twice")


def test_a_warehouse_that_is_away_leaves_figures_and_is_tried_again(shop: Shop) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL)
    shop.recompute()
    before = everything()
    away = shop.path.with_suffix(".away")
    shop.path.rename(away)
    outcome = shop.schedule()
    assert outcome.state == "failed"
    assert everything() == before
    source = Source.objects.get()
    assert source.failed_since == shop.now
    assert "shop" in source.error
    run = Run.objects.latest("id")
    assert (run.state, run.not_before) == (Run.State.DUE, shop.now + timedelta(minutes=1))
    for _ in range(8):
        shop.now += timedelta(minutes=31)
        shop.work()
    assert Notice.objects.filter(kind="source_failed").count() == 1
    away.rename(shop.path)
    shop.now += timedelta(minutes=31)
    assert [o.state for o in shop.work()] == ["done"]
    source.refresh_from_db()
    assert (source.failed_since, source.error) == (None, "")
    assert Notice.objects.filter(kind="source_back").count() == 1


def test_a_source_that_is_suddenly_empty_is_a_fault_not_zeros(shop: Shop) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL)
    shop.recompute()
    before = everything()
    shop.sql("DELETE FROM orders")
    outcome = shop.recompute()
    assert outcome.state == "failed"
    assert "no rows" in outcome.error
    assert everything() == before


def test_implausible_figures_wait_for_a_check(shop: Shop) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    shop.define(metrics={"orders": ("simple", ORDERS)})
    shop.metrics["orders"].plausible = {"high": 300.0}
    shop.metrics["orders"].save()
    shop.recompute()
    shop.load([order(9000 + n, at(date(2026, 3, 10))) for n in range(301)], loaded_to=date(2026, 3, 11))
    shop.now += timedelta(days=1)
    shop.schedule()
    assert date(2026, 3, 10) not in figures("orders")
    held = MetricState.objects.get().held
    assert ("day", "2026-03-10", 301.0) in {(h["grain"], h["period_start"], h["value"]) for h in held}
    assert Notice.objects.filter(kind="figure_held").count() == 1
    shop.now += timedelta(hours=1)
    shop.schedule()
    assert Notice.objects.filter(kind="figure_held").count() == 1  # told once
    assert decide(None, shop.metrics["orders"], "released", "A fair.", now=shop.now) == len(held)
    shop.schedule()
    assert figures("orders")[date(2026, 3, 10)] == 301


def waiting_to_be_checked() -> list[dict[str, Any]]:
    return [figure for state in MetricState.objects.all() for figure in state.held]


def test_a_rejected_figure_is_not_asked_about_again_but_another_is(shop: Shop) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    shop.define(metrics={"orders": ("simple", ORDERS)})
    shop.metrics["orders"].plausible = {"high": 300.0}
    shop.metrics["orders"].save()
    shop.recompute()
    shop.load([order(9000 + n, at(date(2026, 3, 10))) for n in range(301)], loaded_to=date(2026, 3, 11))
    shop.now += timedelta(days=1)
    shop.schedule()
    assert decide(None, shop.metrics["orders"], "rejected", "The load ran twice.", now=shop.now)
    assert not waiting_to_be_checked()
    shop.now += timedelta(hours=1)
    shop.schedule()
    shop.recompute()
    assert not waiting_to_be_checked()
    assert date(2026, 3, 10) not in figures("orders")
    wrong = HeldDecision.objects.get(grain="day", ended_at=None)
    assert (wrong.value, wrong.outcome, wrong.reason) == (301.0, "rejected", "The load ran twice.")
    shop.load([order(9900, at(date(2026, 3, 10)))], loaded_to=date(2026, 3, 11))  # 302: judged anew
    shop.now += timedelta(hours=1)
    shop.recompute()
    asked = {(h["grain"], h["period_start"], h["value"]) for h in waiting_to_be_checked()}
    assert ("day", "2026-03-10", 302.0) in asked
    assert not HeldDecision.objects.filter(grain="day", ended_at=None).exists()
    shop.sql("DELETE FROM orders WHERE id >= 9000")
    shop.load([order(9000 + n, at(date(2026, 3, 10))) for n in range(12)], loaded_to=date(2026, 3, 11))
    shop.now += timedelta(hours=1)
    shop.recompute()
    assert figures("orders")[date(2026, 3, 10)] == 12
    assert not waiting_to_be_checked() if MetricState.objects.exists() else True


def test_whoever_was_told_of_a_failure_is_told_of_its_end(shop: Shop) -> None:
    """The data are looked after by another since: both are told, a channel that listens once."""
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    broken = {"measure": {"source": "orders", "agg": "sum", "expr": "missing"}}
    shop.define(metrics={"orders": ("simple", ORDERS), "broken": ("simple", broken)})
    Channel.objects.create(name="Data", kind="slack", host="h", news=True)
    shop.schedule()
    assert not Notice.objects.filter(kind="metric_back").exists()
    Source.objects.update(data_owner=Leader.objects.create(key="ben", name="Ben"))
    shop.edit("broken", ORDERS)
    shop.work()
    told = Notice.objects.filter(kind="metric_back")
    assert sorted(n.leader.key for n in told if n.leader) == ["ana", "ben"]
    assert [n.channel.name for n in told if n.channel] == ["Data"]
    shop.recompute()
    assert Notice.objects.filter(kind="metric_back").count() == 3


def test_a_recovery_that_is_not_stored_is_not_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.create(some_rows(date(2026, 2, 1), 37), loaded_to=date(2026, 3, 10))
    broken = {"measure": {"source": "orders", "agg": "sum", "expr": "missing"}}
    shop.define(metrics={"broken": ("simple", broken)})
    shop.schedule()
    shop.edit("broken", ORDERS)

    def die(*_: object, **__: object) -> None:
        raise SystemExit("killed before the commit")

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "finish", die)
        with pytest.raises(SystemExit):
            shop.work()
    assert MetricState.objects.get().attempts
    assert not Notice.objects.filter(kind="metric_back").exists()
