"""One run whatever happens: clicks, schedulers, edits, lost workers."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from metrics.models import Run, Source, Warehouse
from metrics.services import ledger

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def make_source(key: str = "orders") -> Source:
    warehouse, _ = Warehouse.objects.get_or_create(key="shop", engine="duckdb")
    return Source.objects.create(key=key, warehouse=warehouse)


@pytest.fixture
def source(db: None) -> Source:
    return make_source()


def test_two_clicks_are_one_run(source: Source) -> None:
    first = ledger.request(source, metrics=["a"], now=NOW)
    again = ledger.request(source, metrics=["b"], now=NOW)
    assert first.pk == again.pk
    assert again.metrics == ["a", "b"]
    assert ledger.request(source, now=NOW).metrics == []
    assert ledger.request(source, metrics=["a"], now=NOW).metrics == []
    assert ledger.request(source, start=date(2026, 1, 1), now=NOW).pk != first.pk
    assert ledger.request(None, now=NOW).pk == ledger.request(None, now=NOW).pk


def test_a_finished_run_does_not_block_the_next(source: Source) -> None:
    first = ledger.request(source, now=NOW)
    claimed = ledger.claim("w", NOW)
    assert claimed
    ledger.finish(ledger.own(claimed), NOW, rows=1, changed=1)
    assert ledger.request(source, now=NOW).pk != first.pk


def test_a_run_has_one_worker_and_a_source_one_at_a_time(source: Source) -> None:
    ledger.request(source, now=NOW)
    ledger.request(source, start=date(2026, 1, 1), now=NOW)
    other = ledger.request(make_source("events"), now=NOW)
    first, second = ledger.claim("w1", NOW), ledger.claim("w2", NOW)
    assert first
    assert second
    assert second.run == other.pk  # not the second window of the source that is being worked on
    assert ledger.claim("w3", NOW) is None
    ledger.finish(ledger.own(first), NOW, rows=0, changed=0)
    assert ledger.claim("w3", NOW)


def test_a_lost_worker_loses_its_run_and_its_fence(source: Source) -> None:
    ledger.request(source, now=NOW)
    lost = ledger.claim("w1", NOW)
    assert lost
    assert ledger.claim("w2", NOW + ledger.lease()) is None
    late = NOW + ledger.lease() + MINUTE
    found = ledger.claim("w2", late)
    assert found
    assert (found.run, found.fence) == (lost.run, lost.fence + 1)
    assert not ledger.renew(lost, late)
    with pytest.raises(ledger.LostClaim):
        ledger.own(lost)
    with pytest.raises(ledger.LostClaim):
        ledger.fail(lost, "no", late)
    assert ledger.renew(found, late)


def test_a_sign_of_life_keeps_the_run(source: Source) -> None:
    ledger.request(source, now=NOW)
    claimed = ledger.claim("w1", NOW)
    assert claimed
    assert ledger.renew(claimed, NOW + 4 * MINUTE, step="orders, months")
    assert ledger.claim("w2", NOW + 6 * MINUTE) is None
    assert Run.objects.get().step == "orders, months"


def test_a_run_that_kills_its_workers_is_put_aside(source: Source) -> None:
    ledger.request(source, now=NOW)
    now = NOW
    for _ in range(ledger.ATTEMPTS):
        assert ledger.claim("w", now)
        now += ledger.lease() + MINUTE
    assert ledger.claim("w", now) is None
    run = Run.objects.get()
    assert run.state == Run.State.QUARANTINED
    assert "lost its worker 5 times" in run.error
    assert ledger.request(source, now=now).pk != run.pk  # the queue moves


def test_failures_wait_longer_each_time_and_end_in_quarantine(source: Source) -> None:
    ledger.request(source, now=NOW)
    now, waits = NOW, []
    for _ in range(ledger.ATTEMPTS):
        claimed = ledger.claim("w", now)
        assert claimed
        run = ledger.fail(claimed, "boom", now)
        assert run.error == "boom"
        if run.state == Run.State.QUARANTINED:
            break
        assert ledger.claim("w", now) is None
        waits.append(run.not_before - now)
        now = run.not_before or now
    assert waits == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
    assert run.state == Run.State.QUARANTINED


def test_an_outage_is_waited_out(source: Source) -> None:
    ledger.request(source, now=NOW)
    now = NOW
    for _ in range(12):
        claimed = ledger.claim("w", now)
        assert claimed
        run = ledger.fail(claimed, "no answer", now, outage=True)
        now = run.not_before or now
    assert run.state == Run.State.DUE
    assert ledger.wait(run.attempts) == ledger.LONGEST_WAIT
    ledger.request(source, now=now - MINUTE)
    assert ledger.claim("w", now - MINUTE) is None  # the schedule does not end the wait
    ledger.request(source, cause="request", now=now - MINUTE)
    assert ledger.claim("w", now - MINUTE)  # a person does


def test_an_edit_takes_a_running_run_from_its_worker(source: Source) -> None:
    run = ledger.request(source, now=NOW)
    claimed = ledger.claim("w1", NOW)
    assert claimed
    ledger.request(source, now=NOW)
    assert ledger.own(claimed)  # another tick or click does not
    assert ledger.request(source, cause="definition", now=NOW).pk == run.pk
    with pytest.raises(ledger.LostClaim):
        ledger.own(claimed)
    newest = ledger.claim("w2", NOW)
    assert newest
    assert newest.run == run.pk
    assert Run.objects.get().cause == "definition"
    ledger.request(source, now=NOW)
    assert Run.objects.get().cause == "definition"  # nor does the next tick hide why


def test_a_superseded_run_is_asked_for_anew(source: Source) -> None:
    ledger.request(source, metrics=["a"], start=date(2026, 1, 1), end=date(2026, 2, 1), now=NOW)
    claimed = ledger.claim("w1", NOW)
    assert claimed
    old = ledger.own(claimed)
    new = ledger.supersede(old, NOW)
    assert Run.objects.get(pk=old.pk).state == Run.State.SUPERSEDED
    assert (new.metrics, new.window_start, new.window_end, new.state) == (
        ["a"],
        date(2026, 1, 1),
        date(2026, 2, 1),
        Run.State.DUE,
    )


@pytest.mark.django_db(transaction=True)
def test_many_schedulers_and_workers_at_once() -> None:
    """Sixteen threads request and claim together: one open run a source, one worker a run."""
    sources = [make_source(f"source_{n}") for n in range(3)]
    barrier = threading.Barrier(16)

    def work(n: int) -> ledger.Claim | None:
        try:
            barrier.wait(10)
            for source in sources:
                ledger.request(source, now=NOW)
            return ledger.claim(f"w{n}", NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        claims = [c for c in pool.map(work, range(16)) if c]
    assert Run.objects.count() == 3
    assert len({c.run for c in claims}) == len(claims) == 3
