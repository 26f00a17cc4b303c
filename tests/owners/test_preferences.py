"""How people want to be told: chosen, ended by one click, and kept to; nights and holidays are their own."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client

from metrics.models import Installation
from owners.kinds import Topic
from owners.models import Habits, Leader, Notice, Preference, Role, User
from owners.services import outbox
from owners.services.outbox import notify
from tests.people import Company, company

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)  # a Tuesday
HOUR = timedelta(hours=1)


@pytest.fixture
def people(db: None) -> Company:
    return company()


def deliver(now: datetime = NOON) -> int:
    return outbox.deliver(lambda: now)


def told(people: Company, name: str, kind: str = "handover", about: tuple[str, ...] = ()) -> bool:
    """Whether somebody is told of something now."""
    before = len(mail.outbox)
    leader = people.leaders.get(name)
    notify(
        leader or people.users[name], kind, f"{kind}:{name}:{Notice.objects.count()}", "s", "b", about=about
    )
    deliver()
    return any(people.users[name].email in m.to for m in mail.outbox[before:])


def link_in(message: mail.EmailMessage) -> str:
    return str(message.extra_headers["List-Unsubscribe"]).strip("<>").removeprefix("http://127.0.0.1:8000")


def test_one_click_ends_a_topic_and_nothing_else(people: Company) -> None:
    assert told(people, "alice")
    sent = mail.outbox[0]
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = link_in(sent)
    program = Client(enforce_csrf_checks=True)  # a mail program has neither session nor token
    for _ in range(3):
        assert program.get(link).status_code == 200  # scanners follow every link
    assert told(people, "alice")
    answer = program.post(link, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert answer["Referrer-Policy"] == "no-referrer"
    assert not told(people, "alice")
    assert told(people, "alice", "figure_held")
    assert told(people, "bob")
    assert program.post(link).status_code == 200  # repeating changes nothing
    assert Preference.objects.get().way == "off"


def test_a_forged_link_ends_nothing(people: Company) -> None:
    told(people, "alice")
    link = link_in(mail.outbox[0])
    assert "~" in link
    user, other = people.alice.pk, people.bob.pk
    forged = [
        link.replace(f"u{user}.", f"u{other}."),
        link.replace("owning", "data"),
        link[:-3] + "/",
        "/n/u1.owning/",
    ]
    for wrong in forged:
        assert wrong != link
        assert Client().post(wrong).status_code == 404
    assert not Preference.objects.exists()


def test_a_leader_without_account_can_end_mails_too(db: None) -> None:
    ana = Leader.objects.create(key="ana", name="Ana", email="ana@example.com")
    notify(ana, "handover", "1", "s", "b")
    deliver()
    Client().post(link_in(mail.outbox[0]))
    notify(ana, "handover", "2", "s", "b")
    assert deliver() == 0
    ana.user = User.objects.create_user(
        "ana@example.com", role=Role.LEADER
    )  # an account later: it still holds
    ana.save()
    notify(ana, "handover", "3", "s", "b")
    assert deliver() == 0


def test_security_cannot_be_ended_and_is_never_late(people: Company) -> None:
    notify(people.alice, "security", "s:1", "A new browser", "b")
    assert deliver(datetime(2026, 3, 14, 3, tzinfo=UTC)) == 1  # a Saturday night
    assert "List-Unsubscribe" not in mail.outbox[0].extra_headers
    with pytest.raises(IntegrityError), transaction.atomic():
        Preference.objects.create(user=people.alice, topic=Topic.SECURITY, way="off")


def test_the_page_keeps_what_one_chooses(people: Company, client: Client) -> None:
    client.force_login(people.alice)
    page = client.get("/account/notices/").content.decode()
    assert "Digest of what is overdue" not in page  # it is for whoever steers
    given = {
        "check_ins": "off",
        "owning": "mail",
        "data": "mail",
        "quiet_from": "22:00",
        "quiet_until": "06:30",
        "on_free_days": "on",
        "user": people.bob.pk,
        "security": "off",
    }
    assert client.post("/account/notices/", given).status_code == 302
    assert set(Preference.objects.values_list("user", "topic", "way")) == {
        (people.alice.pk, "check_ins", "off"),
        (people.alice.pk, "owning", "mail"),
        (people.alice.pk, "data", "mail"),
    }
    habits = Habits.objects.get()
    assert (habits.user, habits.quiet_from, habits.quiet_until) == (people.alice, time(22), time(6, 30))
    assert habits.on_free_days
    for wrong in ({"quiet_from": "late"}, {"owning": "pigeon"}, {"owning": "hook"}, {"data": ""}):
        assert client.post("/account/notices/", {**given, **wrong}).status_code == 422
    assert "22:00" in client.get("/account/notices/").content.decode()


def test_the_executives_page_has_the_digest(people: Company, client: Client) -> None:
    client.force_login(people.executive)
    given = {
        "owning": "mail",
        "digest": "off",
        "rhythm": "daily",
        "quiet_from": "20:00",
        "quiet_until": "07:00",
    }
    page = client.get("/account/notices/").content.decode()
    assert "Digest of what is overdue" in page
    assert client.post("/account/notices/", given).status_code == 302
    assert Preference.objects.get(topic="digest").way == "off"
    assert Habits.objects.get().digest == "daily"


@pytest.mark.parametrize(
    ("zone", "country", "now", "then"),
    [
        ("", "", "2026-03-10T21:00", "2026-03-11T07:00"),
        (
            "Asia/Tokyo",
            "",
            "2026-03-10T12:00",
            "2026-03-10T22:00",
        ),  # 21:00 there
        ("America/New_York", "", "2026-03-10T12:00", "2026-03-10T12:00"),
        ("America/New_York", "", "2026-03-13T23:59", "2026-03-13T23:59"),  # 19:59 on Friday there
        ("America/New_York", "", "2026-03-14T00:00", "2026-03-16T11:00"),  # 20:00 on Friday: Monday at seven
        (
            "Europe/London",
            "GB",
            "2026-04-02T20:00",
            "2026-04-07T06:00",
        ),  # Easter
        ("Europe/Berlin", "DE-BY", "2026-01-05T20:00", "2026-01-07T06:00"),  # Epiphany
        ("Europe/Berlin", "DE-BE", "2026-01-05T20:00", "2026-01-06T06:00"),  # which Berlin does not keep
        ("Asia/Riyadh", "SA", "2026-03-12T18:00", "2026-03-15T04:00"),  # rests on Friday and Saturday
    ],
)
def test_nights_and_holidays_are_those_of_the_person(
    people: Company, zone: str, country: str, now: str, then: str
) -> None:
    Installation.objects.create(id=1, timezone="UTC")
    Leader.objects.filter(key="alice").update(timezone=zone, country=country)
    notify(people.leaders["alice"], "handover", "h", "s", "b")
    began, due = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, then))
    sent = deliver(began)
    assert sent == (began == due)
    if began != due:
        notice = Notice.objects.get()
        assert (notice.not_before, notice.attempts, notice.error) == (due, 0, "")
        assert deliver(due - timedelta(seconds=1)) == 0
        assert deliver(due) == 1


def test_the_installations_clock_stands_in(people: Company) -> None:
    Installation.objects.create(id=1, timezone="Australia/Sydney", holidays="AU")
    notify(people.leaders["alice"], "handover", "h", "s", "b")
    assert deliver(datetime(2026, 3, 10, 12, tzinfo=UTC)) == 0  # 23:00 in Sydney
    assert deliver(datetime(2026, 3, 10, 20, tzinfo=UTC)) == 1  # 7:00


@pytest.mark.parametrize("metric", ["for_everyone", "for_team", "for_leadership"])
@pytest.mark.parametrize("kind", ["handover", "metric_failed"])
def test_nobody_is_told_of_what_they_may_not_see(people: Company, metric: str, kind: str) -> None:
    sees = {
        "for_everyone": {"alice", "bob", "charlie", "viewer", "leader", "analyst", "executive", "admin"},
        "for_team": {"alice", "bob", "analyst", "executive", "admin"},
        "for_leadership": {"alice", "analyst", "executive", "admin"},
    }
    for name in people.users:
        assert told(people, name, kind, (metric,)) == (name in sees[metric]), name


def test_a_leader_without_account_sees_what_they_own(people: Company) -> None:
    for name in ("alice", "bob", "charlie"):
        Leader.objects.filter(key=name).update(user=None)
    for name, seen in (("alice", True), ("bob", False), ("charlie", False)):
        notify(Leader.objects.get(key=name), "handover", name, "s", "b", about=["for_leadership"])
        assert deliver() == seen, name


def test_whoever_does_not_steer_any_more_gets_no_digest(people: Company) -> None:
    notify(people.leader, "digest", "d", "s", "b")
    assert deliver() == 0
    assert "does not steer" in Notice.objects.get().error


def test_what_may_not_be_seen_any_more_is_not_told(people: Company) -> None:
    """Between the cause and the morning the metric was closed."""
    notify(people.leaders["charlie"], "handover", "h", "s", "b", about=["for_everyone"])
    assert deliver(NOON + 10 * HOUR) == 0
    people.metrics["everyone"].visible = "leadership"
    people.metrics["everyone"].save()
    assert deliver(NOON + 20 * HOUR) == 0
    assert Notice.objects.get().withdrawn_at
    assert not mail.outbox
