"""No dead ends: an invitation that got lost, one that was a mistake, a phone that is gone, passwords switched
off; and nobody's name is lost with an account."""

import re
from dataclasses import replace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.apps import apps
from django.core import mail
from django.test import Client
from django.utils import timezone

from owners.models import AdminLink, Leader, Notice, User
from owners.services import accounts, outbox
from owners.sso.provider import Provider
from tests.people import Company, company

PASSWORD = "correct horse battery"
SERVER = Provider(
    "https://sso.example.com", "id", "s", "Okta", ("openid",), "groups", (), "refuse", False, True
)


@pytest.fixture
def people(db: None, settings: Any) -> Company:
    settings.MAIL_SERVER = True
    settings.SITE_URL = "http://testserver"
    made = company()
    for user in made.users.values():
        user.set_password(PASSWORD)
        user.save()
    return made


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def path_of(user: User, what: str) -> str:
    return f"/settings/people/{user.pk}/{what}/"


def test_whoever_invited_somebody_may_send_it_again_and_take_it_back(people: Company) -> None:
    executive = client_of(people.executive)
    zoe, _ = accounts.invite(people.executive, "zoe@example.com", "Zoe", "viewer", by_mail=True)
    page = executive.get("/settings/people/").content.decode()
    assert path_of(zoe, "link") in page
    assert path_of(people.bob, "link") not in page
    assert executive.post(path_of(zoe, "link"), {"how": "mail"}).status_code == 302
    url = executive.post(path_of(zoe, "link")).context["url"].removeprefix("http://testserver")
    assert executive.post(path_of(zoe, "revoke")).status_code == 302
    assert Client().get(url).status_code == 410
    zoe.refresh_from_db()
    assert not zoe.is_active
    outbox.deliver(timezone.now)
    assert not mail.outbox
    assert not AdminLink.objects.exists()


@pytest.mark.parametrize("what", ["link", "revoke"])
def test_nobody_elses_invitation(people: Company, what: str) -> None:
    other = User.objects.create_user("cfo@example.com", PASSWORD, name="Cfo", role="executive")
    zoe, _ = accounts.invite(other, "zoe@example.com", "Zoe", "viewer")
    joined, _ = accounts.invite(people.executive, "yan@example.com", "Yan", "viewer")
    joined.set_password(PASSWORD)
    joined.save()
    promoted, _ = accounts.invite(people.executive, "xia@example.com", "Xia", "viewer")
    accounts.change_role(people.admin, promoted, "admin")
    before = list(AdminLink.objects.order_by("pk").values_list())
    for target in (zoe, joined, promoted, people.bob):
        for who in (people.executive, people.analyst, people.alice):
            assert client_of(who).post(path_of(target, what)).status_code == 403
    assert client_of(people.alice).post(f"/settings/people/999999/{what}/").status_code == 403
    assert list(AdminLink.objects.order_by("pk").values_list()) == before
    assert User.objects.filter(is_active=False).count() == 0


def test_who_has_joined_is_deactivated_not_revoked(people: Company) -> None:
    answer = client_of(people.admin).post(path_of(people.bob, "revoke"))
    assert answer.status_code == 409
    assert b"has joined already" in answer.content
    assert User.objects.get(pk=people.bob.pk).is_active


def test_a_revoked_address_is_invited_anew(people: Company) -> None:
    zoe, _ = accounts.invite(people.executive, "zoe@example.com", "Zoe", "viewer")
    accounts.revoke_invitation(people.executive, zoe)
    again, secret = accounts.invite(people.executive, "Zoe@example.com", "Zoe Lang", "analyst")
    assert (again.pk, again.name, again.role, again.is_active) == (zoe.pk, "Zoe Lang", "analyst", True)
    assert Client().post(f"/account/join/{secret}/", {"password": "a long password"}).status_code == 302
    accounts.set_active(people.admin, again, False)
    form = {"name": "Z", "email": "zoe@example.com", "role": "viewer"}
    assert client_of(people.executive).post("/settings/people/invite/", form).status_code == 422
    assert not User.objects.get(pk=zoe.pk).is_active


def test_a_lost_phone_is_no_dead_end(people: Company) -> None:
    TOTP.activate(people.bob, generate_totp_secret())
    RecoveryCodes.activate(people.bob)
    TOTP.activate(people.alice, generate_totp_secret())
    admin, bob = client_of(people.admin), client_of(people.bob)
    form = {"login": "bob@example.com", "password": PASSWORD}
    assert Client().post("/account/login/", form)["Location"].startswith("/account/2fa/")
    assert path_of(people.bob, "second-factor") in admin.get("/settings/people/").content.decode()
    assert admin.get(path_of(people.bob, "second-factor")).status_code == 200
    assert Authenticator.objects.filter(user=people.bob).count() == 2
    assert admin.post(path_of(people.bob, "second-factor")).status_code == 302
    assert not Authenticator.objects.filter(user=people.bob).exists()
    assert Authenticator.objects.filter(user=people.alice).exists()
    assert bob.get("/account/").status_code == 302  # signed out
    assert Client().post("/account/login/", form)["Location"] == "/"
    event = apps.get_model("owners", "UserEvent").objects.filter(
        pgh_obj=people.bob, second_factor_reset_at__isnull=False
    )
    assert {e.pgh_context.metadata["user"] for e in event} == {people.admin.pk}
    outbox.deliver(timezone.now)
    assert [m.to for m in mail.outbox] == [["bob@example.com"]]
    assert "second factor was reset" in mail.outbox[0].subject


def test_only_admins_reset_and_only_others(people: Company) -> None:
    for user in people.users.values():
        TOTP.activate(user, generate_totp_secret())
    for who in (people.executive, people.analyst, people.alice, people.bob):
        for method in ("get", "post"):
            answer = getattr(client_of(who), method)(path_of(people.bob, "second-factor"))
            assert answer.status_code == 403
    own = client_of(people.admin).post(path_of(people.admin, "second-factor"))
    assert own.status_code == 409
    assert Authenticator.objects.count() == len(people.users)


def test_with_single_sign_on_only_nothing_is_said_of_passwords(people: Company, settings: Any) -> None:
    settings.OIDC = SERVER
    zoe, _ = accounts.invite(people.admin, "zoe@example.com", "Zoe", "viewer", by_mail=True)
    accounts.invite(people.admin, "root@example.com", "Root", "admin", by_mail=True)
    outbox.deliver(timezone.now)
    bodies = {m.to[0]: str(m.body) for m in mail.outbox}
    assert "Sign in there with Okta, as zoe@example.com." in bodies["zoe@example.com"]
    assert "http://testserver/account/login/" in bodies["zoe@example.com"]
    assert "password" not in bodies["zoe@example.com"]
    assert "/account/join/" not in bodies["zoe@example.com"]
    assert re.search(r"/account/join/\S+", bodies["root@example.com"])  # for the day the server is down
    admin = client_of(people.admin)
    form = {"name": "Yan", "email": "yan@example.com", "role": "viewer"}
    page = admin.post("/settings/people/invite/", form, follow=True).content.decode()
    assert "Yan can sign in with Okta" in page
    assert "waits for Okta" in page
    assert admin.post(path_of(zoe, "link"), follow=True).redirect_chain
    zoe.refresh_from_db()
    assert not zoe.has_usable_password()


def test_an_older_link_opens_nothing_once_passwords_are_off(people: Company, settings: Any) -> None:
    zoe, secret = accounts.invite(people.admin, "zoe@example.com", "Zoe", "viewer")
    _, root = accounts.invite(people.admin, "root@example.com", "Root", "admin")
    settings.OIDC = SERVER
    answer = Client().post(f"/account/join/{secret}/", {"password": "a long password"})
    assert answer.status_code == 403
    assert b"Sign in with Okta" in answer.content
    zoe.refresh_from_db()
    assert not zoe.has_usable_password()
    assert Client().post(f"/account/join/{root}/", {"password": "a long password"}).status_code == 302
    settings.OIDC = replace(SERVER, only=False)
    assert Client().post(f"/account/join/{secret}/", {"password": "a long password"}).status_code == 302


def test_who_came_by_single_sign_on_has_joined(people: Company) -> None:
    ana = User.objects.create_user("ana@example.com", name="Ana", role="viewer")
    assert not ana.joined
    client_of(ana)
    assert User.objects.get(pk=ana.pk).joined
    page = client_of(people.admin).get("/settings/people/").content.decode()
    assert "not yet joined" not in page


def test_a_revoked_leader_can_be_invited_at_another_address(people: Company) -> None:
    Leader.objects.create(key="zoe", name="Zoe", email="zoe@example.com")
    zoe, _ = accounts.invite(people.executive, "zoe@example.com", "Zoe", "leader")
    assert Leader.objects.get(key="zoe").user == zoe
    accounts.revoke_invitation(people.executive, zoe)
    assert Leader.objects.get(key="zoe").user is None
    assert not Notice.objects.filter(sent_at=None, withdrawn_at=None).exists()
