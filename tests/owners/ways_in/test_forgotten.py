"""Forgotten passwords: the link, the mail that brings it, and how long it is good."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone

from owners.models import Notice, User
from owners.services import accounts, outbox
from tests.owners.ways_in.steps import PASSWORD, choose_by, reset_link
from tests.people import Company


def test_whoever_asks_does_not_choose_where_the_link_leads(people: Company) -> None:
    path = reset_link(headers={"host": "evil.example:8443"})
    assert "evil" not in str(mail.outbox[-1].body)
    assert "evil" not in mail.outbox[-1].subject
    assert choose_by(path)
    assert not choose_by(path)  # once
    assert User.objects.get(pk=people.alice.pk).check_password("another long one")


def test_the_answer_waits_for_no_mail_server(people: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*args: object) -> None:
        raise AssertionError("a mail is sent while the person waits: how long it takes tells of the account")

    monkeypatch.setattr(EmailMessage, "send", slow)
    for address in ("alice@example.com", "nobody@example.com"):
        assert Client().post("/account/password/reset/", {"email": address}).status_code == 302
    assert [notice.user for notice in Notice.objects.all()] == [people.alice]


def test_no_link_lies_in_the_outbox(people: Company) -> None:
    path = reset_link()
    notices = list(Notice.objects.all())
    assert notices
    for notice in notices:
        assert path.rsplit("-", 1)[1] not in f"{notice.body}{notice.path}{notice.key}"


def test_a_link_ends_with_the_account_and_stays_ended(people: Company) -> None:
    path = reset_link()
    accounts.set_active(people.admin, people.alice, False)
    assert not choose_by(path)
    accounts.set_active(people.admin, people.alice, True)
    assert not choose_by(path)
    assert User.objects.get(pk=people.alice.pk).check_password(PASSWORD)
    assert choose_by(reset_link())


def test_a_link_is_good_for_a_day(people: Company) -> None:
    path = reset_link()
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        assert not choose_by(path)


def test_who_left_meanwhile_gets_no_link(people: Company) -> None:
    Client().post("/account/password/reset/", {"email": "alice@example.com"})
    accounts.set_active(people.admin, people.alice, False)
    outbox.deliver(timezone.now)
    assert not mail.outbox
    Client().post("/account/password/reset/", {"email": "alice@example.com"})
    assert Notice.objects.count() == 1
