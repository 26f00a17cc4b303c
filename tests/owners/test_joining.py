"""An invitation that also makes or links a leader: both come about, or neither."""

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from owners import rules
from owners.models import AdminLink, Leader, Notice, User
from owners.services import joining
from owners.services.joining import Newcomer
from owners.services.leaders import LeaderText
from tests.people import Company, company

pytestmark = pytest.mark.django_db
PATH = "/settings/people/invite/"
ZOE = {"name": "Zoe Hart", "email": "zoe@example.com", "role": "leader"}


@pytest.fixture
def people() -> Company:
    return company()


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_account_and_leader_are_made_in_one_step(people: Company) -> None:
    said = ZOE | {"leader": "+", "title": "Head of Support", "team": "support"}
    answer = client_of(people.executive).post(PATH, said)
    assert answer.status_code == 200 and b"/account/join/" in answer.content
    zoe = Leader.objects.get(key="zoe_hart")
    assert (zoe.name, zoe.title, zoe.email) == ("Zoe Hart", "Head of Support", "zoe@example.com")
    assert zoe.team is not None and zoe.team.key == "support"
    assert zoe.user == User.objects.get(email="zoe@example.com")


def test_a_leader_may_be_known_by_another_name(people: Company) -> None:
    client_of(people.executive).post(PATH, ZOE | {"leader": "+", "leader_name": "Zoë H."})
    assert Leader.objects.get(user__email="zoe@example.com").name == "Zoë H."


def test_a_leader_who_is_there_gets_the_account(people: Company) -> None:
    Leader.objects.create(key="zoe", name="Zoe")
    page = client_of(people.executive).get("/settings/people/").content.decode()
    assert '<option value="zoe">Zoe</option>' in page
    assert '<option value="alice">' not in page  # has an account
    client_of(people.executive).post(PATH, ZOE | {"leader": "zoe"})
    assert Leader.objects.get(key="zoe").user == User.objects.get(email="zoe@example.com")
    assert Leader.objects.count() == 4


def test_without_it_an_account_alone_is_made(people: Company) -> None:
    client_of(people.executive).post(PATH, ZOE)
    assert User.objects.filter(email="zoe@example.com").exists()
    assert Leader.objects.count() == 3


def test_a_name_that_looks_like_anothers_is_asked_about(people: Company) -> None:
    client = client_of(people.executive)
    said = ZOE | {"name": "ALICE", "leader": "+"}
    answer = client.post(PATH, said)
    page = answer.content.decode()
    assert answer.status_code == 422 and "There is somebody called Alice already." in page
    assert 'type="checkbox" name="confirmed"' in page
    assert not User.objects.filter(email="zoe@example.com").exists()
    assert not AdminLink.objects.exists()
    assert client.post(PATH, said | {"confirmed": "on"}).status_code == 200
    assert Leader.objects.get(user__email="zoe@example.com").key == "alice_2"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"leader": "alice"}, "alice is not one of the available choices"),
        ({"leader": "gone"}, "gone is not one of the available choices"),
        ({"title": "Head of Support"}, "choose that above"),
        ({"leader": "+", "team": "nowhere"}, "not one of the available choices"),
        ({"leader": "+", "leader_name": "Zoe\u202eeoZ"}, "U+202E"),
        ({"leader": "+", "email": "alice@example.com"}, "already has an account"),
    ],
)
def test_nothing_is_made_where_it_is_refused(people: Company, said: dict[str, str], why: str) -> None:
    Leader.objects.create(key="gone", name="Gone", archived_at=timezone.now())
    before = (User.objects.count(), Leader.objects.count())
    answer = client_of(people.executive).post(PATH, ZOE | said)
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert (User.objects.count(), Leader.objects.count()) == before
    assert not AdminLink.objects.exists()


def test_of_a_leader_with_the_same_address_the_account_is_not_made_twice(people: Company) -> None:
    Leader.objects.create(key="zoe", name="Z. H.", email="zoe@example.com")
    answer = client_of(people.executive).post(PATH, ZOE | {"leader": "+"})
    assert answer.status_code == 422 and "leads as Z. H. already" in answer.content.decode()
    assert not User.objects.filter(email="zoe@example.com").exists()


def test_by_mail_no_link_is_shown(people: Company, settings: object) -> None:
    settings.MAIL_SERVER = True  # type: ignore[attr-defined]
    answer = client_of(people.executive).post(PATH, ZOE | {"leader": "+", "by_mail": "on"}, follow=True)
    assert b"The link goes to zoe@example.com" in answer.content
    assert Notice.objects.filter(kind="invitation").count() == 1
    assert Leader.objects.get(key="zoe_hart").user is not None


def test_both_rights_are_needed(people: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ZOE | {"leader": "+"}
    for name in ("alice", "viewer", "leader", "analyst"):
        assert client_of(people.users[name]).post(PATH, given).status_code == 403, name
    who = Newcomer("zoe@example.com", "Zoe", "leader", new_leader=LeaderText("Zoe"))
    with pytest.raises(PermissionDenied):
        joining.invite(people.analyst, who)
    monkeypatch.setitem(rules.PERMISSIONS, "people.leaders", rules.admin)
    Leader.objects.create(key="zoe", name="Zoe H")
    for newcomer in (who, Newcomer("zoe@example.com", "Zoe", "leader", leader_key="zoe")):
        with pytest.raises(PermissionDenied):
            joining.invite(people.executive, newcomer)
    assert "Also a leader" not in client_of(people.executive).get("/settings/people/").content.decode()
    assert not User.objects.filter(email="zoe@example.com").exists()
    assert Leader.objects.get(key="zoe").user is None
