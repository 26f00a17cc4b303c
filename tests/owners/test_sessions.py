"""Where somebody is signed in: listed, and ended by its owner, by an admin, and by what makes it stale."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from owners.models import SignIn, User
from owners.queries.sessions import browsers, device_words
from owners.services import accounts, links, sessions
from tests.people import Company, company

PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)
EDGE = f"{CHROME} Edg/126.0.0.0"
PIXEL = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Mobile Safari/537.36"
)
MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Safari/605.1.15"
)


@pytest.fixture
def people(db: None) -> Company:
    made = company()
    User.objects.filter(pk=made.alice.pk).update(password=_hashed())
    made.users["alice"] = User.objects.get(pk=made.alice.pk)
    return made


def _hashed() -> str:
    user = User()
    user.set_password(PASSWORD)
    return user.password


def browser(agent: str = FIREFOX, address: str = "203.0.113.7", email: str = "alice@example.com") -> Client:
    """A browser that has signed in by its form."""
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    answer = client.post("/account/login/", {"login": email, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def inside(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def key(client: Client) -> str:
    return client.session.session_key or ""


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (IPHONE, "Safari on iPhone"),
        (CHROME, "Chrome on Linux"),
        (EDGE, "Edge on Linux"),
        (PIXEL, "Chrome on Android"),
        (MAC, "Safari on Mac"),
        ("", "An unknown browser"),
        ("<script>", "An unknown browser"),
        ("curl/8.5.0", "curl"),
    ],
)
def test_browsers_in_words(agent: str, words: str) -> None:
    assert device_words(agent) == words


def test_the_list_says_what_from_where_and_which_is_this_one(people: Company) -> None:
    here, phone = browser(), browser(IPHONE, "2001:db8::5")
    page = here.get("/account/sessions/").content.decode()
    assert "Firefox on Windows" in page
    assert "203.0.113.7" in page
    assert "Safari on iPhone" in page
    assert "2001:db8::5" in page
    assert page.count("this browser") == 1
    assert page.index("Firefox on Windows") < page.index("this browser") < page.index("Safari on iPhone")
    for client in (here, phone):
        assert key(client) not in page


def test_nobody_sees_or_ends_anothers(people: Company) -> None:
    alices = browser()
    bob = Client()
    bob.force_login(people.bob)
    assert "Firefox on Windows" not in bob.get("/account/sessions/").content.decode()
    [row] = SignIn.objects.filter(user=people.alice)
    assert bob.post(f"/account/sessions/{row.pk}/end/").status_code == 404
    assert bob.post("/account/sessions/end/").status_code == 302
    assert inside(alices)
    assert bob.post(f"/settings/people/{people.alice.pk}/sessions/").status_code == 403
    assert inside(alices)


def test_one_is_ended_and_the_others_stay(people: Company) -> None:
    here, phone, third = browser(), browser(IPHONE), browser(CHROME)
    row = SignIn.objects.get(session_id=key(phone))
    assert here.post(f"/account/sessions/{row.pk}/end/")["Location"] == "/account/sessions/"
    assert [inside(client) for client in (here, phone, third)] == [True, False, True]
    assert here.post(f"/account/sessions/{row.pk}/end/").status_code == 404


def test_ending_this_one_signs_out(people: Company) -> None:
    here, phone = browser(), browser(IPHONE)
    row = SignIn.objects.get(session_id=key(here))
    assert here.post(f"/account/sessions/{row.pk}/end/")["Location"] == "/account/login/"
    assert [inside(here), inside(phone)] == [False, True]


def test_all_others_are_ended(people: Company) -> None:
    here, phone, third = browser(), browser(IPHONE), browser(CHROME)
    here.post("/account/sessions/end/")
    assert [inside(client) for client in (here, phone, third)] == [True, False, False]
    assert b"There was no other." in here.post("/account/sessions/end/", follow=True).content


def test_an_admin_signs_somebody_out(people: Company) -> None:
    alices = browser()
    admin = Client()
    admin.force_login(people.admin)
    answer = admin.post(f"/settings/people/{people.alice.pk}/sessions/", follow=True)
    assert b"Alice is signed out of 1 browser." in answer.content
    assert not inside(alices)
    elsewhere = Client()
    elsewhere.force_login(people.admin)
    admin.post(f"/settings/people/{people.admin.pk}/sessions/")
    assert [inside(admin), inside(elsewhere)] == [True, False]


def test_reading_writes_nothing_for_ten_minutes(people: Company) -> None:
    start = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        client = browser()
        for minute in (0, 5, 9):
            clock.move_to(start + timedelta(minutes=minute))
            with CaptureQueriesContext(connection) as queries:
                client.get("/account/")
            assert not [q for q in queries if "django_session" in q["sql"] and "UPDATE" in q["sql"].upper()]
            assert not [q for q in queries if "owners_signin" in q["sql"] and "insert" in q["sql"]]
            assert SignIn.objects.get().seen_at == start
        clock.move_to(start + timedelta(minutes=11))
        client.get("/account/", REMOTE_ADDR="198.51.100.4")
        row = SignIn.objects.get()
    assert row.seen_at == start + timedelta(minutes=11)
    assert (row.began_at, row.address) == (start, "198.51.100.4")


def test_a_session_from_before_is_noted_when_it_is_used(people: Company) -> None:
    client = browser()
    SignIn.objects.all().delete()
    kept = client.session
    del kept[sessions.NOTED]
    kept.save()
    client.get("/account/")
    assert SignIn.objects.get().session_id == key(client)


def test_what_expired_is_not_listed(people: Company) -> None:
    client = browser()
    browser(IPHONE)
    now = datetime.now(UTC)
    Session.objects.exclude(session_key=key(client)).update(expire_date=now - timedelta(seconds=1))
    assert [b.words for b in browsers(people.alice, key(client), now)] == ["Firefox on Windows"]


def test_a_new_password_leaves_one_line(people: Company) -> None:
    here, phone = browser(), browser(IPHONE)
    form = {"oldpassword": PASSWORD, "password1": "another long one", "password2": "another long one"}
    began = SignIn.objects.get(session_id=key(here)).began_at
    assert here.post("/account/password/change/", form).status_code == 302
    assert [inside(here), inside(phone)] == [True, False]
    row = SignIn.objects.get(user=people.alice)
    assert (row.session_id, row.began_at) == (key(here), began)


def test_a_new_role_ends_what_was_open(people: Company) -> None:
    alices, admin = browser(), Client()
    admin.force_login(people.admin)
    admin.post(f"/settings/people/{people.alice.pk}/role/", {"role": "leader"})  # what she is already
    assert inside(alices)
    admin.post(f"/settings/people/{people.alice.pk}/role/", {"role": "admin"})
    assert not inside(alices)
    admin.post(f"/settings/people/{people.admin.pk}/role/", {"role": "executive"})
    assert inside(admin)


def test_who_is_let_in_again_signs_in_again(people: Company) -> None:
    client = browser()
    accounts.set_active(people.admin, people.alice, False)
    assert not Session.objects.filter(session_key=key(client)).exists()
    accounts.set_active(people.admin, User.objects.get(pk=people.alice.pk), True)
    assert not inside(client)
    assert inside(browser())


def test_a_fresh_link_ends_what_was_open_when_it_is_used(people: Company) -> None:
    client = browser()
    secret = accounts.fresh_link(people.admin, people.alice)
    assert inside(client)
    links.redeem_join(secret, "another long one")
    assert not inside(client)


def test_an_ended_session_does_not_come_back(people: Company) -> None:
    """A request that began before the end must not write its session again."""
    client = browser()
    kept = client.session
    sessions.end_all(people.alice)
    assert not Session.objects.filter(session_key=kept.session_key).exists()
    with connection.cursor() as cursor:
        now = datetime.now(UTC)
        person = {"user": people.alice.pk, "address": "", "agent": ""}
        cursor.execute(sessions.NOTE, person | {"key": kept.session_key, "began": now, "now": now})
    assert not SignIn.objects.exists()
    assert not inside(client)


def test_signing_out_removes_the_line(people: Company) -> None:
    client = browser()
    client.post("/account/logout/")
    assert not SignIn.objects.exists()


def test_what_a_browser_calls_itself_is_text(people: Company) -> None:
    client = browser("<script>alert(1)</script>\x07" + "Chrome/" * 100)
    page = client.get("/account/sessions/").content.decode()
    assert "<script>alert" not in page
    assert len(SignIn.objects.get().agent) == 200


def test_the_list_costs_the_same_however_long(people: Company) -> None:
    client = browser()
    client.get("/account/sessions/")
    with CaptureQueriesContext(connection) as few:
        client.get("/account/sessions/")
    for _ in range(8):
        browser(IPHONE)
    with CaptureQueriesContext(connection) as many:
        client.get("/account/sessions/")
    assert len(many) == len(few)
