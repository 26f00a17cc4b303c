"""Who is told of what on which day, by reminder and by digest."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from metrics.services import bell, digests, reminders, schedule
from metrics.services.reminders import is_turn, working_days
from owners.models import CheckIn, Leader, Leave, Notice, Preference, Role, User
from owners.tasks import deliver
from tests.metrics import making
from tests.metrics.reminders.telling import DAY, LINK, MONDAY, run, say, to


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
