"""All that a metric's quarter is judged by, for many metrics in a constant number of SQL statements."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from calc import status as judging
from calc.calendar import Calendar, Grain, Period, add_months
from calc.clock import Due, FreeDays, due_date, last_due_day, last_due_period
from calc.plan import GoalKind, Plan, Shape, weights_of_last_year
from calc.rollup import Part, merge, say_days
from metrics.definitions import holidays
from metrics.definitions.build import Goal, goal_of, is_additive, merges_of
from metrics.definitions.specs import ManualSpec, spec_of
from metrics.models import Metric, Source
from metrics.queries.clocks import Clock, clocks
from metrics.queries.heads import head, owners
from metrics.queries.ingredients import SOUND, Ingredients
from metrics.queries.remarks import NONE, Remarks, open_doubts
from metrics.queries.remarks import load as remarks_of
from metrics.queries.series import Stored, Wanted, read
from metrics.queries.shapes import MetricHead
from metrics.queries.targets import WHOLE, Goalpost, all_goalposts

DAY = timedelta(days=1)
YEAR_OF_WEEKS = timedelta(days=364)


@dataclass(frozen=True)
class Course:
    """One metric's quarter with all that it is judged by. Figures are those of the whole, by period, or those
    of the member that `segment` (dimension, member) names.

    figures: of a computed additive total its days, of another total its quarter-to-date figures, of a level
    those of the goal's grain, of a manual metric those of its entries' grain. year_back: a year earlier.
    base: the figure that growth is counted from and a level climbs from, None while unknown.
    """

    metric: Metric
    head: MetricHead
    quarter: Period
    quarter_name: str
    as_of: date
    goal: Goal
    how: str
    clock: Clock
    cal: Calendar
    through: date | None  # the last due day, None where nothing is loaded
    goalpost: Goalpost | None
    target: float | None
    target_preliminary: bool
    figures: tuple[Stored, ...]
    year_back: tuple[Stored, ...]
    base: float | None
    plan: Plan | None
    manual: ManualSpec | None
    late: Period | None
    daily: bool
    free_days: FreeDays
    segment: tuple[str, str] = WHOLE
    remarks: Remarks = NONE
    measured_base: float | None = None  # the base, unless one is stated or agreed with the target
    settled_base: float | None = None  # the same where it is final
    below: Ingredients = SOUND  # what it is built on, and what is in doubt among all metrics

    @property
    def agreed_target(self) -> float | None:
        return self.goalpost.agreed_target(self.agreed_base) if self.goalpost else None

    @property
    def agreed_base(self) -> float | None:
        return self.goalpost.agreed_base(self.measured_base) if self.goalpost else None

    @property
    def agreed_plan(self) -> Plan | None:
        """The plan that was agreed, where target or benchmarks have changed since; else None."""
        post, target = self.goalpost, self.agreed_target
        if post is None or self.plan is None or target is None or not post.differs:
            return None
        baseline = self.agreed_base if self.goal.kind == "level" else None
        return replace(self.plan, target=target, benchmarks=post.agreed_months, baseline=baseline)

    def at(self, as_of: date) -> "Course":
        """The same quarter as it stood on an earlier day, by the figures and targets that are known now."""
        return replace(
            self,
            as_of=as_of,
            remarks=self.remarks.by(as_of),
            through=_through(
                self.manual, self.clock, as_of, self.quarter, self.figures, bool(self.remarks.rejections)
            ),
            late=_late(self.manual, self.goal, self.cal, self.quarter, as_of, self.figures, self.free_days),
        )

    def to_date(self, end: date) -> tuple[float | None, str]:
        """A total's figure over the days before `end`, and why it is unknown."""
        return total_to(self.figures, self.quarter, end, self)

    @property
    def additive_days(self) -> bool:
        return self.how != "none"


def load(
    metrics: Sequence[Metric],
    quarter: str,
    *,
    cal: Calendar,
    as_of: date,
    known_at: datetime | None = None,
    segments: Sequence[tuple[str, str]] = (),
    seen: Collection[str] = (),
) -> list[Course]:
    """All that the quarter of these metrics needs; the number of SQL statements does not grow with them.

    segments: for each metric the (dimension, member) that is meant; by default the whole. seen: the keys of
    the metrics that may be named to whoever reads it; a doubt about another one is told without its name.
    """
    of = list(segments) or [WHOLE] * len(metrics)
    period = cal.quarter(quarter)
    years = range(period.start.year - 1, period.end.year + 1)
    free_days = holidays.free_days(cal.holidays, years)
    times = clocks(cal, known_at)
    posts = all_goalposts({m.id for m in metrics}, quarter, {dimension for dimension, _ in of}, known_at)
    who = owners([m.key for m in metrics], cal, known_at)
    said = remarks_of([m.key for m in metrics], quarter, cal, known_at)
    below = Ingredients(tuple(times.values()), open_doubts(cal, known_at), cal, frozenset(seen))
    daily = set(Source.objects.filter(spec__rows="daily").values_list("key", flat=True))
    year_ago = Period(add_months(period.start, -12), add_months(period.end, -12), Grain.QUARTER)
    pairs = list(zip(metrics, of, strict=True))
    series = read([w for m, segment in pairs for w in _wanted(m, cal, period, year_ago, segment)], known_at)
    owner_day = min(as_of, period.end - DAY)
    courses = []
    for n, (metric, segment) in enumerate(pairs):
        figures, year_back, before, weights = series[4 * n : 4 * n + 4]
        spec = spec_of(metric.type, metric.spec)
        manual = spec if isinstance(spec, ManualSpec) else None
        goal, clock = goal_of(metric), times.get(metric.id, Clock(None))
        counted = who.days_off(metric, cal, owner_day, years) if manual else free_days
        late = _late(manual, goal, cal, period, as_of, figures, counted)
        rejected = bool(said.get(metric.key, NONE).rejections)
        through = _through(manual, clock, as_of, period, figures, rejected)
        post = posts.get((metric.id, *segment))
        base = before[-1] if before and before[-1].end <= period.start else None
        measured = base.value if base else None
        known_base = post.base(measured) if post else measured
        target = post.target(known_base) if post else None
        courses.append(
            Course(
                metric=metric,
                head=head(metric, who.on(metric.key, owner_day)),
                quarter=period,
                quarter_name=quarter,
                as_of=as_of,
                goal=goal,
                how=merges_of(metric),
                clock=clock,
                cal=cal,
                through=through,
                goalpost=post,
                target=target,
                target_preliminary=bool(post and post.value is None and post.growth),
                figures=figures,
                year_back=year_back,
                base=known_base,
                measured_base=measured,
                settled_base=measured if base and base.final else None,
                plan=_plan(metric, goal, period, post, target, known_base, cal, free_days, weights),
                manual=manual,
                late=late,
                daily=any(key in daily for key in clock.sources) and manual is None,
                free_days=counted,
                segment=segment,
                remarks=_doubted(
                    said.get(metric.key, NONE) if segment == WHOLE else NONE,
                    metric.key,
                    period,
                    segment,
                    below,
                ),
                below=below,
            )
        )
    return courses


def _doubted(
    said: Remarks, key: str, period: Period, segment: tuple[str, str], below: Ingredients
) -> Remarks:
    """With the doubts about the quarter's own figures (of a member: about its own) and those built on."""
    own = tuple(
        d
        for d in below.doubts.get(key, ())
        if d.start < period.end and period.start < d.end and segment in (WHOLE, (d.dimension, d.member))
    )
    return replace(said, doubts=own, ingredients=below.of(key, period, segment))


def total_to(
    figures: Iterable[Stored], quarter: Period, end: date, course: Course
) -> tuple[float | None, str]:
    """A total from `quarter.start` to `end` (exclusive), and in words what makes it unknown."""
    if course.manual:
        inside = [f for f in figures if f.start >= quarter.start and f.end <= end]
        expected = entry_periods(course, quarter, end)
        known = {f.start for f in inside if f.value is not None or f.denominator is not None}
        absent = [p for p in expected if p.start not in known]
        if absent:
            return None, "no figure for " + ", ".join(judging.say_period(p) for p in absent)
    elif course.additive_days:
        inside = [f for f in figures if quarter.start <= f.start and f.end <= end]
        if course.daily:
            known = {f.start for f in inside if f.value is not None}
            days = [quarter.start + DAY * n for n in range((end - quarter.start).days)]
            gone = [day for day in days if day not in known]
            if gone:
                return None, f"no figure for {say_days(gone)}"
    else:
        exact = [f for f in figures if f.start == quarter.start and f.end == end]
        return (exact[0].value, "") if exact else (None, "")
    part = merge([Part(f.value, f.numerator, f.denominator) for f in inside], course.how)
    return (part.value, "") if part else (None, "")


def entry_periods(course: Course, quarter: Period, end: date) -> list[Period]:
    assert (course.manual and course.plan is not None) or course.manual
    assert course.manual
    return [
        p
        for p in course.cal.periods(course.manual.grain, quarter.start, quarter.end)
        if p.start >= quarter.start and p.end <= end
    ]


def _wanted(
    metric: Metric, cal: Calendar, quarter: Period, year_ago: Period, segment: tuple[str, str] = WHOLE
) -> list[Wanted]:
    """Four series: the quarter's figures, those a year back, the one before the quarter, last year's days."""
    goal, how = goal_of(metric), merges_of(metric)
    spec = spec_of(metric.type, metric.spec)
    grain: Grain
    if isinstance(spec, ManualSpec):
        grain = goal.grain if goal.kind == "level" else spec.grain
        before: Grain = grain if goal.kind == "level" else Grain.QUARTER
    elif goal.kind == "level":
        grain = before = goal.grain
    else:
        grain = Grain.DAY if how != "none" else Grain.QUARTER_TO_DATE
        before = Grain.QUARTER
    last = cal.period(before, quarter.start - DAY)
    if last.end > quarter.start:  # a week that runs into the quarter is not before it
        last = cal.previous(last)
    shaped = metric.plan == "last_year" and goal.kind == "total"
    back = quarter.start - YEAR_OF_WEEKS
    return [
        Wanted(metric.id, grain, quarter.start, quarter.end, *segment),
        Wanted(metric.id, grain, year_ago.start, year_ago.end, *segment),
        Wanted(metric.id, before, last.start, last.end, *segment),
        Wanted(metric.id, Grain.DAY, back, quarter.end - YEAR_OF_WEEKS if shaped else back, *segment),
    ]


def _through(
    manual: ManualSpec | None,
    clock: Clock,
    as_of: date,
    quarter: Period,
    figures: tuple[Stored, ...],
    rejected: bool,
) -> date | None:
    """The last due day: min(as_of, watermark, the manual metric's last entered period). rejected: whether a
    figure of the quarter was, so that the last good one stands for it."""
    if manual:
        ends = [f.end for f in figures if f.end <= as_of + DAY and f.start >= quarter.start]
        return min(as_of, max(ends) - DAY) if ends else None
    if clock.watermark is None:
        return None
    through = last_due_day(as_of, clock.watermark)
    # What could not be computed, or waits for a check, is not there, however far its source is loaded.
    lacking = clock.stale_since or rejected or any(is_inside(h, quarter) for h in clock.held)
    if figures and lacking:
        through = min(through, max(f.end for f in figures) - DAY)
    return through


def is_inside(held: Mapping[str, Any], quarter: Period) -> bool:
    """Whether a held figure (as kept) is about days of the quarter."""
    start, end = date.fromisoformat(held["period_start"]), date.fromisoformat(held["period_end"])
    return start < quarter.end and quarter.start < end


def _late(
    manual: ManualSpec | None,
    goal: Goal,
    cal: Calendar,
    quarter: Period,
    as_of: date,
    figures: tuple[Stored, ...],
    free_days: FreeDays,
) -> Period | None:
    """The quarter's first period whose entry is due and missing."""
    if manual is None:
        return None
    due = Due(manual.collect.due_days, manual.collect.due_working)
    grain = goal.grain if goal.kind == "level" else manual.grain
    newest = last_due_period(cal, grain, as_of, due, free_days)
    entered = {f.start for f in figures if f.value is not None or f.denominator is not None}
    for period in cal.periods(grain, quarter.start, quarter.end):
        inside = period.start >= quarter.start and period.end <= quarter.end
        if inside and period.start <= newest.start and period.start not in entered:
            return period if due_date(period, due, free_days) < as_of else None
    return None


def _plan(
    metric: Metric,
    goal: Goal,
    quarter: Period,
    post: Goalpost | None,
    target: float | None,
    base: float | None,
    cal: Calendar,
    free_days: FreeDays,
    weights: tuple[Stored, ...],
) -> Plan | None:
    if post is None or (target is None and metric.better != "band"):
        return None
    if target is None:  # a band is its own target
        bounds = [b for b in (metric.low, metric.high) if b is not None]
        target = sum(bounds) / len(bounds)
    last_year: Mapping[date, float] = {}
    if weights:
        days = {f.start: f.value for f in weights if f.value is not None}
        last_year = weights_of_last_year(days, quarter)
    return Plan(
        quarter,
        GoalKind(goal.kind),
        target,
        benchmarks=post.benchmarks,
        baseline=base if goal.kind == "level" else None,
        shape=Shape(metric.plan),
        additive=is_additive(metric),
        grain=goal.grain,
        holidays=free_days,
        last_year=last_year,
        calendar=cal,
    )
