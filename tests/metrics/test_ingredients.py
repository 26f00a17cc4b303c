"""A doubt about a figure is told by every metric that is built on it, and never to whom it is not for."""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calc.status import State
from metrics.models import Dispute, Metric, MetricState, Source, Value
from metrics.queries.disputes import disputed
from metrics.queries.progress import progress
from metrics.queries.recorded import events
from metrics.services import disputes
from tests.metrics import making
from tests.metrics.quarter import QUARTER, TODAY, at, line, quarter, signed_in
from tests.people import Company, metric

pytestmark = pytest.mark.django_db
ODD = "Spain is missing since Monday."
JULY = date(2026, 7, 1)
HIDDEN = "Salaries of the board"


@pytest.fixture
def people() -> Iterator[Company]:
    """`orders` (off track) feed `half`, which feeds `quarter_of`; both of these stand above their plan. What
    growth says compares with a year before."""
    with at():
        made = quarter()
        making.month(made.metrics["orders"], 2026, 7, 2_480.0)
        made.metrics["half"] = built("half", {"orders": "orders"}, 1_240.0, 1_000.0)
        made.metrics["quarter_of"] = built("quarter_of", {"half": "half"}, 620.0, 500.0)
        year_back = {"now": "orders", "then": {"metric": "orders", "offset": "1 year"}}
        made.metrics["growth"] = built("growth", year_back, 0.2, 0.1, unit="percent")
        yield made


def built(key: str, inputs: dict[str, object], july: float, target: float, **fields: object) -> Metric:
    made = metric(
        key, "alice", type="derived", spec={"formula": " + ".join(inputs), "inputs": inputs}, role="focus",
        **{"unit": "count", **fields},
    )  # fmt: skip
    making.month(made, 2026, 7, july)
    making.target(made, QUARTER, target, [target] * 3)
    return made


def raised(people: Company, key: str = "orders", start: date = JULY, text: str = ODD) -> None:
    disputes.dispute(people.analyst, people.metrics[key], "month", start, text)


def test_it_comes_down_through_every_metric_between_and_bad_news_stays(people: Company) -> None:
    assert line("half").status.state is State.ON_TRACK
    raised(people)
    for key in ("half", "quarter_of"):
        now = line(key)
        assert now.status.state is State.DISPUTED
        assert now.status.reason.startswith(
            "built on Orders, whose figure for July is disputed; as it stands: "
        )
        assert [(i.metric, i.text, i.by) for i in now.ingredients] == [("orders", ODD, "Analyst")]
        assert not now.doubts  # nobody said that it looks wrong itself
    assert not line("orders").ingredients
    Metric.objects.get(key="half").targets.update(value=2_000.0)
    half = Metric.objects.get(key="half").targets.get()
    half.benchmarks.update(value=2_000.0)
    assert line("half").status.state is State.OFF_TRACK
    assert line("half").ingredients


def test_an_answer_ends_it(people: Company) -> None:
    raised(people)
    about = disputed(people.metrics["orders"].disputes.get().pk, people.analyst)
    assert about
    disputes.answer(people.analyst, about, outcome="right", text="A holiday.")
    assert (line("half").status.state, line("half").ingredients) == (State.ON_TRACK, ())


def test_a_doubt_of_its_own_speaks_first_and_both_are_marked(people: Company) -> None:
    raised(people)
    raised(people, "half", text="Half of what?")
    now = line("half")
    assert now.status.reason.startswith("disputed by Analyst: Half of what?; as it stands: ")
    assert (len(now.doubts), len(now.ingredients)) == (1, 1)
    assert [i.metric for i in line("quarter_of").ingredients] == ["half", "orders"]


def test_what_is_compared_with_a_year_before_is_built_on_that_year(people: Company) -> None:
    making.month(people.metrics["orders"], 2025, 7, 2_000.0)
    making.month(people.metrics["orders"], 2025, 10, 2_000.0)
    raised(people, start=date(2025, 7, 1))
    raised(people, start=date(2025, 10, 1))  # of another quarter
    assert [(i.metric, i.start) for i in line("growth").ingredients] == [("orders", date(2025, 7, 1))]
    assert not line("half").ingredients


def test_another_quarters_doubt_is_none_of_this_one(people: Company) -> None:
    making.month(people.metrics["orders"], 2026, 6, 2_000.0)
    raised(people, start=date(2026, 6, 1))
    assert line("half").status.state is State.ON_TRACK
    assert line("half", as_of=date(2026, 6, 30)).ingredients


def test_what_was_not_known_yet_is_not_told(people: Company) -> None:
    raised(people)
    recorded = events(Dispute).objects.get().pgh_created_at
    assert line("half", known_at=recorded).ingredients
    assert not line("half", known_at=recorded - timedelta(seconds=1)).ingredients


def test_of_a_member_that_is_kept_apart_its_own_figures_count(people: Company) -> None:
    half = people.metrics["half"]
    Metric.objects.filter(key__in=["orders", "half"]).update(by=["country"])
    for country in ("Spain", "France"):
        place = {"dimension": "country", "member": country}
        making.month(people.metrics["orders"], 2026, 7, 1_240.0, **place)
        making.month(half, 2026, 7, 620.0, **place)
        making.target(half, QUARTER, 500.0, [500.0] * 3, **place)
    disputes.dispute(
        people.analyst, people.metrics["orders"], "month", JULY, ODD, dimension="country", member="Spain"
    )
    found = {
        p.member: p for p in progress(None, QUARTER, as_of=TODAY, by="country") if p.metric.key == "half"
    }
    assert {member: bool(p.ingredients) for member, p in found.items()} == {
        "": True, "Spain": True, "France": False,
    }  # fmt: skip
    assert (found["Spain"].status.state, found["France"].status.state) == (State.DISPUTED, State.ON_TRACK)


def test_pages_mark_it_with_a_link_to_the_dispute(people: Company) -> None:
    raised(people)
    client = signed_in(people.viewer)
    for path in ("/", "/leaders/", "/metrics/half/", "/leaders/alice/"):
        body = client.get(path).content.decode()
        assert re.search(r'href="/metrics/orders/(\?[^"#]*)?#disputes"', body), path
        assert "built on" in body, path
    assert ODD in client.get("/metrics/half/").content.decode()
    assert "built on" in signed_in(people.alice).get("/me/half/").content.decode()


@pytest.mark.parametrize("held", [False, True])
def test_a_metric_that_one_may_not_see_is_not_named(people: Company, held: bool) -> None:
    Metric.objects.filter(key="orders").update(name=HIDDEN, visible="leadership")
    if held:
        hold(people.metrics["orders"], "1e9 is above the highest plausible figure")
    else:
        raised(people)
    said = "1e9" if held else ODD
    reader, leadership = signed_in(people.charlie), signed_in(people.executive)
    for path in ("/", "/leaders/", "/metrics/half/", "/leaders/alice/", "/metrics/quarter_of/"):
        body = reader.get(path).content.decode()
        assert "built on" in body and "a figure that is" in body, path
        assert HIDDEN not in body and said not in body and "/metrics/orders/" not in body, path
        assert HIDDEN in leadership.get(path).content.decode(), path


def hold(of: Metric, reason: str, **changes: str) -> None:
    entry = {
        "grain": "month", "period_start": "2026-07-01", "period_end": "2026-08-01", "value": 1e9,
        "reason": reason, "at": "2026-08-14T06:00:00+00:00", **changes,
    }  # fmt: skip
    MetricState.objects.create(metric=of, held=[entry])


def test_a_held_figure_is_told_as_well(people: Company) -> None:
    hold(people.metrics["orders"], "1e9 is above the highest plausible figure")
    now = line("half")
    assert now.status.state is State.HELD
    assert now.status.reason.startswith("built on Orders, whose figure for July is held for checking; as it ")
    raised(people)
    now = line("half")  # the dispute speaks first, and both are marked
    assert now.status.state is State.DISPUTED
    assert [i.held for i in now.ingredients] == [False, True]


def test_the_board_asks_no_more_of_the_database_for_it(people: Company) -> None:
    client = signed_in(people.viewer)
    client.get("/")
    with CaptureQueriesContext(connection) as calm:
        client.get("/")
    raised(people)
    raised(people, "half")
    hold(people.metrics["quarter_of"], "odd")
    with CaptureQueriesContext(connection) as doubtful:
        client.get("/")
    assert len(doubtful) == len(calm)


def test_the_api_says_which_figures_are_built_on_a_disputed_one(people: Company) -> None:
    """The same month and what holds it; not its days, nor what is built on the same month of another year."""
    half, growth = people.metrics["half"], people.metrics["growth"]
    making.month(people.metrics["orders"], 2025, 7, 2_000.0)
    making.month(half, 2026, 8, 1_000.0)
    making.month(half, 2027, 7, 1_000.0)
    making.month(growth, 2027, 7, 0.1)
    making.days(half, JULY, [40.0])
    making.figure(half, "quarter", JULY, date(2026, 10, 1), 3_000.0)
    raised(people)
    found = signed_in(people.viewer).get("/api/v1/values/?limit=500").json()["results"]
    told = {
        (one["metric"], one["grain"], one["period_start"])
        for one in found
        if one["ingredient_disputed"] and not one["disputed"]
    }
    assert told == {
        ("half", "month", "2026-07-01"),
        ("half", "quarter", "2026-07-01"),
        ("quarter_of", "month", "2026-07-01"),
        ("growth", "month", "2026-07-01"),
        ("growth", "month", "2027-07-01"),
    }


def test_the_command_says_it(people: Company) -> None:
    raised(people)
    out = StringIO()
    call_command("progress", QUARTER, "--as-of", str(TODAY), "--format", "json", stdout=out)
    found = {one["metric"]: one for one in json.loads(out.getvalue())}
    told = {
        key: (one["pace_status"], one["disputed"], one["built_on_disputed"]) for key, one in found.items()
    }
    assert told["orders"] == ("off_track", True, "")
    assert told["half"] == ("disputed", False, "orders")


def test_what_is_not_due_stays_so_and_is_marked(people: Company) -> None:
    making.month(people.metrics["orders"], 2026, 8, 100.0)
    Value.objects.filter(metric=people.metrics["half"]).delete()
    Source.objects.update(watermark=None)
    raised(people)
    now = line("half")
    assert (now.status.state, bool(now.ingredients)) == (State.NOT_DUE, True)
