"""Through the commands: what differs between sources, calendars and reaches ends as a fresh installation."""

from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from django.core.management import call_command

from metrics.models import Metric, Revision, Run, Source, Value

DAY = timedelta(days=1)
FIRST = date(2025, 3, 1)
FILE = """
calendar: {{timezone: UTC, week_start: {week}, fiscal_year_start: {fiscal}}}
warehouses:
  shop: {{engine: duckdb, path: {path}}}
sources:
  visits: {{warehouse: shop, table: visits, time: happened, entity: who,
    loaded_to: "select max(visits_to) from loads"}}
  buys: {{warehouse: shop, table: buys, time: happened, entity: who,
    loaded_to: "select max(buys_to) from loads"}}
metrics:
  visits: {{name: Visits, role: supporting, unit: count, better: up, type: simple,
    measure: {{source: visits, agg: count}}}}
  people: {{name: People, role: supporting, unit: count, better: up, type: simple,
    measure: {{source: visits, agg: count_distinct, expr: who}}}}
  each: {{name: Each, role: supporting, unit: ratio, better: up, type: ratio,
    numerator: visits, denominator: people}}
  bought: {{name: Bought, role: supporting, unit: percent, better: up, type: conversion,
    base: {{source: visits, agg: count}}, conversion: {{source: buys, agg: count}}, within: 5 days}}
"""
KEPT = (
    "metric__key", "grain", "period_start", "period_end", "value", "numerator", "denominator", "immature",
    "status",
)  # fmt: skip

pytestmark = pytest.mark.django_db(transaction=True)


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=out)
    return out.getvalue()


class House:
    """90 days of one visit a day, each followed by a purchase after two days."""

    def __init__(self, folder: Path) -> None:
        self.path, self.file = folder / "shop.duckdb", folder / "definitions.yaml"
        with duckdb.connect(str(self.path)) as db:
            db.execute("CREATE TABLE visits (happened TIMESTAMP, who VARCHAR)")
            db.execute("CREATE TABLE buys (happened TIMESTAMP, who VARCHAR)")
            db.execute("CREATE TABLE loads (visits_to DATE, buys_to DATE)")

    def load(self, visits: range, buys: range, visits_to: date, buys_to: date) -> None:
        with duckdb.connect(str(self.path)) as db:
            for table, days in (("visits", visits), ("buys", buys)):
                for n in days:
                    at = datetime(2025, 3, 1, 12) + timedelta(days=n)
                    visitor = n if table == "visits" else n - 2
                    db.execute(f"INSERT INTO {table} VALUES (?, ?)", [at, f"c{visitor}"])
            db.execute("INSERT INTO loads VALUES (?, ?)", [visits_to, buys_to])

    def apply(self, week: str = "monday", fiscal: int = 1) -> None:
        self.file.write_text(FILE.format(week=week, fiscal=fiscal, path=self.path))
        run("apply", str(self.file))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def figures() -> list[tuple]:
    return sorted(Value.objects.values_list(*KEPT), key=repr)


def forget() -> None:
    for model in (Value, Revision, Run):
        model.objects.all().delete()
    Source.objects.update(first_day=None, watermark=None, changed_to=None, top={})


def bought(day: date) -> tuple[float | None, int | None, str]:
    found = Value.objects.get(metric__key="bought", grain="day", period_start=day)
    return found.value, found.immature, found.status


def test_a_window_has_not_passed_before_the_other_source_has_reached_its_end(house: House) -> None:
    end = FIRST + 60 * DAY
    house.load(range(60), range(40), end, FIRST + 40 * DAY)
    house.apply()
    run("recompute")
    # loaded to the 40th day: the visit of noon of day 34 has its five days behind it, that of day 35 has not
    assert bought(FIRST + 34 * DAY) == (1.0, 0, "final")
    assert bought(FIRST + 35 * DAY) == (None, 1, "provisional")
    assert bought(FIRST + 50 * DAY) == (None, 1, "provisional")
    # what was open is asked for again when the other source has caught up, although this one stands still
    house.load(range(0), range(40, 60), end, end)
    run("recompute")
    assert bought(FIRST + 50 * DAY) == (1.0, 0, "final")
    stepwise = figures()
    forget()
    run("recompute")
    assert figures() == stepwise


def test_a_source_that_only_conversions_lead_into_says_how_far_it_is(house: House) -> None:
    house.load(range(30), range(30), FIRST + 30 * DAY, FIRST + 30 * DAY)
    house.apply()
    run("recompute", "bought")
    assert Source.objects.get(key="buys").watermark == FIRST + 30 * DAY
    assert bought(FIRST + 10 * DAY) == (1.0, 0, "final")


@pytest.mark.parametrize(("week", "fiscal"), [("sunday", 1), ("monday", 7), ("wednesday", 6)])
def test_no_period_of_a_former_calendar_stays(house: House, week: str, fiscal: int) -> None:
    house.load(range(90), range(90), FIRST + 90 * DAY, FIRST + 90 * DAY)
    house.apply()
    run("recompute")
    mondays = set(Value.objects.filter(grain="week").values_list("period_start", flat=True))
    assert {day.weekday() for day in mondays} == {0}
    house.apply(week, fiscal)
    run("recompute")
    opens = {"sunday": 6, "monday": 0, "wednesday": 2}[week]
    weeks = Value.objects.filter(grain="week").values_list("period_start", flat=True)
    assert {day.weekday() for day in weeks} == {opens}
    years = Value.objects.filter(grain="year").values_list("period_start", flat=True)
    assert {day.month for day in years} == {fiscal}
    edited = figures()
    visits = Metric.objects.get(key="visits")
    assert Revision.objects.filter(metric=visits, cause="definition").exists()  # what was known is kept
    forget()
    run("recompute")
    assert figures() == edited


def test_a_day_without_rows_has_the_median_to_date_of_the_day_before(house: House) -> None:
    """An incremental run that begins on such a day knows the days before it."""
    house.load(range(10, 41), range(1), FIRST + 45 * DAY, FIRST + 45 * DAY)
    text = FILE.format(week="monday", fiscal=1, path=house.path)
    text += (
        "  median: {name: Median, role: supporting, unit: score, better: up, type: simple,\n"
        "    measure: {source: visits, agg: median, expr: 'extract(day from happened)'}}\n"
    )
    house.file.write_text(text)
    run("apply", str(house.file))
    run("recompute")
    house.load(range(0), range(0), FIRST + 47 * DAY, FIRST + 47 * DAY)
    run("recompute")
    days = Value.objects.filter(metric__key="median", period_start=date(2025, 4, 1))
    known = dict(days.filter(grain="month_to_date").values_list("period_end", "value"))
    last = FIRST + 41 * DAY  # the end of the last day with a visit, 10 April
    assert last == date(2025, 4, 11)
    assert {known[last + n * DAY] for n in range(7)} == {5.5}
