"""What pages and the door ask first, services ask again: whoever calls one without the right changes nothing.

Alice owns three metrics counted by hand, Bob is on her team, Charlie is a stranger to both.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from calc.calendar import Calendar
from metrics.definitions.changes import Change
from metrics.models import Dispute, Metric, Source, Warehouse
from metrics.queries.disputes import Disputed
from metrics.services import (
    automate,
    calls,
    collecting,
    connections,
    defining,
    deviations,
    dispositions,
    disputes,
    held,
    manual_metrics,
    rollover,
    starting,
)
from metrics.services.apply import require_changes
from metrics.services.manual_metrics import Counted
from tests.metrics import making
from tests.people import Company, company

JULY = date(2026, 7, 1)
VISITS = Counted(name="Visits", definition="People who came in.", segment="Everybody", lens="breadth")
SUM = {"source": "orders", "measure": "count"}


@pytest.fixture
def people(db: None) -> Company:
    made = company()
    making.installation()
    for metric in made.metrics.values():
        metric.type, metric.spec = "manual", {"kind": "amount", "grain": "month"}
        metric.save()
    making.month(of(made), 2026, 7, 100.0)
    Dispute.objects.create(
        metric=of(made), grain="month", period_start=JULY, period_end=date(2026, 8, 1),
        author=made.alice, raised_at=timezone.now(), text="This looks wrong.",
    )  # fmt: skip
    making.source(None)
    making.metric("orders", SUM)
    making.manual("star", role="north_star")
    return made


def of(people: Company) -> Metric:
    return people.metrics["everyone"]


def raised(people: Company) -> Disputed:
    return Disputed(Dispute.objects.get(), of(people), frozenset({"alice"}))


def said(section: str, key: str, **words: Any) -> Change:
    given: dict[str, Any] = {"part": "", "name": "name", "old": None, "new": None, **words}
    return Change(section, key, **given)


CALLS: dict[str, Callable[[Company], Any]] = {
    "a teammate gives no word of status": lambda c: calls.make_call(
        c.bob, of(c), status="on_track", reason="All is well"
    ),
    "nor takes one back": lambda c: calls.withdraw_call(c.bob, of(c)),
    "nor asks for a gap to be accepted": lambda c: deviations.take_back(c.bob, of(c)),
    "nor says what a signal was": lambda c: dispositions.explain(c.bob, of(c), "month", JULY, "A strike"),
    "nor releases a held figure": lambda c: held.decide(c.bob, of(c), "released", "It is right"),
    "nor says that a figure looks wrong": lambda c: disputes.dispute(c.bob, of(c), "month", JULY, "Odd"),
    "nor answers for the data": lambda c: disputes.answer(c.bob, raised(c), outcome="right", text="Fine"),
    "nor withdraws what somebody else has raised": lambda c: disputes.withdraw(c.bob, raised(c)),
    "not even an admin withdraws it": lambda c: disputes.withdraw(c.admin, raised(c)),
    "the owner accepts no gap of their own": lambda c: deviations.end(c.alice, of(c)),
    "nor says who counts": lambda c: collecting.collect(
        of(c), {"by": "bob"}, author=c.alice, expected=collecting.token_of(of(c))
    ),
    "nor adds a metric": lambda c: manual_metrics.add(VISITS, author=c.alice),
    "nor changes what theirs is": lambda c: manual_metrics.change(of(c), VISITS, author=c.alice),
    "nor rolls targets over": lambda c: rollover.roll_over(c.alice, "2026-Q4", Calendar(), date(2026, 9, 25)),
    "an analyst makes no North Star": lambda c: manual_metrics.add(
        Counted(name="Star", role="north_star"), author=c.analyst
    ),
    "nor turns a metric into it": lambda c: manual_metrics.change(
        of(c), Counted(name="Star", role="north_star"), author=c.analyst
    ),
    "nor begins the company": lambda c: starting.mark(c.analyst, "company"),
    "nor says that the first hour is over": lambda c: starting.finish(c.analyst),
    "nor says what the North Star is": lambda c: starting.set_north_star(c.analyst, VISITS),
    "nor hands out charges there": lambda c: starting.set_charges(
        c.analyst, [starting.Charge(key="for_everyone")], today=date(2026, 11, 2)
    ),
    "nor adds a warehouse": lambda c: connections.save(
        "shop", {"engine": "duckdb", "database": "shop.duckdb"}, author=c.analyst, expected=""
    ),
    "nor archives one": lambda c: defining.archive_warehouse(
        Warehouse.objects.get().key, author=c.analyst, expected=""
    ),
    "an executive archives no source": lambda c: defining.archive_source(
        Source.objects.get().key, author=c.executive, expected=""
    ),
    "nor has a metric counted by a program": lambda c: automate.switch(
        c.executive, of(c), Metric.objects.get(key="orders"), JULY, expected=""
    ),
}
CHANGES: dict[str, tuple[str, Change]] = {
    "a leader's file sets no target": ("alice", said("metrics", "for_everyone", part="target")),
    "and no owner": ("alice", said("metrics", "for_everyone", part="owners")),
    "and defines nothing": ("alice", said("metrics", "for_everyone")),
    "an executive's file changes no source": ("executive", said("sources", "orders")),
    "an analyst's no calendar": ("analyst", said("calendar", "")),
    "and no leader": ("analyst", said("leaders", "alice")),
    "and makes no metric the North Star": (
        "analyst",
        said("metrics", "for_everyone", name="role", old="focus", new="north_star"),
    ),
    "nor the North Star another metric": (
        "analyst",
        said("metrics", "for_everyone", name="role", old="north_star", new="focus"),
    ),
    "nor adds one": ("analyst", said("metrics", "new", new={"role": "north_star"}, what="new")),
    "and writes no SQL": ("analyst", said("sources", "orders", name="sql", new="select 1")),
    "not in a new source either": ("analyst", said("sources", "x", new={"sql": "select 1"}, what="new")),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_without_the_right_nothing_changes(people: Company, call: Callable[[Company], Any]) -> None:
    before = everything()
    with pytest.raises(PermissionDenied):
        call(people)
    assert everything() == before


@pytest.mark.parametrize(("who", "change"), CHANGES.values(), ids=CHANGES.keys())
def test_a_file_does_what_its_author_may(people: Company, who: str, change: Change) -> None:
    with pytest.raises(PermissionDenied):
        require_changes(people.users[who], [change])
    require_changes(people.admin, [change])


def everything() -> dict[str, list[Any]]:
    """Every row of people's and metrics' tables."""
    models = [m for label in ("owners", "metrics") for m in apps.get_app_config(label).get_models()]
    return {m._meta.label: list(m._default_manager.order_by("pk").values_list()) for m in models}
