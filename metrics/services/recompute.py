"""Performing runs: plan, ask the warehouse outside of any transaction, take everything in within one."""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import structlog
from django.db import connection, transaction
from django.utils import timezone

from metrics.definitions.build import calendar_of, entry_grain, merges_of, operands_of, source_keys_of, top_of
from metrics.models import Installation, Metric, Run, Source, Value
from metrics.services import dependents, freshness, health, ledger, notices
from metrics.services.asking import Answer, Job, ask, effective_from, job_of, known_members
from metrics.services.heartbeat import Heartbeat
from metrics.services.incoming import Draft, Scope
from metrics.services.ledger import Claim, LostClaim
from metrics.services.manual import recompute_manual
from metrics.services.standing import Standings, effective_days
from metrics.services.writing import Written, lock_figures, settle, status_of, write
from warehouse.definitions import WarehouseError

log = structlog.get_logger(__name__)
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Outcome:
    """How one attempt at a run ended. state: done | failed | superseded | lost. failures: key -> what went
    wrong."""

    run: int
    source: str
    state: str
    rows: int = 0
    changed: int = 0
    seconds: float = 0.0
    error: str = ""
    failures: dict[str, str] = field(default_factory=dict)


def perform(claimed: Claim, *, clock: Clock = timezone.now) -> Outcome:
    """Carry out a claimed run. Never raises for a fault of the warehouse or the run, which the ledger then
    tells.

    A result whose claim was lost, or that no longer fits the definitions, is dropped.
    """
    began = clock()
    run = Run.objects.select_related("source__warehouse", "source__data_owner").get(pk=claimed.run)
    source = run.source.key if run.source else ""

    def outcome(state: str, **more: Any) -> Outcome:
        return Outcome(run.pk, source, state, seconds=(clock() - began).total_seconds(), **more)

    try:
        with Heartbeat(claimed):
            done = _of_source(claimed, run, clock) if run.source else _of_dependents(claimed, run, clock)
    except LostClaim as lost:
        log.warning("claim lost", run=run.pk, reason=str(lost))
        return outcome("lost", error=str(lost))
    except WarehouseError as error:
        with suppress(LostClaim):
            _source_failed(claimed, run, str(error), clock())
        return outcome("failed", error=str(error))
    except Exception as error:
        log.exception("run failed", run=run.pk)
        connection.close_if_unusable_or_obsolete()
        with suppress(LostClaim):
            ledger.fail(claimed, f"{type(error).__name__}: {error}", clock())
        return outcome("failed", error=f"{type(error).__name__}: {error}")
    if done is None:
        return outcome("superseded")
    written, failures = done
    return outcome("done", rows=written.rows, changed=written.changed, failures=failures)


def work(worker: str, *, most: int = 1000, clock: Clock = timezone.now) -> Iterator[Outcome]:
    """Claim and perform what is due until nothing is left, at most `most` runs."""
    for _ in range(most):
        claimed = ledger.claim(worker, clock())
        if claimed is None:
            return
        yield perform(claimed, clock=clock)


def _of_source(claimed: Claim, run: Run, clock: Clock) -> tuple[Written, dict[str, str]] | None:
    job = job_of(run, clock())
    versions = {key: metric.version for key, metric in job.metrics.items()}
    Run.objects.filter(pk=run.pk, fence=claimed.fence).update(versions=versions)
    answer = ask(job)
    with transaction.atomic():
        ledger.hold_definitions()
        source = Source.objects.select_for_update(of=("self",), no_key=True).select_related(
            "warehouse", "data_owner"
        )
        fresh = source.get(pk=job.source.pk)
        if not _still_current(job, fresh):
            ledger.supersede(ledger.own(claimed), clock())
            return None
        own = ledger.own(claimed)
        lock_figures()
        taken = _Taking(job, answer, own, fresh, clock())
        return taken.take_in()


def _still_current(job: Job, source: Source) -> bool:
    """Whether definitions are those that were asked with; locks the run's metrics against an edit until the
    end."""
    if (source.spec, source.warehouse_id, source.archived_at) != (
        job.source.spec,
        job.source.warehouse_id,
        None,
    ):
        return False
    if source.warehouse.options != job.warehouse_options:
        return False
    if calendar_of(Installation.objects.first()) != job.calendar:
        return False
    versions = ledger.locked_versions([m.pk for m in job.metrics.values()])
    return versions == {m.pk: m.version for m in job.metrics.values()}


class _Taking:
    """One answer being taken in, inside the transaction."""

    def __init__(self, job: Job, answer: Answer, run: Run, source: Source, now: datetime) -> None:
        self.job, self.answer, self.run, self.source, self.now = job, answer, run, source, now
        everyone = {m.key: m for m in Metric.objects.filter(archived_at=None)}
        loaded = {source.key: answer.watermark}
        self.standings = Standings(job.calendar, everyone, loaded)
        self.cause = {"schedule": "late_data", "request": "late_data"}.get(run.cause, run.cause)
        self.by_id = {m.pk: m for m in job.metrics.values()}
        # What has ended before an edit's own day stays as it was said, however far back was asked.
        self.since = effective_days(job.metrics.values())

    def take_in(self) -> tuple[Written, dict[str, str]]:
        job, answer = self.job, self.answer
        scopes = list(self._scopes())
        written = write(
            self._drafts(),
            scopes,
            now=self.now,
            calendar=job.calendar,
            cause=self.cause,
            reach={m.pk: self.standings.of(key).reach for key, m in job.metrics.items()},
            run=self.run.pk,
            plausible=health.bounds_of(list(job.metrics.values())),
        )
        failures = dict(answer.failures)
        for pk, message in written.refused.items():
            metric = self.by_id[pk]
            names = {"warehouse": self.source.warehouse.key, "source": self.source.key}
            failures[metric.key] = str(WarehouseError(message, metric=metric.key, **names))
        good = {key: m for key, m in job.metrics.items() if key not in failures}
        readers = {
            key: m for key, m in self.standings.metrics.items() if self.source.key in source_keys_of(m)[1:]
        }
        settled = good | readers  # others' conversions lead into this source, which may have been behind
        written.touched |= settle(
            {
                m.pk: day
                for key, m in settled.items()
                if (day := self.standings.of(key).final_before) is not None
            },
            self.now,
        )
        self._note_health(good, failures, written, scopes)
        follow = dependents.update(
            set(good), written.touched, self.standings, now=self.now, cause=self.cause, run=self.run.pk
        )
        if follow.held:
            notices.figures_held(self.source, _named(self.standings, follow.held), self.now)
        written.rows += follow.rows
        written.changed += follow.changed
        self._advance()
        if answer.window:
            self.run.computed_start, self.run.computed_end = answer.window
        ledger.finish(
            self.run,
            self.now,
            rows=written.rows,
            changed=written.changed,
            error="\n".join(failures[key] for key in sorted(failures))[:4000],
        )
        self._ask_for_history(good)
        return written, failures

    def _drafts(self) -> Iterator[Draft]:
        merging = {key for key, m in self.job.metrics.items() if merges_of(m) != "none"}
        for figure in self.answer.figures:
            if figure.key in self.answer.failures or (figure.grain.is_to_date and figure.key in merging):
                continue
            metric = self.job.metrics[figure.key]
            if figure.end <= self.since.get(metric.pk, date.min):
                continue
            status = status_of(figure.end, self.standings.of(figure.key).final_before, figure.immature)
            yield Draft(
                metric.pk,
                figure.grain,
                figure.start,
                figure.end,
                figure.dimension,
                figure.member,
                figure.value,
                figure.numerator,
                figure.denominator,
                figure.immature,
                status,
                metric.version,
            )

    def _scopes(self) -> Iterator[Scope]:
        for asked in self.answer.asked:
            for key in asked.keys:
                if key in self.answer.failures:
                    continue
                metric = self.job.metrics[key]
                start = max(asked.start, self.since.get(metric.pk, date.min))
                if start >= asked.end:
                    continue
                for grain in asked.grains:
                    for dimension in ("",) if grain.is_to_date else ("", *self._dimensions(metric)):
                        yield Scope(metric.pk, grain, dimension, start, asked.end)

    def _dimensions(self, metric: Metric) -> Collection[str]:
        """Those it is broken down by, and those it once was, whose figures go."""
        if not hasattr(self, "_stored"):
            rows = Value.objects.filter(metric__in=list(self.by_id), grain="year").exclude(dimension="")
            self._stored: dict[int, set[str]] = {}
            for pk, dimension in rows.values_list("metric", "dimension").distinct():
                self._stored.setdefault(pk, set()).add(dimension)
        return sorted({*metric.by} | self._stored.get(metric.pk, set()))

    def _note_health(
        self, good: dict[str, Metric], failures: dict[str, str], written: Written, scopes: list[Scope]
    ) -> None:
        """Failed attempts, recoveries and held figures, and who is told."""
        for metric, since in health.recovered([m for m in good.values() if self._made_up_for(m)], self.now):
            notices.metric_back(metric, since, self.source.data_owner)
        window = self.answer.window
        for key, message in failures.items():
            metric = self.job.metrics[key]
            state = health.failed(metric, message, self.now, window[0] if window else None)
            since = state.stale_since or self.now
            notices.metric_failed(self.source, metric, message, since, state.quarantined_at is not None)
            log.warning("metric failed", metric=key, run=self.run.pk, error=message)
        if self.job.left_out and window and self.run.window_start is None:
            health.missed(self.job.left_out, window[0])
        sound = {m.pk: m for m in good.values()}
        notices.figures_held(self.source, health.keep_held(sound, written.held, scopes, self.now), self.now)

    def _made_up_for(self, metric: Metric) -> bool:
        """Whether the window holds all that the metric has missed in failing."""
        missed, run = self.job.dirty.get(metric.key), self.run
        if missed is None or run.window_start is None:
            return True
        # What was missed is told in whole periods, which begin before the first row does.
        firsts = [day for day in (self.answer.first_day, self.source.first_day) if day is not None]
        if firsts:
            missed = max(missed, min(firsts))
        return run.window_start <= missed and run.window_end is None

    def _advance(self) -> None:
        """What is now known of the source. Its clock moves only by a run of all that has changed."""
        source, answer = self.source, self.answer
        if self._covers_source():
            source.first_day, source.watermark = answer.first_day, answer.watermark
            source.changed_to = answer.changed_to
            source.top = answer.top
        if source.failed_since is not None:
            notices.source_back(source, source.failed_since)
        source.failed_since, source.error, source.checked_at = None, "", self.now
        freshness.judge(source, self.job.calendar, self.now)
        source.save()

    def _covers_source(self) -> bool:
        """Whether all metrics that are not set aside have now seen all that the source had to say."""
        run = self.run
        from_all = run.window_start in (None, ledger.FROM_THE_START)
        return self.job.is_complete and run.window_end is None and from_all

    def _ask_for_history(self, good: dict[str, Metric]) -> None:
        """A member that was never seen gets its earlier figures, and a dimension with too many members is
        cut, by a run of all history."""
        if self.job.is_whole or self.source.watermark is None:
            return
        known = known_members(self.source)
        most = top_of(self.source)
        fresh = any(set(members) - set(self.job.members.get(name, ())) for name, members in known.items())
        first_load = not self.job.members and self.job.source.watermark is None
        many = any(
            len(members) > most.get(name, len(members)) and name not in self.source.top
            for name, members in known.items()
        )
        if (fresh and not first_load) or many:
            ledger.request(
                self.source, start=ledger.FROM_THE_START, cause="schedule", now=self.now, ring=False
            )


def _named(standings: Standings, ids: Collection[int]) -> list[Metric]:
    return [m for m in standings.metrics.values() if m.pk in ids]


def _of_dependents(claimed: Claim, run: Run, clock: Clock) -> tuple[Written, dict[str, str]]:
    """Manual metrics and what follows from others: nothing is asked for, all is in the database."""
    with transaction.atomic():
        ledger.hold_definitions()
        own = ledger.own(claimed)
        lock_figures()
        now = clock()
        everyone = {m.key: m for m in Metric.objects.filter(archived_at=None)}
        chosen = {key: m for key, m in everyone.items() if not run.metrics or key in run.metrics}
        cause = {"schedule": "late_data", "request": "late_data"}.get(run.cause, run.cause)
        written = recompute_manual(
            [key for key, m in chosen.items() if entry_grain(m)], now=now, cause=cause, run=run.pk
        )
        anew = {}
        for key, metric in chosen.items():
            if operands_of(metric) is None:
                continue
            if run.window_start is not None:
                anew[key] = max(run.window_start, effective_from(metric))
            elif not Value.objects.filter(metric=metric, version=metric.version).exists():
                anew[key] = effective_from(metric)
        standings = Standings(calendar_of(Installation.objects.first()), everyone)
        follow = dependents.update(
            (), (), standings, now=now, cause=cause, run=run.pk, anew=anew, end=run.window_end
        )
        written.rows += follow.rows
        written.changed += follow.changed
        own.versions = {key: m.version for key, m in chosen.items() if key in anew}
        ledger.finish(own, now, rows=written.rows, changed=written.changed)
    return written, {}


def _source_failed(claimed: Claim, run: Run, error: str, now: datetime) -> None:
    """The source could not be read: its figures stay, its data owner is told once, another attempt
    follows."""
    with transaction.atomic():
        source = Source.objects.select_for_update(of=("self",), no_key=True).get(runs=run)
        ledger.fail(claimed, error, now, outage=True)
        source.failed_since = source.failed_since or now
        source.error, source.checked_at = error[:4000], now
        notices.source_failed(source, error)
        freshness.judge(source, calendar_of(Installation.objects.first()), now)
        source.save()


def recompute_source(
    source: Source,
    *,
    metrics: Collection[str] = (),
    start: date | None = None,
    end: date | None = None,
    cause: str = "request",
    user: Any = None,
    worker: str = "here",
    clock: Clock = timezone.now,
) -> Outcome:
    """Request a run and perform it here and now, with what it brings about (see `recompute_now`)."""
    run = ledger.request(
        source, metrics=metrics, start=start, end=end, cause=cause, user=user, now=clock(), ring=False
    )
    return recompute_now(run, worker=worker, clock=clock)


def recompute_now(run: Run, *, worker: str = "here", clock: Clock = timezone.now, tries: int = 5) -> Outcome:
    """Perform one open run here, again where an edit has made its result worthless.

    Outcome `lost` where another worker has it: that worker will end it.
    """
    current = run.pk
    for _ in range(tries):
        claimed = ledger.claim(worker, clock(), only=[current])
        if claimed is None:
            return Outcome(
                current, run.source.key if run.source else "", "lost", error="another worker has it"
            )
        result = perform(claimed, clock=clock)
        if result.state == "superseded":
            current = (
                Run.objects.filter(
                    source=run.source,
                    window_start=run.window_start,
                    window_end=run.window_end,
                    state__in=Run.OPEN,
                )
                .values_list("pk", flat=True)
                .get()
            )
        elif result.state != "lost":
            return result
    return result
