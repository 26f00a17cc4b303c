"""`recompute`: computes metrics in this process, and waits for it."""

import os
import socket
import time
from argparse import ArgumentParser
from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from metrics.definitions.build import operands_of, source_keys_of
from metrics.management.output import check_window, day
from metrics.models import Metric, Run, Source
from metrics.services import ledger
from metrics.services.recompute import Outcome, recompute_now

POLL = 1.0  # seconds between two looks at a run that another worker has
PATIENCE = 3600.0  # seconds to wait for it


class Command(BaseCommand):
    help = (
        "Recomputes metrics (all, or those named and what they follow from) in this process and waits. "
        "Without --from only what has changed; a window widens to whole periods. Exits 1 if something "
        "failed, 2 if refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("keys", nargs="*", metavar="KEY", help="a metric's key")
        parser.add_argument("--from", dest="start", type=day, metavar="DATE", help="the first local day")
        parser.add_argument("--to", dest="end", type=day, metavar="DATE", help="the day after the last")

    def handle(self, *args: Any, **options: Any) -> None:
        start, end = options["start"], options["end"]
        check_window(start, end)
        if end and not start:
            start = ledger.FROM_THE_START
        metrics = {m.key: m for m in Metric.objects.filter(archived_at=None)}
        unknown = sorted(set(options["keys"]) - set(metrics))
        if unknown:
            raise CommandError(f"there is no metric {', '.join(unknown)}", returncode=2)
        began = time.monotonic()
        total = _Total()
        for run in self._runs(metrics, options["keys"], start, end):
            total.add(self._finish(run))
        self.stdout.write(
            f"{total.rows:,} rows, {total.changed:,} changed in {time.monotonic() - began:.1f} s"
            + (f", {total.failed} failed" if total.failed else "")
        )
        if total.failed:
            raise CommandError("not everything could be computed; the last good figures stay", returncode=1)

    def _runs(
        self, metrics: dict[str, Metric], keys: list[str], start: date | None, end: date | None
    ) -> Iterator[Run]:
        """Sources first, each followed by what its run brings about, then manual metrics and dependents."""
        chosen = _with_operands(keys, metrics) if keys else set(metrics)
        sources: dict[str, list[str]] = {}
        rest = []
        for key in sorted(chosen):
            from_source = source_keys_of(metrics[key])[:1]
            if from_source:
                sources.setdefault(from_source[0], []).append(key)
            else:
                rest.append(key)
            for other in source_keys_of(metrics[key])[1:]:
                sources.setdefault(other, [])  # how far it is loaded decides what is final
        for source in Source.objects.filter(key__in=sources, archived_at=None).order_by("key"):
            wanted = sources[source.key] if keys else ()
            due = Run.objects.filter(source=source, state=Run.State.DUE, attempts=0).order_by("id")
            before = list(due)  # an edit that has not been computed yet may be all that is to be done
            yield from before
            window = (start, end) if sources[source.key] else (None, None)
            if window[0] is not None or not _is_covered(source, wanted, before):
                yield _request(source, wanted, *window)
            yield from due.all()
        yield from list(Run.objects.filter(source=None, state=Run.State.DUE, attempts=0).order_by("id"))
        if rest:
            yield _request(None, rest if keys else (), start, end)

    def _finish(self, run: Run) -> Outcome:
        """Perform a run, or wait for the worker that has it."""
        name = run.source.key if run.source else "manual and derived metrics"
        outcome = recompute_now(run, worker=f"{socket.gethostname()}:{os.getpid()} recompute")
        deadline = time.monotonic() + PATIENCE
        while outcome.state == "lost" and time.monotonic() < deadline:
            fresh = Run.objects.get(pk=run.pk)
            if fresh.state not in Run.OPEN:
                good = fresh.state in (Run.State.DONE, Run.State.SUPERSEDED)
                outcome = Outcome(
                    run.pk,
                    name,
                    "done" if good else "failed",
                    fresh.rows_written or 0,
                    fresh.rows_changed or 0,
                    error="" if good else fresh.error,
                )
                break
            if fresh.state == Run.State.DUE and fresh.attempts and fresh.error:
                outcome = Outcome(run.pk, name, "failed", error=fresh.error)
                break
            time.sleep(POLL)
            outcome = recompute_now(run, worker=f"{socket.gethostname()}:{os.getpid()} recompute")
        self.stdout.write(
            f"{name}: {outcome.rows:,} rows, {outcome.changed:,} changed in {outcome.seconds:.1f} s"
        )
        if outcome.state != "done":
            self.stderr.write(f"  failed: {outcome.error or outcome.state}")
        for key, message in sorted(outcome.failures.items()):
            self.stderr.write(f"  {key} failed: {message}")
        return outcome


class _Total:
    def __init__(self) -> None:
        self.rows = self.changed = self.failed = 0

    def add(self, outcome: Outcome) -> None:
        self.rows += outcome.rows
        self.changed += outcome.changed
        self.failed += len(outcome.failures) + (outcome.state != "done")


def _is_covered(source: Source, wanted: Collection[str], runs: Collection[Run]) -> bool:
    """Whether one of the runs, just tried, was about all history of all that is wanted (nothing named: of the
    whole source), so that nothing is left to be asked."""
    everything = {
        m.key
        for m in Metric.objects.filter(archived_at=None).exclude(type="manual")
        if source_keys_of(m)[:1] == (source.key,)
    }
    keys = set(wanted) or everything
    tried = Run.objects.filter(
        pk__in=[run.pk for run in runs],
        window_start=ledger.FROM_THE_START,
        window_end=None,
        attempts__gt=0,
    ).exclude(state=Run.State.SUPERSEDED)
    return any(not run.metrics or keys <= set(run.metrics) for run in tried)


def _request(source: Source | None, keys: Any, start: date | None, end: date | None) -> Run:
    return ledger.request(source, metrics=keys, start=start, end=end, cause="request", ring=False)


def _with_operands(keys: list[str], metrics: dict[str, Metric]) -> set[str]:
    """The named metrics and all that they follow from."""
    found: set[str] = set()
    waiting = list(keys)
    while waiting:
        key = waiting.pop()
        if key in found or key not in metrics:
            continue
        found.add(key)
        operands = operands_of(metrics[key])
        waiting += operands.metrics if operands else ()
    return found
