"""Which incoming figures are held for a check and not written: those outside of a metric's bounds."""

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

from calc.calendar import Grain


@dataclass(frozen=True, slots=True)
class Held:
    """An implausible figure that was not written; the last good one stays."""

    grain: str
    start: date
    end: date
    value: float | None
    reason: str
    rejected: bool = False  # somebody has said already that it is wrong


Decided = tuple[str, date, date, float | None]  # grain, start, end, value


@dataclass(frozen=True)
class Plausible:
    """Bounds of one metric's whole figures; max_change is a fraction of the last good figure.

    grain: the one that low and high are about; None for every grain (see metrics.definitions.goals). A bound
    of 0 is about every grain: a sum of what is not negative is not negative.
    sums: a coarser figure is the sum of the finer, so that one that holds a held figure is held with it.
    """

    low: float | None = None
    high: float | None = None
    max_change: float | None = None
    accepted: tuple[Decided, ...] = ()  # what somebody checked and released
    rejected: tuple[Decided, ...] = ()  # and what is wrong
    grain: Grain | None = None
    sums: bool = False
    waiting: tuple[Decided, ...] = ()  # what is held since earlier writes


def hold(cursor: Any, metric: int, bounds: Plausible) -> list[Held]:
    """Mark implausible figures of the whole. Change is judged where a last good figure exists: for an ended
    period its own, for one that has just ended the one before it (for a day, that day of the week before)."""
    cursor.execute(
        """
        SELECT i.grain, i.period_start, i.period_end, i.value, v.value,
               coalesce(p.value, q.value),
               CASE WHEN r.past IS NULL OR i.period_end > r.now_past THEN 'open'
                    WHEN i.period_end > r.past THEN 'just_ended' ELSE 'ended' END
        FROM incoming i
        LEFT JOIN reached r ON r.metric_id = i.metric_id
        LEFT JOIN metrics_value v ON v.metric_id = i.metric_id AND v.grain = i.grain AND v.dimension = ''
            AND v.member = '' AND v.period_start = i.period_start AND v.period_end = i.period_end
        LEFT JOIN incoming p ON p.metric_id = i.metric_id AND p.grain = i.grain AND p.dimension = ''
            AND p.member = ''
            AND p.period_end = CASE i.grain WHEN 'day' THEN i.period_end - 7 ELSE i.period_start END
        LEFT JOIN metrics_value q ON q.metric_id = i.metric_id AND q.grain = i.grain AND q.dimension = ''
            AND q.member = ''
            AND q.period_end = CASE i.grain WHEN 'day' THEN i.period_end - 7 ELSE i.period_start END
        WHERE i.metric_id = %s AND i.dimension = '' AND i.value IS NOT NULL
        ORDER BY i.grain, i.period_start, i.period_end
        """,
        [metric],
    )
    rows = cursor.fetchall()
    held: list[Held] = []
    for grain, start, end, value, own, before, phase in rows:
        reason = _implausible(bounds, Grain(grain), value, own, before, phase)
        if reason and not _among(bounds.accepted, grain, start, end, value):
            wrong = _among(bounds.rejected, grain, start, end, value)
            held.append(Held(grain, start, end, value, reason, wrong))
    if bounds.sums:
        held += _held_with(bounds, held, [row[:4] for row in rows])
    if held:
        cursor.executemany(
            """UPDATE incoming SET held = true WHERE metric_id = %s AND grain = %s AND period_start = %s
               AND period_end = %s AND dimension = ''""",
            [(metric, h.grain, h.start, h.end) for h in held],
        )
    return held


def _held_with(bounds: Plausible, held: list[Held], rows: list[tuple[str, date, date, float]]) -> list[Held]:
    """The coarser figures of a sum that hold a held one, of this write or of an earlier one that is not asked
    for again; rejected with it where all that is held inside is."""
    asked = {row[:3] for row in rows}
    known = {(h.grain, h.start, h.end) for h in held}
    inside = [(h.grain, h.start, h.end, h.rejected) for h in held]
    for before, wrong in ((bounds.waiting, False), (bounds.rejected, True)):
        inside += [(*e[:3], wrong) for e in before if e[0] == bounds.grain and e[:3] not in asked]
    found = []
    for grain, start, end, value in rows:
        if (grain, start, end) in known or _among(bounds.accepted, grain, start, end, value):
            continue
        within = [h for h in inside if start <= h[1] and h[2] <= end and (h[1], h[2]) != (start, end)]
        if within:
            first = min(within, key=lambda h: (h[2] - h[1], h[1]))
            reason = f"it holds the {first[0]} from {first[1].day} {first[1]:%b}, which is not plausible"
            found.append(Held(grain, start, end, value, reason, all(h[3] for h in within)))
    return found


def _implausible(
    bounds: Plausible,
    grain: Grain,
    value: float,
    own: float | None,
    before: float | None,
    phase: str,
) -> str:
    mine = bounds.grain is None or grain == bounds.grain
    if bounds.low is not None and value < bounds.low and (mine or bounds.low == 0):
        return f"{value:g} is below the lowest plausible figure, {bounds.low:g}"
    if bounds.high is not None and value > bounds.high and (mine or bounds.high == 0):
        return f"{value:g} is above the highest plausible figure, {bounds.high:g}"
    # Nothing is compared on the first load nor for periods that are still filling.
    if bounds.max_change is None or phase == "open" or grain.is_to_date:
        return ""
    then, of = before, "the period before"
    if phase == "ended" and own is not None:
        then, of = own, "the last good figure"
    if then is None or then == 0 or abs(value - then) <= bounds.max_change * abs(then):
        return ""
    return (
        f"{value:g} is a change of {abs(value - then) / abs(then):.0%} from {of}, {then:g}, "
        f"where {bounds.max_change:.0%} is plausible"
    )


def _among(
    decided: tuple[Decided, ...],
    grain: str,
    start: date,
    end: date,
    value: float,
) -> bool:
    return any(
        (grain, start, end) == entry[:3]
        and entry[3] is not None
        and math.isclose(value, entry[3], rel_tol=1e-9)
        for entry in decided
    )
