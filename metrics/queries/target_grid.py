"""The grid of a quarter's targets: metrics x months, or the members of one metric's dimension x months."""

from collections.abc import Mapping, Sequence
from datetime import date

from calc.calendar import Calendar, Grain, Period, add_months
from calc.months import describe
from calc.plan import months_of
from metrics.definitions.build import goal_of, is_additive
from metrics.definitions.specs import ManualSpec, spec_of
from metrics.models import Metric
from metrics.queries import installation
from metrics.queries.agreements import open_answers
from metrics.queries.courses import DAY, Course, load
from metrics.queries.months import months
from metrics.queries.scope import visible_metrics
from metrics.queries.series import Stored, Wanted, read
from metrics.queries.shapes import Answer, TargetCell, TargetRow
from metrics.queries.targets import WHOLE, Goalpost
from owners.models import User

PARTS = 3  # series that a line looks back at


def target_grid(user: User | None, quarter: str, *, as_of: date | None = None) -> tuple[TargetRow, ...]:
    """The grid metrics x months of a quarter, in the definitions' order. ValueError for no quarter.

    `last_quarter` and `last_year` are what a planner looks back at: the quarter's own figure of a total, the
    last whole period's of a level. The number of SQL statements does not grow with the metrics.
    """
    metrics = list(visible_metrics(user))
    return _lines(metrics, [WHOLE] * len(metrics), quarter, as_of)


def target_line(
    metric: Metric, quarter: str, segment: tuple[str, str] = WHOLE, *, as_of: date | None = None
) -> TargetRow:
    """One metric's line of the grid, of the whole or of a member."""
    return _lines([metric], [segment], quarter, as_of)[0]


def member_lines(
    metric: Metric, quarter: str, dimension: str, members: Sequence[str], *, as_of: date | None = None
) -> tuple[TargetRow, ...]:
    """The lines of a dimension's members, in the order given; as many statements for many as for one."""
    return _lines([metric] * len(members), [(dimension, member) for member in members], quarter, as_of)


def last_year_wanted(metric: Metric, cal: Calendar, quarter: Period, segment: tuple[str, str]) -> Wanted:
    """The figures of the same months a year before, from which `last_year_months` reads."""
    start, end = add_months(quarter.start, -12), add_months(quarter.end, -12)
    goal = goal_of(metric)
    if goal.kind == "level":
        return Wanted(metric.id, goal.grain, start, end, *segment)
    additive = is_additive(metric)
    spec = spec_of(metric.type, metric.spec)
    by_hand = isinstance(spec, ManualSpec)
    grain = Grain.MONTH if additive or by_hand else Grain.QUARTER_TO_DATE
    return Wanted(metric.id, grain, start, end, *segment)


def last_year_months(metric: Metric, quarter: Period, figures: Sequence[Stored]) -> dict[date, float | None]:
    """By the first day of this year's month: a month's amount, the quarter to date at its end, or its level,
    as calc.splits wants them."""
    goal, found = goal_of(metric), {}
    for month in months_of(quarter):
        start, end = add_months(month.start, -12), add_months(month.end, -12)
        if goal.kind == "level":
            inside = [f for f in figures if start < f.end <= end]
        elif is_additive(metric):
            inside = [f for f in figures if f.start == start and f.end == end]
        else:
            inside = [f for f in figures if f.end == end]
        newest = max(inside, key=lambda f: f.end, default=None)
        found[month.start] = newest.value if newest else None
    return found


def _lines(
    metrics: Sequence[Metric], segments: Sequence[tuple[str, str]], quarter: str, as_of: date | None
) -> tuple[TargetRow, ...]:
    cal = installation.calendar()
    period = cal.quarter(quarter)
    day = min(as_of or installation.today(cal), period.end - DAY)
    courses = load(metrics, quarter, cal=cal, as_of=day, segments=segments)
    before, year_ago = cal.previous(period), cal.year_back(period)
    pairs = list(zip(metrics, segments, strict=True))
    series = read(
        [
            wanted
            for metric, segment in pairs
            for wanted in (
                _closing(metric, cal, before, segment),
                _closing(metric, cal, year_ago, segment),
                last_year_wanted(metric, cal, period, segment),
            )
        ]
    )
    answers = open_answers([m.id for m in metrics], quarter)
    return tuple(
        _line(course, series[PARTS * n : PARTS * n + PARTS], answers, before.end > day)
        for n, course in enumerate(courses)
    )


def _line(
    course: Course,
    series: Sequence[tuple[Stored, ...]],
    answers: Mapping[tuple[int, str, str], Answer],
    before_runs: bool,
) -> TargetRow:
    metric, post = course.metric, course.goalpost or Goalpost()
    last_quarter, last_year = (ended[-1].value if ended else None for ended in series[:2])
    season = last_year_months(metric, course.quarter, series[2])
    went = months(course)
    by_month = {one.month.start: one for one in went}
    agreed = course.agreed_plan
    cells = []
    for month in months_of(course.quarter):
        one = by_month.get(month.start)
        then = agreed.benchmark_for(month.start) if agreed else None
        planned = one.planned if one else None
        cells.append(
            TargetCell(
                month=month.start,
                value=post.benchmarks.get(month.start),
                planned=planned,
                actual=one.actual if one else None,
                ended=bool(one and one.ended),
                gap=one.gap if one else None,
                behind=bool(one and one.behind),
                needed=one.needed if one else None,
                agreed=then if then != planned else None,
                last_year=season.get(month.start),
            )
        )
    has_target = post.value is not None or bool(post.growth)
    return TargetRow(
        metric=course.head,
        quarter=course.quarter_name,
        value=post.value,
        agreed_value=course.agreed_target,
        growth=post.growth,
        months=tuple(cells),
        adds_up=course.goal.kind == "total" and is_additive(metric),
        last_year=last_year,
        last_quarter=last_quarter,
        last_quarter_runs=before_runs and last_quarter is not None,
        token=post.token,
        resolved=course.target,
        preliminary=course.target_preliminary,
        baseline=course.base,
        state=post.state if has_target or post.is_agreed else "",
        changed=post.differs,
        agreed_growth=post.agreed_growth,
        reason=post.reason,
        answer=answers.get((metric.id, *course.segment)) if post.state == "answered" else None,
        additive=is_additive(metric),
        stated_baseline=post.baseline,
        dimension=course.segment[0],
        member=course.segment[1],
        weight=next((f[-1].denominator for f in series[:2] if f and f[-1].denominator), None),
        needed=describe(went, course.plan, metric.unit, metric.better) if course.plan else "",
    )


def _closing(metric: Metric, cal: Calendar, quarter: Period, segment: tuple[str, str]) -> Wanted:
    """The figure that a quarter ended with."""
    goal = goal_of(metric)
    if goal.kind == "total":
        return Wanted(metric.id, Grain.QUARTER, quarter.start, quarter.end, *segment)
    last = cal.period(goal.grain, quarter.end - DAY)
    last = last if last.end <= quarter.end else cal.previous(last)
    return Wanted(metric.id, goal.grain, last.start, last.end, *segment)
