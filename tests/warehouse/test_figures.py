"""Every type of figure, on both engines, against the oracle in plain Python."""

import math
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calc.calendar import PERIODS, TO_DATE, Calendar
from tests.warehouse import oracle
from tests.warehouse.stores import opened
from warehouse.compute import compute
from warehouse.definitions import Atom, Conversion, Figure, Measure, Request, SourceDef, Within

SOURCE = SourceDef(
    "events", "store", "at", table="events", entity="who",
    dimensions={"country": "country", "kind": "coalesce(kind, 'none')"},
)  # fmt: skip


def m(agg: str, expr: str = "", where: str = "", **more: object) -> Measure:
    return Measure("events", agg, expr, where, **more)


BOTH = ("country", "kind")
VISITS, BUYS = m("count", where="kind = 'visit'"), m("count", where="kind = 'buy'")
ATOMS = (
    Atom("count", m("count"), by=BOTH),
    Atom("count_known", m("count", "amount"), by=BOTH),
    Atom("count_where", m("count", where="not (kind = 'visit')"), by=BOTH),
    Atom("count_null_fill", m("count", fill="null")),
    Atom("sum", m("sum", "amount"), by=BOTH),
    Atom("sum_where", m("sum", "amount * 2", "kind = 'visit' and amount > 5"), by=("country",)),
    Atom("sum_guarded", m("sum", "amount / points", "points <> 0")),
    Atom("sum_boolean", m("sum_boolean", "ok and amount > 5", "kind = 'visit'"), by=("kind",)),
    Atom("avg", m("avg", "amount"), by=BOTH),
    Atom("avg_zero", m("avg", "amount", "kind = 'buy'", fill="zero")),
    Atom("min", m("min", "amount"), by=("country",)),
    Atom("max", m("max", "points", "ok"), by=("country",)),
    Atom("median", m("median", "amount"), by=BOTH),
    Atom("p95", m("p95", "amount", "kind = 'visit'")),
    Atom("p75", m("p75", "amount", "kind = 'visit'")),
    Atom("first", m("first", "amount"), by=("country",)),
    Atom("last", m("last", "points", "ok"), by=("country",)),
    Atom("distinct", m("count_distinct", "who"), by=BOTH),
    Atom("distinct_where", m("count_distinct", "who", "kind = 'visit' and amount > 5"), by=("country",)),
    Atom("distinct_items", m("count_distinct", "item", "ok")),
    Atom("new", m("count_new", "who"), by=BOTH),
    Atom("new_buyers", m("count_new", "who", "kind = 'buy'"), by=("country",)),
    Atom("ratio", m("sum", "amount", "ok"), m("count", where="ok"), by=BOTH),
    Atom("per_person", m("sum", "amount"), m("count_distinct", "who"), by=("country",)),
    Atom("median_per_person", m("median", "amount"), m("count_distinct", "who")),
    Atom("new_share", m("count_new", "who"), m("count_distinct", "who")),
    Atom("last_per_max", m("last", "points", "ok"), m("p90", "amount")),
    Atom("rate", conversion=Conversion(VISITS, BUYS, Within(days=3)), by=BOTH),
    Atom("rate_due", conversion=Conversion(VISITS, BUYS, Within(days=5), period_by="due"), by=("country",)),
    Atom("rate_month", conversion=Conversion(VISITS, BUYS, Within(months=1), calculation="count")),
    Atom("rate_match", conversion=Conversion(VISITS, BUYS, Within(days=7), match=("item",))),
    Atom("rate_new", conversion=Conversion(m("count_new", "who"), BUYS, Within(days=7))),
)  # fmt: skip


def row_of(seed: random.Random, at: object) -> oracle.Row:
    return {
        "at": at,
        "who": seed.choice([None, "ann", "bob", "cem", "dora", "eve"]),
        "kind": seed.choice([None, "visit", "visit", "buy"]),
        # Quarters add up exactly, so that the order of adding cannot matter.
        "amount": seed.choice([None, *(n / 4 for n in range(-8, 60))]),
        "points": seed.choice([None, 0, 1, 2, 4]),
        "item": seed.choice(["pen", "cup"]),
        "ok": seed.choice([None, True, False]),
        "country": seed.choice([None, "FR", "GB", "it's", "DE"]),
    }


def random_rows(
    seed: int, count: int, kind: str, start: date = date(2024, 2, 20), days: int = 45
) -> list[oracle.Row]:
    seeded = random.Random(seed)
    rows = []
    for _ in range(count):
        # Few distinct instants, so that ties happen.
        at: object = datetime(start.year, start.month, start.day) + timedelta(
            minutes=30 * seeded.randrange(days * 48)
        )
        if kind == "date":
            at = at.date()  # type: ignore[attr-defined]
        elif kind == "timestamptz":
            at = at.replace(tzinfo=UTC)  # type: ignore[attr-defined]
        rows.append(row_of(seeded, at))
    return rows


def request_for(
    rows: list[oracle.Row],
    calendar: Calendar,
    *,
    atoms: tuple[Atom, ...] = ATOMS,
    watermark: date = date(2024, 3, 28),
    timezone: str = "UTC",
    **more: object,
) -> Request:
    source = SourceDef(**{**SOURCE.__dict__, "timezone": timezone})
    start, end = date(2024, 2, 18), date(2024, 4, 7)  # the planner widens it to whole weeks, months and years
    request = Request(
        source, atoms, calendar, start, end, (*PERIODS, *TO_DATE), None, watermark, **more
    )  # fmt: skip
    days = [oracle.local_day(row, request) for row in rows]
    return Request(**{**request.__dict__, "first_day": min(days) if days else None})


def as_dict(figures: list[Figure]) -> dict[tuple, tuple]:
    found: dict[tuple, tuple] = {}
    for f in figures:
        key = (f.key, f.grain, f.start, f.end, f.dimension, f.member)
        assert key not in found, f"twice: {key}"
        found[key] = (f.value, f.numerator, f.denominator, f.immature)
    return found


def assert_same(ours: dict[tuple, tuple], theirs: dict[tuple, tuple]) -> None:
    assert sorted(ours.keys() - theirs.keys())[:5] == []
    assert sorted(theirs.keys() - ours.keys())[:5] == []
    for key, expected in theirs.items():
        for mine, true in zip(ours[key], expected, strict=True):
            if true is None or mine is None:
                assert mine is None and true is None, (key, ours[key], expected)
            else:
                assert math.isclose(mine, true, rel_tol=1e-12, abs_tol=1e-12), (key, ours[key], expected)


@pytest.mark.parametrize(
    ("kind", "timezone", "calendar"),
    [
        ("timestamp", "UTC", Calendar("UTC")),
        ("timestamp", "UTC", Calendar("Europe/London", week_start=6, fiscal_year_start=2)),
        ("timestamp", "America/New_York", Calendar("Australia/Lord_Howe", fiscal_year_start=7)),
        ("timestamptz", "UTC", Calendar("America/Los_Angeles", week_start=2, fiscal_year_start=11)),
        ("timestamptz", "Europe/Paris", Calendar("Asia/Kathmandu")),
        ("date", "UTC", Calendar("Europe/London")),
    ],
)
def test_every_type_agrees_with_the_oracle(
    engine: str, kind: str, timezone: str, calendar: Calendar, tmp_path: Path
) -> None:
    rows = random_rows(7, 400, kind)
    request = request_for(rows, calendar, timezone=timezone)
    with opened(engine, tmp_path, events=rows) as warehouse:
        ours = as_dict(list(compute(warehouse, request)))
    assert_same(ours, oracle.figures(rows, request))


def test_members_beyond_the_top_are_one_other_where_they_add_up(engine: str, tmp_path: Path) -> None:
    rows = random_rows(11, 300, "timestamp")
    request = request_for(rows, Calendar("UTC"), top={"country": ("GB", "FR", "XX"), "kind": ()})
    with opened(engine, tmp_path, events=rows) as warehouse:
        ours = as_dict(list(compute(warehouse, request)))
    assert_same(ours, oracle.figures(rows, request))
    assert any(key[5] == "(other)" for key in ours)
    assert not any(key[5] == "(other)" for key in ours if key[0] in ("distinct", "median", "min"))
    assert any(key[5] == "XX" and value[0] == 0 for key, value in ours.items())


def test_no_rows_give_no_figures(engine: str, tmp_path: Path) -> None:
    request = request_for([], Calendar("UTC"))
    with opened(engine, tmp_path, events=[]) as warehouse:
        assert list(compute(warehouse, request)) == []


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(0, 60),
    kind=st.sampled_from(["timestamp", "timestamptz", "date"]),
    zone=st.sampled_from(["UTC", "Europe/London", "America/Sao_Paulo", "Asia/Kolkata"]),
    week_start=st.integers(0, 6),
    fiscal=st.integers(1, 12),
    watermark=st.dates(date(2024, 2, 15), date(2024, 4, 10)),
)
def test_random_calendars_and_watermarks_agree_with_the_oracle(
    seed: int, count: int, kind: str, zone: str, week_start: int, fiscal: int, watermark: date, tmp_path: Path
) -> None:
    rows = random_rows(seed, count, kind)
    request = request_for(rows, Calendar(zone, week_start, fiscal), watermark=watermark)
    with opened("duckdb", tmp_path, events=rows) as warehouse:
        ours = as_dict(list(compute(warehouse, request)))
    assert_same(ours, oracle.figures(rows, request))
