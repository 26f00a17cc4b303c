"""Reminders and digests: who is told of what on which day; and the link that opens one check-in."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from metrics.queries.me import my_page
from metrics.services import bell, digests, reminders, schedule
from metrics.services.reminders import is_turn, working_days
from owners.models import CheckIn, CheckInLink, Leader, Leave, Notice, Preference, Role, User
from owners.services import outbox
from owners.services.check_in_links import link_path, revoke_links
from owners.tasks import deliver
from tests.metrics import making

MONDAY = datetime(2026, 3, 9, 9, tzinfo=UTC)  # weekly check-ins are due today
DAY = timedelta(days=1)
LINK = re.compile(r"/c/[^/\s]+/")


@pytest.fixture
def cast(db: None, time_machine: Any) -> dict[str, User]:
    """Elena owns Orders (for everyone) and Plans (leadership); Grace owns nothing; Max steers."""
    cache.clear()
    time_machine.move_to(MONDAY, tick=False)
    making.installation(timezone="UTC")
    users = {}
    for name, role in (("elena", Role.LEADER), ("grace", Role.LEADER), ("max", Role.EXECUTIVE)):
        users[name] = User.objects.create_user(f"{name}@example.com", name=name.title(), role=role)
    for name in ("elena", "grace"):
        user = users[name]
        Leader.objects.create(key=name, name=user.name, email=user.email, user=user)
    making.metric("orders", name="Orders")
    making.metric("plans", name="Plans", visible="leadership")
    for key in ("orders", "plans"):
        making.owner(key, "elena", date(2020, 1, 1))
    return users


def say(key: str, day: date, leader: str = "elena") -> None:
    CheckIn.objects.create(metric_key=key, leader=Leader.objects.get(key=leader), date=day, text="Said.")


def run(now: datetime, time_machine: Any) -> list[Any]:
    """What is mailed at this moment."""
    time_machine.move_to(now, tick=False)
    cache.clear()
    before = len(mail.outbox)
    reminders.remind(now)
    digests.digest(now)
    outbox.deliver(lambda: now)
    return mail.outbox[before:]


def to(sent: list[Any], user: User) -> list[Any]:
    return [m for m in sent if m.to == [user.email]]


def test_one_mail_says_what_waits(cast: dict[str, User], time_machine: Any) -> None:
    say("plans", MONDAY.date())
    (got,) = to(run(MONDAY, time_machine), cast["elena"])
    assert got.subject == "Orders: check-in is due on Mon 9 Mar"
    assert LINK.search(got.body)
    assert to(run(MONDAY + timedelta(hours=3), time_machine), cast["elena"]) == []  # once a day


def test_two_things_are_one_mail(cast: dict[str, User], time_machine: Any) -> None:
    (got,) = to(run(MONDAY, time_machine), cast["elena"])
    assert got.subject == "2 check-ins wait for you"
    assert len(LINK.findall(got.body)) == 2
    assert to(run(MONDAY, time_machine), cast["grace"]) == []


def test_one_is_reminded_on_the_day_after_it_and_then_weekly(
    cast: dict[str, User], time_machine: Any
) -> None:
    """A word was due on Monday 9 March; a new one is asked for each Monday, which begins it anew."""
    for key in ("orders", "plans"):
        say(key, date(2026, 3, 2))
    days = [9 + n for n in range(7) if to(run(MONDAY + n * DAY, time_machine), cast["elena"])]
    assert days == [9, 10, 12]  # due, one working day late, three


@pytest.mark.parametrize(
    ("left", "turn"),
    [
        (2, False),
        (1, True),
        (0, True),
        (-1, True),
        (-2, False),
        (-3, True),
        (-4, False),
        (-5, True),
        (-10, True),
    ],
)
def test_days_of_reminders(left: int, turn: bool) -> None:
    assert is_turn(reminders.Line(None, date(2026, 3, 9), left)) is turn


def test_working_days_are_counted_over_weekends_and_holidays() -> None:
    free = frozenset({date(2026, 4, 3), date(2026, 4, 6)})  # Easter
    assert working_days(date(2026, 4, 2), date(2026, 4, 7), free) == 1
    assert working_days(date(2026, 4, 7), date(2026, 4, 2), free) == -1
    assert working_days(date(2026, 3, 9), date(2026, 3, 9), free) == 0
    assert working_days(date(2026, 3, 6), date(2026, 3, 9), frozenset()) == 1


def test_a_monthly_figure_is_asked_for_the_day_before(cast: dict[str, User], time_machine: Any) -> None:
    made = making.manual("nps", "level", collect={"by": "grace", "due": "3 working days"}, name="NPS")
    making.entry(made, 2026, 1, 40)
    making.entry(made, 2026, 2, 41)
    told = {}
    for day in range(1, 10):
        for m in to(run(datetime(2026, 4, day, 9, tzinfo=UTC), time_machine), cast["grace"]):
            told[day] = m.subject
    # March is due on Friday 3 April.
    assert list(told)[:3] == [2, 3, 6]
    assert told[2] == "NPS: figure is due on Fri 3 Apr"
    assert told[6] == "NPS: figure was due on Fri 3 Apr"


def test_what_was_said_meanwhile_is_not_asked_for(cast: dict[str, User], time_machine: Any) -> None:
    night = MONDAY.replace(hour=5)
    assert to(run(night, time_machine), cast["elena"]) == []  # written, and held until seven
    assert Notice.objects.filter(kind="check_ins").count() == 1
    for key in ("orders", "plans"):
        say(key, MONDAY.date())
    assert to(run(MONDAY, time_machine), cast["elena"]) == []
    assert "nothing left to say" in Notice.objects.get(kind="check_ins").error


def test_a_delegate_gets_the_reminders_of_whoever_is_away(cast: dict[str, User], time_machine: Any) -> None:
    elena, grace = (Leader.objects.get(key=key) for key in ("elena", "grace"))
    Leave.objects.create(
        leader=elena, delegate=grace, from_date=date(2026, 3, 8), until_date=date(2026, 3, 20)
    )
    sent = run(MONDAY, time_machine)
    assert to(sent, cast["elena"]) == []
    (got,) = to(sent, cast["grace"])
    assert "for Elena, who is away" in got.body
    link = LINK.findall(got.body)[0]
    page = Client().get(link)
    assert page.status_code == 200
    assert "Your words are said in their place" in page.content.decode()
    assert Client().post(link, {"text": "Grace says so.", "token": ""}).status_code == 200
    said = CheckIn.objects.get()
    assert (said.leader, said.author) == (elena, cast["grace"])


def test_who_takes_over_today_is_told_from_the_companys_morning_on(
    cast: dict[str, User], time_machine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight on Monday in Auckland, Sunday evening in UTC: today's owner sees Plans (which few may) and is
    asked for it, and the owner until yesterday is not."""
    for name in ("ring", "ring_for_notices"):
        monkeypatch.setattr(bell, name, lambda: True)
    making.installation(timezone="Pacific/Auckland")
    making.owner("plans", "grace", MONDAY.date())
    now = datetime(2026, 3, 8, 19, tzinfo=UTC)
    time_machine.move_to(now, tick=False)
    schedule.tick(now)
    assert deliver() == 2
    asked = {m.to[0]: m.body for m in mail.outbox}
    assert "Plans" in asked["grace@example.com"] and "Orders" not in asked["grace@example.com"]
    assert "Orders" in asked["elena@example.com"] and "Plans" not in asked["elena@example.com"]
    assert timezone.get_current_timezone_name() == "UTC"


def test_nobody_without_account_is_asked(cast: dict[str, User], time_machine: Any) -> None:
    Leader.objects.filter(key="elena").update(user=None)
    assert to(run(MONDAY, time_machine), cast["elena"]) == []


def test_the_digest_says_what_is_overdue_weekly_or_daily(cast: dict[str, User], time_machine: Any) -> None:
    making.metric("alone", name="Alone")
    (got,) = to(run(MONDAY, time_machine), cast["max"])
    assert got.subject.startswith("What is overdue on Mon 9 Mar: ")
    assert "Without an owner:\n- Alone" in got.body
    tuesday = MONDAY + DAY
    assert to(run(tuesday, time_machine), cast["max"]) == []
    client = Client()
    client.force_login(cast["max"])
    given = {
        "owning": "mail",
        "digest": "mail",
        "rhythm": "daily",
        "quiet_from": "20:00",
        "quiet_until": "07:00",
    }
    assert client.post("/account/notices/", given).status_code == 302
    (got,) = to(run(tuesday, time_machine), cast["max"])
    assert "- Orders: check-in of Elena, due Mon 9 Mar" in got.body
    assert "- Plans" in got.body
    assert "/c/" not in got.body
    assert to(run(MONDAY + 5 * DAY, time_machine), cast["max"]) == []  # a Saturday


def test_a_calm_week_has_no_digest(cast: dict[str, User], time_machine: Any) -> None:
    for key in ("orders", "plans"):
        say(key, MONDAY.date())
    assert to(run(MONDAY, time_machine), cast["max"]) == []


def test_admins_get_the_digest_if_they_ask_for_it(cast: dict[str, User], time_machine: Any) -> None:
    making.metric("alone", name="Alone")
    root = User.objects.create_user("root@example.com", role=Role.ADMIN)
    assert to(run(MONDAY, time_machine), root) == []
    Preference.objects.create(user=root, topic="digest", way="mail")
    assert len(to(run(MONDAY, time_machine), root)) == 1


@pytest.mark.parametrize(("audience", "shown"), [("everyone", False), ("leadership", True)])
def test_a_channels_digest_names_what_its_audience_may_see(
    cast: dict[str, User], audience: str, shown: bool
) -> None:
    from owners.models import Channel

    channel = Channel.objects.create(name="Leads", kind="slack", host="h", digest="daily", audience=audience)
    digests.digest(MONDAY + DAY)
    said = digests.words(Notice.objects.get(channel=channel), MONDAY + DAY)
    assert "Orders" in said.body
    assert ("Plans" in said.body) is shown


# The link.


@pytest.fixture
def link(cast: dict[str, User], time_machine: Any) -> str:
    say("plans", MONDAY.date())
    (got,) = to(run(MONDAY, time_machine), cast["elena"])
    return str(LINK.findall(got.body)[0])


def gone(link: str) -> bool:
    """Whether it opens nothing and saves nothing, in either way."""
    before = CheckIn.objects.count()
    client = Client()
    answers = [client.get(link).status_code, client.post(link, {"text": "Forced.", "token": ""}).status_code]
    assert CheckIn.objects.count() == before
    return answers == [410, 410]


def test_the_link_opens_and_saves_one_check_in_without_a_session(cast: dict[str, User], link: str) -> None:
    client = Client(enforce_csrf_checks=True)
    for _ in range(3):  # previews and scanners
        page = client.get(link)
        assert page.status_code == 200
        client.head(link)
    assert not CheckIn.objects.filter(metric_key="orders").exists()
    assert page["Referrer-Policy"] == "strict-origin"
    assert "no-store" in page["Cache-Control"]
    html = page.content.decode()
    assert "Orders" in html
    assert "Plans" not in html
    assert "/metrics/orders/" not in html
    assert client.post(link, {"text": "No token."}).status_code == 403
    given = {"text": "Two depots are open again.", "csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    assert client.post(link, {**given, "token": ""}).status_code == 200
    said = CheckIn.objects.get(metric_key="orders")
    assert (said.text, said.author) == ("Two depots are open again.", cast["elena"])
    assert "sessionid" not in client.cookies
    for page_of_hers in ("/me/", "/", "/me/orders/", "/me/plans/"):
        assert client.get(page_of_hers).status_code == 302
    assert gone(link)  # used up


def test_a_used_link_is_over_although_a_figure_is_still_missing(cast: dict[str, User]) -> None:
    making.manual("refunds", name="Refunds", collect={"by": "elena"})
    making.owner("refunds", "elena", date(2020, 1, 1))
    item = my_page(cast["elena"]).item("refunds")
    assert item is not None and item.asked.cell is not None and item.asked.since is not None
    path = link_path(cast["elena"], "refunds", item.asked.since, MONDAY)
    assert Client().post(path, {"text": "The count comes tomorrow.", "token": ""}).status_code == 200
    after = my_page(cast["elena"]).item("refunds")
    assert after is not None and after.state in ("due", "late")  # the figure
    assert gone(path)


@pytest.mark.django_db(transaction=True)
def test_a_link_that_is_posted_twice_at_once_is_one_check_in(cast: dict[str, User]) -> None:
    item = my_page(cast["elena"]).item("orders")
    assert item is not None and item.asked.since is not None
    path = link_path(cast["elena"], "orders", item.asked.since, MONDAY)
    begin = Barrier(4)

    def post(n: int) -> int:
        begin.wait()
        try:
            return Client().post(path, {"text": f"Word {n}.", "token": ""}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(post, range(4)))
    assert answers.count(200) == 1
    assert set(answers) <= {200, 410, 422}
    said = CheckIn.objects.get(metric_key="orders")
    assert said.text == f"Word {answers.index(200)}."


def test_a_wrong_answer_keeps_the_link(cast: dict[str, User], link: str) -> None:
    answer = Client().post(link, {"text": "", "token": ""})
    assert answer.status_code == 422
    assert Client().get(link).status_code == 200


def test_the_link_ends_when_the_word_is_given_on_the_site(cast: dict[str, User], link: str) -> None:
    client = Client()
    client.force_login(cast["elena"])
    client.post("/me/orders/", {"text": "Said here.", "token": ""})
    assert CheckIn.objects.filter(metric_key="orders").count() == 1
    assert gone(link)


def test_the_link_expires(link: str, time_machine: Any) -> None:
    time_machine.move_to(MONDAY + 7 * DAY - timedelta(hours=10), tick=False)
    assert Client().get(link).status_code == 200
    CheckInLink.objects.update(expires_at=MONDAY + DAY)
    assert gone(link)


def test_the_link_is_for_the_check_in_it_was_made_for(link: str, time_machine: Any) -> None:
    CheckInLink.objects.update(expires_at=MONDAY + 30 * DAY)
    time_machine.move_to(MONDAY + 8 * DAY, tick=False)  # the next week is asked for now
    assert gone(link)


def test_the_link_ends_with_a_hand_over(cast: dict[str, User], link: str) -> None:
    making.owner("orders", "grace", MONDAY.date())
    assert gone(link)


@pytest.mark.parametrize("how", ["deactivated", "viewer", "revoked", "archived", "forged", "nonsense"])
def test_the_link_ends_in_other_ways(cast: dict[str, User], link: str, how: str) -> None:
    elena = cast["elena"]
    if how == "deactivated":
        User.objects.filter(pk=elena.pk).update(is_active=False)
    elif how == "viewer":
        User.objects.filter(pk=elena.pk).update(role=Role.VIEWER)
    elif how == "revoked":
        assert revoke_links(elena, MONDAY) == 1
    elif how == "archived":
        from metrics.models import Metric

        Metric.objects.filter(key="orders").update(archived_at=MONDAY)
    elif how == "forged":
        other = CheckInLink.objects.create(
            user=elena,
            metric_key="plans",
            since=MONDAY.date(),
            made_on=MONDAY.date(),
            expires_at=MONDAY + DAY,
        )
        link = link.replace(f"/c/{CheckInLink.objects.get(metric_key='orders').pk}~", f"/c/{other.pk}~")
    else:
        link = "/c/nonsense/"
    assert gone(link)


def test_a_repeated_mail_says_the_same(cast: dict[str, User], link: str) -> None:
    Notice.objects.filter(kind="check_ins").update(sent_at=None)
    outbox.deliver(lambda: MONDAY)
    first, second = (m for m in mail.outbox if "Orders" in m.subject)
    assert first.body == second.body
    assert first.extra_headers == second.extra_headers


def test_the_link_is_in_no_log(link: str) -> None:
    from northstar.logs import hide_secrets

    secret = link.split("/")[2]
    for words in (f"Not Found: {link}", link, f"GET http://127.0.0.1:8000{link}?x=1", f"/n/{secret}/ gone"):
        said = str(hide_secrets(None, "info", {"event": words, "path": words}))
        assert secret not in said
    assert hide_secrets(None, "info", {"event": "/metrics/orders/"}) == {"event": "/metrics/orders/"}
