"""Targets along a dimension: the members of a metric, their plans against the whole, and how each stands."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta

from calc.calendar import Calendar
from calc.members import add_up, weigh
from calc.numbers import gap, short
from calc.plan import months_of
from metrics.definitions.build import merges_of
from metrics.models import Metric, Target, Value
from metrics.queries import installation
from metrics.queries.courses import load
from metrics.queries.heads import person
from metrics.queries.progress import judge
from metrics.queries.shapes import Progress, TargetRow
from metrics.queries.target_grid import member_lines, target_line
from owners.queries.ownership import parts_on

OTHER = "(other)"
LOOK_BACK = timedelta(days=400)


@dataclass(frozen=True)
class Footing:
    """A line under the members' grid: the sum, the rest, or the whole."""

    words: str
    target: float | None
    months: tuple[tuple[date, float | None], ...]  # with their first days
    note: str = ""


@dataclass(frozen=True)
class MemberGrid:
    """The members x months of one dimension, in the order of size, with the owners of their own."""

    dimension: str
    whole: TargetRow
    rows: tuple[TargetRow, ...]
    footing: tuple[Footing, ...]
    check: str  # in words: whether they come to the whole
    adds_up: bool


def member_grid(metric: Metric, quarter: str, dimension: str) -> MemberGrid:
    """The grid of a dimension's members. ValueError for a dimension that the metric is not kept by."""
    if dimension not in metric.by:
        raise ValueError(f"{metric.name} is not kept by {dimension}")
    cal = installation.calendar()
    day = installation.today(cal)
    names = members_of(metric, quarter, dimension, cal, day)
    whole = target_line(metric, quarter)
    rows = member_lines(metric, quarter, dimension, names) if names else ()
    owners = {
        part.member: person(part.leader) if part.leader else None
        for part in parts_on(day, [metric.key])
        if part.dimension == dimension
    }
    rows = tuple(
        replace(row, owner=owners.get(row.member), owned_apart=row.member in owners)
        for row in sorted(rows, key=_largest_first)
    )
    footing, check = _footing(metric, whole, rows, len(months_of(cal.quarter(quarter))))
    return MemberGrid(dimension, whole, rows, footing, check, whole.adds_up)


def members_of(metric: Metric, quarter: str, dimension: str, cal: Calendar, day: date) -> list[str]:
    """Members with a figure in the last year or a target in this quarter. Two SQL statements."""
    since = min(day, cal.quarter(quarter).start) - LOOK_BACK
    seen = Value.objects.filter(
        metric=metric, dimension=dimension, grain="month", period_start__gte=since
    ).values_list("member", flat=True)
    aimed = Target.objects.filter(metric=metric, dimension=dimension, quarter=quarter)
    return sorted({*seen.distinct(), *aimed.values_list("member", flat=True)} - {""})


def members_progress(
    metric: Metric, quarter: str, as_of: date, seen: Collection[str] = ()
) -> dict[str, tuple[Progress, ...]]:
    """How the members that have a target stand, by dimension; as many statements for many as for one. seen:
    the keys of the metrics that may be named."""
    aimed = (
        Target.objects.filter(metric=metric, quarter=quarter, dimension__in=metric.by)
        .exclude(dimension="")
        .exclude(value=None, growth="")
        .order_by("dimension", "member")
        .values_list("dimension", "member")
    )
    return judged(metric, quarter, list(aimed), as_of, seen)


def judged(
    metric: Metric,
    quarter: str,
    segments: list[tuple[str, str]],
    as_of: date,
    seen: Collection[str] = (),
) -> dict[str, tuple[Progress, ...]]:
    """The progress of these members, by dimension, the largest target first."""
    if not segments:
        return {}
    cal = installation.calendar()
    courses = load([metric] * len(segments), quarter, cal=cal, as_of=as_of, segments=segments, seen=seen)
    found: dict[str, list[Progress]] = {}
    for course in courses:
        found.setdefault(course.segment[0], []).append(judge(course))
    return {
        dimension: tuple(sorted(each, key=lambda p: (p.member == OTHER, -(p.target or 0.0), p.member)))
        for dimension, each in found.items()
    }


def _largest_first(row: TargetRow) -> tuple[bool, float, str]:
    size = row.last_quarter if row.last_quarter is not None else row.last_year
    return row.member == OTHER, -(size or 0.0), row.member


def _footing(
    metric: Metric, whole: TargetRow, rows: tuple[TargetRow, ...], months: int
) -> tuple[tuple[Footing, ...], str]:
    """What stands under the members, and whether they come to the whole, in words."""
    days = [cell.month for cell in whole.months]
    planned = tuple((cell.month, cell.planned) for cell in whole.months)
    of_whole = Footing(f"{metric.name}, whole", whole.resolved, planned)
    if not whole.adds_up:
        return (of_whole,), _weighed(metric, whole, rows)
    sums = add_up(whole.resolved, [row.resolved for row in rows])
    by_month = [
        add_up(whole.months[n].planned, [row.months[n].planned for row in rows]) for n in range(months)
    ]
    if sums is None:
        return (of_whole,), "No member has a target yet."
    total = Footing("Members", sums.members, _by_day(days, [m.members if m else None for m in by_month]))
    rest = Footing(
        "Rest, given to nobody", sums.rest, _by_day(days, [m.rest if m else None for m in by_month])
    )
    return (total, rest, of_whole), _summed(sums.rest, whole)


def _by_day(days: list[date], figures: list[float | None]) -> tuple[tuple[date, float | None], ...]:
    return tuple(zip(days, figures, strict=True))


def _summed(rest: float | None, whole: TargetRow) -> str:
    unit = whole.metric.unit
    if rest is None:
        return "The whole has no target to hold the members against."
    if rest == 0:
        return "The members add up to the whole."
    size = gap(rest, unit, sign=False)
    if rest > 0:
        return f"{size} of {short(whole.resolved, unit)} is given to nobody."
    return f"The members add up to {size} more than the whole."


def _weighed(metric: Metric, whole: TargetRow, rows: tuple[TargetRow, ...]) -> str:
    plain = "These figures do not add up over members."
    if merges_of(metric) != "share":
        return plain
    found = weigh(whole.resolved, [(row.resolved, row.weight) for row in rows])
    if found is None:
        return plain
    unit = metric.unit
    words = f"{plain} Weighted by the last figures, the members’ targets come to {short(found.figure, unit)}"
    if found.gap is None:
        words += "; the whole has no target"
    elif found.gap == 0:
        words += ", as the whole’s"
    else:
        words += f", {gap(found.gap, unit, sign=False)} {'above' if found.gap > 0 else 'below'} the whole’s"
    if found.covered < 1:
        words += f"; they cover {short(found.covered, 'percent')} of it"
    return f"{words}."
