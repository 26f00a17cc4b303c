"""Stored figures as arrays: however many series a page needs, one SQL statement reads them all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from calc.calendar import Grain


@dataclass(frozen=True)
class Wanted:
    """The figures of one metric, grain and segment whose periods overlap `[start, end)`."""

    metric_id: int
    grain: Grain | str
    start: date
    end: date
    dimension: str = ""
    member: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored figure. `end` is exclusive; None is unknown."""

    start: date
    end: date
    value: float | None
    numerator: float | None
    denominator: float | None
    immature: int | None
    final: bool
    version: int


_COLUMNS = "period_start, period_end, value, numerator, denominator, immature, status, version"
_FIGURE = "metric_id, grain, dimension, member"
_NOW = f"SELECT {_FIGURE}, {_COLUMNS} FROM metrics_value"  # noqa: S608
# What was recorded at an instant: today's figure where it is that old, else the revision that stood then. Of
# several (only the status has changed since) the one that was replaced first.
_THEN = f"""
    SELECT DISTINCT ON ({_FIGURE}, period_start, period_end) {_FIGURE}, {_COLUMNS}
    FROM (
        SELECT {_FIGURE}, {_COLUMNS}, 'infinity'::timestamptz AS replaced_at FROM metrics_value
        WHERE computed_at <= %(known_at)s
        UNION ALL
        SELECT {_FIGURE}, {_COLUMNS}, replaced_at FROM metrics_revision
        WHERE computed_at <= %(known_at)s AND replaced_at > %(known_at)s
    ) AS recorded
    ORDER BY {_FIGURE}, period_start, period_end, replaced_at"""  # noqa: S608
_READ = """
    SELECT w.n, s.*
    FROM unnest(%(metrics)s::bigint[], %(grains)s::text[], %(starts)s::date[], %(ends)s::date[],
                %(dimensions)s::text[], %(members)s::text[])
         WITH ORDINALITY AS w(metric_id, grain, first, until, dimension, member, n)
    CROSS JOIN LATERAL (
        SELECT array_agg(period_start ORDER BY period_start, period_end),
               array_agg(period_end ORDER BY period_start, period_end),
               array_agg(value ORDER BY period_start, period_end),
               array_agg(numerator ORDER BY period_start, period_end),
               array_agg(denominator ORDER BY period_start, period_end),
               array_agg(immature ORDER BY period_start, period_end),
               array_agg(status = 'final' ORDER BY period_start, period_end),
               array_agg(version ORDER BY period_start, period_end)
        FROM ({figures}) AS v
        WHERE v.metric_id = w.metric_id AND v.grain = w.grain
          AND v.dimension = w.dimension AND v.member = w.member
          AND v.period_start < w.until AND v.period_end > w.first
    ) AS s
    ORDER BY w.n"""


def read(wanted: Sequence[Wanted], known_at: datetime | None = None) -> list[tuple[Stored, ...]]:
    """The stored figures of every wanted series, in the order asked for, each by period. One SQL statement.

    known_at: as recorded at that instant, rather than now.
    """
    if not wanted:
        return []
    parameters: dict[str, Any] = {
        "metrics": [w.metric_id for w in wanted],
        "grains": [str(w.grain) for w in wanted],
        "starts": [w.start for w in wanted],
        "ends": [w.end for w in wanted],
        "dimensions": [w.dimension for w in wanted],
        "members": [w.member for w in wanted],
        "known_at": known_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_READ.format(figures=_THEN if known_at else _NOW), parameters)
        return [
            tuple(Stored(*columns) for columns in zip(*arrays, strict=True)) if arrays[0] else ()
            for _, *arrays in cursor.fetchall()
        ]
