"""The tick removes notices that were sent long ago, and links that are over; what waits is kept."""

from datetime import UTC, date, datetime, timedelta

import pytest

from metrics.services import schedule
from owners.models import CheckInLink, Notice, User
from tests.metrics import making

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(("kept", "days"), [(180, 180), (40, 40), (1, 30)])
def test_old_notices_go_and_what_waits_stays(settings, kept: int, days: int) -> None:
    settings.NOTICES_KEPT = kept
    making.installation(timezone="UTC")
    edge = NOW - days * DAY
    rows = {
        "sent-old": {"sent_at": edge - DAY},
        "sent-new": {"sent_at": edge + DAY},
        "withdrawn-old": {"withdrawn_at": edge - DAY},
        "withdrawn-new": {"withdrawn_at": edge + DAY},
        "waits": {},
    }
    for key, more in rows.items():
        Notice.objects.create(key=key, kind="test", subject="s", body="b", **more)
    Notice.objects.update(created_at=edge - 300 * DAY)
    schedule.tick(NOW)
    left = Notice.objects.filter(key__in=rows).values_list("key", flat=True)
    assert sorted(left) == ["sent-new", "waits", "withdrawn-new"]


def test_links_that_are_over_go() -> None:
    making.installation(timezone="UTC")
    user = User.objects.create_user("elena@example.com")
    for n, expires in enumerate((NOW - 2 * DAY, NOW - DAY / 2, NOW + DAY)):
        CheckInLink.objects.create(
            user=user, metric_key="orders", since=date(2026, 11, n + 1), made_on=NOW, expires_at=expires
        )
    schedule.tick(NOW)
    assert sorted(link.since.day for link in CheckInLink.objects.all()) == [2, 3]
