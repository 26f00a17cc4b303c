"""The rules of figures one by one: the data's clock, missing days, promises, days of 23 and 25 hours."""

# ruff: noqa: E501 (tables of cases read better one a line)

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from calc.calendar import PERIODS, TO_DATE, Calendar, Grain
from tests.warehouse.stores import opened
from warehouse.compute import compute, compute_isolated
from warehouse.definitions import (
    Atom,
    Conversion,
    Figure,
    Measure,
    Request,
    SourceDef,
    WarehouseError,
    Within,
)
from warehouse.merging import merges

LONDON = Calendar("Europe/London")
SOURCE = SourceDef("events", "store", "at", table="events", entity="who", dimensions={"country": "country"})


def m(agg: str, expr: str = "", where: str = "", **more: Any) -> Measure:
    return Measure("events", agg, expr, where, **more)


def row(at: object, who: str = "ann", **more: Any) -> dict[str, Any]:
    base = {"kind": "visit", "amount": 1.0, "points": 1, "item": "pen", "ok": True, "country": "GB"}
    return base | {"at": at, "who": who} | more


def ask(
    *atoms: Atom,
    first: date,
    watermark: date,
    start: date,
    end: date,
    grains: tuple[Grain, ...] = PERIODS,
    **more: Any,
) -> Request:
    source = more.pop("source", SOURCE)
    return Request(source, atoms, more.pop("calendar", LONDON), start, end, grains, first, watermark, **more)


def values(figures: Any, key: str, grain: Grain = Grain.DAY, member: str = "") -> dict[str, float | None]:
    return {
        str(f.start if not f.grain.is_to_date else f.end - timedelta(days=1)): f.value
        for f in figures
        if (f.key, f.grain, f.member) == (key, grain, member)
    }


def test_zeros_run_from_the_first_day_to_the_watermark_and_no_further(engine: str, tmp_path: Path) -> None:
    rows = [row(datetime(2024, 6, 3, 12)), row(datetime(2024, 6, 8, 12))]
    request = ask(
        Atom("n", m("count")), Atom("avg", m("avg", "amount")),
        first=date(2024, 6, 3), watermark=date(2024, 6, 6), start=date(2024, 6, 1), end=date(2024, 6, 12),
    )  # fmt: skip
    with opened(engine, tmp_path, events=rows) as warehouse:
        found = list(compute(warehouse, request))
    assert values(found, "n") == {"2024-06-03": 1, "2024-06-04": 0, "2024-06-05": 0, "2024-06-08": 1}
    assert values(found, "avg") == {"2024-06-03": 1, "2024-06-04": None, "2024-06-05": None, "2024-06-08": 1}


def test_days_of_23_and_25_hours_hold_each_instant_once(engine: str, tmp_path: Path) -> None:
    # In 2024 London's clocks went forward on 31 March and back on 27 October.
    start = datetime(2024, 3, 30, tzinfo=UTC)
    hours = [row(start + timedelta(hours=n)) for n in range(72)]
    hours += [row(datetime(2024, 10, 26, tzinfo=UTC) + timedelta(hours=n)) for n in range(72)]
    for naive in (False, True):
        rows = [r | {"at": r["at"].replace(tzinfo=None)} for r in hours] if naive else hours
        request = ask(
            Atom("n", m("count")),
            first=date(2024, 3, 30), watermark=date(2024, 11, 1), start=date(2024, 3, 1), end=date(2024, 11, 1),
        )  # fmt: skip
        with opened(engine, tmp_path, events=rows) as warehouse:
            found = values(compute(warehouse, request), "n")
        assert (found["2024-03-30"], found["2024-03-31"], found["2024-04-01"]) == (24, 23, 24)
        # BST until the 27th: the first hour of UTC's 26th is the second of London's.
        assert (found["2024-10-26"], found["2024-10-27"], found["2024-10-28"]) == (23, 25, 24)
        assert sum(found.values()) == 144


def test_a_day_that_begins_at_one_oclock(engine: str, tmp_path: Path) -> None:
    # São Paulo skipped midnight on 4 November 2018: the day began at 01:00 local, 03:00 UTC.
    rows = [
        row(datetime(2018, 11, 4, 2, 59)),
        row(datetime(2018, 11, 4, 3, 0)),
        row(datetime(2018, 11, 5, 1, 59)),
    ]
    request = ask(
        Atom("n", m("count")), calendar=Calendar("America/Sao_Paulo"),
        first=date(2018, 11, 3), watermark=date(2018, 11, 6), start=date(2018, 11, 3), end=date(2018, 11, 6),
    )  # fmt: skip
    with opened(engine, tmp_path, events=rows) as warehouse:
        found = values(compute(warehouse, request), "n")
    assert found == {"2018-11-03": 1, "2018-11-04": 2, "2018-11-05": 0}


def test_a_daily_source_that_lacks_a_day_gives_none_and_names_it(engine: str, tmp_path: Path) -> None:
    days = [date(2024, 6, n) for n in range(1, 21) if n != 5]
    rows = [row(day, amount=None if day.day == 12 else 2.0) for day in days]
    request = ask(
        Atom("sum", m("sum", "amount")), Atom("n", m("count")), Atom("last", m("last", "amount")),
        source=replace(SOURCE, rows="daily", dimensions={}), calendar=Calendar("UTC"),
        first=date(2024, 6, 1), watermark=date(2024, 6, 21), start=date(2024, 6, 1), end=date(2024, 7, 1),
    )  # fmt: skip
    with opened(engine, tmp_path, events=rows) as warehouse:
        found = list(compute(warehouse, request))
    by_start = {f.start: f for f in found if (f.key, f.grain) == ("sum", Grain.WEEK)}
    assert by_start[date(2024, 6, 3)].value is None and by_start[date(2024, 6, 3)].missing == (
        date(2024, 6, 5),
    )
    assert by_start[date(2024, 6, 10)].missing == (date(2024, 6, 12),)
    assert by_start[date(2024, 6, 17)].value == 8.0 and by_start[date(2024, 6, 17)].missing == ()
    assert values(found, "sum")["2024-06-05"] is None
    assert values(found, "n", Grain.MONTH) == {"2024-06-01": None}
    # The weeks before the first row lack the days that were promised.
    assert values(found, "last", Grain.WEEK)["2024-05-27"] is None
    assert values(found, "last", Grain.WEEK)["2024-06-17"] == 2.0


def test_a_daily_source_with_two_rows_of_one_member_is_refused(engine: str, tmp_path: Path) -> None:
    rows = [
        row(date(2024, 6, 1)),
        row(date(2024, 6, 1), country="FR"),
        row(date(2024, 6, 2)),
        row(date(2024, 6, 2)),
    ]
    request = ask(
        Atom("sum", m("sum", "amount")), source=replace(SOURCE, rows="daily"), calendar=Calendar("UTC"),
        first=date(2024, 6, 1), watermark=date(2024, 6, 3), start=date(2024, 6, 1), end=date(2024, 6, 3),
    )  # fmt: skip
    with (
        opened(engine, tmp_path, events=rows) as warehouse,
        pytest.raises(WarehouseError, match=r"metric sum: .*one row a day.*2024-06-02 has 2 rows"),
    ):
        list(compute(warehouse, request))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            [row(date(2024, 6, 1), "a"), row(date(2024, 6, 2), "a")],
            "month of 2024-06-01 has 1 distinct.*up to 2",
        ),
        (
            [row(date(2024, 6, 1), "a"), row(date(2024, 6, 1), "a", country="FR")],
            "members of country add up to 2",
        ),
    ],
)
def test_a_false_promise_of_additivity_is_refused(engine: str, rows: list, says: str, tmp_path: Path) -> None:
    request = ask(
        Atom("n", m("count_distinct", "who", additive=True), by=("country",)), Atom("sum", m("sum", "amount")),
        first=date(2024, 6, 1), watermark=date(2024, 6, 3), start=date(2024, 6, 1), end=date(2024, 7, 1),
        grains=(Grain.DAY, Grain.MONTH),
    )  # fmt: skip
    with opened(engine, tmp_path, events=rows) as warehouse:
        with pytest.raises(WarehouseError, match=f"metric n: it is declared additive, but .*{says}"):
            list(compute(warehouse, request))
        figures, errors = compute_isolated(warehouse, request)
        assert list(errors) == ["n"] and {f.key for f in figures} == {"sum"}


def test_nothing_known_is_not_zero(engine: str, tmp_path: Path) -> None:
    rows = [row(date(2024, 6, 1), amount=None)]
    request = ask(
        Atom("sum", m("sum", "amount")), Atom("n", m("count", "amount")),
        Atom("ratio", m("sum", "amount"), m("count", "amount")),
        first=date(2024, 6, 1), watermark=date(2024, 6, 2), start=date(2024, 6, 1), end=date(2024, 6, 2),
    )  # fmt: skip
    with opened(engine, tmp_path, events=rows) as warehouse:
        found = list(compute(warehouse, request))
    assert values(found, "sum") == {"2024-06-01": None}
    assert values(found, "n") == {"2024-06-01": 0}
    assert values(found, "ratio") == {"2024-06-01": None}


def test_conversions_are_credited_once_to_the_last_visit_before(engine: str, tmp_path: Path) -> None:
    def visit(day: int, hour: int = 9, who: str = "ann") -> dict[str, Any]:
        return row(datetime(2024, 6, day, hour), who)

    def buy(day: int, hour: int = 9, who: str = "ann") -> dict[str, Any]:
        return row(datetime(2024, 6, day, hour), who, kind="buy")

    rows = [
        visit(1), visit(3), buy(4), buy(5),  # both buys belong to the visit of the 3rd, which counts once
        visit(1, who="bob"), buy(8, who="bob"),  # exactly seven days: outside [visit, visit + 7 days)
        visit(1, who="cem"), buy(1, who="cem"),  # the same instant counts
        visit(20), visit(20, who=None),  # its window is open; an unknown person cannot be followed
    ]  # fmt: skip
    base, event = m("count", where="kind = 'visit'"), m("count", where="kind = 'buy'")
    request = ask(
        Atom("rate", conversion=Conversion(base, event, Within(days=7))),
        Atom("count", conversion=Conversion(base, event, Within(days=7), calculation="count")),
        Atom("due", conversion=Conversion(base, event, Within(days=7), period_by="due")),
        calendar=Calendar("UTC"),
        first=date(2024, 6, 1), watermark=date(2024, 6, 25), start=date(2024, 6, 1), end=date(2024, 7, 1),
    )  # fmt: skip
    with opened(engine, tmp_path, events=rows) as warehouse:
        found = list(compute(warehouse, request))
    days = {(f.key, f.start.day): f for f in found if f.grain is Grain.DAY}
    first, third, open_day = days["rate", 1], days["rate", 3], days["rate", 20]
    assert (first.numerator, first.denominator, first.immature) == (1, 3, 0)
    assert (third.value, third.numerator, third.denominator) == (1, 1, 1)
    assert (open_day.value, open_day.denominator, open_day.immature) == (None, 0, 1)
    assert (days["count", 3].value, days["count", 1].value, days["count", 20].value) == (1, 1, None)
    assert (days["due", 8].numerator, days["due", 8].denominator) == (1, 3)
    assert days["due", 10].value == 1
    month = next(f for f in found if f.key == "rate" and f.grain is Grain.MONTH)
    assert (month.numerator, month.denominator, month.immature) == (2, 4, 1)


def test_nobody_who_could_convert_did_is_zero_not_unknown(engine: str, tmp_path: Path) -> None:
    base, event = m("count", where="kind = 'visit'"), m("count", where="kind = 'buy'")
    request = ask(
        Atom("rate", conversion=Conversion(base, event, Within(days=1))), calendar=Calendar("UTC"),
        first=date(2024, 6, 1), watermark=date(2024, 6, 9), start=date(2024, 6, 1), end=date(2024, 6, 3),
    )  # fmt: skip
    with opened(engine, tmp_path, events=[row(datetime(2024, 6, 1, 9))]) as warehouse:
        found = {f.start: f for f in compute(warehouse, request) if f.grain is Grain.DAY}
    assert found[date(2024, 6, 1)].value == 0.0
    assert found[date(2024, 6, 2)].value is None


def test_a_conversion_reads_two_sources(engine: str, tmp_path: Path) -> None:
    visits = [row(date(2024, 6, 1)), row(date(2024, 6, 1), "bob")]
    buys = [row(datetime(2024, 6, 2, 22, 30)), row(datetime(2024, 6, 4, 22, 30), "bob")]
    source = replace(SOURCE, key="visits", table="visits")
    other = replace(SOURCE, key="buys", table="buys")
    wanted = Conversion(Measure("visits", "count"), Measure("buys", "count"), Within(days=3))
    request = ask(
        Atom("rate", conversion=wanted), Atom("per", Measure("buys", "count"), Measure("visits", "count")),
        source=source, sources={"buys": other}, first=date(2024, 6, 1), watermark=date(2024, 6, 9),
        start=date(2024, 6, 1), end=date(2024, 6, 9),
    )  # fmt: skip
    with opened(engine, tmp_path, visits=visits, buys=buys) as warehouse:
        found = list(compute(warehouse, request))
    # 22:30 UTC on the 4th is still the 4th in London, a day after the window closed at its midnight.
    assert values(found, "rate", Grain.MONTH) == {"2024-06-01": 0.5}
    assert values(found, "per", Grain.MONTH) == {"2024-06-01": 1.0}


def test_how_atoms_merge() -> None:
    count, distinct = m("count"), m("count_distinct", "who")
    assert merges(Atom("a", count)) == merges(Atom("a", m("avg", "amount"))) == "sum"
    assert merges(Atom("a", distinct)) == merges(Atom("a", m("median", "amount"))) == "none"
    assert merges(Atom("a", m("count_distinct", "who", additive=True))) == "sum"
    assert merges(Atom("a", count, count)) == "sum"
    assert merges(Atom("a", count, distinct)) == merges(Atom("a", count, m("max", "amount"))) == "none"
    assert [merges(Atom("a", m(agg, "amount"))) for agg in ("min", "max", "first", "last")] == [
        "min", "max", "first", "last",
    ]  # fmt: skip
    assert merges(Atom("a", conversion=Conversion(count, count, Within(days=1)))) == "sum"


def test_to_date_figures_exist_for_what_does_not_merge_and_only_for_the_whole(
    engine: str, tmp_path: Path
) -> None:
    rows = [row(date(2024, 6, 1), "a"), row(date(2024, 6, 3), "a"), row(date(2024, 6, 4), "b")]
    request = ask(
        Atom("who", m("count_distinct", "who"), by=("country",)), Atom("n", m("count")),
        first=date(2024, 6, 1), watermark=date(2024, 6, 6), start=date(2024, 6, 3), end=date(2024, 6, 8), grains=TO_DATE,
    )  # fmt: skip
    with opened(engine, tmp_path, events=rows) as warehouse:
        found = list(compute(warehouse, request))
    assert {(f.key, f.dimension) for f in found} == {("who", "")}
    # The window opens on the 3rd, but the month to date begins on the 1st.
    assert values(found, "who", Grain.MONTH_TO_DATE) == {"2024-06-03": 1, "2024-06-04": 2, "2024-06-05": 2}


def test_the_order_of_rows_does_not_matter(engine: str, tmp_path: Path) -> None:
    rows = [row(date(2024, 6, 1 + n % 9), f"p{n % 7}", amount=n / 4, country="GFD"[n % 3]) for n in range(60)]
    request = ask(
        Atom("sum", m("sum", "amount"), by=("country",)), Atom("new", m("count_new", "who"), by=("country",)),
        Atom("last", m("last", "amount"), by=("country",)), Atom("med", m("median", "amount")),
        first=date(2024, 6, 1), watermark=date(2024, 6, 10), start=date(2024, 6, 1), end=date(2024, 6, 10),
    )  # fmt: skip
    found: list[list[Figure]] = []
    for some in (rows, rows[::-1], rows[30:] + rows[:30]):
        with opened(engine, tmp_path, events=some) as warehouse:
            found.append(list(compute(warehouse, request)))
    assert found[0] == found[1] == found[2]
