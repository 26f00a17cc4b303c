"""The tenant-support example: apply, import and recompute against a plain-Python count of its CSV files."""

import csv
import json
import runpy
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from metrics.models import Entry, Installation, Source, Value
from tests.examples.loading import EXAMPLES, installation, run
from tests.examples.retail_oracle import STARTS

# Also tells pytest-django that the session needs its database.
pytestmark = pytest.mark.django_db

FOLDER = EXAMPLES / "community"
WINDOW = timedelta(days=45)
WATERMARK = date(2025, 10, 6)


def fiscal_year(day: date) -> date:
    return date(day.year - (day.month < 4), 4, 1)


# Calendar quarters and those of a year that begins in April are the same months.
PERIODS = {**STARTS, "year": fiscal_year}


@pytest.fixture(scope="module")
def activity() -> list[dict[str, Any]]:
    with (FOLDER / "activity.csv").open() as file:
        return [{**row, "day": date.fromisoformat(row["happened_on"])} for row in csv.DictReader(file)]


@pytest.fixture(scope="module", autouse=True)
def loaded(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with installation(django_db_blocker):
        run("apply", str(FOLDER / "definitions.yaml"))
        run("import", str(FOLDER / "entries.csv"))
        run("recompute")
        yield


def stored(metric: str, grain: str, dimension: str = "") -> dict[tuple[date, str], Value]:
    values = Value.objects.filter(metric__key=metric, grain=grain, dimension=dimension)
    return {(value.period_start, value.member): value for value in values}


def helped(
    activity: list[dict[str, Any]], start: Any, *, by: bool
) -> dict[tuple[date, str], tuple[int, int]]:
    """(period of the 45th day's end, district or "") -> households helped in time, households due."""
    fulfilled: dict[str, list[date]] = defaultdict(list)
    for row in activity:
        if row["event"] == "fulfilled":
            fulfilled[row["household"]].append(row["day"])
    counts: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in activity:
        closes = row["day"] + WINDOW
        if row["event"] == "onboarded" and closes <= WATERMARK:
            count = counts[start(closes), row["district"] if by else ""]
            count[0] += any(row["day"] <= day < closes for day in fulfilled[row["household"]])
            count[1] += 1
    return {key: (done, due) for key, (done, due) in counts.items()}


@pytest.mark.parametrize("by", [False, True], ids=["whole", "by district"])
@pytest.mark.parametrize("grain", list(PERIODS))
def test_helped_within_45_days(activity: list[dict[str, Any]], grain: str, by: bool) -> None:
    expected = helped(activity, PERIODS[grain], by=by)
    ours = stored("helped_in_time", grain, "district" if by else "")
    assert {key for key, value in ours.items() if value.denominator} == set(expected)
    for key, (done, due) in expected.items():
        assert (ours[key].numerator, ours[key].denominator) == (done, due), key
        assert ours[key].value == done / due


def test_nobody_is_counted_before_there_was_time(activity: list[dict[str, Any]]) -> None:
    [september] = [
        value for (start, _), value in stored("helped_in_time", "month").items() if start == date(2025, 9, 1)
    ]
    assert september.status == "final"
    waiting = sum(row["event"] == "onboarded" and row["day"] + WINDOW > WATERMARK for row in activity)
    counted = sum(value.denominator or 0 for value in stored("helped_in_time", "year").values())
    everybody = sum(row["event"] == "onboarded" for row in activity)
    assert waiting > 50
    assert counted == everybody - waiting


@pytest.mark.parametrize("grain", list(PERIODS))
def test_counts_and_median(activity: list[dict[str, Any]], grain: str) -> None:
    start = PERIODS[grain]
    for metric, event in (("onboarded", "onboarded"), ("requests_fulfilled", "fulfilled")):
        for dimension in ("", "district"):
            expected = Counter(
                (start(row["day"]), row["district"] if dimension else "")
                for row in activity
                if row["event"] == event
            )
            ours = {
                key: value.value for key, value in stored(metric, grain, dimension).items() if value.value
            }
            assert ours == dict(expected), (metric, dimension)
    days: dict[date, list[int]] = defaultdict(list)
    for row in activity:
        if row["event"] == "fulfilled":
            days[start(row["day"])].append(int(row["days_open"]))
    medians = {period: statistics.median(each) for period, each in days.items()}
    ours = {
        period: value.value
        for (period, _), value in stored("days_to_fulfil", grain).items()
        if value.value is not None
    }
    assert ours == medians


def test_a_share_by_hand_rolls_up_as_sums_and_a_level_as_the_last() -> None:
    with (FOLDER / "entries.csv").open() as file:
        rows = [{**row, "start": date.fromisoformat(row["period_start"])} for row in csv.DictReader(file)]
    assert Entry.objects.count() == len(rows)
    sums: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    lasts: dict[date, float] = {}
    for row in rows:
        if row["metric"] == "success_plans":
            total = sums[STARTS["quarter"](row["start"])]
            total[0] += int(row["numerator"])
            total[1] += int(row["denominator"])
        else:
            lasts[STARTS["quarter"](row["start"])] = float(row["value"])
    plans = stored("success_plans", "quarter")
    assert {start: (value.numerator, value.denominator) for (start, _), value in plans.items()} == {
        start: (done, due) for start, (done, due) in sums.items()
    }
    assert plans[date(2025, 7, 1), ""].value == pytest.approx((15 + 16 + 18) / (21 + 22 + 24))
    scores = {start: value.value for (start, _), value in stored("nps", "quarter").items()}
    assert scores == lasts


def test_importing_again_changes_nothing() -> None:
    before = list(Entry.objects.order_by("pk").values_list())
    run("import", str(FOLDER / "entries.csv"))
    assert list(Entry.objects.order_by("pk").values_list()) == before


def test_the_watermark_is_what_the_loads_say() -> None:
    assert Source.objects.get().watermark == WATERMARK
    assert max(start for start, _ in stored("onboarded", "day")) < WATERMARK


def test_the_second_quarter_of_the_fiscal_year() -> None:
    assert Installation.objects.get().fiscal_year_start == 4
    printed = json.loads(run("progress", "2026-Q2", "--as-of", "2025-09-30", "--format", "json"))
    lines = {line["metric"]: line for line in printed}
    september = stored("helped_in_time", "month")[date(2025, 9, 1), ""].value
    assert september is not None
    assert lines["helped_in_time"]["gap"] == pytest.approx(september - 0.83)
    assert lines["helped_in_time"]["pace_status"] == "off_track"
    assert lines["success_plans"]["pace_status"] == "on_track"
    assert lines["requests_fulfilled"]["pace"] == pytest.approx(241 / 240)


def test_the_files_are_what_the_generator_writes(tmp_path: Path) -> None:
    script = tmp_path / "generate.py"
    script.write_text((FOLDER / "generate.py").read_text())
    runpy.run_path(str(script), run_name="__main__")
    for name in ("activity.csv", "loads.csv", "entries.csv"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name
    assert (FOLDER / "activity.csv").stat().st_size < 200_000
