"""A figure that looks wrong: marked for everybody, told to who keeps its data, answered, told back."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from calc.status import State
from metrics.models import Dispute, Metric, Source
from metrics.queries.disputes import disputed
from metrics.services import disputes
from owners.models import Leader, Notice, Ownership
from tests.metrics import making
from tests.metrics.quarter import NOON, START, TODAY, at, line, more_days, quarter, signed_in
from tests.people import Company, metric

pytestmark = pytest.mark.django_db
ODD = "Spain is missing since Monday."


@pytest.fixture
def people() -> Iterator[Company]:
    with at():
        made = quarter()
        making.month(made.metrics["orders"], 2026, 7, 2_480.0)
        Source.objects.update(data_owner=Leader.objects.get(key="charlie"))
        yield made


def raised(people: Company, who: str = "alice", **changes: object) -> Dispute:
    said = {"grain": "month", "start": date(2026, 7, 1), "text": ODD, **changes}
    return disputes.dispute(people.users[who], people.metrics["orders"], **said)


def test_it_is_marked_everywhere_and_bad_news_stays(people: Company) -> None:
    raised(people)
    now = line()
    assert now.status.state is State.OFF_TRACK
    assert [d.text for d in now.doubts] == [ODD]
    client = signed_in(people.viewer)
    for path in ("/", "/metrics/orders/", "/leaders/alice/", "/leaders/"):
        assert "disputed" in client.get(path).content.decode(), path
    assert "? disputed" in client.get("/metrics/orders/?grain=month").content.decode()
    assert "disputed" in signed_in(people.alice).get("/me/orders/").content.decode()


def test_disputed_is_never_green(people: Company) -> None:
    raised(people)
    more_days(people.metrics["orders"], [300.0] * 5)
    with at(NOON + timedelta(days=5)):
        now = line()
        assert now.status.state is State.DISPUTED
        assert now.status.reason.startswith("disputed by Alice: Spain is missing since Monday; as it stands:")
        about = disputed(Dispute.objects.get().pk, people.analyst)
        assert about
        disputes.answer(people.analyst, about, outcome="right", text="Spain has a holiday.")
        assert line().status.state is State.ON_TRACK


def test_it_counts_in_its_own_quarter_only(people: Company) -> None:
    making.month(people.metrics["orders"], 2026, 6, 2_000.0)
    raised(people, start=date(2026, 6, 1))
    assert not line().doubts


def test_the_keeper_of_the_data_is_told_and_answers(people: Company) -> None:
    row = raised(people)
    assert row.figure == 2_480.0
    told = Notice.objects.get()
    assert told.leader and (told.leader.key, told.kind, told.about) == ("charlie", "dispute", ["orders"])
    assert ODD in told.body
    charlie = signed_in(people.charlie)
    assert "Answer" in charlie.get("/disputes/").content.decode()
    silent = charlie.post(f"/disputes/{row.pk}/answer/", {"outcome": "corrected", "text": " "})
    assert (silent.status_code, "Say in a sentence what you have found." in silent.content.decode()) == (
        422,
        True,
    )
    charlie.post(f"/disputes/{row.pk}/answer/", {"outcome": "corrected", "text": "Reloaded."})
    row.refresh_from_db()
    assert (row.state, row.outcome, row.answer, row.closed_by) == (
        "answered", "corrected", "Reloaded.", people.charlie,
    )  # fmt: skip
    back = Notice.objects.latest("pk")
    assert (back.user, back.kind) == (people.alice, "dispute_answered")
    assert not line().doubts
    page = signed_in(people.viewer).get("/metrics/orders/").content.decode()
    assert "Reloaded." in page and ODD in page


def test_keepers_are_found_through_operands(people: Company) -> None:
    spec = {"formula": "orders / 2", "inputs": {"orders": "orders"}}
    half = metric("half", "alice", type="derived", spec=spec)
    making.month(half, 2026, 7, 1_240.0)
    disputes.dispute(people.alice, half, "month", date(2026, 7, 1), ODD)
    told = Notice.objects.get()
    assert told.leader and told.leader.key == "charlie"


def test_without_a_keeper_the_admins_are_told(people: Company) -> None:
    Source.objects.update(data_owner=None)
    raised(people)
    told = Notice.objects.get()
    assert (told.leader, told.user) == (None, None)


def test_one_figure_is_disputed_once_at_a_time(people: Company) -> None:
    row = raised(people)
    with pytest.raises(ValidationError, match="Alice has disputed"):
        raised(people, "analyst")
    about = disputed(row.pk, people.alice)
    assert about and disputes.withdraw(people.alice, about)
    assert not disputes.withdraw(people.alice, about)
    raised(people, "analyst")
    assert Dispute.objects.filter(state="open").count() == 1


@pytest.mark.parametrize(
    "wrong", [{"text": ""}, {"text": "x" * 501}, {"start": date(2026, 7, 2)}, {"start": date(2020, 1, 1)},
              {"member": "Spain", "dimension": "country"}],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(people: Company, wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        raised(people, **wrong)
    assert not Dispute.objects.exists()
    assert not Notice.objects.exists()


def test_the_quarter_so_far_can_be_disputed_from_the_check_in(people: Company) -> None:
    client = signed_in(people.alice)
    assert "/metrics/orders/dispute/?back=me" in client.get("/me/orders/").content.decode()
    form = {"figure": f"quarter:{START}", "text": ODD}
    response = client.post("/metrics/orders/dispute/?back=me", form)
    assert (response.status_code, response["Location"]) == (302, "/me/orders/")
    assert Dispute.objects.get().figure == pytest.approx(44 * 80)
    wrong = client.post("/metrics/orders/dispute/", {"figure": "quarter:2026-99-99", "text": ODD})
    assert wrong.status_code == 422


def test_who_may_dispute_and_who_may_answer(people: Company) -> None:
    form = {"figure": "month:2026-07-01", "text": ODD}
    for who in ("bob", "charlie", "viewer", "leader"):
        assert signed_in(people.users[who]).post("/metrics/orders/dispute/", form).status_code == 403, who
        with pytest.raises(PermissionDenied):
            raised(people, who)
    assert not Dispute.objects.exists()
    row = raised(people)
    reply = {"outcome": "right", "text": "It is right."}
    for who in ("alice", "bob", "viewer", "leader", "executive"):
        assert signed_in(people.users[who]).post(f"/disputes/{row.pk}/answer/", reply).status_code == 403, who
    for who in ("bob", "charlie", "viewer", "analyst", "executive", "admin"):
        assert signed_in(people.users[who]).post(f"/disputes/{row.pk}/withdraw/").status_code == 403, who
    row.refresh_from_db()
    assert row.state == "open"


def test_what_is_not_visible_is_not_told(people: Company) -> None:
    row = raised(people)
    Metric.objects.filter(key="orders").update(visible="leadership")
    charlie = signed_in(people.charlie)  # keeps the data, but may not see the metric
    assert ODD not in charlie.get("/disputes/").content.decode()
    assert charlie.post(f"/disputes/{row.pk}/answer/", {"outcome": "right", "text": "x"}).status_code == 404
    row.refresh_from_db()
    assert row.state == "open"


def test_the_api_says_which_figures_are_disputed(people: Company) -> None:
    making.month(people.metrics["orders"], 2026, 6, 2_000.0)
    raised(people)
    lines = signed_in(people.viewer).get("/api/v1/values/?metric=orders&grain=month").json()["results"]
    found = {one["period_start"]: one["disputed"] for one in lines}
    assert found == {"2026-06-01": False, "2026-07-01": True}


def test_what_was_raised_today_was_no_news_before(people: Company) -> None:
    raised(people)
    assert line(as_of=TODAY).doubts
    board = signed_in(people.viewer).get("/").content.decode()
    assert "recovered" not in board


def test_who_may_no_longer_see_it_takes_nothing_back_and_others_still_answer(people: Company) -> None:
    row = raised(people, "alice")
    Metric.objects.filter(key="orders").update(visible="leadership")
    Ownership.objects.filter(metric_key="orders").update(leader=Leader.objects.get(key="bob"))
    assert signed_in(people.alice).post(f"/disputes/{row.pk}/withdraw/").status_code == 404
    assert (
        signed_in(people.bob).post(f"/disputes/{row.pk}/withdraw/").status_code == 403
    )  # owns, raised nothing
    row.refresh_from_db()
    assert row.state == "open"
    about = disputed(row.pk, people.analyst)
    assert about and disputes.answer(people.analyst, about, outcome="known", text="The depot is new.")
    assert Dispute.objects.get().closed_by == people.analyst


def test_what_was_taken_back_leaves_the_figure_as_it_was(people: Company) -> None:
    before = line()
    row = raised(people)
    assert signed_in(people.alice).post(f"/disputes/{row.pk}/withdraw/").status_code == 302
    assert line() == before
    row.refresh_from_db()
    assert (row.state, row.closed_by, row.answer) == ("withdrawn", people.alice, "")
