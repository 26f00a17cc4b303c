"""A quarter that runs, for tests of what is said beside a status: Alice's orders are behind their plan.

Each day to 13 Aug 2026 brought 80 orders. The plan is 3 000 a month: by then 3 000 + 13 / 31 of 3 000, which
is 4 258.06, so that 3 520 are 738.06 behind, a pace of 0.83: off track.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import time_machine
from django.test import Client

from metrics.models import Metric
from metrics.queries.installation import calendar
from metrics.queries.progress import progress
from metrics.queries.shapes import Progress
from owners.models import User
from tests.metrics import making
from tests.people import Company, company, metric

TODAY = date(2026, 8, 14)
START = date(2026, 7, 1)
LAST = date(2026, 9, 30)
QUARTER = "2026-Q3"
BEHIND = 3_000 + 3_000 * 13 / 31 - 44 * 80
NOON = datetime(2026, 8, 14, 11, tzinfo=UTC)  # in London


def quarter(**fields: object) -> Company:
    """The company with a metric `orders` of Alice's, in London. Call it inside of `at()`."""
    made = company()
    Metric.objects.update(spec=making.COUNT)
    making.installation(timezone="Europe/London")
    making.source(TODAY)
    made.metrics["orders"] = orders = metric(
        "orders", "alice", spec=making.COUNT, unit="count", role="focus", **fields
    )
    making.days(orders, START, [80.0] * 44)
    making.target(orders, QUARTER, 9_000.0, [3_000.0, 3_000.0, 3_000.0])
    return made


@contextmanager
def at(moment: datetime = NOON) -> Iterator[None]:
    """The clock stands still at an instant."""
    with time_machine.travel(moment, tick=False):
        yield


def more_days(orders: Metric, values: list[float]) -> None:
    """The days after 13 August; the source is loaded through them."""
    making.days(orders, TODAY, values)
    orders_source = making.Source.objects.get(key="orders")
    orders_source.watermark = TODAY + timedelta(days=len(values))
    orders_source.save()


def line(key: str = "orders", as_of: date | None = None, known_at: datetime | None = None) -> Progress:
    """One metric's progress as the system sees it."""
    name = calendar().quarter_name(as_of or TODAY)
    found = progress(None, name, as_of=as_of, known_at=known_at)
    return next(p for p in found if p.metric.key == key)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
