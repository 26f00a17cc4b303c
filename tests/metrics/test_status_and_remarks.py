"""Every combination of what is computed and what people say beside it, by the rules of the documents:

- a held figure takes the status away until somebody has checked it; the reason says what the last good says
- a dispute hides no bad news, and whatever is disputed is never green
- data that stopped are never green; without a target nothing is healthy
- an accepted deviation is told wherever the metric is behind, also while a figure is disputed or held, and
  then settles nothing; of a metric that is not behind it says nothing
- the owner's call is told wherever it says something else than the status
"""

import itertools
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client

from calc.status import State
from metrics.models import Dispute, MetricState, Source, Target
from metrics.queries.shapes import Progress
from metrics.services.calls import make_call
from owners.models import Deviation, Leader, StatusCall
from tests.metrics import making
from tests.metrics.quarter import (
    BEHIND,
    LAST,
    NOON,
    QUARTER,
    START,
    TODAY,
    at,
    line,
    more_days,
    quarter,
    signed_in,
)
from tests.people import Company

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=5)
BAD = (State.OFF_TRACK, State.AT_RISK)
ODD, WHY = "Spain is missing.", "A depot is closed."

# What orders bring from 14 August on, and what follows from that alone: with fresh data, and with data that
# stopped on 18 August while it is the 23rd.
STANDS = {
    "behind": (80.0, State.OFF_TRACK, State.OFF_TRACK),
    "kept": (300.0, State.ON_TRACK, State.LATE),
    "no target": (80.0, State.NO_TARGET, State.NO_TARGET),
}


def status(computed: State, *, disputed: bool, held: bool) -> State:
    """The rules in one place, written from the documents and not from the code."""
    if held:
        return State.HELD
    if disputed and computed not in (State.OFF_TRACK, State.AT_RISK, State.LATE):
        return State.DISPUTED
    return computed


def marks(computed: State, shown: State, *, disputed: bool, accepted: bool, call: str) -> set[str]:
    found = {"disputed"} if disputed else set()
    if accepted and computed in BAD:
        found.add("accepted")
    if call and call != shown:
        found.add("call")
    return found


@pytest.fixture
def people(request: pytest.FixtureRequest) -> Iterator[Company]:
    stands, stopped = request.param
    with at():
        made = quarter()
        more_days(made.metrics["orders"], [STANDS[stands][0]] * 5)
        if stands == "no target":
            Target.objects.all().delete()
    with at(LATER + timedelta(days=4 if stopped else 0)):
        if stopped:
            Source.objects.update(late_since=LATER)
        yield made


def say(people: Company, *, disputed: bool, held: bool, accepted: bool, call: str) -> None:
    orders = people.metrics["orders"]
    for model in (Dispute, MetricState, Deviation, StatusCall):
        model.objects.all().delete()
    if disputed:
        Dispute.objects.create(
            metric=orders, grain="month", period_start=START, period_end=START.replace(month=8), text=ODD,
            author=people.analyst, raised_at=NOON,
        )  # fmt: skip
    if held:
        entry = {
            "grain": "day", "period_start": "2026-08-10", "period_end": "2026-08-11", "value": 9e9,
            "reason": "9e9 is above the highest plausible figure", "at": NOON.isoformat(),
        }  # fmt: skip
        MetricState.objects.create(metric=orders, held=[entry])
    if accepted:
        Deviation.objects.create(
            metric_key="orders", quarter=QUARTER, shortfall=BEHIND * 3, reason=WHY, until_date=LAST,
            accepted_by=people.executive, accepted_at=NOON,
        )  # fmt: skip
    if call:
        StatusCall.objects.create(
            metric_key="orders", quarter=QUARTER, leader=Leader.objects.get(key="alice"), status=call,
            reason=WHY, until_date=LAST, author=people.alice, made_at=NOON,
        )  # fmt: skip


COMBINATIONS = list(
    itertools.product((False, True), (False, True), (False, True), ("", "at_risk", "off_track"))
)
CASES = list(itertools.product(STANDS, (False, True)))


def row_of(client: Client) -> str:
    found = [
        r
        for r in re.findall(r"<li class=\"row\".*?</li>", client.get("/").content.decode(), re.S)
        if "/metrics/orders/" in r
    ]
    (row,) = found
    return row


@pytest.mark.parametrize(
    "people", CASES, indirect=True, ids=[f"{a}-{'stopped' if b else 'fresh'}" for a, b in CASES]
)
def test_every_combination(people: Company, request: pytest.FixtureRequest) -> None:
    stands, stopped = request.node.callspec.params["people"]
    computed = STANDS[stands][2 if stopped else 1]
    as_it_stands = ""
    client = signed_in(people.viewer)
    for disputed, held, accepted, call in COMBINATIONS:
        said = (disputed, held, accepted, call)
        say(people, disputed=disputed, held=held, accepted=accepted, call=call)
        now: Progress = line(as_of=(LATER + timedelta(days=4 if stopped else 0)).date())
        shown = status(computed, disputed=disputed, held=held)
        assert (now.computed, now.status.state) == (computed, shown), said
        expected = marks(computed, shown, disputed=disputed, accepted=accepted, call=call)
        told = {"disputed": now.doubts, "accepted": now.excused, "call": now.own_call}
        assert {mark for mark, there in told.items() if there} == expected, said
        assert now.is_settled == (accepted and computed in BAD and not disputed and not held), said
        assert now.status.stale == (stopped and stands != "no target"), said
        as_it_stands = as_it_stands or now.reason  # the first combination says nothing beside it
        assert as_it_stands in now.reason, said
        assert not now.status.state.is_healthy or computed is State.ON_TRACK, said
        if call == "off_track":  # a page more for each would say no more
            continue
        row = row_of(client)
        for words, there in (
            (f"</svg>{shown.word}", True),
            ("disputed", disputed),
            ("held for checking", held),
            ("accepted until 30 Sep", "accepted" in expected),
            (f"owner: {State(call).word}" if call else "owner: ", "call" in expected),
        ):
            assert (words in row) == there, (said, words)


@pytest.mark.parametrize("people", [("behind", False)], indirect=True)
def test_the_metrics_own_page_tells_them_all_at_once(people: Company) -> None:
    say(people, disputed=True, held=True, accepted=True, call="at_risk")
    page = signed_in(people.viewer).get("/metrics/orders/").content.decode()
    for words in (
        "Held for checking:", "9e9 is above", "<dt>? disputed</dt>", ODD, "<dt>Accepted</dt>", WHY,
        "<dt>The owner calls it</dt>", "behind plan",
    ):  # fmt: skip
        assert words in page, words


@pytest.mark.parametrize("people", [("kept", False)], indirect=True)
@pytest.mark.parametrize("doubt", ["disputed", "held"])
def test_a_call_on_a_figure_in_doubt_needs_its_sentence(people: Company, doubt: str) -> None:
    """Whatever is called differs from "disputed" and "held for checking", also what is computed below."""
    say(people, disputed=doubt == "disputed", held=doubt == "held", accepted=False, call="")
    with pytest.raises(Exception, match="Say in a sentence why you call it on track"):
        make_call(people.alice, people.metrics["orders"], status="on_track")
    assert make_call(people.alice, people.metrics["orders"], status="on_track", reason=WHY)
    assert line(as_of=LATER.date()).own_call
    say_nothing_more = {"disputed": Dispute, "held": MetricState}[doubt]
    say_nothing_more.objects.all().delete()  # type: ignore[attr-defined]
    assert not line(as_of=LATER.date()).own_call  # both say the same again


@pytest.mark.parametrize("people", [("kept", False)], indirect=True)
def test_a_figure_held_in_another_quarter_takes_nothing_from_this_one(people: Company) -> None:
    say(people, disputed=False, held=True, accepted=False, call="")
    state = MetricState.objects.get()
    state.held = [{**state.held[0], "period_start": "2026-05-10", "period_end": "2026-05-11"}]
    state.save()
    assert line(as_of=LATER.date()).status.state is State.ON_TRACK
    making.target(people.metrics["orders"], "2026-Q2", 1.0)
    assert line(as_of=TODAY.replace(month=6, day=30)).status.state is State.HELD
