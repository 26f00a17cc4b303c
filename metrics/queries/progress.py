"""The quarter's progress of each metric: the figure due against the plan, at the data's own clock."""

import math
from dataclasses import replace
from datetime import date, datetime

from calc import pace as pacing
from calc import status as judging
from calc.calendar import WEEK, Grain, Period
from calc.clock import days_behind
from calc.months import describe
from calc.status import State, Status
from metrics.queries import installation
from metrics.queries.courses import DAY, Course, entry_periods, is_inside, load
from metrics.queries.months import months
from metrics.queries.scope import visible_metrics
from metrics.queries.shapes import Acceptance, Progress
from metrics.queries.targets import all_goalposts
from owners.models import User


def progress(
    user: User | None,
    quarter: str,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
    leader: str = "",
    by: str = "",
) -> list[Progress]:
    """The progress of every metric that `user` may see, in the definitions' order.

    as_of: data and elapsed time through that day (default: today). known_at: as recorded at that instant.
    leader: only metrics of that owner. by: after each metric the members of that dimension that have a target
    of their own. ValueError for a name that is no quarter.
    """
    cal = installation.calendar()
    as_of = as_of or installation.today(cal)
    metrics = list(visible_metrics(user))
    seen = {m.key for m in metrics}
    found = load(metrics, quarter, cal=cal, as_of=as_of, known_at=known_at, seen=seen)
    if by:
        kept = [m for m in metrics if by in m.by]
        posts = all_goalposts([m.id for m in kept], quarter, (by,), known_at)
        pairs = [(m, (by, member)) for m in kept for id, _, member in sorted(posts) if id == m.id]
        members = load(
            [m for m, _ in pairs],
            quarter,
            cal=cal,
            as_of=as_of,
            known_at=known_at,
            segments=[segment for _, segment in pairs],
            seen=seen,
        )
        found = [c for m in metrics for c in (*found, *members) if c.metric.id == m.id]
    return [judge(c) for c in found if not leader or (c.head.owner and c.head.owner.key == leader)]


def judge(course: Course) -> Progress:
    """Figure, plan, pace and status of one metric's quarter. Pure."""
    metric, quarter, plan = course.metric, course.quarter, course.plan
    through = course.through
    begun = through is not None and through >= quarter.start
    end = (min(through, quarter.end - DAY) + DAY) if begun and through else quarter.start
    missing = ""
    figure: float | None = None
    judged: Period | None = Period(quarter.start, end, Grain.QUARTER_TO_DATE) if begun else None
    provisional = False
    if course.goal.kind == "level":
        judged = last_whole(course, end)
        row = next((f for f in course.figures if judged and f.start == judged.start), None)
        figure, provisional = (row.value, not row.final) if row else (None, False)
    elif begun:
        figure, missing = course.to_date(end)
        provisional = any(not f.final for f in course.figures if quarter.start < f.end <= end)
    measured = None
    if plan is not None and begun:
        measured = pacing.measure(
            plan,
            figure,
            end - DAY,
            better=metric.better,
            low=metric.low,
            high=metric.high,
            tolerance=course.goal.tolerance,
        )
    computed = _status(course, measured, begun, missing)
    status = _in_doubt(course, computed)
    post, agreed = course.goalpost, course.agreed_plan or (plan if course.agreed_target is not None else None)
    went = months(course)
    needed = describe(went, plan, metric.unit, metric.better) if plan else ""
    behind = needed if computed.state in (State.AT_RISK, State.OFF_TRACK) else ""
    day = min(course.as_of, quarter.end - DAY)  # of an ended quarter its last day, as people left it
    return Progress(
        metric=course.head,
        quarter=course.quarter_name,
        target=course.target,
        agreed_target=course.agreed_target,
        benchmark=plan.benchmark_for(judged.end - DAY) if plan and judged else None,
        baseline=course.base if course.goal.kind == "level" else None,
        figure=figure,
        period_start=judged.start if judged else None,
        period_end=judged.end if judged else None,
        planned_to_date=measured.planned if measured else None,
        gap=measured.gap if measured else None,
        progress=measured.progress if measured else None,
        pace=measured.pace if measured else None,
        required_rate=measured.required_rate if measured else None,
        required_per_month=measured.required_per_month if measured else None,
        required_per_day=measured.required_per_day if measured else None,
        forecast=None,
        probability=None,
        status=status,
        reason=f"{status.reason}; {behind}" if behind else status.reason,
        due_through=end - DAY if begun else None,
        provisional=provisional,
        stale_since=course.clock.stale_since,
        troubles=course.clock.troubles,
        target_preliminary=course.target_preliminary,
        target_state=post.state if post else "",
        target_reason=post.reason if post else "",
        agreed_at=post.agreed_at if post else None,
        agreed_benchmark=agreed.benchmark_for(judged.end - DAY) if agreed and judged else None,
        agreed_baseline=course.agreed_base if agreed and course.goal.kind == "level" else None,
        agreed_changed=bool(post and post.differs),
        dimension=course.segment[0],
        member=course.segment[1],
        months=went,
        needed=needed,
        shortfall=measured.shortfall if measured else None,
        call=course.remarks.call(day, course.head.owner.key if course.head.owner else None),
        accepted=_accepted(course.remarks.accepted(day), measured),
        asking=course.remarks.asking(day),
        doubts=course.remarks.doubts,
        ingredients=course.remarks.ingredients,
        rejections=course.remarks.rejections,
        computed=computed.state,
    )


def _in_doubt(course: Course, status: Status) -> Status:
    """The computed status with what is held for checking, disputed, or built on such a figure laid over it.
    An own doubt speaks before one about an ingredient; that one stands beside it."""
    quarter, remarks = course.quarter, course.remarks
    held = sum(is_inside(h, quarter) for h in course.clock.held)
    if held:
        many = f"{held} implausible figures are held for checking"
        status = judging.hold(status, "an implausible figure is held for checking" if held == 1 else many)
    if remarks.doubts:
        newest = remarks.doubts[0]
        return judging.doubt(status, f"disputed by {newest.by}: {newest.text.rstrip('.')}")
    if remarks.ingredients and status.state is not State.NOT_DUE:
        first = remarks.ingredients[0]
        return judging.doubt(status, first.words, State.HELD if first.held else State.DISPUTED)
    return status


def _accepted(found: Acceptance | None, measured: pacing.Pace | None) -> Acceptance | None:
    """An accepted deviation, loud again where the gap has become worse than what was accepted."""
    behind = measured.shortfall if measured else None
    if found is None or behind is None:
        return found
    return replace(found, exceeded=behind > found.shortfall and not math.isclose(behind, found.shortfall))


def last_whole(course: Course, end: date) -> Period | None:
    """Of a level, the last whole period of its grain inside the quarter that ended by `end`."""
    if course.plan is not None:
        return course.plan.due_period(end)
    inside = [
        f for f in course.figures if f.start >= course.quarter.start and f.end <= min(end, course.quarter.end)
    ]
    return Period(inside[-1].start, inside[-1].end, course.goal.grain) if inside else None


def _status(course: Course, measured: pacing.Pace | None, begun: bool, missing: str) -> Status:
    stale, mark, quarter = None, course.clock.watermark, course.quarter
    behind = bool(course.clock.troubles or course.clock.stale_since)
    if behind and course.through and mark:
        loaded = course.through + DAY
        stale = course.through if days_behind(course.as_of, loaded, quarter.end, quarter.start) else None
    if course.plan is None or begun or course.late:
        if course.plan is not None and measured is None:  # late, and nothing entered yet
            measured = pacing.measure(
                course.plan,
                None,
                quarter.start,
                better=course.metric.better,
                low=course.metric.low,
                high=course.metric.high,
            )
        return judging.judge(
            measured,
            unit=course.metric.unit,
            thresholds=judging.Thresholds(course.goal.thresholds.on_track, course.goal.thresholds.at_risk),
            due_periods=_due_periods(course, begun),
            expected_periods=course.plan.due_periods(course.as_of) if course.plan else 0,
            stale_through=stale,
            late=course.late if course.plan is not None else None,
            missing=missing,
        )
    if quarter.start > course.as_of:
        return Status(State.NOT_DUE, "the quarter has not begun")
    if stale:
        return Status(State.LATE, f"no data after {judging.say_day(stale)}", stale=True)
    if course.manual is None and mark is None:
        return Status(State.NOT_DUE, "nothing is loaded yet")
    if course.manual is None and mark and mark <= quarter.start:
        end = judging.say_day(mark - DAY)
        return Status(State.NOT_DUE, f"nothing of this quarter is loaded yet; the data end on {end}")
    return Status(State.NOT_DUE, "nothing of this quarter is due yet")


def _due_periods(course: Course, begun: bool) -> int | None:
    """Of a total, how many periods are due: its entries', or whole weeks (a day alone says too little), at
    least one; None leaves a level to its plan."""
    if course.goal.kind != "total" or course.through is None or not begun:
        return None
    if course.manual:
        return len(entry_periods(course, course.quarter, course.through + DAY))
    days = (min(course.through, course.quarter.end - DAY) - course.quarter.start).days + 1
    return max(days // WEEK.days, 1)
