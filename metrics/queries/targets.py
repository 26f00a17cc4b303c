"""The quarter's targets and benchmarks, as they stand or as they were recorded at an instant."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from calc.calendar import Calendar, Grain, Period
from calc.plan import months_of
from metrics.definitions.build import goal_of, is_additive
from metrics.models import Benchmark, Metric, Target
from metrics.queries import installation
from metrics.queries.heads import head, owners
from metrics.queries.recorded import rows
from metrics.queries.scope import visible_metrics
from metrics.queries.series import Wanted, read
from metrics.queries.shapes import TargetCell, TargetRow
from owners.models import User

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Goalpost:
    """One metric's target for a quarter; `benchmarks` by the first day of the month."""

    value: float | None = None
    growth: str = ""
    baseline: float | None = None
    agreed_value: float | None = None
    benchmarks: Mapping[date, float] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """Names this state, so that a page can tell whether somebody changed it meanwhile."""
        said = repr((self.value, self.growth, self.baseline, sorted(self.benchmarks.items())))
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def goalposts(
    metric_ids: Iterable[int], quarter: str, known_at: datetime | None = None
) -> dict[int, Goalpost]:
    """The whole's target of each metric that has one in `quarter`, by metric id. Two SQL statements."""
    fields = ("metric_id", "value", "growth", "baseline", "agreed_value")
    wanted = {"metric_id__in": list(metric_ids), "quarter": quarter, "dimension": ""}
    targets = {row["id"]: row for row in rows(Target, fields, known_at, **wanted)}
    months: dict[int, dict[date, float]] = {}
    found = rows(Benchmark, ("target_id", "month", "value"), known_at, target_id__in=list(targets))
    for row in sorted(found, key=lambda r: r["month"]):
        months.setdefault(row["target_id"], {})[row["month"]] = row["value"]
    return {
        row["metric_id"]: Goalpost(
            row["value"], row["growth"], row["baseline"], row["agreed_value"], months.get(key, {})
        )
        for key, row in targets.items()
    }


def target_grid(user: User | None, quarter: str) -> tuple[TargetRow, ...]:
    """The grid metrics x months of a quarter, in the definitions' order. ValueError for no quarter.

    `last_quarter` and `last_year` are what a planner looks back at: the quarter's own figure of a total, the
    last whole period's of a level. The number of SQL statements does not grow with the metrics.
    """
    cal = installation.calendar()
    period = cal.quarter(quarter)
    metrics = list(visible_metrics(user))
    posts = goalposts([m.id for m in metrics], quarter)
    who = owners([m.key for m in metrics])
    today = installation.today(cal)
    before, year_ago = cal.previous(period), cal.year_back(period)
    series = read([_closing(m, cal, p) for m in metrics for p in (before, year_ago)])
    found = []
    for n, metric in enumerate(metrics):
        post = posts.get(metric.id, Goalpost())
        last_quarter, last_year = (ended[-1].value if ended else None for ended in series[2 * n : 2 * n + 2])
        months = tuple(TargetCell(m.start, post.benchmarks.get(m.start)) for m in months_of(period))
        found.append(
            TargetRow(
                metric=head(metric, who.on(metric.key, today)),
                quarter=quarter,
                value=post.value,
                agreed_value=post.agreed_value,
                growth=post.growth,
                months=months,
                adds_up=goal_of(metric).kind == "total" and is_additive(metric),
                last_year=last_year,
                last_quarter=last_quarter,
                token=post.token,
            )
        )
    return tuple(found)


def _closing(metric: Metric, cal: Calendar, quarter: Period) -> Wanted:
    """The figure that a quarter ended with."""
    goal = goal_of(metric)
    if goal.kind == "total":
        return Wanted(metric.id, Grain.QUARTER, quarter.start, quarter.end)
    last = cal.period(goal.grain, quarter.end - DAY)
    last = last if last.end <= quarter.end else cal.previous(last)
    return Wanted(metric.id, goal.grain, last.start, last.end)
