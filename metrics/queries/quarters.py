"""The quarter's course as a chart: actual, plan, benchmarks, target, and last year's same quarter."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from calc.calendar import Grain, Period, add_months
from calc.plan import GoalKind
from metrics.definitions.build import merges_of
from metrics.queries import doubts
from metrics.queries.courses import DAY, Course, total_to
from metrics.queries.series import Stored, Wanted
from metrics.queries.shapes import Point, QuarterChart


def fine_wanted(course: Course) -> Wanted:
    """The weekly figures between a level's judged ones; none for totals and for what is entered by hand."""
    level = course.goal.kind == "level" and course.manual is None
    end = course.quarter.end if level else course.quarter.start
    return Wanted(course.metric.id, Grain.WEEK, course.quarter.start, end)


def chart(course: Course, label: str, fine: Sequence[Stored] = ()) -> QuarterChart:
    """The chart of one metric's quarter; `fine` are the figures of `fine_wanted`. Pure."""
    quarter, plan = course.quarter, course.plan
    total = course.goal.kind == "total"
    through = min(course.through, quarter.end - DAY) if course.through else None
    if through and through < quarter.start:
        through = None
    actual: tuple[Point, ...] = ()
    last_year: tuple[tuple[date, float], ...] = ()
    if total:
        actual = _running(course, course.figures, quarter, through)
        year_ago = Period(add_months(quarter.start, -12), add_months(quarter.end, -12), Grain.QUARTER)
        points = _running(course, course.year_back, year_ago, year_ago.end - DAY)
        last_year = tuple((_a_year_on(p.at), p.value) for p in points if p.value is not None)
    else:
        actual = tuple(_point(f) for f in course.figures if _inside(f, quarter, course.as_of))
        last_year = tuple((_a_year_on(f.end - DAY), f.value) for f in course.year_back if f.value is not None)
    planned: tuple[tuple[date, float], ...] = ()
    if plan is not None:
        line = plan.points()
        first = 0.0 if total else plan.baseline
        if total:
            planned = tuple(
                (day, at) for day in _days(quarter) if (at := plan.planned_to(day + DAY)) is not None
            )
        else:
            start = [(quarter.start, first)] if first is not None else []
            planned = (*start, *((end - DAY, at) for end, at in line))
        benchmarks = tuple((end - DAY, at) for end, at in line)
    else:
        benchmarks = ()
    return QuarterChart(
        metric=course.head,
        quarter=course.quarter_name,
        label=label,
        start=quarter.start,
        end=quarter.end,
        kind=str(GoalKind(course.goal.kind)),
        actual=doubts.of_progress(actual, course),
        fine=tuple(_point(f) for f in fine if _inside(f, quarter, course.as_of)),
        plan=planned,
        benchmarks=benchmarks,
        target=course.target,
        agreed_target=course.agreed_target,
        last_year=last_year,
        due_through=through,
        agreed_benchmarks=_agreed(course),
    )


def _agreed(course: Course) -> tuple[tuple[date, float], ...]:
    """The plan's marks as they were agreed, where that is not how they are now."""
    plan, agreed = course.plan, course.agreed_plan
    if plan is None or agreed is None:
        return ()
    marks = tuple((end - DAY, at) for end, at in agreed.points())
    return marks if marks != tuple((end - DAY, at) for end, at in plan.points()) else ()


def _running(
    course: Course, figures: Iterable[Stored], quarter: Period, through: date | None
) -> tuple[Point, ...]:
    """A total as it grows: one point a day, of manual metrics one an entered period."""
    if through is None:
        return ()
    rows = [f for f in figures if f.end <= through + DAY and f.start >= quarter.start]
    if not rows:
        return ()
    if course.manual:
        ends = sorted(f.end for f in rows)
    elif merges_of(course.metric) == "none":
        return tuple(_point(f) for f in rows if f.start == quarter.start)
    else:
        ends = [day + DAY for day in _days(Period(quarter.start, through + DAY, Grain.DAY))]
    hollow = min((f.end for f in rows if not f.final), default=None)
    points = []
    for end in ends:
        value, _ = total_to(rows, quarter, end, course)
        points.append(Point(quarter.start, end - DAY, value, hollow is not None and end >= hollow))
    return tuple(points)


def _inside(figure: Stored, quarter: Period, as_of: date) -> bool:
    return figure.start >= quarter.start and figure.end <= quarter.end and figure.end <= as_of + DAY


def _point(figure: Stored) -> Point:
    return Point(
        figure.start,
        figure.end - DAY,
        figure.value,
        not figure.final,
        figure.numerator,
        figure.denominator,
        figure.version,
    )


def _a_year_on(day: date) -> date:
    """29 Feb falls on 28 Feb; the last day of a month stays the last."""
    if (day + DAY).day == 1:
        return add_months(day + DAY, 12) - DAY
    return add_months(day, 12)


def _days(period: Period) -> Iterable[date]:
    return (period.start + timedelta(days=n) for n in range(period.days))
