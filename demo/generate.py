"""The demo company's warehouse: customers, orders, app events and loads in one DuckDB file.

Nothing is drawn from a random state: every number is a hash of its subject (customer, day, purpose, seed),
so the same day and seed give the same rows on any number of cores, and a later day only adds to them.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock
from pathlib import Path

import duckdb
import holidays

from demo import truth
from demo.truth import Truth

SQL = Path(__file__).with_name("generate.sql")
DAYS_A_YEAR = 365.25
BEFORE = " before the correction"


@dataclass(frozen=True)
class Story:
    """What to generate. `loaded_through` is the last local day that the loads have brought."""

    facts: Truth
    loaded_through: date
    seed: int = truth.SEED
    scale: float = 1.0
    restated: bool = True  # False: as it was before the payment provider's correction

    @property
    def tale(self) -> str:
        """What stays the same while only days are added."""
        return f"{self.facts.quarter_start} seed {self.seed} scale {self.scale:g}"

    @property
    def about(self) -> str:
        """What tells one generated file from another."""
        return f"{self.tale} through {self.loaded_through}{'' if self.restated else BEFORE}"


def generate(path: Path, story: Story, log: Callable[[str], None] = lambda _: None) -> None:
    """Writes a story's warehouse beside `path` and publishes it by rename: readers never see half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".building")
    _discard(aside)
    started = time.monotonic()
    with duckdb.connect(str(aside)) as connection:
        connection.execute("set timezone = 'UTC'")
        _days(connection, story)
        _tables(connection)
        for statement in _statements(story):
            connection.execute(statement)
        counts = connection.execute(
            "select (select count(*) from customers), (select count(*) from orders),"
            " (select count(*) from app_events)"
        ).fetchone()
        connection.execute("create table about as select ? as story", [story.about])
    aside.replace(path)
    customers, orders, events = counts or (0, 0, 0)
    log(
        f"{customers:,} customers, {orders:,} orders, {events:,} app events"
        f" generated in {time.monotonic() - started:.1f} s"
    )


def correct(path: Path, story: Story) -> None:
    """Publishes the payment provider's corrected refunds in a file generated before the correction."""
    with _edited(path) as connection:
        connection.execute(
            "update orders set refunded = c.refunded, updated_at = c.updated_at"
            " from corrections c where orders.order_id = c.order_id"
        )
        connection.execute("update about set story = ?", [story.about])


def about(path: Path) -> str:
    """The story that a file holds, or "" where there is none."""
    if not path.exists():
        return ""
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            row = connection.execute("select story from about").fetchone()
    except duckdb.Error:
        return ""
    return str(row[0]) if row else ""


@contextmanager
def _edited(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy to write to, which takes the file's place at the end."""
    aside = path.with_suffix(".building")
    _discard(aside)
    aside.write_bytes(path.read_bytes())
    with duckdb.connect(str(aside)) as connection:
        connection.execute("set timezone = 'UTC'")
        yield connection
    aside.replace(path)


def _discard(path: Path) -> None:
    for leftover in (path, path.with_name(path.name + ".wal")):
        leftover.unlink(missing_ok=True)


def _days(connection: duckdb.DuckDBPyConnection, story: Story) -> None:
    """One row a local day of the whole horizon: how much is ordered, which customers are new."""
    facts = story.facts
    bank = holidays.country_holidays("GB", subdiv="ENG")
    rows: list[tuple[object, ...]] = []
    arrivals = 0.0
    count = (facts.quarter_end - facts.first_day).days
    weights = [_arrival_weight(facts, facts.first_day + timedelta(days=n)) for n in range(count)]
    factor = truth.CUSTOMERS * story.scale / sum(weights)
    for n in range(count):
        day = facts.first_day + timedelta(days=n)
        first_customer = round(arrivals)
        arrivals += weights[n] * factor
        years = n / DAYS_A_YEAR
        local = datetime.combine(day, clock(12), tzinfo=truth.CALENDAR.zone)
        offset = local.utcoffset() or timedelta()
        demand = truth.WEEKDAYS[day.weekday()] * truth.MONTHS[day.month - 1]
        demand *= (1 + truth.DEMAND_GROWTH) ** years
        if (day.month, day.day) == (12, 25):
            demand *= truth.CHRISTMAS
        elif day in bank:
            demand *= truth.HOLIDAY
        basket = (1 + truth.BASKET_GROWTH) ** years
        rows.append(
            (n, day, int(offset.total_seconds()), demand, basket, first_customer, round(arrivals), years)
        )
    connection.execute(
        "create temp table days (n int, day date, utc_offset int, demand double, basket double,"
        " first_customer int, last_customer int, years double)"
    )
    # As text: with lists as parameters the driver first looks for array libraries, for a second or two.
    values = ", ".join(
        f"({n}, date '{day}', {offset}, {demand!r}, {basket!r}, {first}, {last}, {years!r})"
        for n, day, offset, demand, basket, first, last, years in rows
    )
    connection.execute(f"insert into days values {values}")  # noqa: S608


def _arrival_weight(facts: Truth, day: date) -> float:
    """How many new customers a day brings, against the first day."""
    years = (day - facts.first_day).days / DAYS_A_YEAR
    weight = math.exp(math.log(1 + truth.ACQUISITION_GROWTH) * years)
    weight *= truth.WEEKDAYS[day.weekday()] * truth.MONTHS[day.month - 1]
    if day < facts.opened_from:
        weight *= 1 - truth.CITIES[facts.opened_city][0]
    return weight


def _tables(connection: duckdb.DuckDBPyConnection) -> None:
    """The planted sizes as small tables, for the generating statements to join."""
    connection.execute(
        "create temp table cities (city varchar, upto double, share double, on_time double, basket double)"
    )
    upto = 0.0
    for city, (share, on_time, basket) in truth.CITIES.items():
        upto += share
        connection.execute("insert into cities values (?, ?, ?, ?, ?)", [city, upto, share, on_time, basket])


def _statements(story: Story) -> list[str]:
    """The statements of generate.sql with the story's constants in place."""
    facts = story.facts
    constants = {
        "seed": story.seed,
        "horizon": (facts.quarter_end - facts.first_day).days,
        "loaded": f"date '{story.loaded_through}'",
        "shortage_city": f"'{facts.shortage_city}'",
        "shortage_from": f"date '{facts.shortage_from}'",
        "shortage_effect": facts.shortage_effect,
        "spike_from": f"date '{facts.refund_spike[0]}'",
        "spike_to": f"date '{facts.refund_spike[1]}'",
        "spike_factor": facts.refund_spike_factor,
        "restated_city": f"'{facts.restated_city}'",
        "restated_from": f"date '{facts.restated_month[0]}'",
        "restated_to": f"date '{facts.restated_month[1]}'",
        "restated": "true" if story.restated else "false",
        "corrected_at": f"timestamp '{facts.corrected_at:%Y-%m-%d %H:%M:%S}'",
        "welcome_from": f"date '{facts.welcome_from}'",
        "welcome_effect": facts.welcome_effect,
        "opened_city": f"'{facts.opened_city}'",
        "opened_from": f"date '{facts.opened_from}'",
        "punctuality_growth": truth.PUNCTUALITY_GROWTH,
        "late_share": truth.LATE_SHARE,
        "cancelled_share": truth.CANCELLED_SHARE,
        "refund_share": truth.REFUND_SHARE,
        "refund_share_late": truth.REFUND_SHARE_LATE,
        "app": truth.CHANNELS["app"],
        "app_web": truth.CHANNELS["app"] + truth.CHANNELS["web"],
        "ios": truth.PLATFORMS["ios"],
        "ios_android": truth.PLATFORMS["ios"] + truth.PLATFORMS["android"],
    }
    text = SQL.read_text()
    for name, value in constants.items():
        text = text.replace("{" + name + "}", str(value))
    return [part for part in text.split(";\n") if part.strip()]
