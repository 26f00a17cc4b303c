"""The demo's warehouse: the same from the same seed, cut where the loads stop, true to what truth.py says."""

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from demo import truth
from demo.generate import Story, about, correct, generate

TODAY = date(2026, 8, 19)  # a Wednesday in the middle of a quarter
YESTERDAY = TODAY - timedelta(days=1)
FACTS = truth.story(TODAY)
SCALE = 0.2


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "warehouse.duckdb"
    generate(path, Story(FACTS, YESTERDAY, scale=SCALE))
    return path


def ask(path: Path, sql: str, *values: object) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql, list(values)).fetchall()


def checksum(path: Path, upto: str = "9999-01-01") -> list[tuple]:
    return ask(
        path,
        "select count(*), bit_xor(hash(order_id, customer_id, city, channel, order_number, ordered_at,"
        " delivered_at, status, amount)), (select bit_xor(hash(e)) from app_events e where occurred_at < $1),"
        " (select bit_xor(hash(c)) from customers c where joined_on < $1)"
        " from orders where ordered_at < $1",
        upto,
    )


def test_same_seed_same_rows_and_another_seed_other_rows(tmp_path: Path) -> None:
    first, again, other = (tmp_path / f"{name}.duckdb" for name in ("first", "again", "other"))
    generate(first, Story(FACTS, YESTERDAY, scale=0.01))
    generate(again, Story(FACTS, YESTERDAY, scale=0.01))
    generate(other, Story(FACTS, YESTERDAY, scale=0.01, seed=21))
    assert checksum(first) == checksum(again)
    assert checksum(first) != checksum(other)


def test_a_later_day_only_adds(tmp_path: Path) -> None:
    earlier, later = tmp_path / "earlier.duckdb", tmp_path / "later.duckdb"
    generate(earlier, Story(FACTS, YESTERDAY - timedelta(days=9), scale=0.01))
    generate(later, Story(FACTS, YESTERDAY, scale=0.01))
    settled = f"{YESTERDAY - timedelta(days=9 + truth.LATENESS.days)}"
    assert checksum(earlier, settled) == checksum(later, settled)


def test_sizes_are_those_that_truth_states(warehouse: Path) -> None:
    [(customers,)] = ask(warehouse, "select count(distinct customer_id) from orders")
    [(orders,)] = ask(warehouse, "select count(*) from orders")
    [(events,)] = ask(warehouse, "select count(*) from app_events")
    assert 0.85 * truth.CUSTOMERS * SCALE < customers <= truth.CUSTOMERS * SCALE
    assert 300_000 * SCALE < orders < 450_000 * SCALE
    assert 3_800_000 * SCALE < events < 6_000_000 * SCALE


def test_rows_end_with_the_last_load_and_some_come_late(warehouse: Path) -> None:
    [(newest, loaded)] = ask(
        warehouse,
        "select max(timezone('Europe/London', timezone('UTC', ordered_at)))::date,"
        " (select max(loaded_at)::date from loads) from orders",
    )
    assert newest == YESTERDAY
    assert loaded == TODAY
    per_day = dict(
        ask(warehouse, "select (updated_at::date - ordered_at::date), count(*) from orders group by 1")
    )
    late = per_day[2] + per_day[3]
    assert 0.02 < late / sum(per_day.values()) < 0.06


def test_money_and_times_make_sense(warehouse: Path) -> None:
    [(bad,)] = ask(
        warehouse,
        "select count(*) from orders where amount <= 0 or refunded < 0 or refunded > amount"
        " or promised_at <= ordered_at or delivered_at <= ordered_at"
        " or (status = 'cancelled') <> (delivered_at is null)",
    )
    assert bad == 0
    [(twice,)] = ask(warehouse, "select count(*) - count(distinct order_id) from orders")
    assert twice == 0
    [(firsts, buyers)] = ask(
        warehouse, "select count(*) filter (where order_number = 1), count(distinct customer_id) from orders"
    )
    # A first order of the last two days may be among the late rows.
    assert buyers - 30 <= firsts <= buyers


ON_TIME = (
    "select avg((delivered_at <= promised_at)::int) from orders where status = 'delivered'"
    " and city = ? and ordered_at >= ? and ordered_at < ?"
)


def test_couriers_are_short_in_one_city_only(warehouse: Path) -> None:
    since = FACTS.shortage_from
    for city in truth.CITIES:
        [(before,)] = ask(warehouse, ON_TIME, city, since - timedelta(days=90), since)
        [(after,)] = ask(warehouse, ON_TIME, city, since, TODAY)
        planted = FACTS.shortage_effect if city == FACTS.shortage_city else 0.0
        assert after - before == pytest.approx(planted, abs=0.04), city


def test_refunds_of_one_week_are_a_multiple(warehouse: Path) -> None:
    start, end = FACTS.refund_spike
    share = (
        "select sum(refunded) / sum(amount) from orders where status = 'delivered'"
        " and ordered_at >= ? and ordered_at < ?"
    )
    [(spike,)] = ask(warehouse, share, start, end)
    [(usual,)] = ask(warehouse, share, start - timedelta(days=90), start)
    assert spike / usual == pytest.approx(FACTS.refund_spike_factor, rel=0.25)


def test_the_welcome_menu_brings_newcomers_back(warehouse: Path) -> None:
    rate = """
        select avg((exists(select 1 from orders s where s.customer_id = f.customer_id and s.order_number = 2
            and s.ordered_at < f.ordered_at + interval 45 day))::int)
        from orders f where order_number = 1 and ordered_at >= ? and ordered_at < ?"""
    since = FACTS.welcome_from
    [(before,)] = ask(warehouse, rate, since - timedelta(days=365), since)
    [(after,)] = ask(warehouse, rate, since, since + timedelta(days=365))
    assert 0.03 < after - before < 0.12


def test_no_order_comes_from_a_city_before_it_opens(warehouse: Path) -> None:
    [(first,)] = ask(warehouse, "select min(ordered_at)::date from orders where city = ?", FACTS.opened_city)
    assert FACTS.opened_from <= first < FACTS.opened_from + timedelta(days=7)


def test_weekends_and_growth_show(warehouse: Path) -> None:
    by_day = dict(
        ask(warehouse, "select isodow(ordered_at), count(*) from orders where order_number > 1 group by 1")
    )
    assert max(by_day, key=lambda day: by_day[day]) == 6
    assert min(by_day, key=lambda day: by_day[day]) == 1
    new = "select count(*) from customers where joined_on >= ? and joined_on < ?"
    [(last_year,)] = ask(warehouse, new, TODAY - timedelta(days=728), TODAY - timedelta(days=364))
    [(this_year,)] = ask(warehouse, new, TODAY - timedelta(days=364), TODAY)
    assert this_year / last_year == pytest.approx(1 + truth.ACQUISITION_GROWTH, abs=0.1)


def test_the_correction_restates_one_month_of_one_city(tmp_path: Path) -> None:
    path, whole = tmp_path / "warehouse.duckdb", tmp_path / "whole.duckdb"
    before = Story(FACTS, YESTERDAY, scale=0.05, restated=False)
    after = Story(FACTS, YESTERDAY, scale=0.05)
    generate(path, before)
    generate(whole, after)
    refunds = "select date_trunc('month', ordered_at)::date, city, sum(refunded) from orders group by all"
    wrong = {(month, city): refunded for month, city, refunded in ask(path, refunds)}
    right = {(month, city): refunded for month, city, refunded in ask(whole, refunds)}
    restated = (FACTS.restated_month[0], FACTS.restated_city)
    assert wrong[restated] < 0.1 * float(right[restated])
    assert {key for key in right if right[key] != wrong[key]} == {restated}
    assert about(path) == before.about
    correct(path, after)
    assert about(path) == after.about
    assert {(month, city): refunded for month, city, refunded in ask(path, refunds)} == right
    everything = "select bit_xor(hash(o)), count(*) from orders o"
    assert ask(path, everything) == ask(whole, everything)


@pytest.mark.parametrize("today", [date(2025, 1, 1), date(2026, 3, 31), date(2028, 2, 29)])
def test_any_day_has_a_story(tmp_path: Path, today: date) -> None:
    facts = truth.story(today)
    path = tmp_path / "warehouse.duckdb"
    generate(path, Story(facts, today - timedelta(days=1), scale=0.01))
    assert facts.quarter_start <= today < facts.quarter_end
    assert facts.restated_month[1] <= facts.corrected_at.date() < facts.quarter_start
    [(first, last)] = ask(path, "select min(ordered_at)::date, max(ordered_at)::date from orders")
    # At this scale a day may pass without a customer.
    assert facts.first_day <= first < facts.first_day + timedelta(days=7)
    assert last >= today - timedelta(days=2)
