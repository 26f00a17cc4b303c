"""What is due from a person, and the screens on which they answer."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metrics.models import Entry, Metric, Target, Value
from metrics.queries.agreements import waiting_for_owner
from metrics.queries.me import count_due, my_page
from metrics.services.agreements import accept
from metrics.services.calls import make_call
from metrics.services.entries import EntryRow, enter
from owners.models import Action, CheckIn, Leader, Ownership, User
from tests.metrics import making
from tests.metrics.stage import Stage, agree, more_metrics, stage
from tests.metrics.test_pages_writing import inputs, share, signed_in

pytestmark = pytest.mark.django_db

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e'


@pytest.fixture
def company() -> Stage:
    """Elena owns on_time (computed) and plans (counted by her, last month missing); Charlie owns orders."""
    return stage(timezone.localdate())


def say(company: Stage, days: int, key: str = "on_time", text: str = "Said.") -> None:
    CheckIn.objects.all().delete()
    leader = Leader.objects.get(key="elena")
    CheckIn.objects.create(
        metric_key=key, leader=leader, date=company.today - timedelta(days=days), text=text, confidence=0.4
    )


def words(path: str, client: Client, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status
    return response.content.decode()


def test_everybody_sees_their_own_and_nothing_else(company: Stage) -> None:
    say(company, 30)
    assert {i.key for i in my_page(company.elena).items} == {"on_time", "plans"}
    assert {i.key for i in my_page(company.charlie).items} == {"orders"}
    assert not my_page(company.executive).leads
    # on_time and plans, a word and a target each; orders, a word and a target
    assert [count_due(u) for u in (company.elena, company.charlie, company.executive)] == [4, 2, None]


def test_the_way_to_me_counts_targets_that_wait_for_an_answer(company: Stage) -> None:
    def due(user: User) -> tuple[int | None, str]:
        page = words("/leaders/", signed_in(user))
        shown = re.search(r'<span class="count">(\d+)<span class="hush"> due', page)
        return count_due(user), shown[1] if shown else ""

    def wait(user: User) -> int:
        return len(my_page(user).waiting) + len(waiting_for_owner(user))

    say(company, 30)
    assert due(company.elena) == (4, "4") and wait(company.elena) == 4
    accept(company.elena, Metric.objects.get(key="plans"), company.quarter)
    assert due(company.elena) == (3, "3") and wait(company.elena) == 3
    # a member's target is for whoever owns the member; one that is returned is its metric's owner's again
    orders = Metric.objects.get(key="orders")
    for member in ("Leeds", "York"):
        making.target(orders, company.quarter, 100.0, dimension="city", member=member)
    elena, before = Leader.objects.get(key="elena"), company.today - timedelta(days=9)
    part = {"metric_key": "orders", "dimension": "city", "member": "Leeds"}
    Ownership.objects.create(**part, leader=elena, from_date=before)
    assert (due(company.elena)[0], due(company.charlie)[0]) == (4, 3)
    assert (wait(company.elena), wait(company.charlie)) == (4, 3)
    Ownership.objects.create(**part, is_returned=True, from_date=company.today)
    assert (due(company.elena)[0], due(company.charlie)[0]) == (3, 4)
    assert (wait(company.elena), wait(company.charlie)) == (3, 4)
    # an earlier quarter's is nobody's business any more, and who may not write is asked nothing
    Target.objects.filter(member="York").update(quarter="2020-Q1")
    assert due(company.charlie)[0] == 3 == wait(company.charlie)
    User.objects.filter(pk=company.charlie.pk).update(role="viewer")
    viewer = User.objects.get(pk=company.charlie.pk)
    assert count_due(viewer) is None


def test_late_before_due_before_done() -> None:
    company = stage(date(2025, 9, 18))
    leader = Leader.objects.get(key="elena")
    monday = date(2025, 9, 15)
    Ownership.objects.filter(metric_key="plans").update(from_date=monday)  # new to it, so not late

    def states(day: date) -> list[tuple[str, str]]:
        return [(item.key, item.state) for item in my_page(company.elena, as_of=day).items]

    say(company, (company.today - monday).days + 9)
    assert states(monday) == [("plans", "due"), ("on_time", "due")]  # since 1 September, and by today
    assert states(monday + timedelta(days=1)) == [("on_time", "late"), ("plans", "due")]
    say(company, (company.today - monday).days)
    assert states(monday + timedelta(days=1)) == [("plans", "due"), ("on_time", "done")]
    CheckIn.objects.create(metric_key="plans", leader=leader, date=monday, text="Counting.")
    # the word is there, its figure is not
    assert states(monday + timedelta(days=1)) == [("plans", "due"), ("on_time", "done")]
    enter(
        Metric.objects.get(key="plans"),
        [EntryRow(company.month, numerator=18, denominator=25)],
        author=company.elena,
        origin="page",
    )
    assert dict(states(monday + timedelta(days=1))) == {"plans": "done", "on_time": "done"}


@pytest.mark.parametrize("path", ["/me/", "/me/on_time/", "/"])
def test_the_number_of_queries_does_not_grow(company: Stage, path: str) -> None:
    leader = Leader.objects.get(key="elena")
    client = signed_in(company.elena)
    Action.objects.create(text="Call", leader=leader, metric_key="on_time")
    client.get(path)
    with CaptureQueriesContext(connection) as few:
        words(path, client)
    more_metrics(6)
    for n in range(6):
        making.target(Metric.objects.get(key=f"extra_{n}"), company.quarter, 5.0)
    for n in range(6):
        Action.objects.create(text="Call", leader=leader, metric_key=f"extra_{n}")
    with CaptureQueriesContext(connection) as many:
        words(path, client)
    assert len(many) == len(few)


def test_words_are_filled_in_saved_and_lead_to_the_next(company: Stage) -> None:
    say(company, 30, text="Two depots hired.")
    client = signed_in(company.elena)
    page = words("/me/on_time/", client)
    assert "Two depots hired.</textarea>" in page
    assert 'value="40"' in page  # confidence in percent
    assert "numerator-" not in page  # a computed figure is shown, not typed
    fields = inputs(client, "/me/on_time/") | {"text": "A third one opened.", "confidence": "55"}
    response = client.post("/me/on_time/", fields)
    assert (response.status_code, response["Location"]) == (302, "/me/plans/?saved=on_time")
    said = CheckIn.objects.get(date=company.today)
    assert (said.text, said.confidence, said.metric_key) == ("A third one opened.", 0.55, "on_time")
    assert "A third one opened." in words("/leaders/elena/", client)


def test_figure_and_words_together_or_neither(company: Stage) -> None:
    client = signed_in(company.elena)
    fields = inputs(client, "/me/plans/")
    wrong = client.post("/me/plans/", fields | share(company, "30", "25") | {"text": "All done."})
    assert wrong.status_code == 422
    assert "The first number must lie between 0 and the second." in wrong.content.decode()
    assert "All done.</textarea>" in wrong.content.decode()
    silent = client.post("/me/plans/", fields | share(company, "18", "25") | {"text": " "})
    assert silent.status_code == 422
    assert "Say in a sentence what changed." in silent.content.decode()
    assert not CheckIn.objects.filter(metric_key="plans").exists()
    assert not Entry.objects.filter(metric__key="plans", period_start=company.month).exists()
    right = client.post("/me/plans/", fields | share(company, "18", "25") | {"text": "All done."})
    assert right.status_code == 302
    assert Entry.objects.get(metric__key="plans", period_start=company.month).numerator == 18
    assert CheckIn.objects.get(metric_key="plans").text == "All done."


def test_one_button_for_nothing_new(company: Stage) -> None:
    say(company, 30, text="Two depots hired.")
    client = signed_in(company.elena)
    fields = inputs(client, "/me/on_time/") | {"same": "yes", "text": "half typed"}
    assert client.post("/me/on_time/", fields).status_code == 302
    assert CheckIn.objects.get(date=company.today).text == "Two depots hired."


def test_on_track_is_said_only_where_it_is_so(company: Stage) -> None:
    seen = set()
    for user in (company.elena, company.charlie):
        for item in my_page(user).items:
            on_track = item.row.progress.status.word == "on track" and not item.row.progress.status.stale
            assert ("on track" in item.nothing_new) is on_track
            seen.add(on_track)
    assert seen == {True, False}


@pytest.fixture
def turned() -> Iterator[Stage]:
    """The 18th of September 2025. Orders brought about 103 a day of 101 planned until August's end, and
    Charlie spoke then; in September they bring 10 a day, some 6 560 by the 17th of about 7 960 planned."""
    with time_machine.travel("2025-09-18T12:00:00+00:00", tick=False):
        company = stage(date(2025, 9, 18))
        september = Value.objects.filter(metric__key="orders", grain="day", period_start__gte="2025-09-01")
        assert september.update(value=10.0) == 17
        CheckIn.objects.create(
            metric_key="orders", leader=company.charlie.leader, date=date(2025, 8, 29), text="Well ahead."
        )
        yield company


def test_nothing_new_is_no_answer_where_the_status_has_turned(turned: Stage) -> None:
    client = signed_in(turned.charlie)
    shown = words("/me/orders/", client)
    assert "It was on track at the last words of 29 Aug and is off track now" in shown
    assert "Nothing new" not in shown
    fields = inputs(client, "/me/orders/")
    for given in ({"same": "yes"}, {"text": " Well  ahead. "}):
        refused = client.post("/me/orders/", fields | given)
        assert refused.status_code == 422
        assert "say what changed" in refused.content.decode()
    assert CheckIn.objects.filter(metric_key="orders").count() == 1
    said = client.post("/me/orders/", fields | {"text": "A supplier stopped delivering."})
    assert said.status_code == 302
    assert "Nothing new since last week" in words("/me/orders/", client)  # the last words are of today


def test_of_what_stands_as_it_stood_nothing_new_is_an_answer(turned: Stage) -> None:
    CheckIn.objects.filter(metric_key="orders").update(date=date(2025, 9, 16))  # it was off track already
    client = signed_in(turned.charlie)
    fields = inputs(client, "/me/orders/") | {"same": "yes"}
    assert client.post("/me/orders/", fields).status_code == 302
    assert CheckIn.objects.filter(metric_key="orders", date=turned.today, text="Well ahead.").exists()


def test_still_on_track_is_not_said_for_whom_calls_it_otherwise() -> None:
    with time_machine.travel("2025-09-18T12:00:00+00:00", tick=False):
        charlie = stage(date(2025, 9, 18)).charlie
        (item,) = [i for i in my_page(charlie).items if i.key == "orders"]
        assert item.nothing_new == "Nothing new, still on track"
        orders = Metric.objects.get(key="orders")
        make_call(charlie, orders, status="at_risk", reason="A supplier wavers.")
        (item,) = [i for i in my_page(charlie).items if i.key == "orders"]
        assert item.nothing_new == "Nothing new since last week"


def test_two_windows_see_each_other(company: Stage) -> None:
    client = signed_in(company.elena)
    fields = inputs(client, "/me/on_time/")
    assert client.post("/me/on_time/", fields | {"text": "First."}).status_code == 302
    refused = client.post("/me/on_time/", fields | {"text": "Second."})
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "It says now: First." in page
    assert "Second.</textarea>" in page
    token = page.split('name="token" value="')[1].split('"')[0]
    assert client.post("/me/on_time/", fields | {"text": "Second.", "token": token}).status_code == 302
    assert CheckIn.objects.get(date=company.today).text == "Second."


def test_a_next_step_with_a_day_is_an_action_like_any_other(company: Stage) -> None:
    client, day = signed_in(company.elena), company.today + timedelta(days=9)
    fields = inputs(client, "/me/on_time/") | {"text": "Two hired.", "next_step": "Call Leeds"}
    refused = client.post("/me/on_time/", fields | {"next_step": " ", "due": day.isoformat()})
    assert refused.status_code == 422 and "Say what is to be done by that day" in refused.content.decode()
    refused = client.post("/me/on_time/", fields | {"next_step": "x" * 501, "due": day.isoformat()})
    assert refused.status_code == 422 and "longer than 500 characters" in refused.content.decode()
    assert not CheckIn.objects.filter(date=company.today).exists() and not Action.objects.exists()
    assert client.post("/me/on_time/", fields | {"due": day.isoformat()}).status_code == 302
    (made,) = Action.objects.all()
    assert (made.text, made.leader, made.metric_key, made.due_date) == (
        "Call Leeds", company.elena.leader, "on_time", day,
    )  # fmt: skip
    assert "Call Leeds" in words("/me/", client)
    again = inputs(client, "/me/on_time/") | {"text": "Three hired.", "next_step": "Call Leeds"}
    assert client.post("/me/on_time/", again | {"due": day.isoformat()}).status_code == 302
    assert client.post("/me/on_time/", inputs(client, "/me/on_time/") | {"same": "yes"}).status_code == 302
    assert Action.objects.count() == 1  # corrected and repeated words note it once


def test_others_metrics_are_closed(company: Stage) -> None:
    for user, path, status in (
        (company.charlie, "/me/on_time/", 403),
        (company.charlie, "/me/nps/", 404),  # for leadership: as if there were none
        (company.admin, "/me/on_time/", 403),
        (company.elena, "/me/none/", 404),
    ):
        assert signed_in(user).get(path).status_code == status
        assert signed_in(user).post(path, {"text": "Mine."}).status_code == status
    stranger = Client()
    for path in ("/me/", "/me/on_time/"):
        assert stranger.get(path)["Location"].startswith("/account/login/")
        assert stranger.post(path, {"text": "Mine."})["Location"].startswith("/account/login/")
    assert not CheckIn.objects.filter(text="Mine.").exists()


def test_nothing_is_written_without_the_forms_token(company: Stage) -> None:
    action = Action.objects.create(text="Call", leader=Leader.objects.get(key="elena"))
    client = Client(enforce_csrf_checks=True)
    client.force_login(company.elena)
    for path in ("/me/", "/me/on_time/", f"/me/actions/{action.pk}/"):
        assert client.post(path, {"text": "Forged."}).status_code == 403
    action.refresh_from_db()
    assert action.done_at is None
    assert not CheckIn.objects.filter(text="Forged.").exists()


def test_whoever_only_counts_gives_the_figure(company: Stage) -> None:
    metric = my_page(company.elena).item("plans").asked.metric
    metric.spec = metric.spec | {"collect": {"by": "charlie"}}
    metric.save()
    assert my_page(company.elena).item("plans").asked.cell is None
    client = signed_in(company.charlie)
    assert "What changed?" not in words("/me/plans/", client)
    fields = inputs(client, "/me/plans/")
    empty = client.post("/me/plans/", fields)
    assert (empty.status_code, "Type the figure." in empty.content.decode()) == (422, True)
    assert client.post("/me/plans/", fields | share(company, "18", "25") | {"text": "x"}).status_code == 302
    assert Entry.objects.get(metric__key="plans", period_start=company.month).author == company.charlie
    assert not CheckIn.objects.filter(leader__key="charlie").exists()


def test_actions_come_first_and_can_be_done_and_reopened(company: Stage) -> None:
    client = signed_in(company.elena)
    told = client.post("/me/", {"text": "Call the depots", "due": "2025-01-31", "metric": "on_time"})
    assert told.status_code == 302
    action = Action.objects.get()
    assert (action.metric_key, action.leader.key) == ("on_time", "elena")
    page = words("/me/", client)
    assert "was due" in page
    assert page.index("Call the depots") < page.index("Success plans done</bdi></a></h3>")
    done = f"/me/actions/{action.pk}/"
    assert signed_in(company.charlie).post(done).status_code == 403
    assert client.post(done).status_code == 302
    assert "<s>Call the depots</s>" in words("/me/", client)
    assert client.post(done, {"open": "yes"}).status_code == 302
    assert not Action.objects.filter(done_at__isnull=False).exists()
    for wrong in ({}, {"text": "", "due": "soon"}):
        assert client.post("/me/", wrong).status_code == 422
        nobody = signed_in(company.executive).post("/me/", wrong)  # a role, but no leader
        assert nobody.status_code == 422


def test_nothing_of_what_is_typed_runs(company: Stage) -> None:
    client = signed_in(company.elena)
    fields = inputs(client, "/me/on_time/")
    said = fields | {"text": HOSTILE, "next_step": HOSTILE, "help_needed": HOSTILE}
    assert client.post("/me/on_time/", said).status_code == 302
    assert client.post("/me/", {"text": HOSTILE}).status_code == 302
    for path in ("/me/", "/me/on_time/", f"/me/?saved={HOSTILE}", "/leaders/elena/"):
        assert "<script>alert" not in words(path, client)
        assert "<img src=x" not in words(path, client)
    assert client.post("/me/on_time/", fields | {"text": "a\x00b"}).status_code == 422
    assert client.post("/me/on_time/", fields | {"text": "a", "confidence": "nan"}).status_code == 422
    assert client.post("/me/on_time/", fields | {"text": "a" * 1_000_000}).status_code == 422
    assert client.post("/me/", {"text": "a", "metric": "../x"}).status_code == 422


def test_who_leads_nothing_has_no_entry_but_a_page(company: Stage) -> None:
    viewer = signed_in(company.viewer)
    assert "this account leads nothing" in words("/me/", viewer)
    assert '<a href="/me/"' not in words("/", viewer)
    assert '<a href="/me/"' in words("/", signed_in(company.elena))
    idle = User.objects.create_user("idle@example.com", name="Idle", role="leader")
    Leader.objects.create(key="idle", name="Idle", user=idle)
    assert "You answer for no metric today" in words("/me/", signed_in(idle))


def test_done_is_a_calm_end(company: Stage) -> None:
    agree()
    client = signed_in(company.charlie)
    fields = inputs(client, "/me/orders/") | {"text": "Steady."}
    assert client.post("/me/orders/", fields)["Location"] == "/me/?saved=orders"
    assert "You are done." in words("/me/", client)
    assert count_due(company.charlie) == 0 == len(waiting_for_owner(company.charlie))


@pytest.mark.parametrize("sure", ["-1", "101", "-99999999999999999999", "1e999", "so so"])
def test_a_confidence_beyond_reason_is_refused_in_words(company: Stage, sure: str) -> None:
    client = signed_in(company.elena)
    fields = inputs(client, "/me/on_time/") | {"text": "Steady.", "confidence": sure}
    refused = client.post("/me/on_time/", fields)
    assert refused.status_code == 422
    assert "Confidence lies between 0 and 100 %." in refused.content.decode()
