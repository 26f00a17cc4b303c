"""A metric's history with process limits, signals, what they turned out to be, and the seams of versions."""

from collections.abc import Sequence
from datetime import date, timedelta

from calc import xmr
from calc.calendar import Calendar, Grain
from calc.rollup import compare
from metrics.models import Disposition, Metric, MetricVersion
from metrics.queries.courses import DAY, Course
from metrics.queries.doubts import of_figures
from metrics.queries.series import Stored, Wanted, read
from metrics.queries.shapes import History, Limits, Point, Segment, Signal

MIN_POINTS = 8  # below that, limits say more about chance than about the process
LOOK_BACK = {  # how much history a page shows, in days
    Grain.DAY: 120,
    Grain.WEEK: 7 * 78,
    Grain.MONTH: 366 * 3,
    Grain.QUARTER: 366 * 6,
    Grain.YEAR: 366 * 10,
}


def history_wanted(course: Course, grain: Grain) -> Wanted:
    end = course.as_of + DAY
    return Wanted(course.metric.id, grain, end - timedelta(days=LOOK_BACK[grain]), end)


def history(course: Course, grain: Grain, figures: Sequence[Stored]) -> History:
    """The history up to `as_of`; limits and signals of its recent final points only. Two SQL statements."""
    points = tuple(
        Point(f.start, f.end - DAY, f.value, not f.final, f.numerator, f.denominator, f.version)
        for f in figures
        if f.start <= course.as_of
    )
    judged = recent([p for p in points if not p.provisional])
    limits = process_limits([p.value for p in judged], course.metric.unit)
    rules = xmr.signals([p.value for p in judged], limits)
    said = {d.period_start: d for d in Disposition.objects.filter(metric=course.metric, grain=str(grain))}
    signals = tuple(
        Signal(
            p.start,
            p.at,
            p.value,
            tuple(str(r) for r in found),
            said[p.start].text if p.start in said else "",
            said[p.start].leader_name if p.start in said else "",
        )
        for p, found in zip(judged, rules, strict=True)
        if found and p.value is not None
    )
    since = judged[0].at if judged else None
    return History(
        str(grain), of_figures(points, course, grain), _limits(limits, since), signals, seams(course.metric)
    )


def recent(points: Sequence[Point]) -> Sequence[Point]:
    """The newest points that say what is routine now: xmr.LOCK_AFTER known ones, enough for limits to settle.

    Limits from years would measure growth and the seasons, and most points would stand out.
    """
    known = [n for n, point in enumerate(points) if point.value is not None]
    return points[known[-xmr.LOCK_AFTER] :] if len(known) > xmr.LOCK_AFTER else points


def process_limits(values: Sequence[float | None], unit: str) -> xmr.Limits | None:
    """XmR limits around the mean, or around a straight trend where that moves further over these points than
    routine variation reaches; None for fewer than MIN_POINTS known ones."""
    known = [v for v in values if v is not None]
    if len(known) < MIN_POINTS:
        return None
    low, high = xmr.bounds(unit)
    level = xmr.limits(values, floor=low, ceiling=high)
    trend = xmr.trend_limits(values)
    if level is None or trend is None:
        return level
    reach = xmr.LIMIT_OF_MEAN * level.average_moving_range
    return trend if abs(trend.slope) * (len(values) - 1) > reach else level


def seams(metric: Metric) -> tuple[tuple[date, str], ...]:
    """Dates from which a new version holds, where history was not recomputed."""
    found = MetricVersion.objects.filter(metric=metric).exclude(effective_date=None)
    return tuple((v.effective_date, v.reason or f"version {v.number}") for v in found if v.effective_date)


def same_part(course: Course, cal: Calendar, back: int = 5) -> list[Wanted]:
    """For the comparison with earlier quarters: each one's days or to-date figures, and its whole figure."""
    grain = Grain.DAY if course.how != "none" else Grain.QUARTER_TO_DATE
    if course.manual:
        grain = course.manual.grain
    quarter, wanted = course.quarter, []
    for _ in range(back):
        wanted.append(Wanted(course.metric.id, grain, quarter.start, quarter.end))
        wanted.append(Wanted(course.metric.id, Grain.QUARTER, quarter.start, quarter.end))
        quarter = cal.previous(quarter)
    return wanted


def segments(
    course: Course, cal: Calendar, members: Sequence[tuple[str, str]]
) -> dict[str, tuple[Segment, ...]]:
    """Each member's last whole month, the month before and a year back, with a year of months; one statement.

    members: (dimension, member). The largest come first, `(other)` last; who has no figure is left out.
    """
    end = course.as_of + DAY
    if course.clock.watermark:
        end = min(end, course.clock.watermark)
    first = end - timedelta(days=430)
    series = read([Wanted(course.metric.id, Grain.MONTH, first, end, d, m) for d, m in members])
    found: dict[str, list[Segment]] = {}
    for (dimension, member), figures in zip(members, series, strict=True):
        whole = [f for f in figures if f.end <= end]
        last = cal.previous(cal.period(Grain.MONTH, end))
        by_start = {f.start: f.value for f in whole}
        now = by_start.get(last.start)
        before, year = by_start.get(cal.previous(last).start), by_start.get(cal.year_back(last).start)
        spark = tuple(Point(f.start, f.end - DAY, f.value, not f.final) for f in whole[-13:])
        unit = course.metric.unit
        if now is None:
            continue
        segment = Segment(
            member, last.start, now, compare(now, before, unit), compare(now, year, unit), spark
        )
        found.setdefault(dimension, []).append(segment)
    return {dimension: tuple(sorted(each, key=_largest_first)) for dimension, each in found.items()}


def _largest_first(segment: Segment) -> tuple[bool, float, str]:
    return (segment.member == "(other)", -(segment.figure or 0.0), segment.member)


def _limits(limits: xmr.Limits | None, since: date | None) -> Limits | None:
    if limits is None:
        return None
    return Limits(limits.centre, limits.upper, limits.lower, limits.upper_range, limits.slope, since)
