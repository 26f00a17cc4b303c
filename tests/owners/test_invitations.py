"""Invitations by mail: the link is made when the mail is sent, and lies nowhere else."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from owners.models import AdminLink, Notice, User
from owners.services import accounts, outbox
from tests.people import Company, company

FORM = {"name": "Zoe", "email": "zoe@example.com", "role": "viewer", "by_mail": "on"}


@pytest.fixture
def people(db: None, settings: Any) -> Company:
    settings.MAIL_SERVER = True
    settings.SITE_URL = "http://testserver"
    return company()


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def paths() -> list[str]:
    """Where the mails sent so far lead to."""
    return [re.findall(r"http://testserver(/account/join/\S+)", str(m.body))[0] for m in mail.outbox]


def test_an_invitation_by_mail(people: Company) -> None:
    executive = client_of(people.executive)
    answer = executive.post("/settings/people/invite/", FORM, follow=True)
    assert b"The link goes to zoe@example.com" in answer.content
    notice = Notice.objects.get(kind="invitation")
    assert "/account/join/" not in notice.body + notice.path
    assert not AdminLink.objects.exists()
    admin = client_of(people.admin)
    assert "mail on its way" in admin.get("/settings/people/").content.decode()
    assert outbox.deliver(timezone.now) == 1
    [path] = paths()
    notice.refresh_from_db()
    assert path.rstrip("/").rpartition("/")[2] not in notice.body
    left = AdminLink.objects.get().expires_at - timezone.now()
    assert timedelta(days=2, hours=23) < left <= timedelta(days=3)
    assert "not yet joined: link until" in admin.get("/settings/people/").content.decode()
    assert Client().post(path, {"password": "a long password"}).status_code == 302
    assert Client().get(path).status_code == 410
    assert "not yet joined: link until" not in admin.get("/settings/people/").content.decode()


def test_a_second_mail_ends_the_first_link(people: Company) -> None:
    user, _ = accounts.invite(people.admin, "zoe@example.com", "Zoe", "viewer", by_mail=True)
    outbox.deliver(timezone.now)
    admin = client_of(people.admin)
    assert admin.post(f"/settings/people/{user.pk}/link/", {"how": "mail"}).status_code == 302
    outbox.deliver(timezone.now)
    first, second = paths()
    assert (Client().get(first).status_code, Client().get(second).status_code) == (410, 200)


def test_whoever_is_deactivated_before_gets_no_mail(people: Company) -> None:
    user, _ = accounts.invite(people.admin, "zoe@example.com", "Zoe", "viewer", by_mail=True)
    accounts.set_active(people.admin, user, False)
    outbox.deliver(timezone.now)
    assert not mail.outbox
    assert not AdminLink.objects.exists()


def test_without_a_mail_server_there_is_a_link_to_copy(people: Company, settings: Any) -> None:
    settings.MAIL_SERVER = False
    client = client_of(people.admin)
    assert "There is no mail server here" in client.get("/settings/people/").content.decode()
    answer = client.post("/settings/people/invite/", FORM)
    assert "/account/join/" in answer.context["url"]
    assert not Notice.objects.filter(kind="invitation").exists()


def test_only_admins_mail_links(people: Company) -> None:
    answer = client_of(people.executive).post(f"/settings/people/{people.bob.pk}/link/", {"how": "mail"})
    assert answer.status_code == 403
    assert not Notice.objects.exists()
