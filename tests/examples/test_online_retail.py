"""The example on real data: every figure against a count in plain Python, and against the published ones."""

import csv
import io
import json
import math
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from metrics.models import Metric, Source, Value
from tests.examples import retail_oracle as oracle
from tests.examples.loading import EXAMPLES, installation, run
from tests.shared import cases, data

# Also tells pytest-django that the session needs its database.
pytestmark = pytest.mark.django_db

PARQUET = data("online_retail.parquet")
REFERENCE = cases("online_retail_reference")
DEFINITIONS = EXAMPLES / "online_retail" / "definitions.yaml"
METRICS = (
    "orders",
    "revenue",
    "average_order_value",
    "active_customers",
    "orders_per_customer",
    "new_customers",
    "cancelled_share",
)
ZERO_FILLED = {"orders", "revenue", "active_customers", "new_customers"}
SATURDAYS = [
    oracle.FIRST_DAY + timedelta(days=n)
    for n in range((oracle.LAST_DAY - oracle.FIRST_DAY).days)
    if (oracle.FIRST_DAY + timedelta(days=n)).weekday() == 5
]


@pytest.fixture(scope="module")
def rows() -> list[oracle.Row]:
    return oracle.rows_of(PARQUET)


@pytest.fixture(scope="module", autouse=True)
def loaded(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with installation(django_db_blocker, ONLINE_RETAIL=str(PARQUET)):
        run("apply", str(DEFINITIONS))
        run("recompute")
        yield


def stored(metric: str, grain: str, *, by_country: bool = False) -> dict[tuple[date, str], Value]:
    values = Value.objects.filter(metric__key=metric, grain=grain, dimension="country" if by_country else "")
    return {(value.period_start, value.member): value for value in values}


def same(ours: float | None, theirs: float | None) -> bool:
    """Exactly equal for counts and shares of counts; sums of money to 1e-9, since floats add in any order."""
    if ours is None or theirs is None:
        return ours is theirs
    return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=0.0)


@pytest.mark.parametrize("by_country", [False, True], ids=["whole", "by country"])
@pytest.mark.parametrize("grain", list(oracle.STARTS))
def test_every_figure_of_every_period(rows: list[oracle.Row], grain: str, by_country: bool) -> None:
    cells = oracle.count(rows, oracle.STARTS[grain], by_country=by_country)
    expected = {key: cell.figures() for key, cell in cells.items()}
    nothing = oracle.Cell().figures()
    for metric in METRICS:
        ours = stored(metric, grain, by_country=by_country)
        wrong = {
            key: (value.value, expected.get(key, nothing)[metric])
            for key, value in ours.items()
            if not same(value.value, expected.get(key, nothing)[metric])
        }
        assert not wrong, (metric, wrong)
        missing = {key for key, figures in expected.items() if figures[metric] and key not in ours}
        assert not missing, (metric, missing)


def test_months_are_the_published_ones() -> None:
    keys = {
        "orders": "orders",
        "customers": "active_customers",
        "revenue": "revenue",
        "aov": "average_order_value",
        "frequency": "orders_per_customer",
        "new_customers": "new_customers",
    }
    digits = {"revenue": 2, "aov": 4, "frequency": 6}
    ours = {name: stored(metric, "month") for name, metric in keys.items()}
    for published in REFERENCE["monthly"]:
        start = date.fromisoformat(f"{published['month']}-01")
        for name in keys:
            value = ours[name][start, ""].value
            assert value is not None
            assert round(value, digits.get(name, 0)) == published[name], (name, start)


def test_numerator_and_denominator_are_kept() -> None:
    revenue, orders = stored("revenue", "month"), stored("orders", "month")
    means = stored("average_order_value", "month")
    assert len(means) == 13  # December 2010 to December 2011
    for (start, _), value in means.items():
        assert value.numerator == pytest.approx(revenue[start, ""].value, rel=1e-12)
        assert value.denominator == orders[start, ""].value
        assert value.value == value.numerator / value.denominator


def test_saturdays_are_zero_and_nothing_lies_after_the_data() -> None:
    source = Source.objects.get()
    assert source.watermark == oracle.LAST_DAY
    assert source.first_day == oracle.FIRST_DAY
    for metric in METRICS:
        days = stored(metric, "day")
        for saturday in SATURDAYS:
            value = days.get((saturday, ""))
            if metric in ZERO_FILLED:
                assert value is not None, (metric, saturday)
                assert value.value == 0, (metric, saturday)
            else:
                assert value is None or value.value is None
        assert max(start for start, _ in days) <= oracle.LAST_DAY
        assert min(start for start, _ in days) == oracle.FIRST_DAY
        for grain, start_of in oracle.STARTS.items():
            assert max(start for start, _ in stored(metric, grain)) <= start_of(oracle.LAST_DAY), metric


def test_only_periods_before_the_watermark_are_final() -> None:
    values = Value.objects.exclude(grain__endswith="_to_date")
    assert not values.filter(period_end__lte=oracle.LAST_DAY).exclude(status="final").exists()
    assert not values.filter(period_end__gt=oracle.LAST_DAY, status="final").exists()
    december = stored("orders", "month")[date(2011, 12, 1), ""]
    assert (december.value, december.status) == (778, "provisional")


@pytest.mark.parametrize("grain", ["month", "quarter", "year"])
def test_distinct_customers_to_date_every_day(rows: list[oracle.Row], grain: str) -> None:
    expected = oracle.customers_to_date(rows, oracle.STARTS[grain])
    values = Value.objects.filter(metric__key="active_customers", grain=f"{grain}_to_date", dimension="")
    ours = {value.period_end - timedelta(days=1): value.value for value in values}
    assert set(ours) <= set(expected)
    assert set(expected) - set(ours) <= {oracle.LAST_DAY}
    assert {day: count for day, count in ours.items() if count != expected[day]} == {}


def test_distinct_customers_are_not_added_up() -> None:
    months = stored("active_customers", "month")
    quarter = stored("active_customers", "quarter")[date(2011, 7, 1), ""].value
    parts = [months[date(2011, n, 1), ""].value for n in (7, 8, 9)]
    assert quarter == 2161
    assert sum(part or 0 for part in parts) == 3150


def test_values_prints_what_is_stored() -> None:
    text = run("values", "orders", "--grain", "month", "--format", "csv")
    printed = {row["period_start"]: float(row["value"]) for row in csv.DictReader(io.StringIO(text))}
    assert printed == {f"{start}": value.value for (start, _), value in stored("orders", "month").items()}


def progress(as_of: str, quarter: str = "2011-Q3") -> dict[str, dict[str, Any]]:
    printed = json.loads(run("progress", quarter, "--as-of", as_of, "--format", "json"))
    return {line["metric"]: line for line in printed}


def test_progress_of_the_third_quarter() -> None:
    end = progress("2011-09-30")
    assert set(METRICS) <= set(end)
    orders = end["orders"]
    assert orders["target"] == 4500
    assert orders["pace"] == pytest.approx(4366 / 4500)
    assert orders["gap"] == pytest.approx(-134)
    assert orders["pace_status"] == "on_track"
    value = end["average_order_value"]
    assert value["gap"] == pytest.approx(
        stored("average_order_value", "month")[date(2011, 9, 1), ""].value - 520
    )
    assert end["active_customers"]["pace_status"] == "on_track"
    assert end["new_customers"]["pace"] == pytest.approx((188 + 169 + 299) / 690)
    august = progress("2011-08-15")["orders"]
    through = sum(
        value.value or 0
        for (start, _), value in stored("orders", "day").items()
        if date(2011, 7, 1) <= start <= date(2011, 8, 15)
    )
    planned = 1350 + 1400 * 15 / 31
    assert august["pace"] == pytest.approx(through / planned)


def test_the_leader_of_the_quarter_answers_for_it() -> None:
    printed = json.loads(
        run("progress", "2011-Q3", "--leader", "ben", "--as-of", "2011-09-30", "--format", "json")
    )
    assert {line["metric"] for line in printed} == {
        "active_customers",
        "orders_per_customer",
        "new_customers",
    }


def test_the_fourth_quarter_stops_where_the_data_stops() -> None:
    orders = progress("2011-12-31", "2011-Q4")["orders"]
    counted = (
        1929
        + 2657
        + sum(
            value.value or 0
            for (start, _), value in stored("orders", "day").items()
            if date(2011, 12, 1) <= start <= date(2011, 12, 8)
        )
    )
    target = 4366 * 1.1
    assert orders["target"] == pytest.approx(target)
    assert orders["pace"] == pytest.approx(counted / (target * 69 / 92), rel=0.02)


def test_exactly_on_plan_at_the_end_of_july_is_pace_one(tmp_path: Path) -> None:
    july = stored("orders", "month")[date(2011, 7, 1), ""].value
    assert july == 1331
    text = DEFINITIONS.read_text()
    benchmarks = "{2011-07: 1350, 2011-08: 1400, 2011-09: 1750}"
    assert benchmarks in text
    changed = tmp_path / "definitions.yaml"
    changed.write_text(text.replace(benchmarks, "{2011-07: 1331, 2011-08: 1400, 2011-09: 1769}"))
    run("apply", str(changed))
    assert progress("2011-07-31")["orders"]["pace"] == 1.0
    run("apply", str(DEFINITIONS))


def test_a_second_recompute_changes_nothing() -> None:
    before = list(Value.objects.order_by("pk").values_list("pk", "value", "version", "computed_at"))
    assert before
    run("apply", str(DEFINITIONS))
    run("recompute")
    assert list(Value.objects.order_by("pk").values_list("pk", "value", "version", "computed_at")) == before
    assert Metric.objects.filter(version__gt=1).count() == 0
