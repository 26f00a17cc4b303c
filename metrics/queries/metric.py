"""One metric's page: what it is, how it moves, and how it is computed."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from calc.calendar import Calendar, Grain
from calc.clock import equal_part
from metrics.models import Driver, HeldDecision, Metric, MetricState, MetricVersion, Revision, Value
from metrics.models.held import held_token
from metrics.queries import installation
from metrics.queries.changes import edits
from metrics.queries.courses import DAY, Course, load, total_to
from metrics.queries.disputes import of_metric as disputes_of
from metrics.queries.entries import entry_cells, label
from metrics.queries.hiding import Veil, veil
from metrics.queries.histories import history, history_wanted, same_part, segments
from metrics.queries.machinery import runs_of
from metrics.queries.member_targets import members_progress
from metrics.queries.members import members
from metrics.queries.quarters import chart, fine_wanted
from metrics.queries.recorded import events
from metrics.queries.rows import rows, said, spark_wanted, todo
from metrics.queries.scope import visible_metrics
from metrics.queries.series import Stored, read
from metrics.queries.shapes import (
    DecisionLine,
    HeldLine,
    MetricPage,
    Neighbour,
    OwnerLine,
    Restatement,
    Segment,
    VersionLine,
)
from metrics.queries.sql import statements
from owners.models import Action, CheckIn, User
from owners.queries.ownership import Tenure, parts_on
from owners.queries.ownership import history as tenures

LISTED = 20  # check-ins, restatements
QUARTERS = 6
VACANT = "vacant"


def metric_page(
    user: User | None, key: str, *, quarter: str | None = None, as_of: date | None = None, grain: str = ""
) -> MetricPage | None:
    """Everything on a metric's page; None if there is none that `user` may see. ValueError for no quarter."""
    metric = visible_metrics(user).filter(key=key).first()
    if metric is None:
        return None
    cal = installation.calendar()
    today = installation.today(cal)
    name = quarter or cal.quarter_name(as_of or today)
    day = as_of or min(today, cal.quarter(name).end - DAY)
    seen = set(visible_metrics(user).values_list("key", flat=True))
    hides = veil(user, seen)
    (course,) = load([metric], name, cal=cal, as_of=day, seen=seen)
    chosen = Grain(grain) if grain else Grain(course.head.grain)
    parts = same_part(course, cal, QUARTERS)
    spark, fine, past, *quarters = read(
        [spark_wanted(course), fine_wanted(course), history_wanted(course, chosen), *parts]
    )
    (row,) = rows([course], [spark], cal)
    state = MetricState.objects.filter(metric=metric).first()
    collect = metric.spec.get("collect", {}) if row.metric.manual else {}
    return MetricPage(
        row=row,
        chart=chart(course, cal.quarter_label(name), fine),
        history=history(course, chosen, past),
        quarters=_quarters(course, cal, quarters),
        segments=_owned(key, day, segments(course, cal, members(metric, course.as_of))),
        drivers=_edges(user, Driver.objects.filter(metric=metric), "driver"),
        drives=_edges(user, Driver.objects.filter(driver=metric), "metric"),
        check_ins=tuple(
            said(c)
            for c in CheckIn.objects.filter(metric_key=key).select_related("leader", "author")[:LISTED]
        ),
        owners=tuple(_tenure(t) for t in tenures(key)),
        restatements=_restatements(metric, cal),
        versions=_versions(metric, hides),
        runs=runs_of(metric, hides),
        entries=entry_cells(metric, cal, today) if row.metric.manual else (),
        collect={str(k): str(v) for k, v in collect.items()},
        sql=tuple((title, hides.words(text)) for title, text in statements(metric, cal)),
        error=hides.words(state.error) if state else "",
        held=_held(cal, state),
        decisions=_decisions(metric, cal),
        edits=edits(metric, cal),
        disputes=disputes_of(metric, cal),
        actions=tuple(
            todo(a) for a in Action.objects.filter(metric_key=key, done_at=None).select_related("leader")
        ),
        members=members_progress(metric, name, day, seen),
    )


def _quarters(
    course: Course, cal: Calendar, series: list[tuple[Stored, ...]]
) -> tuple[tuple[str, float | None, float | None], ...]:
    """This quarter and those before: the figure over the same elapsed part, and the whole quarter's."""
    found = []
    period, through = course.quarter, course.through
    for n in range(0, len(series), 2):
        parts, whole = series[n], series[n + 1]
        figure = None
        if through and through >= course.quarter.start and course.goal.kind == "total":
            same = equal_part(course.quarter, through, period)
            figure, _ = total_to(parts, period, same.end, course)
        known = next((f.value for f in whole if f.start == period.start and f.end <= _loaded(course)), None)
        found.append((cal.quarter_label(cal.quarter_name(period.start)), figure, known))
        period = cal.previous(period)
    return tuple(found)


def _owned(key: str, day: date, found: dict[str, tuple[Segment, ...]]) -> dict[str, tuple[Segment, ...]]:
    """The segments with who answers for each apart from the metric's owner. One SQL statement, if any."""
    if not found:
        return found
    parts = {(p.dimension, p.member): p.leader.name if p.leader else VACANT for p in parts_on(day, [key])}
    return {
        dimension: tuple(replace(one, owner=parts.get((dimension, one.member), "")) for one in each)
        for dimension, each in found.items()
    }


def _tenure(tenure: Tenure) -> OwnerLine:
    who = tenure.leader.name if tenure.leader else VACANT
    return OwnerLine(tenure.from_date, who, tenure.note, tenure.by)


def _held(cal: Calendar, state: MetricState | None) -> tuple[HeldLine, ...]:
    """What nobody has checked yet, the newest first: `9 Nov 2026: 301 is above ...`."""
    waiting = sorted(state.held if state else [], key=lambda h: (h["period_end"], h["grain"]), reverse=True)
    return tuple(HeldLine(f"{_held_period(h, cal)}: {h['reason']}", held_token(h)) for h in waiting)


def _decisions(metric: Metric, cal: Calendar) -> tuple[DecisionLine, ...]:
    """What was decided about held figures, the newest first. One SQL statement."""
    found = HeldDecision.objects.filter(metric=metric).select_related("author")[:LISTED]
    return tuple(
        DecisionLine(
            _held_period(
                {
                    "grain": d.grain,
                    "period_start": d.period_start.isoformat(),
                    "period_end": d.period_end.isoformat(),
                },
                cal,
            ),
            d.value,
            d.outcome,
            d.reason,
            str(d.author or ""),
            d.decided_at,
            d.ended_at,
        )
        for d in found
    )


def _held_period(entry: dict[str, Any], cal: Calendar) -> str:
    grain, start = Grain(entry["grain"]), date.fromisoformat(entry["period_start"])
    if grain in (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR):
        return label(cal, cal.period(grain, start))
    last = date.fromisoformat(entry["period_end"]) - DAY
    return f"{start.day} {start:%b} to {last.day} {last:%b %Y}"


def _loaded(course: Course) -> date:
    mark = course.clock.watermark
    return min(mark, course.as_of + DAY) if mark else course.as_of + DAY


def _edges(user: User | None, edges, end: str) -> tuple[Neighbour, ...]:  # type: ignore[no-untyped-def]
    seen = set(visible_metrics(user).values_list("id", flat=True))
    found = []
    for edge in edges.select_related(end):
        other: Metric = getattr(edge, end)
        if other.id in seen:
            found.append(Neighbour(other.key, other.name, edge.relation, edge.lag))
    return tuple(found)


def _restatements(metric: Metric, cal: Calendar) -> tuple[Restatement, ...]:
    """The newest changes of ended periods, with what stands there now. Two SQL statements."""
    grains = ["week", "month", "quarter", "year"]
    found = list(
        Revision.objects.filter(metric=metric, grain__in=grains)
        .exclude(cause__in=["open", "status"])
        .order_by("-replaced_at", "-period_start")[:LISTED]
    )
    keys = {(r.grain, r.period_start, r.period_end, r.dimension, r.member) for r in found}
    starts = {r.period_start for r in found}
    now = {
        (v.grain, v.period_start, v.period_end, v.dimension, v.member): v.value
        for v in Value.objects.filter(metric=metric, grain__in=grains, period_start__in=starts)
    }
    after: dict[tuple, float | None] = {key: now.get(key) for key in keys}
    lines = []
    for r in found:  # newest first: what an older one was replaced by is the one that came after it
        key = (r.grain, r.period_start, r.period_end, r.dimension, r.member)
        lines.append(
            Restatement(
                r.period_start, r.period_end, r.grain, r.member, r.value, after[key], r.replaced_at, r.cause
            )
        )
        after[key] = r.value
    return tuple(lines)


def _versions(metric: Metric, hides: Veil) -> tuple[VersionLine, ...]:
    found = MetricVersion.objects.filter(metric=metric).select_related("author").order_by("-number")
    told = events(Metric).objects.filter(pgh_obj_id=metric.pk)
    changes = list(told.values_list("pgh_id", "pgh_created_at"))

    def event(at: datetime) -> int | None:
        """The last change by then: a version is made in the transaction of its cause."""
        return max((pk for pk, changed_at in changes if changed_at <= at), default=None)

    return tuple(
        VersionLine(
            v.number,
            v.created_at,
            str(v.author or ""),
            hides.words(v.reason),
            v.effective_date,
            event(v.created_at),
        )
        for v in found
    )
