"""Actions: one kind everywhere; whom it concerns may change it and give it to others."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone

from metrics.models import Metric
from owners.models import Action, Leader
from owners.services.actions import add_action, drop_action, edit_action, token_of
from tests.metrics.stage import Stage, stage
from tests.metrics.test_me import words
from tests.metrics.test_pages_writing import inputs, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Stage:
    """Elena owns on_time and plans; Charlie owns orders; nps is for leadership."""
    return stage(timezone.localdate())


def leader(key: str) -> Leader:
    return Leader.objects.get(key=key)


def test_an_owner_gives_an_action_about_their_metric_to_somebody(company: Stage) -> None:
    client = signed_in(company.elena)
    fields = inputs(client, "/actions/new/?metric=on_time&next=/metrics/on_time/")
    said = {
        "text": "Call the depots",
        "leader": "charlie",
        "due": "2030-01-31",
        "metric": "on_time",
    }
    response = client.post("/actions/new/", fields | said)
    assert (response.status_code, response["Location"]) == (302, "/metrics/on_time/")
    action = Action.objects.get()
    assert (action.leader.key, action.metric_key, action.due_date) == (
        "charlie",
        "on_time",
        date(2030, 1, 31),
    )
    for path in ("/metrics/on_time/", "/leaders/charlie/"):
        assert "Call the depots" in words(path, client)
    assert "Call the depots" in words("/me/", signed_in(company.charlie))


def test_nobody_gives_work_about_what_is_not_theirs(company: Stage) -> None:
    client = signed_in(company.elena)
    told = client.post("/actions/new/", {"text": "Sell more", "leader": "charlie", "metric": "orders"})
    assert told.status_code == 422
    assert "about metrics that you own" in told.content.decode()
    hidden = client.post("/actions/new/", {"text": "Sell more", "leader": "elena", "metric": "nps"})
    assert (hidden.status_code, "There is no such metric" in hidden.content.decode()) == (422, True)
    with pytest.raises(PermissionDenied):
        add_action(
            company.elena, text="x", leader=leader("elena"), metric=Metric.objects.get(key="nps")
        )  # the page is not the only door
    assert not Action.objects.exists()


def test_an_executive_gives_actions_to_anybody(company: Stage) -> None:
    client = signed_in(company.executive)
    assert client.post("/actions/new/", {"text": "Sell more", "leader": "charlie"}).status_code == 302
    assert Action.objects.get().leader.key == "charlie"


def test_it_can_be_changed_handed_on_and_dropped(company: Stage) -> None:
    action = Action.objects.create(text="Call", leader=leader("elena"))
    path, client = f"/actions/{action.pk}/", signed_in(company.elena)
    assert signed_in(company.charlie).get(path).status_code == 403
    fields = inputs(client, path)
    changed = client.post(path, fields | {"text": "Call them", "leader": "charlie", "metric": "orders"})
    assert changed.status_code == 302
    action.refresh_from_db()
    assert (action.text, action.leader.key, action.metric_key) == ("Call them", "charlie", "orders")
    assert client.get(path).status_code == 403  # it is Charlie's now
    drop = signed_in(company.charlie)
    assert drop.post(path, {"drop": "yes"}).status_code == 302
    assert not Action.objects.exists()


def test_two_who_edit_see_each_other(company: Stage) -> None:
    action = Action.objects.create(text="Call", leader=leader("elena"))
    path, client = f"/actions/{action.pk}/", signed_in(company.elena)
    fields = inputs(client, path) | {"leader": "elena"}
    edit_action(None, action, text="Write", leader=action.leader, metric=None, due=None)
    refused = client.post(path, fields | {"text": "Visit"})
    assert refused.status_code == 422
    assert "changed this action meanwhile" in refused.content.decode()
    action.refresh_from_db()
    assert action.text == "Write"
    told = fields | {"text": "Visit", "token": token_of(action)}
    assert client.post(path, told).status_code == 302


def test_what_is_wrong_is_said(company: Stage) -> None:
    gone = Leader.objects.create(key="gone", name="Gone", archived_at=timezone.now())
    for wrong in ({"text": " "}, {"text": "a\x00b"}, {"text": "a" * 501}, {"leader": gone}):
        said = {"text": "Call", "leader": leader("elena"), "metric": None, "due": None} | wrong
        with pytest.raises(ValidationError):
            add_action(None, **said)
    with pytest.raises(ValidationError):
        add_action(None, text="Call", due=date(1, 1, 1))
    assert not Action.objects.exists()


def test_a_metric_that_one_may_not_see_stays_and_is_not_named(company: Stage) -> None:
    action = Action.objects.create(text="Ask ten customers", leader=leader("elena"), metric_key="nps")
    path, client = f"/actions/{action.pk}/", signed_in(company.elena)
    page = words(path, client)
    assert "nps" not in page and "Net promoter" not in page
    assert (
        client.post(path, inputs(client, path) | {"text": "Ask twenty", "leader": "elena"}).status_code == 302
    )
    action.refresh_from_db()
    assert (action.text, action.metric_key) == ("Ask twenty", "nps")


def test_what_is_about_a_hidden_metric_is_not_on_the_leaders_page(company: Stage) -> None:
    Action.objects.create(text="Ask ten customers", leader=leader("elena"), metric_key="nps")
    assert "Ask ten customers" not in words("/leaders/elena/", signed_in(company.charlie))
    assert "Ask ten customers" in words("/leaders/elena/", signed_in(company.executive))


def test_where_to_go_on_is_a_page_of_ours(company: Stage) -> None:
    client = signed_in(company.elena)
    for trap in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"):
        response = client.post("/actions/new/", {"text": "x", "leader": "elena", "next": trap})
        assert response["Location"] == "/me/"


def test_strangers_and_viewers_do_nothing(company: Stage) -> None:
    action = Action.objects.create(text="Call", leader=leader("elena"))
    for path in ("/actions/new/", f"/actions/{action.pk}/"):
        for client, status in ((Client(), 302), (signed_in(company.viewer), 403)):
            assert client.post(path, {"text": "Mine", "drop": "yes"}).status_code == status
    with pytest.raises(PermissionDenied):
        drop_action(company.charlie, action)
    with pytest.raises(PermissionDenied):
        edit_action(company.charlie, action, text="Mine", leader=None, metric=None, due=None)
    action.refresh_from_db()
    assert (action.text, Action.objects.count()) == ("Call", 1)
