"""The months of a metric's quarter: what each brought, and what those to come now need."""

from calc.calendar import Grain, Period
from calc.months import MonthStanding, standings
from calc.plan import GoalKind, months_of
from metrics.queries.courses import DAY, Course, total_to


def months(course: Course) -> tuple[MonthStanding, ...]:
    """The plan's months as they stand on the course's last due day; () without a plan. Pure."""
    plan = course.plan
    if plan is None:
        return ()
    end = min(course.through, course.quarter.end - DAY) + DAY if course.through else course.quarter.start
    ended = [month for month in months_of(course.quarter) if month.end <= end]
    actuals = {month.start: actual(course, month) for month in ended}
    return standings(
        plan,
        actuals,
        end,
        better=course.metric.better,
        tolerance=course.goal.tolerance if plan.hold else None,
    )


def actual(course: Course, month: Period) -> float | None:
    """What a month that ended brought: a total's amount, of one that does not add up the quarter to date at
    its end, of a level the figure of the last whole period in it."""
    if course.goal.kind == "level":
        inside = [
            f for f in course.figures if f.start >= course.quarter.start and month.start < f.end <= month.end
        ]
        return max(inside, key=lambda f: f.end).value if inside else None
    if course.plan is not None and course.plan.kind is GoalKind.TOTAL and not course.plan.additive:
        return total_to(course.figures, course.quarter, month.end, course)[0]
    if course.manual and course.manual.grain not in (Grain.DAY, Grain.MONTH):
        return _difference(course, month)
    whole, _ = total_to(course.figures, month, month.end, course)
    return whole


def _difference(course: Course, month: Period) -> float | None:
    """Entered by week or quarter: what the quarter had reached by the month's end less that by its start."""
    after, _ = total_to(course.figures, course.quarter, month.end, course)
    before, _ = total_to(course.figures, course.quarter, month.start, course)
    return None if after is None else after - (before or 0.0)
