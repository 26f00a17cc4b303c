"""A quarter's progress, by arithmetic done here by hand."""

import json
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metrics.models import MetricState, Revision
from metrics.queries.progress import progress
from metrics.queries.shapes import Progress
from tests.metrics import making

pytestmark = pytest.mark.django_db
JULY, QUARTER_END = date(2011, 7, 1), date(2011, 10, 1)


def one(quarter: str = "2011-Q3", **how: object) -> Progress:
    (found,) = progress(None, quarter, **how)
    return found


def orders(per_day: float = 50.0, days: int = 92, watermark: date = date(2011, 12, 9), **fields: object):
    making.source(watermark)
    made = making.metric("orders", **fields)
    making.days(made, JULY, [per_day] * days)
    making.target(made, "2011-Q3", 4500, [1350, 1400, 1750])
    return made


def test_exactly_on_plan_at_the_end_of_july_is_pace_one():
    making.source(date(2011, 12, 9))
    made = making.metric("orders")
    making.days(made, JULY, [1350 - 30 * 40, *[40] * 30])
    making.target(made, "2011-Q3", 4500, [1350, 1400, 1750])
    found = one(as_of=date(2011, 7, 31))
    assert (found.figure, found.planned_to_date, found.gap, found.pace) == (1350, 1350, 0, 1.0)
    assert (found.period_start, found.period_end) == (JULY, date(2011, 8, 1))
    assert found.benchmark == 1350
    assert found.status.state == "on_track"
    assert found.required_per_month == pytest.approx(3150 / 2)
    assert found.required_rate == pytest.approx(3150 / 61)  # the 61 days of August and September


def test_mid_august_against_the_plan_of_half_a_month():
    orders(per_day=1971 / 45)
    found = one(as_of=date(2011, 8, 14))
    planned = 1350 + 1400 * 14 / 31
    assert found.planned_to_date == pytest.approx(planned)
    assert found.pace == pytest.approx(1971 / planned)
    assert found.status.state == "on_track"
    assert found.gap == pytest.approx(1971 - planned)


def test_pace_runs_to_the_watermark_when_the_load_has_stopped():
    """Two days without a load: elapsed time stops with the data, nothing turns red, and the page says so."""
    orders(per_day=1350 / 31, days=29, watermark=date(2011, 7, 30))
    on_time = one(as_of=date(2011, 7, 30))
    stopped = one(as_of=date(2011, 8, 1))
    assert stopped.due_through == on_time.due_through == date(2011, 7, 29)
    assert stopped.pace == on_time.pace == pytest.approx(1.0)
    assert stopped.figure == pytest.approx(1350 * 29 / 31)


def test_late_data_are_never_green():
    orders(per_day=1350 / 31, days=29, watermark=date(2011, 7, 30))
    making.Source.objects.update(late_since=timezone.now())
    found = one(as_of=date(2011, 8, 4))
    assert found.status.state == "late"
    assert found.status.stale
    assert "29 Jul" in found.reason


def test_a_metric_that_could_not_be_computed_keeps_its_own_clock():
    """Its source went on, its figures did not: they are not counted as zero for the days since."""
    made = orders(per_day=1350 / 31, days=20)
    MetricState.objects.create(metric=made, stale_since=timezone.now(), error="division by zero")
    found = one(as_of=date(2011, 7, 31))
    assert found.due_through == date(2011, 7, 20)
    assert found.pace == pytest.approx(1.0)
    assert found.status.state == "late"


def test_a_quarter_that_has_not_begun_and_one_not_loaded():
    orders()
    making.target(making.Metric.objects.get(), "2012-Q1", 4000)
    found = one("2012-Q1", as_of=date(2011, 12, 20))
    assert (found.figure, found.pace, found.status.state) == (None, None, "not_due")
    later = one("2012-Q1", as_of=date(2012, 3, 1))  # the data ended on 8 December
    assert (later.figure, later.pace, later.status.state) == (None, None, "not_due")
    assert "8 Dec" in later.reason


def test_the_first_days_are_too_early_to_judge():
    """Ten days are one whole week and 11 % of the plan; two whole weeks are judged."""
    orders(per_day=10)
    assert one(as_of=date(2011, 7, 10)).status.state == "too_early"
    assert one(as_of=date(2011, 7, 14)).status.state == "off_track"


def test_no_target_is_never_healthy():
    making.source(date(2011, 12, 9))
    making.days(making.metric("orders"), JULY, [50.0] * 92)
    found = one(as_of=date(2011, 9, 30))
    assert found.figure == 92 * 50
    assert found.status.state == "no_target"
    assert found.pace is None


def test_a_ratio_to_date_is_a_ratio_of_sums():
    making.source(date(2011, 12, 9))
    made = making.metric("on_time", making.SHARE, "ratio", unit="percent", goal={"kind": "total"})
    day = timedelta(days=1)
    making.figure(made, "day", JULY, JULY + day, 0.5, numerator=1, denominator=2)
    making.figure(made, "day", JULY + day, JULY + 2 * day, 0.9, numerator=90, denominator=100)
    making.target(made, "2011-Q3", 0.9)
    assert one(as_of=date(2011, 7, 2)).figure == pytest.approx(91 / 102)


def test_distinct_customers_come_from_their_own_figure_to_date():
    making.source(date(2011, 12, 9))
    made = making.metric("customers", making.DISTINCT, goal={"kind": "total"})
    making.days(made, JULY, [10.0, 10.0])
    making.figure(made, "quarter_to_date", JULY, date(2011, 7, 3), 12)
    making.target(made, "2011-Q3", 900)
    assert one(as_of=date(2011, 7, 2)).figure == 12
    assert one(as_of=date(2011, 7, 3)).figure is None  # not stored for that day: unknown, not 20


def level(**fields: object):
    making.source(date(2011, 12, 9))
    made = making.metric("aov", making.SHARE, "ratio", unit="currency:GBP", goal={"kind": "level"}, **fields)
    for number, value in ((6, 400.0), (7, 410.0), (8, 405.0), (9, 460.0)):
        making.month(made, 2011, number, value)
    making.target(made, "2011-Q3", 460, [420, 440, 460])
    return made


def test_a_level_is_judged_at_the_last_whole_month():
    level()
    found = one(as_of=date(2011, 9, 20))
    assert (found.period_start, found.period_end) == (date(2011, 8, 1), date(2011, 9, 1))
    assert (found.figure, found.planned_to_date, found.benchmark, found.baseline) == (405, 440, 440, 400)
    assert found.gap == -35
    assert found.pace == pytest.approx(1 - 35 / 60)
    assert found.progress == pytest.approx(5 / 60)
    assert found.status.state == "off_track"
    end = one(as_of=date(2011, 9, 30))
    assert (end.figure, end.gap, end.pace, end.status.state) == (460, 0, 1.0, "on_track")
    assert one(as_of=date(2011, 7, 15)).status.state == "not_due"


def test_the_lower_the_better():
    making.source(date(2011, 12, 9))
    made = making.metric("refunds", better="down")
    making.days(made, JULY, [3.0] * 31)
    making.target(made, "2011-Q3", 184, [62, 62, 60])
    found = one(as_of=date(2011, 7, 31))
    assert found.pace == pytest.approx(62 / 93)
    assert found.status.state == "off_track"
    making.Value.objects.update(value=0)
    assert one(as_of=date(2011, 7, 31)).status.state == "on_track"


def test_a_band_is_on_track_inside_also_without_a_number():
    making.source(date(2011, 12, 9))
    made = making.metric("fill", making.SHARE, "ratio", unit="percent", better="band", low=0.7, high=0.9)
    making.month(made, 2011, 6, 0.6)
    making.month(made, 2011, 7, 0.8)
    making.target(made, "2011-Q3", None)
    found = one(as_of=date(2011, 8, 10))
    assert (found.status.state, found.gap, found.target) == ("on_track", 0, None)
    assert found.progress is None  # there is no way to go from June to the middle of the band
    making.Value.objects.update(value=0.95)
    assert one(as_of=date(2011, 8, 10)).status.state != "on_track"


def test_growth_counts_from_the_quarter_before():
    made = orders(days=92)
    making.figure(made, "quarter", JULY, QUARTER_END, 4600)
    making.target(made, "2011-Q4", None, growth="10%")
    found = one("2011-Q4", as_of=date(2011, 11, 1))
    assert found.target == pytest.approx(5060)
    assert found.target_preliminary


def test_manual_amounts_run_to_the_last_entered_month():
    made = making.manual("plans", collect={"due": "3 working days", "every": "month"})
    making.target(made, "2011-Q3", 30, [8, 10, 12])
    making.entry(made, 2011, 7, 8)
    found = one(as_of=date(2011, 8, 31))
    assert (found.figure, found.planned_to_date, found.pace) == (8, 8, 1.0)
    assert (found.period_end, found.due_through) == (date(2011, 8, 1), date(2011, 7, 31))
    due = one(as_of=date(2011, 9, 5))  # Thu 1, Fri 2 and Mon 5 Sep are the three working days
    assert due.status.state == "on_track"
    late = one(as_of=date(2011, 9, 6))
    assert late.status.state == "late"
    assert "Aug" in late.reason
    making.entry(made, 2011, 9, 12)  # August is still missing: the sum is not known
    hole = one(as_of=date(2011, 10, 1))
    assert hole.figure is None
    assert hole.status.state == "late"


def test_a_manual_share_is_a_ratio_of_sums():
    made = making.manual("plans_done", "share", unit="percent", goal={"kind": "total"})
    making.target(made, "2011-Q3", 0.8)
    making.entry(made, 2011, 7, numerator=18, denominator=25)
    making.entry(made, 2011, 8, numerator=2, denominator=10)
    assert one(as_of=date(2011, 8, 31)).figure == pytest.approx(20 / 35)


def test_a_promised_day_that_is_missing_makes_the_total_unknown():
    making.source(date(2011, 12, 9), spec={"rows": "daily"})
    made = making.metric("orders")
    making.days(made, JULY, [10.0, 10.0, 10.0])
    making.Value.objects.filter(period_start=date(2011, 7, 2)).update(value=None)
    making.target(made, "2011-Q3", 920)
    found = one(as_of=date(2011, 7, 3))
    assert found.figure is None
    assert "2 Jul" in found.reason
    assert one(as_of=date(2011, 7, 1)).figure == 10


def test_known_at_reads_what_was_recorded_then():
    made = orders(per_day=50)
    then = datetime(2011, 12, 10, tzinfo=UTC)
    row = making.Value.objects.get(metric=made, period_start=date(2011, 7, 5))
    Revision.objects.create(
        metric=made,
        grain="day",
        period_start=row.period_start,
        period_end=row.period_end,
        value=20,
        status="final",
        version=1,
        computed_at=making.COMPUTED,
        replaced_at=datetime(2011, 12, 20, tzinfo=UTC),
        cause="late_data",
    )
    making.Value.objects.filter(pk=row.pk).update(value=50, computed_at=datetime(2011, 12, 20, tzinfo=UTC))
    made.targets.update(value=9000)
    now = one(as_of=date(2011, 7, 31))
    assert now.figure == 31 * 50
    # the definitions were recorded today, so at that time there was neither a watermark nor a target
    past = one(as_of=date(2011, 7, 31), known_at=then)
    assert (past.figure, past.target) == (None, None)


def test_targets_as_recorded_before_a_change(transactional_db):
    made = orders()
    before = timezone.now()
    made.targets.update(value=9000)
    assert one(as_of=date(2011, 7, 31)).target == 9000
    assert one(as_of=date(2011, 7, 31), known_at=before).target == 4500
    made.targets.all().delete()
    assert one(as_of=date(2011, 7, 31), known_at=before).target == 4500
    assert one(as_of=date(2011, 7, 31)).target is None


def test_who_answers_is_the_owner_of_that_time():
    orders()
    making.owner("orders", "maya", date(2011, 1, 1))
    making.owner("orders", "noor", date(2011, 8, 15))
    assert one(as_of=date(2011, 7, 31)).metric.owner.key == "maya"
    assert one(as_of=date(2011, 9, 30)).metric.owner.key == "noor"
    assert progress(None, "2011-Q3", as_of=date(2011, 9, 30), leader="maya") == []


def test_statements_do_not_grow_with_the_number_of_metrics():
    orders()

    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            progress(None, "2011-Q3", as_of=date(2011, 8, 14))
        return len(seen)

    first = count()
    for n in range(6):
        made = making.metric(f"more_{n}")
        making.days(made, JULY, [5.0] * 40)
        making.target(made, "2011-Q3", 400)
        making.owner(made.key, "maya", date(2011, 1, 1))
    assert count() == first


def test_the_command_prints_the_contract_and_refuses_what_it_cannot_mean():
    orders(per_day=1350 / 31)
    out = StringIO()
    call_command("progress", "2011-Q3", "--as-of", "2011-07-31", "--format", "json", stdout=out)
    (row,) = json.loads(out.getvalue())
    assert row["metric"] == "orders"
    assert row["target"] == 4500
    assert row["pace"] == pytest.approx(1.0)
    assert row["pace_status"] == "on_track"
    assert (row["forecast"], row["probability"]) == (None, None)
    for bad in (["2011-Q5"], ["2011"], ["2011-Q3", "--leader", "nobody"]):
        with pytest.raises(CommandError) as refused:
            call_command("progress", *bad)
        assert refused.value.returncode == 2
