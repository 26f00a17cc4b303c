"""Killed, paused and cut-off processes: whatever happens, the end is that of an undisturbed run, row for
row."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import quote

import pytest
from django.utils import timezone

from metrics.models import Run, Source
from metrics.services import ledger, schedule
from metrics.services.recompute import recompute_now
from northstar.stack import postgres, valkey
from northstar.stack.layout import Layout
from tests.metrics.machinery import (
    LEASE,
    ROOT,
    HeldShop,
    environment,
    here,
    run_of,
    wait_until,
    worker,
    worker_pid,
)
from tests.metrics.shop import ALL, at, everything, figures, forget, order, some_rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def held_shop(transactional_db: None, settings, tmp_path: Path) -> Iterator[HeldShop]:
    settings.LEASE_SECONDS = LEASE
    shop = HeldShop(tmp_path / "unused")
    shop.make_database()
    shop.create(some_rows(date(2026, 1, 5), 64), loaded_to=date(2026, 3, 10))
    shop.define(metrics=ALL, by=["country"])
    yield shop
    shop.drop_database()


def ask() -> Run:
    return ledger.request(Source.objects.get(), cause="request", ring=False)


def undisturbed(shop: HeldShop) -> list:
    forget()
    shop.now = timezone.now()
    assert shop.recompute().state == "done"
    return everything()


def lease_is_over(pk: int) -> bool:
    until = run_of(pk).lease_until
    return until is not None and until < timezone.now()


def test_a_worker_killed_in_the_middle_loses_nothing(
    held_shop: HeldShop, valkey_url: str, tmp_path: Path
) -> None:
    with worker(tmp_path / "w", valkey_url) as celery:
        run = ask()
        with held_shop.held():
            celery.ring()
            wait_until(held_shop.waiting, "the worker's question")
            os.kill(worker_pid(run_of(run.pk)), signal.SIGKILL)
        wait_until(lambda: lease_is_over(run.pk), "the end of the lease")
        assert not everything()
        celery.ring()
        wait_until(lambda: run_of(run.pk).state == Run.State.DONE, "the second attempt")
    assert run_of(run.pk).attempts == 2
    stored = everything()
    assert stored
    assert stored == undisturbed(held_shop)


def test_a_worker_paused_past_its_lease_writes_nothing(
    held_shop: HeldShop, valkey_url: str, tmp_path: Path
) -> None:
    with worker(tmp_path / "w", valkey_url) as celery:
        run = ask()
        with held_shop.held() as release:
            celery.ring()
            wait_until(held_shop.waiting, "the worker's question")
            paused = worker_pid(run_of(run.pk))
            os.kill(paused, signal.SIGSTOP)
            try:
                release()  # the old answer lies ready for it from here on
                wait_until(lambda: lease_is_over(run.pk), "the end of the lease")
                held_shop.load([order(9001, at(date(2026, 3, 9)))])
                assert recompute_now(run_of(run.pk)).state == "done"
                newest = everything()
            finally:
                os.kill(paused, signal.SIGCONT)
        wait_until(lambda: "claim lost" in celery.said(), "the late worker's giving up")
    assert everything() == newest
    assert figures("orders")[date(2026, 3, 9)] > 1
    finished = run_of(run.pk)
    assert (finished.state, finished.fence) == (Run.State.DONE, 2)


def test_a_killed_valkey_loses_nothing(
    held_shop: HeldShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout.of(tmp_path / "bell").prepare()
    server = valkey.start(layout)
    try:
        with worker(tmp_path / "w", valkey.url(layout)) as celery:
            run = ask()
            with held_shop.held():
                celery.ring()
                wait_until(held_shop.waiting, "the worker's question")
                os.kill(server.pid, signal.SIGKILL)
                server.ended()
            wait_until(lambda: run_of(run.pk).state == Run.State.DONE, "the end of the run without a broker")
            Run.objects.update(finished_at=None)
            Source.objects.update(checked_at=None)
            assert schedule.tick(timezone.now()).asked == ("orders",)  # without a bell, and without a fault
            second = Run.objects.latest("id")
            assert second.state == Run.State.DUE
            for file in layout.data.glob("valkey/**/*"):
                if file.is_file() and "lock" not in file.name:
                    file.unlink()  # and without its file
            server = valkey.start(layout)
            celery.ring()
            wait_until(lambda: run_of(second.pk).state == Run.State.DONE, "the run after the restart", 60)
    finally:
        server.end()
    stored = everything()
    assert stored == undisturbed(held_shop)


def test_cut_connections_are_retried(held_shop: HeldShop, valkey_url: str, tmp_path: Path) -> None:
    """The database drops every connection of the worker while its warehouse works."""
    with worker(tmp_path / "w", valkey_url) as celery:
        run = ask()
        with held_shop.held():
            celery.ring()
            wait_until(held_shop.waiting, "the worker's question")
            with held_shop._server("postgres") as server:
                server.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s",
                    [here().dbname, here().backend_pid],
                )
        wait_until(
            lambda: run_of(run.pk).state == Run.State.DONE or lease_is_over(run.pk) or run_of(run.pk).error,
            "an end",
        )
        Run.objects.filter(pk=run.pk, state=Run.State.DUE).update(not_before=None)
        celery.ring()
        wait_until(lambda: run_of(run.pk).state == Run.State.DONE, "the end of the run")
    assert everything() == undisturbed(held_shop)


def test_an_edit_while_a_worker_asks_wins(held_shop: HeldShop, valkey_url: str, tmp_path: Path) -> None:
    with worker(tmp_path / "w", valkey_url) as celery:
        ask()
        with held_shop.held():
            celery.ring()
            wait_until(held_shop.waiting, "the worker's question")
            held_shop.edit(
                "orders", {"measure": {"source": "orders", "agg": "sum", "expr": "2"}}, request=False
            )
        wait_until(
            lambda: Run.objects.filter(state=Run.State.SUPERSEDED).exists(), "the old result's dropping"
        )
        wait_until(lambda: not Run.objects.filter(state__in=Run.OPEN).exists(), "the end of the new run")
    rows = [r for r in some_rows(date(2026, 1, 5), 64) if r[1].month == 2]
    assert figures("orders", "month")[date(2026, 2, 1)] == 2 * len(rows)
    revenue = sum(r[4] for r in rows)
    assert figures("aov", "month")[date(2026, 2, 1)] == pytest.approx(revenue / (2 * len(rows)))


DEFINITIONS = """
warehouses:
  shop: {{engine: postgres, host: "{host}", port: {port}, database: "{database}", user: "{user}"}}
sources:
  orders:
    warehouse: shop
    table: orders
    time: ordered
    entity: customer
    dimensions: {{country: country}}
    loaded_to: select max(loaded_to) from loads
metrics:
  orders: {{name: Orders, type: simple, measure: {{source: orders, agg: count}}, by: [country]}}
  revenue: {{name: Revenue, type: simple, measure: {{source: orders, agg: sum, expr: amount}}, by: [country]}}
  customers:
    name: Customers
    type: simple
    measure: {{source: orders, agg: count_distinct, expr: customer}}
  aov: {{name: Average order value, type: derived, formula: revenue / orders, by: [country]}}
"""
FIGURES = """
    SELECT m.key, v.grain, v.period_start, v.period_end, v.dimension, v.member, v.value, v.numerator,
           v.denominator, v.immature, v.status, v.version
    FROM metrics_value v JOIN metrics_metric m ON m.id = v.metric_id ORDER BY 1, 2, 3, 4, 5, 6
"""


def test_a_postgresql_restarted_in_the_middle(held_shop: HeldShop, valkey_url: str) -> None:
    """A server of its own is stopped at once ("immediate") while its worker asks the warehouse."""
    place = Path(tempfile.mkdtemp(prefix="ns-", dir="/tmp"))
    place.chmod(0o711)  # the server's user passes through
    layout = Layout.of(place / "data").prepare()
    server = postgres.start(layout, disposable=True)
    url = f"postgres://{postgres.SUPERUSER}@{quote(str(layout.sockets), safe='')}/northstar"

    def manage(*words: str) -> None:
        env = environment(place, valkey_url, url)
        subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=env, check=True, timeout=300)

    def ask_database(sql: str) -> list:
        with postgres.connect(layout, postgres.SUPERUSER, autocommit=True) as db:
            cursor = db.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def states() -> set[str]:
        return {state for (state,) in ask_database("SELECT DISTINCT state FROM metrics_run")}

    try:
        at = here()
        file = place / "definitions.yaml"
        file.write_text(
            DEFINITIONS.format(host=at.host, port=at.port, database=held_shop.database, user=at.user)
        )
        manage("migrate", "--verbosity", "0")
        manage("apply", str(file))
        with worker(place, valkey_url, url) as celery:
            with held_shop.held():
                celery.ring()
                wait_until(held_shop.waiting, "the worker's question")
                assert "running" in states()
                os.kill(server.child.pid, signal.SIGQUIT)  # "immediate": nothing is written out
                server.stop()
                server = postgres.start(layout, disposable=True)
            lost = "SELECT 1 FROM metrics_run WHERE state = 'due' OR lease_until < now()"
            wait_until(lambda: ask_database(lost), "the loss of the first attempt")
            assert ask_database("SELECT count(*) FROM metrics_value") == [(0,)]
            celery.ring()
            waits = "UPDATE metrics_run SET not_before = NULL WHERE not_before > now() RETURNING id"

            def all_done() -> bool:
                """A minute's tick is not waited for."""
                if ask_database(waits):
                    celery.ring()
                return states() == {"done"}

            wait_until(all_done, "the end of all runs")
        stored = ask_database(FIGURES)
        assert {row[0] for row in stored} == {"orders", "revenue", "customers", "aov"}
        ask_database("TRUNCATE metrics_value, metrics_revision")
        ask_database("UPDATE metrics_source SET watermark = NULL, first_day = NULL")
        manage("recompute")
        assert ask_database(FIGURES) == stored
    finally:
        server.stop()
        shutil.rmtree(place, ignore_errors=True)
