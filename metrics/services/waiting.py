"""What waits with a held figure: all figures of the metric that share days with it, members' as well.

So no reader ever finds a held period half-written: members still add up to the whole, and days to months.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from calc.calendar import Grain, Period
from calc.rollup import Part, merge_days

DAY = timedelta(days=1)
Place = tuple[str, date, date]  # grain, start, end (exclusive)
Segment = tuple[str, str]  # dimension, member
WHOLE: Segment = ("", "")
# What a month's days can be added up to. First and last ones cannot: a member may have none at the last time.
ROLLED = ("sum", "share", "min", "max")


def wait(
    cursor: Any, metric: int, held: Collection[Place], earlier: Collection[Place], *, merges: str, daily: bool
) -> None:
    """Mark what is not to be written of a metric's incoming figures.

    held: the periods whose incoming figure of the whole was judged implausible. earlier: periods held or
    rejected by earlier writes; they count where this write does not ask for them again.
    merges: how the metric's coarser figures follow from days (metrics.definitions.goals.merges_of). Those of
    ROLLED are made from the days that stand, as progress is; others keep what they are. daily: a lacking day
    makes such a figure unknown.
    """
    places = innermost({*held, *_not_asked(cursor, metric, earlier)})
    if not places:
        return
    rolls = merges in ROLLED
    cursor.execute(
        """
        UPDATE incoming i SET held = true
        FROM unnest(%s::varchar[], %s::date[], %s::date[]) AS place (grain, first, past)
        WHERE i.metric_id = %s AND i.period_start < place.past AND place.first < i.period_end
          AND (NOT %s OR i.grain = 'day'
               OR (i.grain, i.period_start, i.period_end) = (place.grain, place.first, place.past))
        """,
        [*_columns(places), metric, rolls],
    )
    if rolls:
        _rebuild(cursor, metric, places, merges, daily)


def innermost(places: Collection[Place]) -> list[Place]:
    """Without those that hold another one: it is what makes them odd, and all else in them may be right."""

    def inside(one: Place, other: Place) -> bool:
        return other[1] <= one[1] and one[2] <= other[2] and one[1:] != other[1:]

    return sorted(p for p in places if not any(inside(other, p) for other in places))


def _not_asked(cursor: Any, metric: int, earlier: Collection[Place]) -> list[Place]:
    if not earlier:
        return []
    cursor.execute(
        """SELECT place.* FROM unnest(%s::varchar[], %s::date[], %s::date[]) AS place (grain, first, past)
           WHERE NOT EXISTS (SELECT FROM scope s WHERE s.metric_id = %s AND s.dimension = ''
               AND s.grain = place.grain AND s.first < place.past AND place.past <= s.past)""",
        [*_columns(earlier), metric],
    )
    return [(grain, start, end) for grain, start, end in cursor.fetchall()]


@dataclass
class _Rolled:
    """One coarse period: its status and version as they would be written, and its days by segment."""

    status: str
    version: int
    days: dict[Segment, dict[date, Part]] = field(default_factory=dict)
    immature: dict[Segment, int] = field(default_factory=dict)


def _rebuild(cursor: Any, metric: int, places: Sequence[Place], merges: str, daily: bool) -> None:
    """Puts figures made of the days that stand in the place of coarser ones that share days with a held
    figure, stored ones as well."""
    cursor.execute(
        """
        SELECT c.grain, c.period_start, c.period_end,
               (array_agg(c.status ORDER BY c.incoming DESC, c.dimension))[1],
               (array_agg(c.version ORDER BY c.incoming DESC, c.dimension))[1]
        FROM (SELECT grain, period_start, period_end, dimension, status, version, true AS incoming
              FROM incoming WHERE metric_id = %(metric)s AND NOT held AND NOT gone
              UNION ALL
              SELECT grain, period_start, period_end, dimension, status, version, false
              FROM metrics_value WHERE metric_id = %(metric)s) c
        JOIN unnest(%(grains)s::varchar[], %(firsts)s::date[], %(pasts)s::date[])
             AS place (grain, first, past) ON c.period_start < place.past AND place.first < c.period_end
        WHERE c.grain = ANY(%(coarse)s)
        GROUP BY c.grain, c.period_start, c.period_end
        """,
        {
            "metric": metric,
            **dict(zip(("grains", "firsts", "pasts"), _columns(places), strict=True)),
            "coarse": [str(g) for g in (Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)],
        },
    )
    coarse = {
        (grain, start, end): _Rolled(status, version)
        for grain, start, end, status, version in cursor.fetchall()
        if (grain, start, end) not in places
    }
    if not coarse:
        return
    _fill(cursor, metric, coarse)
    cursor.execute("SELECT now_past FROM reached WHERE metric_id = %s", [metric])
    through = (cursor.fetchone() or (None,))[0]
    cursor.execute(
        """DELETE FROM incoming i
           USING unnest(%s::varchar[], %s::date[], %s::date[]) AS c (grain, first, past)
           WHERE i.metric_id = %s
             AND (i.grain, i.period_start, i.period_end) = (c.grain, c.first, c.past)""",
        [*_columns(coarse), metric],
    )
    rows = []
    for (grain, start, end), rolled in coarse.items():
        for segment, days in rolled.days.items():
            part = merge_days(
                days,
                Period(start, end, Grain(grain)),
                merges,
                through=(through or end) if daily else end,
                daily=daily,
            ).part
            figure = (part.value, part.numerator, part.denominator, rolled.immature.get(segment))
            rows.append((metric, grain, start, end, *segment, *figure, rolled.status, rolled.version))
    cursor.executemany(
        """INSERT INTO incoming (metric_id, grain, period_start, period_end, dimension, member, value,
               numerator, denominator, immature, status, version)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        rows,
    )
    # Members that no standing day has any more.
    cursor.execute(
        """INSERT INTO incoming (metric_id, grain, period_start, period_end, dimension, member, status,
               version, gone)
           SELECT v.metric_id, v.grain, v.period_start, v.period_end, v.dimension, v.member, v.status,
                  v.version, true
           FROM metrics_value v
           JOIN unnest(%s::varchar[], %s::date[], %s::date[]) AS c (grain, first, past)
             ON (v.grain, v.period_start, v.period_end) = (c.grain, c.first, c.past)
           WHERE v.metric_id = %s AND NOT EXISTS (
               SELECT FROM incoming i WHERE i.metric_id = v.metric_id AND i.grain = v.grain
                 AND i.period_start = v.period_start AND i.period_end = v.period_end
                 AND i.dimension = v.dimension AND i.member = v.member)""",
        [*_columns(coarse), metric],
    )


def _fill(cursor: Any, metric: int, coarse: dict[Place, _Rolled]) -> None:
    """The days as they will stand after the write: incoming ones that are not held, else stored ones."""
    cursor.execute(
        """
        SELECT DISTINCT ON (period_start, dimension, member)
               period_start, dimension, member, value, numerator, denominator, immature, gone
        FROM (SELECT period_start, dimension, member, value, numerator, denominator, immature, gone, 0 AS old
              FROM incoming WHERE metric_id = %(metric)s AND grain = 'day' AND NOT held
              UNION ALL
              SELECT period_start, dimension, member, value, numerator, denominator, immature, false, 1
              FROM metrics_value WHERE metric_id = %(metric)s AND grain = 'day') d
        WHERE period_start >= %(first)s AND period_start < %(past)s
        ORDER BY period_start, dimension, member, old
        """,
        {"metric": metric, "first": min(c[1] for c in coarse), "past": max(c[2] for c in coarse)},
    )
    by_day: dict[date, list[tuple[Segment, Part, int | None]]] = {}
    for day, dimension, member, value, numerator, denominator, immature, gone in cursor.fetchall():
        if not gone:
            part = Part(value, numerator, denominator)
            by_day.setdefault(day, []).append(((dimension, member), part, immature))
    for (_, start, end), rolled in coarse.items():
        for day in (start + n * DAY for n in range((end - start).days)):
            for segment, part, immature in by_day.get(day, ()):
                rolled.days.setdefault(segment, {})[day] = part
                if immature is not None:
                    rolled.immature[segment] = rolled.immature.get(segment, 0) + immature


def _columns(places: Iterable[Place]) -> list[list[Any]]:
    return [list(column) for column in zip(*places, strict=True)]
