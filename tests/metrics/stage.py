"""A small company for tests of pages: people of every role, computed and manual metrics, targets, words.

Its last whole month and that month's quarter are relative to today, as manual figures may not lie ahead.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import F
from django.utils import timezone

from calc.calendar import Calendar, Grain
from metrics.models import Metric, Run, Target
from metrics.services.entries import EntryRow, enter
from owners.models import CheckIn, Leader, Ownership, Role, Team, User
from tests.metrics import making

PASSWORD = "a-long-enough-passphrase"
NOTED = "Two depots lost their night shift."
SINCE = date(2020, 1, 1)
CALENDAR = Calendar()


@dataclass(frozen=True)
class Stage:
    today: date
    month: date  # first day of the last whole month
    quarter: str  # that month's
    elena: User  # leads; owns on_time and plans, and counts plans
    charlie: User  # leads; owns orders
    viewer: User
    analyst: User
    executive: User
    admin: User

    @property
    def state(self) -> str:
        """The query of an address that shows the stage's quarter."""
        return f"?quarter={self.quarter}"

    @property
    def months(self) -> list[date]:
        """The first days of the quarter's months."""
        period = CALENDAR.quarter(self.quarter)
        return [p.start for p in CALENDAR.periods(Grain.MONTH, period.start, period.end)]


def person(name: str, role: Role) -> User:
    return User.objects.create_user(f"{name}@example.com", PASSWORD, name=name.title(), role=role)


def own(metric: Metric, leader: Leader) -> None:
    Ownership.objects.create(metric_key=metric.key, from_date=SINCE, leader=leader)


def stage(today: date, *, orders: str = "Orders", words: str = NOTED) -> Stage:
    """Builds it. `orders` and `words` are where hostile text can be put in."""
    making.installation(name="Kestrel Kitchens", timezone="UTC")
    last = CALENDAR.previous(CALENDAR.period(Grain.MONTH, today))
    quarter = CALENDAR.quarter_name(last.start)
    begun = CALENDAR.quarter(quarter).start
    operations = Team.objects.create(key="operations", name="Operations")
    people = {
        role: person(role.value, role) for role in (Role.VIEWER, Role.ANALYST, Role.EXECUTIVE, Role.ADMIN)
    }
    leaders = {}
    for name, title in (("elena", "Head of Operations"), ("charlie", "Head of Growth")):
        user = person(name, Role.LEADER)
        leaders[name] = Leader.objects.create(
            key=name, name=user.name, title=title, team=operations, user=user, email=user.email
        )
    source = making.source(today, spec={"dimensions": {"city": "city"}})
    Run.objects.create(source=source, cause="schedule", state=Run.State.DONE, rows_written=12, rows_changed=3)

    star = making.metric(
        "orders", role="north_star", name=orders, definition=orders, success=words, by=["city"]
    )
    own(star, leaders["charlie"])
    making.days(star, begun, [100.0 + n % 7 for n in range((today - begun).days)])
    for n in range(1, 31):
        start = CALENDAR.period(Grain.WEEK, today - timedelta(weeks=n)).start
        value = 2_000.0 if n == 5 else 700.0 + n % 3  # one week that is not routine
        making.figure(star, "week", start, start + timedelta(days=7), value)
    making.month(star, last.start.year, last.start.month, 3_100.0)
    for city, value in (("Leeds", 2_000.0), (orders, 1_100.0)):
        making.month(star, last.start.year, last.start.month, value, dimension="city", member=city)
    making.target(star, quarter, 9_300.0, [3_100.0, 3_100.0, 3_100.0])

    on_time = making.metric(
        "on_time", making.SHARE, "ratio", name="On-time share", unit="percent", lens="efficiency"
    )
    own(on_time, leaders["elena"])
    making.month(on_time, last.start.year, last.start.month, 0.91, numerator=91, denominator=100)
    making.target(on_time, quarter, 0.95, [0.93, 0.94, 0.95])
    CheckIn.objects.create(
        metric_key="on_time",
        leader=leaders["elena"],
        date=today - timedelta(days=2),
        text=words,
        confidence=0.4,
    )

    plans = making.manual(
        "plans", "share", name="Success plans done", unit="percent", collect={"by": "elena"}
    )
    own(plans, leaders["elena"])
    making.target(plans, quarter, 0.8, [0.7, 0.75, 0.8])
    before = CALENDAR.previous(last).start
    enter(plans, [EntryRow(before, numerator=14, denominator=20)], author=None, origin="file")

    making.manual("nps", "level", name="Net promoter score", unit="score", visible="leadership")
    making.metric(
        "refunds", making.SHARE, "ratio", name="Refund share", unit="percent", role="guardrail", better="down"
    )
    return Stage(
        today, last.start, quarter, leaders["elena"].user, leaders["charlie"].user,
        people[Role.VIEWER], people[Role.ANALYST], people[Role.EXECUTIVE], people[Role.ADMIN],
    )  # fmt: skip


def agree() -> None:
    """All targets are agreed to, so that none waits for its owner."""
    Target.objects.update(state=Target.State.AGREED, agreed_at=timezone.now(), agreed_value=F("value"))


def more_metrics(count: int) -> None:
    """Others like those that are there, to see what a page costs."""
    leader = Leader.objects.get(key="elena")
    for n in range(count):
        made = making.metric(f"extra_{n}", name=f"Extra {n}", unit="count")
        own(made, leader)
        making.month(made, 2024, 1, float(n))
