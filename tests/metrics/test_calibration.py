"""A person's own calibration: what counts as reached, which words count, and that nobody else sees it."""

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from metrics.models import Metric, Target
from metrics.queries.calibration import calibration_page
from owners.models import CheckIn, Leader, User
from tests.metrics import making
from tests.metrics.stage import Stage, stage
from tests.metrics.test_pages_writing import signed_in

pytestmark = pytest.mark.django_db

TODAY = date(2025, 9, 18)
ENDS = {"2024-Q3": 0.93, "2024-Q4": 0.96, "2025-Q1": 0.95, "2025-Q2": 0.91}  # the last month's share


@pytest.fixture
def company() -> Stage:
    """Elena's on-time share ended four quarters as ENDS says; the target was 95 % in each."""
    made = stage(TODAY)
    metric = Metric.objects.get(key="on_time")
    metric.goal = {"kind": "level", "grain": "month"}
    metric.save()
    CheckIn.objects.all().delete()
    for quarter, share in ENDS.items():
        year, number = int(quarter[:4]), 3 * int(quarter[-1])
        making.month(metric, year, number, share, numerator=share * 1000, denominator=1000)
        making.target(metric, quarter, 0.95, [0.94, 0.94, 0.95])
    return made


def say(day: str, confidence: float | None, key: str = "elena", by: User | None = None) -> None:
    CheckIn.objects.create(
        metric_key="on_time",
        leader=Leader.objects.get(key=key),
        date=date.fromisoformat(day),
        text="Said.",
        confidence=confidence,
        author=by,
    )


def test_each_quarters_end_judges_the_last_word_of_every_month(company: Stage) -> None:
    for day, sure in (
        ("2024-08-05", 0.2), ("2024-08-26", 0.6),  # the later one of August counts; 93 % is a miss
        ("2024-10-07", 0.8), ("2024-11-04", 0.9),  # 96 %: reached
        ("2025-02-03", 0.7),  # exactly 95 %: reached
        ("2025-05-05", 0.4), ("2025-06-02", None),  # 91 %: missed; no confidence, no forecast
        ("2025-08-04", 1.0),  # this quarter's is open
    ):  # fmt: skip
        say(day, sure)
    page = calibration_page(company.elena, today=TODAY)
    told = [(f.date.isoformat(), f.confidence, f.hit) for f in page.forecasts]
    assert told == [
        ("2025-05-05", 0.4, False),
        ("2025-02-03", 0.7, True),
        ("2024-11-04", 0.9, True),
        ("2024-10-07", 0.8, True),
        ("2024-08-26", 0.6, False),
    ]
    assert page.open == 1
    found = page.calibration
    assert found is not None
    # squares: .16 .09 .01 .04 .36 = .66, of five
    assert found.brier == pytest.approx(0.132)
    assert (found.mean_said, found.mean_happened) == (pytest.approx(0.68), pytest.approx(0.6))


def test_the_agreed_target_is_the_one_that_counts(company: Stage) -> None:
    Target.objects.filter(quarter="2024-Q3").update(agreed_value=0.92)
    say("2024-08-05", 0.6)
    assert [f.hit for f in calibration_page(company.elena, today=TODAY).forecasts] == [True]


def test_the_unknown_is_no_miss(company: Stage) -> None:
    say("2024-02-05", 0.6)  # a quarter without a figure and without a target
    page = calibration_page(company.elena, today=TODAY)
    assert [f.hit for f in page.forecasts] == [None]
    assert page.calibration is None


def test_a_delegates_confidence_is_not_the_owners(company: Stage) -> None:
    say("2024-08-05", 0.6, by=company.elena)
    say("2024-11-04", 0.1, by=company.charlie)  # who stood in for her then
    assert [f.confidence for f in calibration_page(company.elena, today=TODAY).forecasts] == [0.6]
    assert calibration_page(company.charlie, today=TODAY).forecasts == ()


def test_nobody_sees_anothers(company: Stage) -> None:
    say("2024-08-05", 0.6123)
    for user in (company.charlie, company.executive, company.admin, company.analyst):
        page = signed_in(user).get("/calibration/")
        assert page.status_code == 200
        assert "On-time share" not in page.content.decode()
    assert "On-time share" in signed_in(company.elena).get("/calibration/").content.decode()
    assert Client().get("/calibration/")["Location"].startswith("/account/login/")


def test_the_number_of_queries_does_not_grow(company: Stage) -> None:
    say("2024-08-05", 0.6)
    with CaptureQueriesContext(connection) as few:
        calibration_page(company.elena, today=TODAY)
    elena = Leader.objects.get(key="elena")
    for n in range(6):
        making.metric(f"more_{n}", making.SHARE, "ratio", unit="percent")
        CheckIn.objects.create(
            metric_key=f"more_{n}", leader=elena, date=date(2024, 8, 5), text="x", confidence=0.5
        )
    with CaptureQueriesContext(connection) as many:
        calibration_page(company.elena, today=TODAY)
    assert len(many) == len(few)
