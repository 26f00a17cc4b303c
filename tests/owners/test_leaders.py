"""Leaders and teams: made, changed, archived; names that look alike; what cannot be shown."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from owners.models import Leader, Leave, Ownership, Team
from owners.services.leaders import (
    LeaderText,
    LooksAlike,
    StillAnswers,
    archive_leader,
    archive_team,
    change_leader,
    change_team,
    create_leader,
    create_team,
    restore_leader,
    token_of,
)
from owners.services.leave import take_leave
from owners.services.names import KEY, key_of, look_alikes
from owners.services.ownership import hand_all_over
from tests.people import Company, company

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def people() -> Company:
    return company()


def signed_in(people: Company, name: str) -> Client:
    client = Client()
    client.force_login(people.users[name])
    return client


def test_an_executive_adds_a_leader(people: Company) -> None:
    said = LeaderText(
        "  Maya   Chen ",
        title="Head of Growth",
        team=Team.objects.get(key="growth"),
        email="Maya@Example.com",
        user=people.viewer,
        country="de-by",
        timezone="Europe/Berlin",
    )
    maya = create_leader(people.executive, said)
    assert (maya.key, maya.name, maya.email) == ("maya_chen", "Maya Chen", "maya@example.com")
    assert (maya.country, maya.timezone, maya.user) == ("DE-BY", "Europe/Berlin", people.viewer)


@pytest.mark.parametrize("who", ["viewer", "leader", "analyst", "alice"])
def test_others_change_no_leader_and_no_team(people: Company, who: str) -> None:
    user, alice, growth = people.users[who], people.leaders["alice"], Team.objects.get(key="growth")
    before = [list(model.objects.order_by("pk").values()) for model in (Leader, Team)]
    for do in (
        lambda: create_leader(user, LeaderText("Maya")),
        lambda: change_leader(user, alice, LeaderText("Maya")),
        lambda: archive_leader(user, people.leaders["bob"]),
        lambda: restore_leader(user, alice),
        lambda: create_team(user, "Sales"),
        lambda: change_team(user, growth, "Sales", []),
        lambda: archive_team(user, growth),
    ):
        with pytest.raises(PermissionDenied):
            do()
    client = signed_in(people, who)
    assert client.get("/settings/people/leaders/").status_code == 403
    for path in (
        "leaders/new/",
        "leaders/alice/",
        "leaders/alice/archive/",
        "leaders/alice/restore/",
        "teams/new/",
        "teams/growth/",
        "teams/growth/archive/",
    ):
        assert client.post(f"/settings/people/{path}", {"name": "x"}).status_code == 403, path
    assert [list(model.objects.order_by("pk").values()) for model in (Leader, Team)] == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", "A\u202edA"),
        ("name", "A\u200bda"),
        ("title", "\x07"),
        ("email", "not an address"),
        ("country", "Atlantis"),
        ("country", "DE-XX"),
        ("timezone", "Europe/Atlantis"),
    ],
)
def test_what_makes_no_sense_is_said_by_field(people: Company, field: str, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        create_leader(None, LeaderText(**{"name": "Maya", field: value}))
    assert field in refused.value.message_dict
    assert not Leader.objects.filter(key="maya").exists()


def test_an_account_leads_as_one_leader(people: Company) -> None:
    with pytest.raises(ValidationError, match="leads as Alice already"):
        create_leader(None, LeaderText("Maya", user=people.alice))
    change_leader(None, people.leaders["alice"], LeaderText("Alice", user=people.alice))


@pytest.mark.parametrize("name", ["ALICE", "Аlice", "Alicе", "A lice", "Álice", "A1ice", "Aiice"])
def test_a_name_that_looks_like_anothers_is_asked_about(people: Company, name: str) -> None:
    with pytest.raises(LooksAlike, match="called Alice already"):
        create_leader(None, LeaderText(name))
    made = create_leader(None, LeaderText(name), confirmed=True)
    assert made.key not in ("alice", "bob", "charlie")


def test_words_in_another_order_look_alike_and_other_names_do_not() -> None:
    there = ["Maya Chen", "Ada Lovelace"]
    assert look_alikes("Chen Maya", there) == ["Maya Chen"]
    assert look_alikes("Ada Lоvelace", there) == ["Ada Lovelace"]  # a Cyrillic о
    assert look_alikes("Adam Lovelace", there) == [] == look_alikes("", there)


def test_a_key_of_ones_own(people: Company) -> None:
    assert create_leader(None, LeaderText("Maya"), key="mc").key == "mc"
    for wrong in ("Maya", "maya chen", "alice", "new", "x" * 81, "_a"):
        with pytest.raises(ValidationError) as refused:
            create_leader(None, LeaderText("Somebody"), key=wrong)
        assert "key" in refused.value.message_dict
    with pytest.raises(LooksAlike):
        create_leader(None, LeaderText("Somebody"), key="a1ice")


@given(name=st.text(min_size=1, max_size=40), taken=st.sets(st.sampled_from(["new", "a", "person", "maya"])))
def test_every_name_makes_a_key_that_is_free(name: str, taken: set[str]) -> None:
    key = key_of(name, taken)
    assert KEY.match(key) and key not in taken and key != "new" and len(key) <= 80


def test_who_edits_second_is_told(people: Company) -> None:
    alice = people.leaders["alice"]
    seen = token_of(alice)
    change_leader(people.executive, alice, LeaderText("Alice", title="CEO"), expected=seen)
    with pytest.raises(ValidationError) as refused:
        change_leader(people.admin, alice, LeaderText("Alice", title="CTO"), expected=seen)
    assert refused.value.code == "conflict"
    assert Leader.objects.get(key="alice").title == "CEO"


def test_who_still_answers_is_not_archived(people: Company) -> None:
    alice, bob = people.leaders["alice"], people.leaders["bob"]
    with pytest.raises(StillAnswers):
        archive_leader(people.executive, alice)
    today = timezone.localdate()
    hand_all_over(alice, bob, today, author=people.executive)
    Ownership.objects.create(
        metric_key="for_team", dimension="city", member="Leeds", from_date=today + DAY, leader=alice
    )
    with pytest.raises(StillAnswers):
        archive_leader(people.executive, alice)
    Ownership.objects.filter(leader=alice, from_date__gt=today).delete()
    take_leave(None, alice, today + DAY, today + DAY, bob)
    archive_leader(people.executive, alice)
    assert Leader.objects.get(key="alice").archived_at is not None
    assert not Leave.objects.exists()
    restore_leader(people.executive, alice)
    assert Leader.objects.get(key="alice").archived_at is None


def test_a_team_is_made_renamed_and_archived(people: Company) -> None:
    alice, bob, charlie = (people.leaders[name] for name in ("alice", "bob", "charlie"))
    sales = create_team(people.executive, "Sales", [alice, charlie])
    assert sales.key == "sales"
    assert dict(Leader.objects.values_list("key", "team__key")) == {
        "alice": "sales",
        "bob": "growth",
        "charlie": "sales",
    }
    with pytest.raises(LooksAlike):
        create_team(people.executive, "SALES")
    change_team(people.executive, sales, "Sales and service", [bob])
    assert dict(Leader.objects.values_list("key", "team__key")) == {
        "alice": None,
        "bob": "sales",
        "charlie": None,
    }
    archive_team(people.executive, sales)
    assert Leader.objects.get(key="bob").team is None
    assert Team.objects.get(key="sales").name == "Sales and service"


def test_the_pages_do_it_all(people: Company) -> None:
    client = signed_in(people, "executive")
    base = "/settings/people"
    assert client.get(f"{base}/leaders/").status_code == 200
    made = client.post(f"{base}/leaders/new/", {"name": "Maya Chen", "team": "growth", "country": "DE"})
    assert made["Location"] == "/leaders/maya_chen/"
    alike = client.post(f"{base}/leaders/new/", {"name": "Мaya Chen"})  # a Cyrillic М
    assert alike.status_code == 422
    assert (
        "called Maya Chen already" in alike.content.decode() and 'name="confirmed"' in alike.content.decode()
    )
    assert Leader.objects.filter(name__endswith="aya Chen").count() == 1
    client.post(f"{base}/leaders/new/", {"name": "Мaya Chen", "confirmed": "on"})
    assert Leader.objects.filter(name__endswith="aya Chen").count() == 2
    path = f"{base}/leaders/maya_chen/"
    token = token_of(Leader.objects.get(key="maya_chen"))
    # what a form does not name is not taken from it
    fields = {
        "name": "Maya Chen",
        "title": "CEO",
        "token": token,
        "key": "other",
        "archived_at": "2020-01-01",
    }
    assert client.post(path, fields).status_code == 302
    maya = Leader.objects.get(key="maya_chen")
    assert (maya.title, maya.archived_at, maya.team) == ("CEO", None, None)
    stale = client.post(path, fields | {"title": "CTO"})
    assert stale.status_code == 422 and "Somebody else changed this" in stale.content.decode()
    assert 'value="CEO"' in stale.content.decode(), "what is stored now is shown"
    assert client.post(path, {"name": ""}).status_code == 422
    assert client.get(f"{base}/leaders/nobody/").status_code == 404
    team = client.post(f"{base}/teams/new/", {"name": "Sales", "members": ["maya_chen"]})
    assert team.status_code == 302
    assert Leader.objects.get(key="maya_chen").team.key == "sales"
    page = client.get(f"{base}/teams/sales/").content.decode()
    assert "checked" in page
    assert client.post(f"{base}/teams/sales/archive/").status_code == 302
    assert client.get(f"{base}/teams/sales/").status_code == 404


def test_all_is_handed_over_and_the_leader_archived(people: Company) -> None:
    client = signed_in(people, "executive")
    path = "/settings/people/leaders/alice/archive/"
    assert "For everyone" in client.get(path).content.decode()
    assert client.post(path, {"archive": "yes"}).status_code == 409
    fields = {
        "hand_over": "yes",
        "taker": "bob",
        "from_date": timezone.localdate().isoformat(),
        "note": "bye",
    }
    assert client.post(path, fields | {"taker": "alice"}).status_code == 422
    assert client.post(path, fields | {"from_date": "1990-01-01"}).status_code == 422
    assert client.post(path, fields).status_code == 302
    assert set(Ownership.objects.filter(leader__key="bob").values_list("note", flat=True)) == {"bye"}
    assert client.post(path, {"archive": "yes"})["Location"] == "/settings/people/leaders/"
    assert Leader.objects.get(key="alice").archived_at
    assert client.get(path).status_code == 404
    assert client.post("/settings/people/leaders/alice/restore/").status_code == 302


def test_a_leave_is_planned_changed_and_taken_away_on_ones_own_page(people: Company) -> None:
    today = timezone.localdate()
    fields = {"from_date": today.isoformat(), "until_date": (today + 5 * DAY).isoformat(), "delegate": "bob"}
    path = "/leaders/alice/leave/"
    for stranger in ("bob", "charlie", "viewer", "analyst"):
        assert signed_in(people, stranger).get(path).status_code == 403
        assert signed_in(people, stranger).post(path, fields).status_code == 403
    client = signed_in(people, "alice")
    assert client.post(path, fields | {"delegate": "alice"}).status_code == 422
    assert client.post(path, fields | {"until_date": "2020-01-01"}).status_code == 422
    assert client.post(path, fields)["Location"] == path
    leave = Leave.objects.get()
    assert "stands in" in client.get(path).content.decode()
    assert client.post(path, fields).status_code == 422, "already on leave"
    other = f"{path}{leave.pk}/"
    assert signed_in(people, "bob").post(other, fields).status_code == 403
    assert signed_in(people, "bob").post(f"{other}cancel/").status_code == 403
    assert client.get(f"/leaders/bob/leave/{leave.pk}/").status_code == 403
    executive = signed_in(people, "executive")
    assert executive.get(f"/leaders/bob/leave/{leave.pk}/").status_code == 404, "it is Alice's"
    assert client.post(other, fields | {"delegate": ""}, follow=True).status_code == 200
    assert Leave.objects.get().delegate is None
    assert client.post(f"{other}cancel/").status_code == 302
    assert not Leave.objects.exists()
    assert executive.post(path, fields).status_code == 302
