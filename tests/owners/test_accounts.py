"""Accounts: made, changed and closed by services that check the right to do so."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pghistory
import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from owners.models import AdminLink, Leader, Role, User
from owners.services import accounts
from owners.services.one_time import digest
from tests.people import Company, company


@pytest.fixture
def people(db: None) -> Company:
    return company()


def test_an_account_is_linked_to_the_leader_of_its_address(people: Company) -> None:
    Leader.objects.create(key="dora", name="Dora", email="Dora@Example.com")
    user = accounts.create_user(" DORA@example.com ", "Dora", "leader", "a long password")
    assert (user.email, user.leader.key, user.check_password("a long password")) == (
        "dora@example.com",
        "dora",
        True,
    )


def test_an_account_is_linked_to_the_leader_that_is_named(people: Company) -> None:
    Leader.objects.create(key="dora", name="Dora", email="other@example.com")
    assert accounts.create_user("d@example.com", "D", "leader", None, "dora").leader.key == "dora"
    with pytest.raises(ValidationError, match="already has an account"):
        accounts.create_user("e@example.com", "E", "leader", None, "dora")
    with pytest.raises(ValidationError, match="no leader"):
        accounts.create_user("e@example.com", "E", "leader", None, "nobody")
    assert not User.objects.filter(email="e@example.com").exists()


def test_leaders_who_come_later_are_linked_once(people: Company) -> None:
    for key in ("zoe", "adam"):
        Leader.objects.create(key=key, name=key, email="viewer@example.com")
    Leader.objects.create(key="taken", name="x", email="alice@example.com")
    Leader.objects.create(key="none", name="x", email="")
    assert accounts.link_leaders() == 1
    assert accounts.link_leaders() == 0
    assert Leader.objects.get(user=people.viewer).key == "adam"
    assert Leader.objects.get(user=people.alice).key == "alice"


@pytest.mark.parametrize(
    ("email", "role", "field"),
    [
        ("not an address", "viewer", "email"),
        ("ALICE@example.com", "viewer", "email"),
        ("new@example.com", "owner", "role"),
        ("a\x00b@example.com", "viewer", "email"),
    ],
)
def test_nonsense_is_refused(people: Company, email: str, role: str, field: str) -> None:
    before = User.objects.count()
    with pytest.raises(ValidationError) as caught:
        accounts.create_user(email, "x", role)
    assert list(caught.value.error_dict) == [field]
    assert User.objects.count() == before


def test_who_may_invite_whom(people: Company) -> None:
    for name in ("viewer", "leader", "analyst"):
        with pytest.raises(PermissionDenied):
            accounts.invite(people.users[name], f"{name}2@example.com", "x", Role.VIEWER)
    with pytest.raises(PermissionDenied):
        accounts.invite(people.executive, "x@example.com", "x", Role.ADMIN)
    user, secret = accounts.invite(people.executive, "x@example.com", "X", Role.ANALYST)
    assert (user.role, user.has_usable_password()) == (Role.ANALYST, False)
    assert AdminLink.objects.get().digest == digest(secret) != secret
    assert accounts.invite(people.admin, "y@example.com", "Y", Role.ADMIN)[0].role == Role.ADMIN


def test_only_admins_change_others(people: Company) -> None:
    for name in ("viewer", "leader", "analyst", "executive"):
        by = people.users[name]
        for attempt in (
            lambda by=by: accounts.change_role(by, by, Role.ADMIN),
            lambda by=by: accounts.set_active(by, people.admin, False),
            lambda by=by: accounts.fresh_link(by, people.admin),
        ):
            with pytest.raises(PermissionDenied):
                attempt()
    assert User.objects.get(pk=people.viewer.pk).role == Role.VIEWER


def test_the_last_admin_stays(people: Company) -> None:
    with pytest.raises(ValidationError, match="last admin"):
        accounts.change_role(people.admin, people.admin, Role.VIEWER)
    with pytest.raises(ValidationError, match="last admin"):
        accounts.set_active(people.admin, people.admin, False)
    second = accounts.change_role(people.admin, people.alice, Role.ADMIN)
    assert accounts.set_active(second, people.admin, False).is_active is False
    with pytest.raises(ValidationError, match="last admin"):
        accounts.change_role(second, second, Role.VIEWER)


def test_a_deactivated_account_gets_no_link_and_loses_those_it_had(people: Company) -> None:
    accounts.fresh_link(people.admin, people.alice)
    accounts.set_active(people.admin, people.alice, False)
    assert not AdminLink.objects.exists()
    with pytest.raises(ValidationError):
        accounts.fresh_link(people.admin, User.objects.get(pk=people.alice.pk))


def test_a_change_of_role_has_a_history(people: Company) -> None:
    with pghistory.context(user=people.admin.pk):
        accounts.change_role(people.admin, people.alice, Role.EXECUTIVE)
    events = apps.get_model("owners", "UserEvent").objects.filter(pgh_obj=people.alice).order_by("pgh_id")
    assert [event.role for event in events] == [Role.LEADER, Role.EXECUTIVE]
    assert events.last().pgh_context.metadata["user"] == people.admin.pk
    assert not any(hasattr(event, "password") for event in events)


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_demote_each_other_leave_one() -> None:
    people = company()
    accounts.change_role(people.admin, people.alice, Role.ADMIN)
    start = Barrier(2)

    def demote(pair: tuple[User, User]) -> bool:
        try:
            start.wait(10)
            accounts.change_role(pair[0], pair[1], Role.VIEWER)
            return True
        except (PermissionDenied, ValidationError):
            return False
        finally:
            connection.close()

    alice = User.objects.get(pk=people.alice.pk)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(demote, [(people.admin, alice), (alice, people.admin)]))
    assert sorted(done) == [False, True]
    assert User.objects.filter(role=Role.ADMIN).count() == 1
