"""The only way by which figures reach the database: one COPY, one MERGE, a revision for what they replace."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from calc.calendar import Calendar, Grain, Period
from metrics.models import Value
from metrics.services.incoming import COLUMNS, KEY, Draft, Reach, Scope, stage
from metrics.services.plausibility import Held, Plausible, hold

FINAL, PROVISIONAL = "final", "provisional"
SAME = 1e-12  # relative difference of floats below which a figure counts as unchanged

# All writers of figures queue here, so that a source's figures and their dependents' never mix two runs.
WRITERS = 0x4E5354_01


@dataclass(frozen=True, slots=True, order=True)
class Touched:
    """A period of which a figure (of the whole or a member) was written anew, changed, settled or removed."""

    metric: int
    grain: str
    start: date
    end: date


@dataclass
class Written:
    """rows: figures offered. changed: figures new, removed or of another value (not of another status only).
    refused: metric id -> why none of its figures was taken. held: metric id -> implausible figures."""

    rows: int = 0
    changed: int = 0
    touched: set[Touched] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)
    held: dict[int, list[Held]] = field(default_factory=dict)


def lock_figures() -> None:
    """Wait for the writers before us; holds until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [WRITERS])


def write(
    drafts: Iterable[Draft],
    scopes: Sequence[Scope],
    *,
    now: datetime,
    calendar: Calendar,
    cause: str,
    reach: Mapping[int, Reach],
    run: int | None = None,
    plausible: Mapping[int, Plausible] | None = None,
) -> Written:
    """Replace the figures of `scopes` by `drafts`, inside the caller's transaction.

    A replaced figure of a period that had ended by `reach[metric].before` is kept as a revision with `cause`,
    of an open one the last figure of each local day is kept.
    plausible: bounds by metric id. A metric with a figure that is not finite, not a number or there twice is
    refused as a whole and keeps what it has; the others are written.
    """
    lock_figures()
    with connection.cursor() as cursor:
        rows, refused = stage(cursor, drafts, scopes, reach)
        written = Written(rows=rows, refused=refused)
        cursor.execute(_MARK_GONE)
        for metric, bounds in (plausible or {}).items():
            if held := hold(cursor, metric, bounds):
                written.held[metric] = held
        _merge(cursor, written, now=now, calendar=calendar, cause=cause, run=run)
    return written


def settle(final_before: Mapping[int, date], now: datetime) -> set[Touched]:
    """Declare final what lies before each metric's `final_before` with no window open, and provisional again
    what lies behind it (more lateness is allowed than before); returns which."""
    touched: set[Touched] = set()
    with connection.cursor() as cursor:
        for metric, day in final_before.items():
            cursor.execute(_SETTLE, {"metric": metric, "day": day, "now": now})
            touched |= {Touched(*row) for row in cursor.fetchall()}
    return touched


def restate(drafts: Iterable[Draft], now: datetime) -> set[Touched]:
    """Give stored figures the status of their drafts and nothing else; returns the periods of those changed.

    For figures that an edit from a later day on has left as they were."""
    touched: set[Touched] = set()
    with connection.cursor() as cursor:
        for draft in drafts:
            where = (draft.metric, draft.grain, draft.dimension, draft.member, draft.start, draft.end)
            cursor.execute(_RESTATE, [draft.status, *where, draft.status, now])
            touched |= {Touched(*row) for row in cursor.fetchall()}
    return touched


def retire_periods(calendar: Calendar, now: datetime) -> int:
    """Take away the figures of periods that a changed calendar does not have (weeks that began on another
    day, other fiscal quarters and years), keeping them as revisions; returns how many."""
    lock_figures()
    spans = Value.objects.values_list("grain", "period_start", "period_end").distinct()
    strange = []
    for grain, start, end in spans:
        day = end - timedelta(days=1) if Grain(grain).is_to_date else start
        if calendar.period(Grain(grain), day) != Period(start, end, Grain(grain)):
            strange.append((grain, start, end))
    if not strange:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_RETIRE, [*map(list, zip(*strange, strict=True)), now])
        return cursor.rowcount


def status_of(end: date, final_before: date | None, immature: int | None = None) -> str:
    """final iff the period ends by `final_before` (watermark - lateness) and none of its windows is open."""
    return FINAL if final_before is not None and end <= final_before and not immature else PROVISIONAL


_ON = " AND ".join(f"v.{column} = i.{column}" for column in KEY)


def _differs(column: str) -> str:
    """SQL: stored and incoming figure are not the same within SAME, null-safe."""
    old, new = f"v.{column}", f"i.{column}"
    return (
        f"({old} IS DISTINCT FROM {new} AND ({old} IS NULL OR {new} IS NULL OR "
        f"abs({old} - {new}) > {SAME} * greatest(abs({old}), abs({new}))))"
    )


_FIGURE_DIFFERS = (
    " OR ".join(_differs(column) for column in ("value", "numerator", "denominator"))
    + " OR v.immature IS DISTINCT FROM i.immature"
)

_MARK_GONE = f"""
    INSERT INTO incoming ({COLUMNS}, gone, held)
    SELECT DISTINCT v.metric_id, v.grain, v.period_start, v.period_end, v.dimension, v.member,
           NULL::float8, NULL::float8, NULL::float8, NULL::integer, v.status, v.version, true, false
    FROM metrics_value v
    JOIN scope s ON v.metric_id = s.metric_id AND v.grain = s.grain AND v.dimension = s.dimension
                AND v.period_end > s.first AND v.period_end <= s.past
    WHERE NOT EXISTS (SELECT FROM incoming i WHERE {_ON})
    ON CONFLICT DO NOTHING
"""  # noqa: S608

# A figure is updated (and gets a new computed_at and run) only where it differs; status and version follow
# silently, for they say nothing new about the figure. What they were is kept with the cause `status`, for
# readings of a past instant: such a revision has the computed_at of the figure that still stands.
_MERGE = f"""
    WITH merged AS (
        MERGE INTO metrics_value v
        USING (SELECT i.*, {{new}} FROM incoming i WHERE NOT held) i ON {_ON}
        WHEN MATCHED AND i.gone THEN DELETE
        WHEN MATCHED AND ({_FIGURE_DIFFERS}) THEN UPDATE SET
            value = i.value, numerator = i.numerator, denominator = i.denominator, immature = i.immature,
            status = i.status, version = i.version, run_id = i.run_id, computed_at = i.computed_at
        WHEN MATCHED AND (v.status <> i.status OR v.version <> i.version) THEN UPDATE SET
            status = i.status, version = i.version
        WHEN NOT MATCHED AND NOT i.gone THEN INSERT ({COLUMNS}, run_id, computed_at)
            VALUES (i.metric_id, i.grain, i.period_start, i.period_end, i.dimension, i.member, i.value,
                    i.numerator, i.denominator, i.immature, i.status, i.version, i.run_id, i.computed_at)
        RETURNING merge_action() AS action, coalesce(new.id, old.id) AS id,
            coalesce(new.metric_id, old.metric_id) AS metric_id, coalesce(new.grain, old.grain) AS grain,
            coalesce(new.period_start, old.period_start) AS period_start,
            coalesce(new.period_end, old.period_end) AS period_end,
            coalesce(new.dimension, old.dimension) AS dimension, coalesce(new.member, old.member) AS member,
            old.value, old.numerator, old.denominator, old.immature, old.status, old.version, old.computed_at,
            new.status AS new_status, new.version AS new_version,
            new.computed_at AS new_computed_at,
            (merge_action() <> 'UPDATE'
                OR (old.value, old.numerator, old.denominator, old.immature)
                   IS DISTINCT FROM (new.value, new.numerator, new.denominator, new.immature)) AS figure
    ), kept AS (
        INSERT INTO metrics_revision ({COLUMNS}, computed_at, replaced_at, cause, run_id)
        SELECT m.metric_id, m.grain, m.period_start, m.period_end, m.dimension, m.member,
               m.value, m.numerator, m.denominator, m.immature, m.status, m.version, m.computed_at, %(now)s,
               CASE WHEN NOT m.figure THEN 'status' WHEN NOT m.over THEN 'open'
                    WHEN m.new_version <> m.version THEN 'definition' ELSE %(cause)s END,
               %(run)s
        FROM (SELECT merged.*, (e.past IS NULL OR period_end <= e.past) AS over
              FROM merged LEFT JOIN reached e USING (metric_id)) m
        WHERE m.action <> 'INSERT' AND (NOT m.figure OR m.over OR m.computed_at < %(today)s)
    )
    SELECT count(*) FILTER (WHERE figure), metric_id, grain, period_start, period_end FROM merged
    WHERE figure OR status <> new_status
    GROUP BY metric_id, grain, period_start, period_end
"""  # noqa: S608

_RETIRE = f"""
    WITH gone AS (
        DELETE FROM metrics_value v
        USING unnest(%s::varchar[], %s::date[], %s::date[]) AS strange (grain, first, past)
        WHERE v.grain = strange.grain AND v.period_start = strange.first AND v.period_end = strange.past
        RETURNING v.*
    )
    INSERT INTO metrics_revision ({COLUMNS}, computed_at, replaced_at, cause, run_id)
    SELECT {COLUMNS}, computed_at, %s, 'definition', NULL FROM gone
"""  # noqa: S608

_SETTLE = f"""
    WITH settled AS (
        UPDATE metrics_value SET status = CASE status WHEN 'final' THEN 'provisional' ELSE 'final' END
        WHERE metric_id = %(metric)s
          AND (status = 'provisional' AND period_end <= %(day)s AND coalesce(immature, 0) = 0
               OR status = 'final' AND period_end > %(day)s)
        RETURNING old.*
    ), kept AS (
        INSERT INTO metrics_revision ({COLUMNS}, computed_at, replaced_at, cause, run_id)
        SELECT {COLUMNS}, computed_at, %(now)s, 'status', NULL FROM settled
    )
    SELECT metric_id, grain, period_start, period_end FROM settled
"""  # noqa: S608

_RESTATE = f"""
    WITH restated AS (
        UPDATE metrics_value SET status = %s
        WHERE metric_id = %s AND grain = %s AND dimension = %s AND member = %s AND period_start = %s
          AND period_end = %s AND status <> %s
        RETURNING old.*
    ), kept AS (
        INSERT INTO metrics_revision ({COLUMNS}, computed_at, replaced_at, cause, run_id)
        SELECT {COLUMNS}, computed_at, %s, 'status', NULL FROM restated
    )
    SELECT metric_id, grain, period_start, period_end FROM restated
"""  # noqa: S608


def _merge(
    cursor: Any, written: Written, *, now: datetime, calendar: Calendar, cause: str, run: int | None
) -> None:
    cursor.execute(
        _MERGE.format(new="%(run)s::bigint AS run_id, %(now)s::timestamptz AS computed_at"),
        {"now": now, "run": run, "cause": cause, "today": calendar.opens(calendar.day_of(now))},
    )
    for changed, *key in cursor.fetchall():
        written.changed += changed
        written.touched.add(Touched(*key))
