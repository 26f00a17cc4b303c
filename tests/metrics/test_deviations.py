"""A gap that is accepted for a while: asked for by the owner, accepted by an executive, loud when worse."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from calc.status import State
from metrics.models import Metric
from metrics.services import deviations
from owners.models import Deviation, Leader, Notice, StatusCall
from tests.metrics import making
from tests.metrics.quarter import BEHIND, LAST, NOON, QUARTER, TODAY, at, line, more_days, quarter, signed_in
from tests.people import Company, metric

pytestmark = pytest.mark.django_db
MOVE = "The warehouse moves until the end of August."
FORM = {"shortfall": "800", "reason": MOVE, "until": "2026-08-31"}


@pytest.fixture
def people() -> Iterator[Company]:
    with at():
        yield quarter()


def accepted(people: Company, **changes: object) -> Deviation:
    terms = {"shortfall": 800.0, "reason": MOVE, "until": date(2026, 8, 31), **changes}
    return deviations.accept(people.executive, people.metrics["orders"], **terms)


def asked(people: Company, **changes: object) -> Deviation:
    terms = {"shortfall": 800.0, "reason": MOVE, "until": date(2026, 8, 31), **changes}
    return deviations.ask(people.alice, people.metrics["orders"], **terms)


def board(client: Client) -> str:
    return client.get("/").content.decode()


def test_an_accepted_gap_stands_beside_the_computed_status(people: Company) -> None:
    before = line()
    assert before.shortfall == pytest.approx(BEHIND)
    accepted(people)
    after = line()
    assert (after.status, after.gap, after.pace) == (before.status, before.gap, before.pace)
    assert after.excused and after.is_settled
    assert (after.excused.by, after.excused.until_date) == ("Executive", date(2026, 8, 31))
    viewer = signed_in(people.viewer)
    assert "accepted until 31 Aug" in board(viewer)
    page = viewer.get("/metrics/orders/").content.decode()
    assert page.index("off track") < page.index("up to 800 behind plan until 31 Aug") < page.index(MOVE)
    assert MOVE in viewer.get("/leaders/alice/").content.decode()


def test_the_board_can_leave_out_what_is_accepted(people: Company) -> None:
    viewer = signed_in(people.viewer)
    without = {"accepted": "hidden"}
    name = people.metrics["orders"].name
    assert "Without accepted" not in board(viewer)  # there is nothing to leave out
    accepted(people)
    assert "Without accepted" in board(viewer)
    page = viewer.get("/", without)
    assert name in [row.metric.name for row in viewer.get("/").context["board"].rows]
    assert name not in [row.metric.name for row in page.context["board"].rows]
    assert "1 metric left out" in page.content.decode()
    more_days(people.metrics["orders"], [40.0] * 5)
    with at(NOON + timedelta(days=5)):
        assert line().excused
        worse = viewer.get("/", without)
    assert name in [row.metric.name for row in worse.context["board"].rows]  # it got worse than accepted
    assert viewer.get("/", {"accepted": "perhaps"}).status_code == 400


def test_it_is_loud_again_once_the_gap_is_worse(people: Company) -> None:
    accepted(people)
    orders = people.metrics["orders"]
    more_days(orders, [80.0, 80.0, 80.0])  # 16.77 a day more: 788 behind
    with at(NOON + timedelta(days=3)):
        assert line().is_settled
    more_days_from = TODAY + timedelta(days=3)
    making.days(orders, more_days_from, [80.0])  # 805 behind
    making.Source.objects.update(watermark=more_days_from + timedelta(days=1))
    with at(NOON + timedelta(days=4)):
        now = line()
        assert now.excused and now.excused.exceeded and not now.is_settled
        page = board(signed_in(people.viewer))
        assert "worse than accepted" in page
        assert "accepted until" not in page


@pytest.mark.parametrize(
    ("moment", "stands"),
    [
        (datetime(2026, 8, 16, 22, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 8, 16, 23, 0, tzinfo=UTC), False),
    ],
)
def test_it_ends_by_itself_with_its_last_local_day(people: Company, moment: datetime, stands: bool) -> None:
    accepted(people, shortfall=2_000.0, until=date(2026, 8, 16))
    with at(moment):
        assert (line().excused is not None) is stands


def test_it_says_nothing_of_what_is_on_track(people: Company) -> None:
    accepted(people)
    more_days(people.metrics["orders"], [300.0] * 5)
    with at(NOON + timedelta(days=5)):
        now = line()
        assert (now.status.state, now.excused) == (State.ON_TRACK, None)
        assert now.accepted is not None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"shortfall": 700.0}, "shortfall"),  # it is 738 behind already
        ({"shortfall": None}, "shortfall"),
        ({"shortfall": float("nan")}, "shortfall"),
        ({"shortfall": float("inf")}, "shortfall"),
        ({"shortfall": -1.0}, "shortfall"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"until": date(2026, 8, 13)}, "until"),
        ({"until": LAST + timedelta(days=1)}, "until"),
    ],
)
def test_terms_that_make_no_sense_are_refused(people: Company, wrong: dict[str, object], field: str) -> None:
    for write in (accepted, asked):
        with pytest.raises(ValidationError) as refused:
            write(people, **wrong)
        assert list(refused.value.message_dict) == [field]
    assert not Deviation.objects.exists()
    assert not Notice.objects.exists()


def test_what_is_not_behind_needs_no_acceptance(people: Company) -> None:
    more_days(people.metrics["orders"], [500.0] * 5)
    with at(NOON + timedelta(days=5)), pytest.raises(ValidationError, match="not behind"):
        accepted(people)


def test_the_owner_asks_and_an_executive_answers(people: Company) -> None:
    row = asked(people)
    notice = Notice.objects.get()
    assert (notice.user, notice.kind, notice.about) == (people.executive, "deviation", ["orders"])
    assert "Up to 800 behind plan until 31 Aug 2026" in notice.body
    now = line()
    assert now.asking and now.asking.by == "Alice"
    assert now.excused is None  # to ask is not to be given
    assert "asks" in signed_in(people.executive).get("/metrics/orders/deviation/").content.decode()
    client = signed_in(people.executive)
    assert client.post("/metrics/orders/deviation/", FORM).status_code == 302
    row.refresh_from_db()
    assert (row.asked_by, row.accepted_by, row.accepted_at) == (people.alice, people.executive, NOON)
    told = Notice.objects.exclude(pk=notice.pk).get()
    assert told.leader and told.leader.key == "alice"
    assert "accepted by Executive" in told.subject
    assert line().is_settled


def test_no_needs_a_sentence_and_the_owner_is_told(people: Company) -> None:
    asked(people)
    client = signed_in(people.executive)
    silent = client.post("/metrics/orders/deviation/", {"decline": "yes", "answer": " "})
    assert (silent.status_code, "Say in a sentence why not." in silent.content.decode()) == (422, True)
    client.post("/metrics/orders/deviation/", {"decline": "yes", "answer": "Move the trucks first."})
    row = Deviation.objects.get()
    assert (row.accepted_at, row.ended_by, row.answer) == (None, people.executive, "Move the trucks first.")
    assert Notice.objects.latest("pk").body == "Move the trucks first."
    assert line().asking is None
    with pytest.raises(ValidationError):
        deviations.decline(people.executive, people.metrics["orders"], answer="")


def test_asking_again_replaces_and_can_be_taken_back(people: Company) -> None:
    asked(people)
    asked(people, shortfall=900.0)
    now = line().asking
    assert now and now.shortfall == 900.0
    client = signed_in(people.alice)
    assert "No longer ask" in client.get("/metrics/orders/deviation/ask/").content.decode()
    client.post("/metrics/orders/deviation/ask/", {"take_back": "yes"})
    assert line().asking is None
    assert Deviation.objects.filter(ended_at=None).count() == 0


def test_a_second_acceptance_replaces_the_first_and_can_be_ended(people: Company) -> None:
    accepted(people)
    accepted(people, shortfall=1_000.0, reason="Longer than we thought.", until=LAST)
    now = line().accepted
    assert now and (now.shortfall, now.until_date) == (1_000.0, LAST)
    assert Deviation.objects.filter(ended_at=None).count() == 1
    signed_in(people.executive).post("/metrics/orders/deviation/", {"end": "yes"})
    assert line().accepted is None
    assert "no longer accepted" in Notice.objects.latest("pk").subject


def test_only_executives_accept_and_only_the_owner_asks(people: Company) -> None:
    orders = people.metrics["orders"]
    for who in ("alice", "bob", "charlie", "viewer", "leader", "analyst"):
        client = signed_in(people.users[who])
        for form in (FORM, {"end": "yes"}, {"decline": "yes", "answer": "No."}):
            assert client.post("/metrics/orders/deviation/", form).status_code == 403, who
        for right in (deviations.end, deviations.decline):
            more = {"answer": "No."} if right is deviations.decline else {}
            with pytest.raises(PermissionDenied):
                right(people.users[who], orders, **more)
        with pytest.raises(PermissionDenied):
            deviations.accept(people.users[who], orders, shortfall=800.0, reason=MOVE)
    for who in ("bob", "charlie", "viewer", "analyst", "executive", "admin"):
        assert signed_in(people.users[who]).post("/metrics/orders/deviation/ask/", FORM).status_code == 403
        with pytest.raises(PermissionDenied):
            deviations.ask(people.users[who], orders, shortfall=800.0, reason=MOVE)
        with pytest.raises(PermissionDenied):
            deviations.take_back(people.users[who], orders)
    assert not Deviation.objects.exists()


def test_a_shares_gap_is_typed_in_points(people: Company) -> None:
    share = metric("on_time", "alice", type="ratio", spec=making.SHARE, unit="percent", role="focus")
    making.month(share, 2026, 7, 0.88, numerator=88, denominator=100)
    making.target(share, QUARTER, 0.95, [0.93, 0.94, 0.95])
    client = signed_in(people.executive)
    page = client.get("/metrics/on_time/deviation/").content.decode()
    assert 'value="5"' in page  # 93 % planned for July less 88 %
    assert client.post("/metrics/on_time/deviation/", FORM | {"shortfall": "5.5"}).status_code == 302
    assert Deviation.objects.get().shortfall == pytest.approx(0.055)
    page = " ".join(client.get("/metrics/on_time/").content.decode().split())  # with its narrow spaces
    assert "up to 5.5 points behind plan" in page
    refused = client.post("/metrics/on_time/deviation/", FORM | {"shortfall": "two"})
    assert "is not a number" in refused.content.decode()


def test_the_board_asks_no_more_of_the_database_for_many(people: Company) -> None:
    def cost(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert signed_in(people.alice).get(path).status_code == 200
        return len(queries)

    accepted(people)
    paths = ("/", "/leaders/", "/leaders/alice/", "/me/")
    before = [cost(path) for path in paths]
    for n in range(6):
        one = metric(f"more_{n}", "alice", spec=making.COUNT, role="focus")
        making.days(one, date(2026, 7, 1), [80.0] * 44)
        making.target(one, QUARTER, 9_000.0, [3_000.0, 3_000.0, 3_000.0])
        deviations.accept(None, one, shortfall=900.0, reason=MOVE)
        leader = Leader.objects.get(key="alice")
        StatusCall.objects.create(
            metric_key=one.key, quarter=QUARTER, leader=leader, status="at_risk", reason="Well",
            until_date=LAST, made_at=NOON,
        )  # fmt: skip
    assert signed_in(people.alice).get("/").content.decode().count("owner: at risk") == 6
    assert [cost(path) for path in paths] == before


def test_visibility_holds_for_what_is_said(people: Company) -> None:
    accepted(people)
    Metric.objects.filter(key="orders").update(visible="leadership")
    for path in ("/", "/leaders/alice/", "/leaders/", "/metrics/"):
        assert MOVE not in signed_in(people.viewer).get(path).content.decode()
    assert signed_in(people.viewer).get("/metrics/orders/").status_code == 404
