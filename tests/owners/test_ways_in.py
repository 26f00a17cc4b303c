"""Links, codes and tokens end with what they were made for; no stranger learns or misleads by them."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone
from pghistory.models import Context

from owners.addresses import network_of
from owners.kinds import Topic
from owners.models import AdminLink, Channel, CheckInLink, Notice, User
from owners.secrets import encrypt
from owners.services import accounts, limits, links, outbox, preferences, sso, tokens
from owners.services.check_in_links import link_path, opened
from owners.services.one_time import LinkGone, new_link
from owners.sso.client import Claims
from owners.sso.provider import Provider
from tests.owners.test_signing_in import code_now
from tests.people import SINCE, Company, company

PASSWORD = "correct horse battery"
NEW = {"password1": "another long one", "password2": "another long one"}
SERVER = Provider(
    "https://sso.example.com", "id", "s", "Okta", ("openid",), "groups", (), "refuse", False, False
)


@pytest.fixture
def people(db: None, settings: Any) -> Company:
    settings.SITE_URL = "https://metrics.example.com"
    settings.ALLOWED_HOSTS = ["*"]
    made = company()
    for user in made.users.values():
        user.set_password(PASSWORD)
        user.save()
    return made


def sign_in(client: Client, **more: str) -> Any:
    return client.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD, **more})


def reset_link(email: str = "alice@example.com", **headers: Any) -> str:
    """The path in the mail that somebody who says that they forgot the password gets."""
    Client().post("/account/password/reset/", {"email": email}, **headers)
    outbox.deliver(timezone.now)
    found = re.findall(r"(https?://[^/\s]+)(/\S+)", str(mail.outbox[-1].body))
    assert [site for site, _ in found] == ["https://metrics.example.com"]
    return str(found[0][1])


def choose_by(path: str) -> bool:
    """Whether the link lets one choose a password."""
    client = Client()
    first = client.get(path)
    if first.status_code != 302:
        return False
    return bool(client.post(first["Location"], NEW).status_code == 302)


# Forgotten passwords


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


# Links that are on their way


def test_a_new_password_ends_the_link_that_an_admin_made(people: Company) -> None:
    secret = accounts.fresh_link(people.admin, people.alice)
    assert choose_by(reset_link())
    with pytest.raises(LinkGone):
        links.join_link(secret)


@pytest.mark.parametrize("what", ["deactivated", "new password"])
def test_links_to_check_ins_end_for_good(people: Company, what: str) -> None:
    now = timezone.now()
    token = link_path(people.alice, "for_everyone", SINCE, now).split("/")[2]
    other = link_path(people.bob, "for_everyone", SINCE, now).split("/")[2]
    assert opened(token, now).user == people.alice
    if what == "deactivated":
        accounts.set_active(people.admin, people.alice, False)
        accounts.set_active(people.admin, people.alice, True)
    else:
        assert choose_by(reset_link())
    with pytest.raises(LinkGone):
        opened(token, now)
    assert opened(other, now).user == people.bob


def test_what_somebody_else_set_up_ends_when_the_owner_of_the_address_comes(people: Company) -> None:
    """Whoever used an invitation that was not theirs keeps nothing once its owner signs in by the server."""
    zoe, secret = accounts.invite(people.admin, "zoe@example.com", "Zoe", "analyst")
    thief = Client()
    assert thief.post(f"/account/join/{secret}/", {"password": PASSWORD}).status_code == 302
    _, stolen = tokens.create(zoe, "for later", ["read"], 365)
    Channel.objects.create(
        user=zoe,
        name="x",
        kind="webhook",
        host="evil.example",
        secret=encrypt({"url": "https://evil.example"}),
    )
    waiting = new_link(zoe.email)
    word = link_path(zoe, "for_everyone", SINCE, timezone.now()).split("/")[2]
    assert sso.admit(SERVER, Claims(SERVER.issuer, "z1", "zoe@example.com", "Zoe", ())) == zoe
    assert tokens.valid(stolen) is None
    assert not Channel.objects.filter(user=zoe, archived_at=None).exists()
    assert not Channel.objects.get(user=zoe).secret
    assert not AdminLink.objects.filter(email=zoe.email, used_at=None).exists()
    assert Client().get(f"/account/join/{waiting}/").status_code == 410
    with pytest.raises(LinkGone):
        opened(word, timezone.now())
    assert thief.get("/account/").status_code == 302
    assert CheckInLink.objects.get().revoked_at
    # once: what the owner makes afterwards stays
    _, own = tokens.create(zoe, "mine", ["read"], 30)
    assert sso.admit(SERVER, Claims(SERVER.issuer, "z1", "zoe@example.com", "Zoe", ())) == zoe
    assert tokens.valid(own) is not None


# Codes


def second_factor(client: Client, code: str) -> bool:
    assert sign_in(client)["Location"].startswith("/account/2fa/")
    return bool(client.post("/account/2fa/authenticate/", {"code": code}).status_code == 302)


@pytest.mark.parametrize("lost", [False, True], ids=["", "the cache is lost"])
def test_a_code_that_was_looked_at_opens_nothing_again(
    people: Company, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    secret = generate_totp_secret()
    TOTP.activate(people.alice, secret)
    if lost:
        monkeypatch.setattr(type(cache), "add", lambda *args, **kwargs: True, raising=False)
    with time_machine.travel("2026-03-02 09:00:01+00:00", tick=False):
        code = code_now(secret)
        assert second_factor(Client(), code)
        assert not second_factor(Client(), code)
        assert not second_factor(Client(), f"{code[:3]} {code[3:]}")
    with time_machine.travel("2026-03-02 09:00:31+00:00", tick=False):
        assert second_factor(Client(), code_now(secret))


def test_a_recovery_code_is_good_once_though_it_is_sent_twice_at_once(
    people: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    TOTP.activate(people.alice, generate_totp_secret())
    made = RecoveryCodes.activate(people.alice)
    code = made.get_unused_codes()[0]
    # Both read the codes before either has written down that one is used.
    monkeypatch.setattr(RecoveryCodes, "_mark_code_used", lambda *args: None)
    assert second_factor(Client(), code)
    assert not second_factor(Client(), code)
    assert Authenticator.objects.filter(user=people.alice).count() == 2


# Where one goes, and where one comes from


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "https:evil.example",
        "https://metrics.example.com.evil.example/",
        "https://other.example.com/",
        "javascript:alert(1)",
        "\thttps://evil.example/",
    ],
)
def test_next_leads_nowhere_else(people: Company, settings: Any, to: str) -> None:
    settings.ALLOWED_HOSTS = ["metrics.example.com", ".example.com"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://other.example.com"]
    client = Client(headers={"host": "metrics.example.com"})
    assert sign_in(client, next=to)["Location"] == "/"
    answer = client.post("/account/logout/", {"next": to})
    assert answer["Location"] == "/account/login/"


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(rf: Any, address: str, counted: str) -> None:
    assert network_of(rf.get("/", REMOTE_ADDR=address)) == counted


def test_a_new_address_of_the_same_network_is_no_new_guesser(people: Company) -> None:
    for number in range(limits.PER_ADDRESS.tries):
        email, address = f"p{number}@example.com", f"2001:db8:1:2::{number:x}"
        Client(REMOTE_ADDR=address).post("/account/login/", {"login": email, "password": "x"})
    refused = sign_in(Client(REMOTE_ADDR="2001:db8:1:2:ffff::1"))
    assert b"Too many failed login attempts" in refused.content
    assert sign_in(Client(REMOTE_ADDR="2001:db8:1:3::1")).status_code == 302


@pytest.mark.parametrize("behind", [0, 1])
def test_who_names_another_address_is_counted_all_the_same(
    people: Company, settings: Any, behind: int
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = behind
    for number in range(limits.PER_ADDRESS.tries):
        said = f"198.51.100.{number}" + (", 203.0.113.7" if behind else "")
        Client(headers={"x-forwarded-for": said}).post(
            "/account/login/", {"login": f"p{number}@example.com", "password": "x"}
        )
    said = "198.51.100.200" + (", 203.0.113.7" if behind else "")
    refused = sign_in(Client(headers={"x-forwarded-for": said}))
    assert b"Too many failed login attempts" in refused.content


def test_the_history_keeps_no_secret_of_a_link(people: Company) -> None:
    _, secret = accounts.invite(people.admin, "zoe@example.com", "", "viewer")
    path = reset_link()
    joined = Client().post(f"/account/join/{secret}/", {"name": "Zoe", "password": PASSWORD})
    assert joined.status_code == 302
    assert choose_by(path)
    unsubscribe = preferences.token_of(people.bob, None, Topic.OWNING)
    assert Client().post(f"/n/{unsubscribe}/").status_code == 200
    said = [context.metadata for context in Context.objects.all()]
    urls = {str(metadata["url"]) for metadata in said if "url" in metadata}
    assert "/account/join/.../" in urls
    assert "/n/.../" in urls
    for hidden in (secret, unsubscribe, path.rsplit("-", 1)[1]):
        assert hidden not in str(said)
