"""The owner's own call stands beside the computed status, ends by itself, and changes nothing else."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from calc.status import State
from metrics.models import Metric
from metrics.queries import installation
from metrics.queries.courses import load
from metrics.queries.progress import judge
from metrics.queries.recorded import events
from metrics.queries.remarks import Remarks, _Said
from metrics.queries.rows import worst_first
from metrics.queries.shapes import Acceptance, Asking, Call, Row
from metrics.services.calls import make_call, withdraw_call
from owners.models import CheckIn, Leader, Ownership, StatusCall
from owners.services.ownership import hand_over
from tests.metrics import making, page_shapes
from tests.metrics.quarter import LAST, NOON, QUARTER, TODAY, at, line, more_days, quarter, signed_in
from tests.metrics.test_pages_writing import inputs
from tests.people import Company

pytestmark = pytest.mark.django_db
WHY = "Two large orders are signed and ship in September."


@pytest.fixture
def people() -> Iterator[Company]:
    with at():
        yield quarter()


def said(people: Company, **changes: object) -> StatusCall | None:
    call = {"status": "at_risk", "reason": WHY, **changes}
    return make_call(people.alice, people.metrics["orders"], **call)


def test_a_call_stands_beside_the_computed_status(people: Company) -> None:
    before = line()
    said(people)
    after = line()
    assert before.status == after.status
    assert after.status.state is State.OFF_TRACK
    assert after.own_call == Call(State.AT_RISK, WHY, "Alice", TODAY, LAST)
    page = signed_in(people.viewer).get("/metrics/orders/").content.decode()
    assert 0 < page.index("off track") < page.index("The owner calls it") < page.index(WHY)


def test_a_call_that_differs_needs_a_sentence(people: Company) -> None:
    for nothing in ("", "  \n "):
        with pytest.raises(ValidationError) as refused:
            said(people, reason=nothing)
        assert list(refused.value.message_dict) == ["reason"]
    for wrong in ({"reason": "x" * 501}, {"reason": "a\x00b"}, {"status": "late"}, {"status": ""}):
        with pytest.raises(ValidationError):
            said(people, **wrong)
    assert not StatusCall.objects.exists()


def test_what_is_computed_already_is_no_call_and_takes_one_back(people: Company) -> None:
    said(people)
    assert said(people, status="off_track", reason="") is None
    assert StatusCall.objects.get().withdrawn_at == NOON
    assert line().call is None


def test_it_ends_with_the_quarter_at_the_latest(people: Company) -> None:
    for day in (LAST + timedelta(days=1), TODAY - timedelta(days=1)):
        with pytest.raises(ValidationError) as refused:
            said(people, until=day)
        assert list(refused.value.message_dict) == ["until"]
    made = said(people)
    assert made and made.until_date == LAST
    assert said(people, until=TODAY)


@pytest.mark.parametrize(
    ("moment", "stands"),
    [
        (datetime(2026, 8, 20, 22, 59, 59, tzinfo=UTC), True),  # 23:59 in London
        (datetime(2026, 8, 20, 23, 0, tzinfo=UTC), False),  # midnight there
    ],
)
def test_it_expires_with_its_last_local_day(people: Company, moment: datetime, stands: bool) -> None:
    said(people, until=date(2026, 8, 20))
    with at(moment):
        assert (line().call is not None) is stands
        page = signed_in(people.viewer).get("/").content.decode()
        assert ("owner: at risk" in page) is stands


def test_a_later_call_replaces_the_earlier_and_both_are_kept(people: Company) -> None:
    first = said(people)
    assert said(people) == first  # the same again changes nothing
    with at(NOON + timedelta(days=1)):
        said(people, status="on_track", reason="Signed today.")
        assert line().call == Call(State.ON_TRACK, "Signed today.", "Alice", TODAY + timedelta(days=1), LAST)
        assert line(as_of=TODAY).call == Call(State.AT_RISK, WHY, "Alice", TODAY, LAST)
        assert withdraw_call(people.alice, people.metrics["orders"])
        assert line().call is None
        assert not withdraw_call(people.alice, people.metrics["orders"])
    assert StatusCall.objects.count() == 2


def test_what_was_known_then_is_told_as_it_was(people: Company) -> None:
    said(people)
    history = events(StatusCall).objects
    for model in (StatusCall, Ownership):  # the database has a clock of its own
        events(model).objects.update(pgh_created_at=NOON)
    later = NOON + timedelta(hours=2)
    with at(later):
        withdraw_call(people.alice, people.metrics["orders"])
        history.filter(pgh_label="update").update(pgh_created_at=later)
        known = line(known_at=NOON + timedelta(hours=1)).call
        assert known and (known.state, known.by) == (State.AT_RISK, "Alice")
        assert line(known_at=later).call is None
        assert line(known_at=NOON - timedelta(hours=1)).call is None


def test_agreement_ends_the_difference_but_not_the_call(people: Company) -> None:
    said(people)
    more_days(people.metrics["orders"], [126.0] * 10)  # pace 0.91: at risk, as it was called
    with at(NOON + timedelta(days=10)):
        now = line()
        assert (now.status.state, now.own_call) == (State.AT_RISK, None)
        assert now.call is not None
        assert "owner: at risk" not in signed_in(people.viewer).get("/").content.decode()


def test_only_the_owner_calls(people: Company) -> None:
    form = {"status": "on_track", "reason": "Looks fine to me.", "until": "2026-09-01"}
    for who in ("bob", "charlie", "viewer", "leader", "analyst", "executive", "admin"):
        client = signed_in(people.users[who])
        assert client.get("/metrics/orders/call/").status_code == 403, who
        assert client.post("/metrics/orders/call/", form).status_code == 403, who
        with pytest.raises(PermissionDenied):
            make_call(people.users[who], people.metrics["orders"], status="on_track", reason="x")
    Metric.objects.filter(key="orders").update(visible="leadership")
    for who in ("bob", "viewer"):
        assert signed_in(people.users[who]).post("/metrics/orders/call/", form).status_code == 404
    assert not StatusCall.objects.exists()


def test_nobody_withdraws_for_the_owner(people: Company) -> None:
    said(people)
    for who in ("bob", "executive", "admin"):
        form = {"withdraw": "yes"}
        assert signed_in(people.users[who]).post("/metrics/orders/call/", form).status_code == 403
    assert StatusCall.objects.get().withdrawn_at is None


def test_a_former_owners_call_goes_with_the_metric(people: Company) -> None:
    said(people)
    hand_over("orders", Leader.objects.get(key="bob"), TODAY, author=None)
    assert line().call is None


def test_the_page_calls_and_takes_back(people: Company) -> None:
    client = signed_in(people.alice)
    page = client.get("/metrics/orders/call/").content.decode()
    assert 'value="2026-09-30"' in page
    wrong = client.post("/metrics/orders/call/", {"status": "at_risk", "until": "2026-10-01"})
    assert wrong.status_code == 422
    assert "Say in a sentence why you call it at risk." in wrong.content.decode()
    form = {"status": "at_risk", "reason": WHY, "until": "2026-08-31"}
    assert client.post("/metrics/orders/call/", form).status_code == 302
    board = client.get("/").content.decode()
    assert "owner: at risk" in board
    assert "Take my call back" in client.get("/metrics/orders/call/").content.decode()
    client.post("/metrics/orders/call/", {"withdraw": "yes"})
    assert "owner: at risk" not in client.get("/").content.decode()
    same = client.post("/metrics/orders/call/", {"status": "off_track"}, follow=True).content.decode()
    assert "no call of your own is needed" in same


def test_a_check_in_may_carry_the_call(people: Company) -> None:
    client = signed_in(people.alice)
    fields = inputs(client, "/me/orders/")
    assert "Call it differently" in client.get("/me/orders/").content.decode()
    silent = fields | {"text": "September looks better.", "call-status": "at_risk"}
    refused = client.post("/me/orders/", silent)
    assert refused.status_code == 422
    assert "Say in a sentence why you call it at risk." in refused.content.decode()
    assert not CheckIn.objects.exists()
    assert client.post("/me/orders/", silent | {"call-reason": WHY}).status_code == 302
    assert CheckIn.objects.get().text == "September looks better."
    assert StatusCall.objects.get().reason == WHY
    again = inputs(client, "/me/orders/")
    assert again["call-status"] == "at_risk"
    assert client.post("/me/orders/", again | {"same": "yes"}).status_code == 302
    assert StatusCall.objects.get().withdrawn_at is None


def test_words_alone_leave_the_call_alone(people: Company) -> None:
    client = signed_in(people.alice)
    fields = inputs(client, "/me/orders/") | {"text": "Nothing much."}
    assert "call-status" not in fields
    assert client.post("/me/orders/", fields).status_code == 302
    reason_only = inputs(client, "/me/orders/") | {"text": "Well.", "call-reason": WHY}
    assert "Choose what you call it." in client.post("/me/orders/", reason_only).content.decode()
    assert not StatusCall.objects.exists()


def test_the_command_says_both(people: Company) -> None:
    said(people, until=date(2026, 8, 31))
    out = StringIO()
    call_command("progress", QUARTER, format="json", stdout=out)
    (row,) = [r for r in json.loads(out.getvalue()) if r["metric"] == "orders"]
    assert row["pace_status"] == "off_track"
    assert (row["call"], row["call_reason"], row["call_until"]) == ("at_risk", WHY, "2026-08-31")


def test_stale_is_not_green_by_call(people: Company) -> None:
    """No status of the row has the colour of good, whatever the owner says."""
    source = making.Source.objects.get(key="orders")
    source.late_since = NOON
    source.save()
    said(people, status="on_track", reason="The load will show it.")
    with at(NOON + timedelta(days=9)):
        assert line().status.stale
        page = signed_in(people.viewer).get("/").content.decode()
        row = page[page.index('<li class="row"') :]
        assert "owner: on track" in row
        assert "status good" not in row[: row.index("</li>")]


CALLS = st.builds(
    Call,
    state=st.sampled_from([State.ON_TRACK, State.AT_RISK, State.OFF_TRACK]),
    reason=st.text(min_size=1, max_size=20),
    by=st.just("Alice"),
    made_date=st.just(TODAY),
    until_date=st.dates(TODAY, LAST),
)
TERMS = {
    "shortfall": st.floats(0.1, 5_000),
    "reason": st.text(max_size=20),
    "until_date": st.dates(TODAY, LAST),
    "by": st.just("Ada"),
    "since": st.just(TODAY),
}
REMARKS = st.lists(st.one_of(CALLS, st.builds(Acceptance, **TERMS), st.builds(Asking, **TERMS)), max_size=4)


@given(days=st.integers(0, 47), remarks=REMARKS)
def test_nothing_said_changes_what_is_computed(days: int, remarks: list[Call | Acceptance | Asking]) -> None:
    """For every day of the quarter: with and without remarks all computed fields are the same."""
    course = _course()
    day = TODAY + timedelta(days=days)
    course = course.at(day)
    spoken = Remarks(tuple(_Said(r, "alice", TODAY, None) for r in remarks))
    plain, remarked = judge(course), judge(replace(course, remarks=spoken))
    bare = {"call": None, "accepted": None, "asking": None}
    assert replace(remarked, **bare) == plain
    if remarked.call:
        assert remarked.call.until_date >= day


_COURSES: list = []


def _course():
    """The orders' quarter, read once; the examples are pure."""
    if not _COURSES:
        with at():
            made = quarter()
            cal = installation.calendar()
            _COURSES.extend(load([made.metrics["orders"]], QUARTER, cal=cal, as_of=TODAY))
    return _COURSES[0]


@given(
    lines=st.lists(
        st.tuples(st.sampled_from(list(State)), st.floats(0, 2), st.one_of(st.none(), CALLS)), max_size=8
    )
)
def test_lists_keep_the_computed_order(lines: list[tuple[State, float, Call | None]]) -> None:
    def row(n: int, state: State, pace: float, call: Call | None) -> Row:
        return page_shapes.row(page_shapes.head(f"m{n}", f"Metric {n}"), state, pace=pace, call=call)

    spoken = [row(n, *each) for n, each in enumerate(lines)]
    silent = [row(n, state, pace, None) for n, (state, pace, _) in enumerate(lines)]
    assert [r.metric.key for r in worst_first(spoken)] == [r.metric.key for r in worst_first(silent)]
