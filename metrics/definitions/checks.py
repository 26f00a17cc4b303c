"""Whether definitions hold together: references, cycles, units, goals and the sums of benchmarks.

Works on the whole that would result: the file laid over what is stored. What is wrong in something that is
stored but not in the file (it refers to what the file takes away) is reported with line 0.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

from calc.calendar import PERIODS, Calendar, Grain
from calc.numbers import LARGEST
from calc.plan import GoalKind, Plan
from metrics.definitions.build import goal_of, is_additive, merges_of
from metrics.definitions.file import Definitions
from metrics.definitions.metric import MetricText
from metrics.definitions.mistakes import Report, nearest
from metrics.definitions.quantities import parse_growth
from metrics.models import Metric
from warehouse.expressions import ExpressionError, check_select

COUNTING = frozenset({"count", "count_distinct", "count_new", "sum_boolean"})


def model_of(key: str, text: MetricText) -> Metric:
    """The metric as a model instance that is not saved."""
    return Metric(key=key, **text.fields)


def check(whole: Definitions, file: Definitions, report: Report) -> None:
    """Reports what does not hold together in `whole` because of `file`; `whole` has all sections."""
    _Checks(whole, file, report).run()


def calendar_from(calendar: Mapping[str, Any]) -> Calendar:
    return Calendar(**calendar)


class _Checks:
    def __init__(self, whole: Definitions, file: Definitions, report: Report) -> None:
        self.file, self.report = file, report
        self.warehouses, self.sources = whole.warehouses or {}, whole.sources or {}
        self.teams, self.leaders = whole.teams or {}, whole.leaders or {}
        self.people = {*self.leaders, *whole.former}
        self.metrics = whole.metrics or {}
        self.calendar = calendar_from(whole.calendar or {})

    def run(self) -> None:
        for key, source in self.sources.items():
            self._source(key, source)
        for key, leader in self.leaders.items():
            self._known(f"leaders.{key}.team", "team", leader.get("team"), self.teams)
        for key, text in self.metrics.items():
            self._references(key, text)
        self._cycles()
        self._north_stars()
        for key, text in (self.file.metrics or {}).items():
            # Without a type or a name the rest would only repeat that.
            if text.fields.get("type") and not self._broken(key):
                self._meaning(key, text)
                self._targets(key, text)

    def _broken(self, key: str) -> bool:
        """Whether reading or looking up this metric has already failed."""
        path = f"metrics.{key}"
        return any(
            mistake.path == path or mistake.path.startswith(f"{path}.") for mistake in self.report.mistakes
        )

    def _known(self, path: str, kind: str, key: str | None, known: Collection[str]) -> bool:
        if key and key not in known:
            self.report.at(path, f"there is no {kind} {key!r}{nearest(key, list(known))}")
        return bool(key) and key in known

    def _source(self, key: str, source: Mapping[str, Any]) -> None:
        path = f"sources.{key}"
        self._known(f"{path}.data_owner", "leader", source.get("data_owner"), self.leaders)
        for dimension in source.get("top", {}):
            self._known(f"{path}.top.{dimension}", "dimension", dimension, source.get("dimensions", {}))
        warehouse = source.get("warehouse")
        if not self._known(f"{path}.warehouse", "warehouse", warehouse, self.warehouses):
            return
        dialect = self.warehouses[str(warehouse)].get("engine", "")
        for name in ("sql", "loaded_to"):
            if dialect and source.get(name):
                try:
                    check_select(source[name], dialect)
                except ExpressionError as error:
                    self.report.at(f"{path}.{name}", str(error))

    def _references(self, key: str, text: MetricText) -> None:
        path, spec = f"metrics.{key}", text.fields.get("spec", {})
        sources: list[str] = []
        for name in ("measure", "numerator", "denominator", "base", "conversion"):
            side = spec.get(name)
            if isinstance(side, dict):
                source = side.get("source", "")
                if self._known(f"{path}.{name}.source", "source", source, self.sources):
                    sources.append(source)
                    self._entity(f"{path}.{name}", text, side)
        self._dimensions(path, text, sources)
        for place, operand in operands(spec):
            if operand == key:
                self.report.at(f"{path}.{place}", f"{key} refers to itself")
            elif self._known(f"{path}.{place}", "metric", operand, self.metrics):
                for name in text.fields.get("by", []):
                    if name not in self.metrics[operand].fields.get("by", []):
                        self.report.at(
                            f"{path}.by", f"{operand} is not stored by {name!r}; add it to its `by`"
                        )
        self._known(f"{path}.collect.by", "leader", spec.get("collect", {}).get("by"), self.people)
        if text.owner:
            self._known(f"{path}.owner", "leader", text.owner.leader, self.leaders)
        for row in text.owners or []:
            self._known(f"{path}.owners", "leader", row.leader, self.people)
        for driver in text.drivers or []:
            if driver.get("metric") == key:
                self.report.at(f"{path}.drivers", f"{key} cannot drive itself")
            else:
                self._known(f"{path}.drivers", "metric", driver.get("metric"), self.metrics)

    def _entity(self, path: str, text: MetricText, measure: Mapping[str, Any]) -> None:
        source = self.sources[measure["source"]]
        needs = text.fields.get("type") == "conversion" or measure.get("agg") == "count_new"
        if needs and not source.get("entity"):
            what = "conversions follow" if text.fields.get("type") == "conversion" else "count_new counts"
            self.report.at(path, f"{what} an entity; source {measure['source']!r} names none (`entity:`)")

    def _dimensions(self, path: str, text: MetricText, sources: list[str]) -> None:
        for name in text.fields.get("by", []):
            for source in dict.fromkeys(sources):
                known = self.sources[source].get("dimensions", {})
                if name not in known:
                    hint = nearest(name, list(known))
                    self.report.at(f"{path}.by", f"source {source!r} has no dimension {name!r}{hint}")

    def _cycles(self) -> None:
        """Each circle of operands once, named from the metric with the first key."""
        seen: set[frozenset[str]] = set()
        for start in sorted(self.metrics):
            trail = self._way_back(start)
            if trail and frozenset(trail) not in seen and len(trail) > 1:
                seen.add(frozenset(trail))
                way = " -> ".join([*trail, trail[0]])
                self.report.at(f"metrics.{start}", f"these metrics are computed from each other: {way}")

    def _way_back(self, start: str) -> list[str]:
        """The shortest way along operands from a metric to itself; [] if there is none."""
        came_from: dict[str, str] = {}
        queue = [start]
        for key in queue:
            text = self.metrics.get(key)
            for _, operand in operands(text.fields.get("spec", {})) if text else ():
                if operand == start:
                    trail = [key]
                    while trail[-1] != start:
                        trail.append(came_from[trail[-1]])
                    return trail[::-1]
                if operand not in came_from:
                    came_from[operand] = key
                    queue.append(operand)
        return []

    def _north_stars(self) -> None:
        stars = [key for key, text in self.metrics.items() if text.fields.get("role") == "north_star"]
        if len(stars) > 1:
            ours = [key for key in stars if key in (self.file.metrics or {})] or stars
            self.report.at(f"metrics.{ours[-1]}.role", f"there is one North Star; {', '.join(stars)} say so")

    def _meaning(self, key: str, text: MetricText) -> None:
        path, fields = f"metrics.{key}", text.fields
        spec, unit, metric = fields.get("spec", {}), fields.get("unit", "count"), model_of(key, text)
        if fields["type"] == "conversion":
            sides = {self.sources[spec[side]["source"]]["warehouse"] for side in ("base", "conversion")}
            if len(sides) > 1:
                self.report.at(
                    f"{path}.conversion.source", "both sides of a conversion must lie in one warehouse"
                )
        agg = spec.get("measure", {}).get("agg")
        if unit == "percent" and agg in COUNTING:
            self.report.at(f"{path}.unit", f"{agg} gives a number of things, which has no unit percent")
        if unit != "percent" and merges_of(metric) == "share" and unit == "count" and agg != "avg":
            self.report.at(
                f"{path}.unit", "this is a quotient; say what it is: percent, ratio, currency:GBP ..."
            )
        self._goal(path, metric)

    def _goal(self, path: str, metric: Metric) -> None:
        if metric.type != "manual":
            return
        entered, goal = Grain(metric.spec["grain"]), goal_of(metric)
        if goal.kind == "level" and PERIODS.index(goal.grain) < PERIODS.index(entered):
            self.report.at(
                f"{path}.goal.grain",
                f"figures are entered by {entered}; a goal cannot be judged by {goal.grain}",
            )

    def _targets(self, key: str, text: MetricText) -> None:
        metric = model_of(key, text)
        for quarter, target in (text.targets or {}).items():
            path = f"metrics.{key}.targets.{quarter}"
            for place, message in target_mistakes(metric, quarter, target, self.calendar):
                self.report.at(f"{path}.{place}" if place else path, message)


def operands(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(path inside the metric, key) of every metric that a spec refers to."""
    for side in ("numerator", "denominator"):
        if isinstance(spec.get(side), str):
            yield side, spec[side]
    for name, written in spec.get("inputs", {}).items():
        operand = written if isinstance(written, str) else written.get("metric", "")
        if operand:
            yield f"inputs.{name}", operand


def is_share(metric: Metric) -> bool:
    """Whether the metric is a part of a whole in percent, which cannot pass 100 %."""
    if metric.type == "manual":
        return bool(metric.spec["kind"] == "share")
    return metric.unit == "percent" and metric.type in ("ratio", "conversion", "simple")


def target_mistakes(
    metric: Metric, quarter: str, target: Mapping[str, Any], calendar: Calendar
) -> Iterator[tuple[str, str]]:
    """(place inside the target, message) of what is wrong with a target in normal form: an unknown quarter, a
    share beyond 100 %, months outside the quarter, benchmarks that miss the target."""
    try:
        period = calendar.quarter(quarter)
    except ValueError as error:
        yield "", f"a target for an unknown quarter: {error}"
        return
    goal, value = goal_of(metric), target.get("value")
    benchmarks = {date.fromisoformat(f"{month}-01"): v for month, v in target.get("benchmarks", {}).items()}
    figures = [("value", value), *((f"benchmarks.{day:%Y-%m}", v) for day, v in benchmarks.items())]
    for place, figure in [*figures, ("baseline", target.get("baseline"))]:
        if figure is not None and abs(figure) > LARGEST:
            yield place, f"{figure:g} is too large to be right"
            return
    if is_share(metric):
        for place, share in figures:
            if share is not None and share > 1:
                hint = f" (for {share:g} % write {share:g}% or {share / 100:g})" if share <= 100 else ""
                yield place, f"{share * 100:g} % is more than the whole: a share cannot pass 100 %{hint}"
    if target.get("growth"):
        yield from _growth_mistakes(metric, goal.kind, target["growth"])
    plan = Plan(
        quarter=period,
        kind=GoalKind(goal.kind),
        target=0.0 if value is None else value,
        benchmarks=benchmarks,
        additive=is_additive(metric),
        calendar=calendar,
    )
    months = {month.start for month in plan.months}
    if value is None and set(benchmarks) <= months:
        return
    problem = plan.check_sum()
    if problem:
        yield "benchmarks", problem


def _growth_mistakes(metric: Metric, kind: str, text: str) -> Iterator[tuple[str, str]]:
    growth = parse_growth(text)
    share = is_share(metric)
    if growth.kind == "hold" and kind == "total":
        yield "growth", "hold is for levels; a total says its value"
    if growth.kind == "points" and metric.unit != "percent":
        yield "growth", f"points are for percentages; the unit is {metric.unit}"
    if growth.kind == "relative" and share and "relative" not in text:
        yield "growth", f"of a share say `2 points` or `{text} relative`, since {text} could mean either"
