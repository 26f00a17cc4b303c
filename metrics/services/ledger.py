"""The ledger of recomputing: what is due, who has claimed it, how it ended. PostgreSQL is the only record.

Locks are taken in one order everywhere, so that none waits for another in a circle: definitions, source,
metrics (by id), run, writers of figures. Whoever edits definitions asks for runs last.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from metrics.models import Run, Source
from metrics.services import bell

ATTEMPTS = 5  # a run that has killed its worker, or failed of itself, so often is put aside
FIRST_WAIT = timedelta(minutes=1)  # after a failure; doubled with each further one
LONGEST_WAIT = timedelta(minutes=30)
CLAIMS = 0x4E5354_02  # an advisory lock: claims come one by one, so that a source has one worker at a time
DEFINITIONS = 0x4E5354_03  # an advisory lock between edits of definitions and results being taken in
FROM_THE_START = date.min
# Causes that make what a running worker is about to bring worthless.
OVERRIDING = ("definition", "source", "correction")
STRENGTH = ("schedule", "late_data", "request", "correction", "source", "definition")


def lease() -> timedelta:
    """How long a claim holds without a sign of life."""
    return timedelta(seconds=settings.LEASE_SECONDS)


class LostClaim(Exception):
    """The run was given to another worker, or asked for anew, since it was claimed: the result is void."""


@dataclass(frozen=True)
class Claim:
    """A worker's hold on a run; worth something while the run's fence is still `fence`."""

    run: int
    fence: int
    worker: str


def request(
    source: Source | None,
    *,
    metrics: Collection[str] = (),
    start: date | None = None,
    end: date | None = None,
    cause: str = "schedule",
    user: Any = None,
    now: datetime | None = None,
    ring: bool = True,
) -> Run:
    """The open run of a source (None: of dependents) and window, inserted unless there is one.

    metrics: keys, () for all; an open run takes them in. start: None for what has changed, FROM_THE_START for
    all history; end: exclusive, None for as far as rows reach. An edit (see OVERRIDING) takes a running
    run away from its worker, whose result is then dropped. A person's request ends a wait.
    ring: wake a worker once the transaction is committed.
    """
    keys = sorted(set(metrics))
    with connection.cursor() as cursor:
        cursor.execute(
            _REQUEST,
            {
                "source": source.pk if source else None,
                "metrics": json.dumps(keys),
                "start": start,
                "end": end,
                "cause": cause,
                "user": getattr(user, "pk", None),
                "now": now or timezone.now(),
                "overriding": list(OVERRIDING),
                "strength": list(STRENGTH),
            },
        )
        (pk,) = cursor.fetchone()
    if ring:
        bell.ring_on_commit()
    return Run.objects.get(pk=pk)


def claim(worker: str, now: datetime, *, only: Collection[int] | None = None) -> Claim | None:
    """Take the next run that is due, or whose worker was lost; None if there is none.

    only: ids of runs to choose from. A source has one worker at a time, so that an older answer of its
    warehouse can never be written over a newer one. A run that lost its worker ATTEMPTS times is quarantined.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CLAIMS])
        cursor.execute(
            """UPDATE metrics_run
               SET state = 'quarantined', finished_at = %(now)s, lease_until = NULL, fence = fence + 1,
                   error = concat_ws(': ', 'lost its worker ' || attempts || ' times', nullif(error, ''))
               WHERE state = 'running' AND lease_until < %(now)s AND attempts >= %(most)s""",
            {"now": now, "most": ATTEMPTS},
        )
        cursor.execute(
            _CLAIM,
            {
                "now": now,
                "until": now + lease(),
                "worker": worker[:200],
                "only": None if only is None else list(only),
            },
        )
        row = cursor.fetchone()
    return Claim(row[0], row[1], worker) if row else None


def renew(claimed: Claim, now: datetime, step: str | None = None) -> bool:
    """Prolong the lease, and say what is being done; False if the run is no longer ours."""
    fields: dict[str, Any] = {"lease_until": now + lease()}
    if step is not None:
        fields["step"] = step[:200]
    return bool(_ours(claimed).update(**fields))


def own(claimed: Claim) -> Run:
    """The run, locked until the transaction ends; LostClaim if it is no longer ours."""
    run = _ours(claimed).select_for_update(of=("self",)).select_related("source").first()
    if run is None:
        raise LostClaim(f"run {claimed.run} is no longer {claimed.worker}'s")
    return run


def finish(run: Run, now: datetime, *, rows: int, changed: int, error: str = "") -> None:
    """End an own run well; `error` names metrics that were left behind."""
    run.state = Run.State.DONE
    run.finished_at, run.rows_written, run.rows_changed, run.error = now, rows, changed, error
    run.lease_until, run.step = None, ""
    run.save()


def supersede(run: Run, now: datetime) -> Run:
    """End an own run whose answer no longer fits the definitions, and ask for it anew."""
    run.state, run.finished_at, run.lease_until, run.step = Run.State.SUPERSEDED, now, None, ""
    run.save()
    return request(
        run.source,
        metrics=run.metrics,
        start=run.window_start,
        end=run.window_end,
        cause=run.cause,
        user=run.requested_by,
        now=now,
        ring=False,
    )


def fail(claimed: Claim, error: str, now: datetime, *, outage: bool = False) -> Run:
    """Put an own run back for another attempt after a growing wait; LostClaim if it is no longer ours.

    outage: the warehouse did not answer, which is nothing the run could be put aside for; else after ATTEMPTS
    it is quarantined.
    """
    with transaction.atomic():
        run = own(claimed)
        run.error, run.lease_until, run.step = error[:4000], None, ""
        if run.attempts >= ATTEMPTS and not outage:
            run.state, run.finished_at = Run.State.QUARANTINED, now
        else:
            run.state, run.not_before = Run.State.DUE, now + wait(run.attempts)
        run.save()
    return run


def wait(attempts: int) -> timedelta:
    """How long to wait after the given number of failed attempts: 1, 2, 4, 8, 16, 30, 30, ... minutes."""
    return min(FIRST_WAIT * 2 ** min(max(attempts - 1, 0), 10), LONGEST_WAIT)


def is_waiting(now: datetime) -> bool:
    """Whether any run could be claimed now."""
    return (
        Run.objects.filter(state=Run.State.DUE).exclude(not_before__gt=now).exists()
        or Run.objects.filter(state=Run.State.RUNNING, lease_until__lt=now).exists()
    )


def editing_definitions() -> None:
    """To be called first in a transaction that edits sources or metrics: waits for results being taken in,
    and makes those that come later see the edit. Holds until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DEFINITIONS])


def hold_definitions() -> None:
    """Keep definitions as they are until the transaction ends; many results may do so together."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [DEFINITIONS])


def locked_versions(metrics: Collection[int]) -> dict[int, int]:
    """The versions of metrics (ids) that are not archived, their rows locked against an edit."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id, version FROM metrics_metric WHERE id = ANY(%s) AND archived_at IS NULL
               ORDER BY id FOR SHARE""",
            [sorted(metrics)],
        )
        return dict(cursor.fetchall())


def _ours(claimed: Claim) -> Any:
    return Run.objects.filter(pk=claimed.run, fence=claimed.fence, state=Run.State.RUNNING)


_REQUEST = """
    INSERT INTO metrics_run AS r (
        source_id, metrics, versions, window_start, window_end, cause, state, attempts, fence, claimed_by,
        requested_by_id, created_at, step, error
    ) VALUES (
        %(source)s, %(metrics)s::jsonb, '{}', %(start)s, %(end)s, %(cause)s, 'due', 0, 0, '',
        %(user)s, %(now)s, '', ''
    )
    ON CONFLICT (source_id, window_start, window_end) WHERE state IN ('due', 'running') DO UPDATE SET
        metrics = CASE WHEN r.metrics = '[]' OR excluded.metrics = '[]' THEN '[]'::jsonb
                       ELSE (SELECT jsonb_agg(DISTINCT key ORDER BY key)
                             FROM jsonb_array_elements_text(r.metrics || excluded.metrics) AS key) END,
        cause = CASE WHEN array_position(%(strength)s, excluded.cause::text)
                        > array_position(%(strength)s, r.cause::text) THEN excluded.cause ELSE r.cause END,
        requested_by_id = coalesce(excluded.requested_by_id, r.requested_by_id),
        attempts = CASE WHEN excluded.cause = 'schedule' THEN r.attempts ELSE 0 END,
        not_before = CASE WHEN excluded.cause = 'schedule' THEN r.not_before END,
        state = CASE WHEN excluded.cause::text = ANY(%(overriding)s) THEN 'due' ELSE r.state END,
        fence = CASE WHEN excluded.cause::text = ANY(%(overriding)s) AND r.state = 'running'
                     THEN r.fence + 1 ELSE r.fence END,
        lease_until = CASE WHEN excluded.cause::text = ANY(%(overriding)s) THEN NULL ELSE r.lease_until END
    RETURNING id
"""

_CLAIM = """
    UPDATE metrics_run SET
        state = 'running', fence = fence + 1, attempts = attempts + 1, lease_until = %(until)s,
        claimed_by = %(worker)s, started_at = %(now)s, not_before = NULL, step = 'asking the warehouse'
    WHERE id = (
        SELECT r.id FROM metrics_run r
        WHERE ((r.state = 'due' AND (r.not_before IS NULL OR r.not_before <= %(now)s))
               OR (r.state = 'running' AND r.lease_until < %(now)s))
          AND (%(only)s::bigint[] IS NULL OR r.id = ANY(%(only)s))
          AND NOT EXISTS (
              SELECT FROM metrics_run other
              WHERE other.state = 'running' AND other.lease_until >= %(now)s AND other.id <> r.id
                AND other.source_id IS NOT DISTINCT FROM r.source_id)
        ORDER BY r.cause = 'schedule', r.id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id, fence
"""
