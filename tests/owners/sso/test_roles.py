"""Groups there are roles here, at each sign-in."""

from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from owners.models import Role, User
from owners.services import accounts
from tests.owners.sso.oidc import Server, ana
from tests.owners.sso.steps import MAPPED, come_in, inside, refused
from tests.people import Company


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["ns-lead"], Role.LEADER),
        (["other", "ns-lead", "ns-admins"], Role.ADMIN),
        (["ns-exec", "ns-lead"], Role.EXECUTIVE),
        ("ns-exec", Role.EXECUTIVE),  # some servers write a single one as text
    ],
)
def test_the_highest_group_counts(
    server: Server, configured: Any, people: Company, groups: object, role: str
) -> None:
    configured(roles=MAPPED)
    server.person = ana(groups=groups)
    come_in(Client())
    assert User.objects.get(email="ana@example.com").role == role


@pytest.mark.parametrize(
    "groups", [[], ["other"], None, ["NS-ADMINS"], ["ns-admins "], {"ns-admins": True}, [["ns-admins"]], 7]
)
def test_without_a_group(server: Server, configured: Any, people: Company, groups: object) -> None:
    configured(roles=MAPPED)
    server.person = ana(groups=groups)
    client = Client()
    answer = come_in(client)
    refused(client, answer, 403)
    assert b"None of your groups" in answer.content
    configured(roles=MAPPED, unmapped="viewer")
    assert come_in(client).status_code == 302
    assert User.objects.get(email="ana@example.com").role == Role.VIEWER


def test_a_role_follows_the_groups_at_each_sign_in(server: Server, configured: Any, people: Company) -> None:
    configured(roles=MAPPED, unmapped="viewer")
    roles: list[str] = []
    before = Client()
    for groups in (["ns-lead"], ["ns-exec"], []):
        server.person = ana(groups=groups)
        client = before if not roles else Client()
        come_in(client)
        roles.append(User.objects.get(email="ana@example.com").role)
        assert inside(client)
    assert roles == [Role.LEADER, Role.EXECUTIVE, Role.VIEWER]
    assert not inside(before)  # what was open with the earlier role


def test_whoever_lost_all_groups_loses_the_role_too(server: Server, configured: Any, people: Company) -> None:
    configured(roles=MAPPED)
    server.person = ana(groups=["ns-exec"])
    earlier = Client()
    come_in(earlier)
    assert inside(earlier)
    server.person = ana(groups=["other"])
    client = Client()
    assert come_in(client).status_code == 403
    assert (inside(client), inside(earlier)) == (False, False)
    assert User.objects.get(email="ana@example.com").role == Role.VIEWER


def test_the_last_admin_stays_one(server: Server, configured: Any, people: Company) -> None:
    configured(roles=MAPPED, unmapped="viewer")
    server.person = ana(email="admin@example.com", groups=["ns-lead"])
    client = Client()
    come_in(client)
    assert User.objects.get(pk=people.admin.pk).role == Role.ADMIN
    assert inside(client)
    accounts.create_user("second@example.com", "Second", Role.ADMIN)
    come_in(Client())
    assert User.objects.get(pk=people.admin.pk).role == Role.LEADER


def test_without_a_mapping_roles_are_given_here(server: Server, configured: Any, people: Company) -> None:
    server.person = ana(email="alice@example.com", groups=["ns-admins"])
    come_in(Client())
    assert User.objects.get(pk=people.alice.pk).role == Role.LEADER


def test_a_role_by_sign_on_is_in_the_history(server: Server, configured: Any, people: Company) -> None:
    configured(roles=MAPPED)
    server.person = ana(email="alice@example.com", groups=["ns-exec"])
    client = Client(REMOTE_ADDR="203.0.113.7")
    come_in(client)
    event = apps.get_model("owners", "UserEvent").objects.filter(pgh_obj=people.alice).latest("pgh_id")
    context = event.pgh_context.metadata
    assert event.role == Role.EXECUTIVE
    assert (context["origin"], context["user"], context["address"]) == ("sso", people.alice.pk, "203.0.113.7")
    admin = Client()
    admin.force_login(people.admin)
    page = admin.get("/settings/audit/?kind=person").content.decode()
    assert "single sign-on" in page
    assert "203.0.113.7" in page
