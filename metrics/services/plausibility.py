"""Which incoming figures are held for a check and not written: those outside of a metric's bounds."""

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

from calc.calendar import Grain
from metrics.services import waiting


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
    grows: a longer period has a larger figure, so that one that is still filling is below `low` for a while.
    merges, daily: how coarser figures follow from days (see metrics.services.waiting).
    """

    low: float | None = None
    high: float | None = None
    max_change: float | None = None
    accepted: tuple[Decided, ...] = ()  # what somebody checked and released
    rejected: tuple[Decided, ...] = ()  # and what is wrong
    grain: Grain | None = None
    grows: bool = False
    merges: str = "none"
    daily: bool = False
    waiting: tuple[Decided, ...] = ()  # what is held since earlier writes


def hold(cursor: Any, metric: int, bounds: Plausible) -> list[Held]:
    """Hold implausible figures of the whole, and with them all that shares their days (see
    metrics.services.waiting), of this write or of an earlier one that is not asked for again."""
    held = judge(cursor, metric, bounds)
    places = {(h.grain, h.start, h.end) for h in held}
    earlier = {entry[:3] for entry in (*bounds.waiting, *bounds.rejected)}
    waiting.wait(cursor, metric, places, earlier, merges=bounds.merges, daily=bounds.daily)
    return held


def judge(cursor: Any, metric: int, bounds: Plausible) -> list[Held]:
    """Which incoming figures of the whole are not plausible. Change is judged where a last good figure
    exists: for an ended period its own, for one that has just ended the one before it (for a day, that day of
    the week before)."""
    cursor.execute(
        """
        SELECT i.grain, i.period_start, i.period_end, i.value, v.value, p.period_end, p.value, q.value,
               CASE WHEN i.period_end > r.now_past THEN 'open' WHEN r.past IS NULL THEN 'first_load'
                    WHEN i.period_end > r.past THEN 'just_ended' ELSE 'ended' END
        FROM incoming i
        LEFT JOIN reached r ON r.metric_id = i.metric_id
        LEFT JOIN metrics_value v ON v.metric_id = i.metric_id AND v.grain = i.grain AND v.dimension = ''
            AND v.member = '' AND v.period_start = i.period_start AND v.period_end = i.period_end
        LEFT JOIN incoming p ON p.metric_id = i.metric_id AND p.grain = i.grain AND p.dimension = ''
            AND p.member = '' AND NOT p.gone
            AND p.period_end = CASE i.grain WHEN 'day' THEN i.period_end - 7 ELSE i.period_start END
        LEFT JOIN metrics_value q ON q.metric_id = i.metric_id AND q.grain = i.grain AND q.dimension = ''
            AND q.member = ''
            AND q.period_end = CASE i.grain WHEN 'day' THEN i.period_end - 7 ELSE i.period_start END
        WHERE i.metric_id = %s AND i.dimension = '' AND i.value IS NOT NULL
        ORDER BY i.grain, i.period_start, i.period_end
        """,
        [metric],
    )
    held: list[Held] = []
    found: set[tuple[str, date]] = set()
    for grain, start, end, value, own, previous, incoming, stored, phase in cursor.fetchall():
        # What is held itself is nothing to be compared with: the last good figure is.
        before = stored if incoming is None or (grain, previous) in found else incoming
        reason = _implausible(bounds, Grain(grain), value, own, before, phase)
        if reason and not _among(bounds.accepted, grain, start, end, value):
            wrong = _among(bounds.rejected, grain, start, end, value)
            held.append(Held(grain, start, end, value, reason, wrong))
            found.add((grain, end))
    return held


def _implausible(
    bounds: Plausible,
    grain: Grain,
    value: float,
    own: float | None,
    before: float | None,
    phase: str,
) -> str:
    mine = bounds.grain is None or grain == bounds.grain
    filling = bounds.grows and phase == "open" and bounds.low != 0
    if bounds.low is not None and value < bounds.low and (mine or bounds.low == 0) and not filling:
        return f"{value:g} is below the lowest plausible figure, {bounds.low:g}"
    if bounds.high is not None and value > bounds.high and (mine or bounds.high == 0):
        return f"{value:g} is above the highest plausible figure, {bounds.high:g}"
    # Nothing is compared on the first load nor for periods that are still filling.
    if bounds.max_change is None or phase in ("open", "first_load") or grain.is_to_date:
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
