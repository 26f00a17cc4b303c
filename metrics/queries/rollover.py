"""Proposals for a quarter's targets out of the quarter before: for metrics that have none yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from calc.calendar import Calendar, Grain, Period
from calc.pace import Better
from calc.plan import GoalKind
from calc.rollover import Past, propose
from calc.splits import EVEN, SEASON, split_goal
from metrics.definitions.build import goal_of, is_additive
from metrics.models import Metric, Target
from metrics.queries.courses import DAY, Course, load
from metrics.queries.progress import judge
from metrics.queries.recorded import events
from metrics.queries.scope import visible_metrics
from metrics.queries.series import Stored, Wanted, read
from metrics.queries.target_grid import last_year_months, last_year_wanted
from metrics.queries.targets import WHOLE
from owners.models import User

WINDOW = timedelta(days=14)  # before a quarter's end: its successor's targets are proposed then
ASKED = ("north_star", "focus")  # roles that get a proposal even if they have no target now


@dataclass(frozen=True)
class Rollover:
    """A proposed target with its months, and where it comes from in words."""

    metric: Metric
    quarter: str
    value: float
    months: dict[date, float]
    words: str
    dimension: str = ""
    member: str = ""

    @property
    def key(self) -> str:
        """Names it among the proposals of a quarter."""
        return key_of(self.metric.key, (self.dimension, self.member))


def key_of(metric: str, segment: tuple[str, str]) -> str:
    """The key of a metric; of a member of one with its dimension and name."""
    return "|".join((metric, *segment)) if segment != WHOLE else metric


def quarter_to_plan(cal: Calendar, day: date) -> str | None:
    """The quarter whose targets are proposed on `day`: the next one, in the last two weeks of this; else
    None."""
    period = cal.quarter(cal.quarter_name(day))
    return cal.quarter_name(period.end) if day >= period.end - WINDOW else None


def may_plan(cal: Calendar, quarter: str, day: date) -> bool:
    """Whether a page offers proposals for `quarter` on `day`: while it is the one to plan, and while it
    runs."""
    return quarter in (quarter_to_plan(cal, day), cal.quarter_name(day))


def proposals(
    user: User | None, quarter: str, cal: Calendar, day: date, *, once: bool = False
) -> tuple[Rollover, ...]:
    """Proposals for the metrics that `user` may see and that have no target in `quarter`, in the definitions'
    order, each followed by those of its members that had a target in the quarter before, by the same formula.
    The number of SQL statements does not grow with them.

    once: leave out what ever had a target in `quarter`: what people took away stays away.
    """
    before = cal.previous(cal.quarter(quarter))
    name = cal.quarter_name(before.start)
    found = _candidates(user, quarter, name, once=once)
    if not found:
        return ()
    metrics, segments = [metric for metric, _ in found], [segment for _, segment in found]
    courses = load(metrics, name, cal=cal, as_of=min(day, before.end - DAY), segments=segments)
    period = cal.quarter(quarter)
    series = read([w for metric, segment in found for w in _wanted(metric, segment, cal, before, period)])
    made = (_proposal(course, quarter, period, series[3 * n : 3 * n + 3]) for n, course in enumerate(courses))
    return tuple(one for one in made if one is not None)


def _candidates(
    user: User | None, quarter: str, before: str, *, once: bool
) -> list[tuple[Metric, tuple[str, str]]]:
    """Metrics with a target in the quarter before, or that should have one, and none in this; and members of
    metrics, with one before and none now. Three SQL statements, four with `once`."""
    place = ("metric_id", "dimension", "member")
    taken = set(Target.objects.filter(quarter=quarter).values_list(*place))
    if once:
        taken |= set(events(Target).objects.filter(quarter=quarter).values_list(*place))
    aimed = set(Target.objects.filter(quarter=before).exclude(value=None, growth="").values_list(*place))
    members: dict[int, list[tuple[str, str]]] = {}
    for metric_id, dimension, member in sorted(aimed):
        if (dimension, member) != WHOLE:
            members.setdefault(metric_id, []).append((dimension, member))
    found: list[tuple[Metric, tuple[str, str]]] = []
    for metric in visible_metrics(user):
        parts = [part for part in members.get(metric.id, ()) if part[0] in metric.by]
        wanted = [WHOLE, *parts] if metric.role in ASKED or (metric.id, *WHOLE) in aimed else parts
        found += [(metric, segment) for segment in wanted if (metric.id, *segment) not in taken]
    return found


def _wanted(
    metric: Metric, segment: tuple[str, str], cal: Calendar, before: Period, period: Period
) -> list[Wanted]:
    """The quarter before a year earlier, this one a year earlier, and its months then."""
    year, following = cal.year_back(before), cal.year_back(period)
    return [
        Wanted(metric.id, Grain.QUARTER, year.start, year.end, *segment),
        Wanted(metric.id, Grain.QUARTER, following.start, following.end, *segment),
        last_year_wanted(metric, cal, period, segment),
    ]


def _proposal(
    course: Course, quarter: str, period: Period, series: Sequence[tuple[Stored, ...]]
) -> Rollover | None:
    metric, goal = course.metric, goal_of(course.metric)
    kind = GoalKind(goal.kind)
    standing = judge(course)
    so_far = standing.figure
    if kind is GoalKind.TOTAL and so_far is not None and standing.due_through is not None:
        elapsed = (standing.due_through - course.quarter.start).days + 1
        so_far = so_far * course.quarter.days / elapsed
    target = course.agreed_target if course.agreed_target is not None else course.target
    year_ago, next_year_ago = (ended[-1].value if ended else None for ended in series[:2])
    found = propose(
        Past(
            kind=kind,
            unit=metric.unit,
            better=Better(metric.better),
            target=target,
            so_far=so_far,
            before=course.base,
            year_ago=year_ago,
            next_year_ago=next_year_ago,
        )
    )
    if found is None:
        return None
    last_year = last_year_months(metric, period, series[2])
    months = _months(metric, found.value, period, kind, standing.figure, last_year)
    return Rollover(metric, quarter, found.value, months, found.words, *course.segment)


def _months(
    metric: Metric,
    target: float,
    period: Period,
    kind: GoalKind,
    level: float | None,
    last_year: dict[date, float | None],
) -> dict[date, float]:
    """By last year's season where that is known, of a level in equal steps from where it stands."""
    for how in (EVEN,) if kind is GoalKind.LEVEL else (SEASON, EVEN):
        try:
            return split_goal(
                target,
                period,
                how,
                kind=kind,
                additive=is_additive(metric),
                unit=metric.unit,
                baseline=level,
                last_year=last_year,
            )
        except ValueError:
            continue
    return {}
