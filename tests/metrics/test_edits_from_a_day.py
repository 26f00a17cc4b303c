"""Through the commands: an edit from a day on leaves the figures before it as they were, and only those."""

from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from django.core.management import call_command

from metrics.models import Revision, Value

pytestmark = pytest.mark.django_db(transaction=True)
MARCH = date(2026, 3, 1)


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=out)
    return out.getvalue()


class House:
    """One visit a day from January to March 2026, of 2 points each."""

    def __init__(self, folder: Path) -> None:
        self.path, self.file = folder / "house.duckdb", folder / "definitions.yaml"
        with duckdb.connect(str(self.path)) as db:
            db.execute("CREATE TABLE visits (happened TIMESTAMP, points DOUBLE)")
        self.load(datetime(2026, 1, 1, 12), 90)

    def load(self, at: datetime, days: int = 1) -> None:
        with duckdb.connect(str(self.path)) as db:
            rows = [[at + timedelta(days=n), 2.0] for n in range(days)]
            db.executemany("INSERT INTO visits VALUES (?, ?)", rows)

    def apply(
        self,
        points: str = "points",
        each: str = "points / visits",
        lateness: int = 0,
        since: date = MARCH,
    ) -> None:
        day = "" if (points, each) == ("points", "points / visits") else f", effective: {since}"
        late = f", lateness: {lateness} days" if lateness else ""
        effective = {"points": day if points != "points" else "", "each": day}
        self.file.write_text(f"""
warehouses: {{house: {{engine: duckdb, path: {self.path}}}}}
sources: {{visits: {{warehouse: house, table: visits, time: happened{late}}}}}
metrics:
  visits: {{name: Visits, type: simple, measure: {{source: visits, agg: count}}}}
  points:
    {{name: Points, type: simple, measure: {{source: visits, agg: sum, expr: {points}}}{effective["points"]}}}
  each: {{name: Each, type: derived, unit: ratio, formula: {each}{effective["each"]}}}
""")
        run("apply", str(self.file))


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    made.apply()
    run("recompute")
    return made


def months(key: str) -> list[tuple[float | None, int, str]]:
    rows = Value.objects.filter(metric__key=key, grain="month").order_by("period_start")
    return list(rows.values_list("value", "version", "status"))


@pytest.mark.parametrize("first", [(), ("visits",)])
def test_a_formula_from_a_day_on(house: House, first: tuple[str, ...]) -> None:
    """Also where figures of an operand are computed before the edit's own run is."""
    house.apply(each="10 * points / visits")
    for key in first:
        run("recompute", key)
    run("recompute")
    assert months("each") == [(2.0, 1, "final"), (2.0, 1, "final"), (20.0, 2, "provisional")]


def test_what_follows_from_an_edit_from_a_day_on(house: House) -> None:
    house.apply(points="points * 3")
    run("recompute")
    assert months("points") == [(62.0, 1, "final"), (56.0, 1, "final"), (186.0, 2, "provisional")]
    assert months("each") == [(2.0, 1, "final"), (2.0, 1, "final"), (6.0, 2, "provisional")]
    assert not Revision.objects.filter(metric__key="each", period_end__lte=MARCH).exists()


def test_late_rows_before_the_day_leave_what_was_said(house: House) -> None:
    house.apply(each="10 * points / visits")
    run("recompute")
    with duckdb.connect(str(house.path)) as db:
        db.execute("UPDATE visits SET points = 5 WHERE happened < '2026-02-01'")
    run("recompute", "--from", "2026-01-01")
    assert months("points")[0] == (155.0, 1, "final")
    assert months("each")[0] == (2.0, 1, "final")


def test_final_and_provisional_follow_the_clock_before_the_day_too(house: House) -> None:
    house.apply(points="points * 3")
    run("recompute")
    assert [m[2] for m in months("points")] == ["final", "final", "provisional"]
    house.apply(points="points * 3", lateness=40)  # the newest row is of 31 March: final before 19 February
    run("recompute")
    for key in ("visits", "points", "each"):
        assert [m[2] for m in months(key)] == ["final", "provisional", "provisional"], key
    assert [m[:2] for m in months("points")] == [(62.0, 1), (56.0, 1), (186.0, 2)]
    house.apply(points="points * 3")
    run("recompute")
    for key in ("visits", "points", "each"):
        assert [m[2] for m in months(key)] == ["final", "final", "provisional"], key


@pytest.mark.parametrize("after", [(), ("--from", "2026-03-05"), ("late",)])
def test_a_day_inside_a_month_leaves_what_ended_before_it(house: House, after: tuple[str, ...]) -> None:
    """Tripled from Wednesday 11 March on: days and weeks that ended before it stay, whatever is asked again.
    The week and the month that hold the day are told by the new definition."""
    house.apply(points="points * 3", since=date(2026, 3, 11), lateness=30 if after == ("late",) else 0)
    run("recompute")
    house.load(datetime(2026, 4, 1, 12))
    run("recompute", *(after if after != ("late",) else ()))
    for key in ("points", "each"):
        days = Value.objects.filter(metric__key=key, grain="day").values_list(
            "period_start", "value", "version"
        )
        said = {day: (value, version) for day, value, version in days}
        assert {said[date(2026, 3, n)] for n in range(1, 11)} == {(2.0, 1)}
        assert {said[date(2026, 3, n)] for n in range(11, 32)} == {(6.0, 2)}
    weeks = Value.objects.filter(metric__key="points", grain="week", period_start__gte=date(2026, 3, 2))
    told = weeks.order_by("period_start").values_list("value", "version")
    assert list(told)[:3] == [(14.0, 1), (42.0, 2), (42.0, 2)]
    assert [m[:2] for m in months("points")][1:3] == [(56.0, 1), (186.0, 2)]
