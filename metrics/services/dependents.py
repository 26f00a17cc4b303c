"""Figures that follow from other figures: derived metrics and ratios of metrics, in the order of their
operands.

Runs in the transaction that has written the operands, so that a reader sees both or neither.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from calc.calendar import PERIODS, TO_DATE, Grain, Period
from calc.formula import Formula
from metrics.definitions.build import merges_of, operands_of
from metrics.definitions.specs import Operand, Operands
from metrics.models import Metric, MetricState
from metrics.services import health, notices
from metrics.services.incoming import Draft, Scope
from metrics.services.offsets import days_from, periods_from
from metrics.services.operands import Cell, Figures, Part, part_of
from metrics.services.standing import Standings, effective_days, with_figures
from metrics.services.writing import FINAL, PROVISIONAL, Touched, Written, restate, write

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Dependent:
    """A metric with the metrics that its formula reads."""

    metric: Metric
    operands: Operands

    @property
    def has_offset(self) -> bool:
        return any(o.offset is not None or o.to is not None for o in self.operands.inputs)


def in_order(metrics: Mapping[str, Metric]) -> list[Dependent]:
    """Every dependent metric after those that it follows from; members of a circle are left out."""
    waiting = {
        key: Dependent(metric, operands)
        for key, metric in sorted(metrics.items())
        if (operands := operands_of(metric)) is not None
    }
    ordered: list[Dependent] = []
    while True:
        ready = [k for k, d in waiting.items() if not any(o in waiting for o in d.operands.metrics)]
        if not ready:
            return ordered
        ordered += [waiting.pop(key) for key in ready]


def following(keys: Collection[str], metrics: Mapping[str, Metric]) -> set[str]:
    """The keys of all metrics that follow, directly or not, from the given ones."""
    found: set[str] = set()
    for dependent in in_order(metrics):
        if any(key in found or key in keys for key in dependent.operands.metrics):
            found.add(dependent.metric.key)
    return found


def update(
    recomputed: Collection[str],
    touched: Iterable[Touched],
    standings: Standings,
    *,
    now: datetime,
    cause: str,
    run: int | None = None,
    anew: Mapping[str, date] | None = None,
    end: date | None = None,
) -> Written:
    """Bring all that follows from the recomputed metrics (keys) in line with their touched figures.

    anew: dependents to compute from a day on (date.min: over all that their operands have), to `end`. A
    dependent one of whose operands is stale keeps its figures, is stale as well, and names the operand."""
    metrics = standings.metrics
    by_id = {m.pk: m.key for m in metrics.values()}
    changed: dict[str, set[Period]] = {key: set() for key in recomputed}
    for t in touched:
        changed.setdefault(by_id[t.metric], set()).add(Period(t.start, t.end, Grain(t.grain)))
    states = {s.metric.key: s for s in MetricState.objects.select_related("metric")}
    stale = {key for key, state in states.items() if state.stale_since is not None}
    since = anew or {}
    ordered = in_order(metrics)
    computed = with_figures([d.metric for d in ordered])
    effective = effective_days([d.metric for d in ordered])
    total = Written()
    for dependent in ordered:
        key = dependent.metric.key
        if key not in since and not any(o in changed for o in dependent.operands.metrics):
            continue
        pass_ = _Pass(dependent, standings)
        if key in since:
            periods = pass_.all_periods(since[key], end)
        elif dependent.metric.pk not in computed:
            periods = pass_.all_periods(date.min, None)
        else:
            periods = pass_.affected(changed)
            state = states.get(key)
            if state is not None and state.dirty_from is not None:
                periods |= pass_.all_periods(state.dirty_from, None)
        stale.discard(key)
        broken = [o for o in dependent.operands.metrics if o in stale]
        if broken:
            if periods:
                health.waits(dependent.metric, broken, now, min(p.start for p in periods))
                stale.add(key)
            continue
        # What lies before an edit's own day is only told whether it is final, by whomever it was computed.
        since_day = effective.get(dependent.metric.pk, date.min)
        kept = {p for p in periods if p.end <= since_day}
        drafts, scopes = pass_.figures(periods - kept)
        written = write(
            drafts,
            scopes,
            now=now,
            calendar=standings.calendar,
            cause=cause,
            reach={dependent.metric.pk: standings.of(key).reach},
            run=run,
            plausible=health.bounds_of([dependent.metric]),
        )
        for metric, moment in health.recovered([dependent.metric], now):
            notices.metric_back(metric, moment, None)
        health.keep_held({dependent.metric.pk: dependent.metric}, written.held, scopes, now)
        written.touched |= restate(pass_.figures(kept)[0], now)
        changed[key] = {Period(t.start, t.end, Grain(t.grain)) for t in written.touched}
        total.rows += written.rows
        total.changed += written.changed
        total.touched |= written.touched
        total.held |= written.held
        total.refused |= written.refused
    return total


class _Pass:
    """One dependent in one run."""

    def __init__(self, dependent: Dependent, standings: Standings) -> None:
        self.metric, self.operands = dependent.metric, dependent.operands
        self.has_offset = dependent.has_offset
        self.standings, self.calendar = standings, standings.calendar
        self.standing = standings.of(self.metric.key)
        self.merges = merges_of(self.metric)
        self.to_date = self.merges == "none"
        self.of = {o.metric: standings.metrics.get(o.metric) for o in self.operands.inputs}

    def affected(self, changed: Mapping[str, set[Period]]) -> set[Period]:
        """The periods in which a changed figure of an operand stands, and those that the clock has opened,
        filled or ended."""
        found: set[Period] = set()
        for operand in self.operands.inputs:
            for period in changed.get(operand.metric, ()):
                found.update(periods_from(operand, period, self.calendar))
                if period.grain is Grain.DAY:
                    found |= self._of_day(operand, period)
        for day in self._clock_days():
            found |= {self.calendar.period(grain, day) for grain in self._grains(day)}
        return {p for p in found if self._is_stored(p)}

    def _of_day(self, operand: Operand, day: Period) -> set[Period]:
        """A changed day changes to-date figures from then on, and the elapsed part of open periods."""
        found: set[Period] = set()
        now = self.standing.now
        if now is None:
            return found
        for grain in (Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR):
            theirs = self.calendar.period(grain, day.start)
            for whole in periods_from(operand, theirs, self.calendar):
                if whole.end > now:
                    found.add(whole)
                if self.to_date and grain is not Grain.WEEK:
                    first, past = days_from(whole, theirs, day.start)
                    found.update(self.calendar.periods(grain.to_date, first, min(past, now)))
        return found

    def _clock_days(self) -> list[date]:
        """From the day before the old watermark through the new one."""
        old, new = self.standing.before, self.standing.now
        if new is None:
            return []
        first = min(old or new, new) - DAY
        last = max(old or new, new)
        return [first + n * DAY for n in range((last - first).days + 1)]

    def _grains(self, day: date) -> tuple[Grain, ...]:
        now = self.standing.now
        return (*PERIODS, *TO_DATE) if now is not None and day < now else PERIODS

    def all_periods(self, start: date, end: date | None) -> set[Period]:
        """The periods from `start` (to `end`) on for which an operand has figures."""
        found: set[Period] = set()
        for operand in self.operands.inputs:
            metric = self.of[operand.metric]
            if metric is None:
                continue
            for period in Figures.stored_periods(metric):
                found.update(periods_from(operand, period, self.calendar))
        if self.to_date and self.standing.now is not None and found:
            first = max(min(p.start for p in found), start)
            for grain in TO_DATE:
                found.update(self.calendar.periods(grain, first, self.standing.now))
        return {p for p in found if self._is_stored(p) and p.end > start and (end is None or p.start < end)}

    def _is_stored(self, period: Period) -> bool:
        if not period.grain.is_to_date:
            return True
        now = self.standing.now
        return self.to_date and now is not None and period.end <= now

    def figures(self, periods: set[Period]) -> tuple[list[Draft], list[Scope]]:
        """The figures of the periods that all operands cover, and those periods as scopes."""
        if not periods or None in self.of.values():
            return [], []
        wanted = {o: self._parts(o, periods) for o in self.operands.inputs}
        tables = {
            operand: Figures(metric, parts.values(), ("", *self.metric.by))
            for operand, parts in wanted.items()
            if (metric := self.of[operand.metric]) is not None
        }
        formula = Formula.parse(self.operands.formula)
        drafts: list[Draft] = []
        covered: list[Period] = []
        for period in sorted(periods):
            parts = {operand: found[period] for operand, found in wanted.items() if period in found}
            if len(parts) < len(self.operands.inputs):
                if self._is_open(period):
                    continue  # not every operand reaches so far: what is stored stays
                covered.append(period)  # nothing can stand here
                continue
            covered.append(period)
            cells = {operand: tables[operand].cells(part) for operand, part in parts.items()}
            everywhere = set.intersection(*(set(found) for found in cells.values()))
            for segment in sorted(everywhere):
                if period.grain.is_to_date and segment[0]:
                    continue
                drafts.append(
                    self._draft(formula, period, segment, {o: c[segment] for o, c in cells.items()})
                )
        return drafts, list(self._scopes(covered))

    def _is_open(self, period: Period) -> bool:
        return self.standing.now is None or period.end > self.standing.now

    def _parts(self, operand: Operand, periods: Iterable[Period]) -> dict[Period, Part]:
        """For each period the operand's period and how much of it: all, or the part that has equally
        elapsed."""
        standing = self.standings.of(operand.metric)
        cut = self.standing.now if self._needs_equal_parts() else None
        found = {}
        for period in periods:
            part = part_of(operand, period, self.calendar, cut=cut, reaches=standing.now)
            if part is not None:
                found[period] = part
        return found

    def _needs_equal_parts(self) -> bool:
        """Whether open periods must be cut at our watermark, because operands reach differently far or lie
        elsewhere in time."""
        nows = {self.standings.of(o.metric).now for o in self.operands.inputs}
        return self.has_offset or len(nows) > 1

    def _draft(
        self, formula: Formula, period: Period, segment: tuple[str, str], cells: Mapping[Operand, Cell]
    ) -> Draft:
        values = {operand.name: cell.value for operand, cell in cells.items()}
        final_before = self.standing.final_before
        settled = (
            all(c.final for c in cells.values()) and final_before is not None and period.end <= final_before
        )
        above = below = None
        if self.operands.ratio:
            above, below = values["numerator"], values["denominator"]
        return Draft(
            self.metric.pk,
            period.grain,
            period.start,
            period.end,
            *segment,
            formula.evaluate(values),
            above,
            below,
            None,
            FINAL if settled else PROVISIONAL,
            self.metric.version,
        )

    def _scopes(self, covered: Iterable[Period]) -> Iterable[Scope]:
        """Neighbouring periods of a grain as one scope a dimension."""
        runs: dict[Grain, list[tuple[date, date]]] = {}
        for period in covered:
            # What a scope covers is told by last days; to-date figures of one month overlap, their last
            # days do not.
            start = period.end - DAY if period.grain.is_to_date else period.start
            found = runs.setdefault(period.grain, [])
            if found and found[-1][1] == start:
                found[-1] = (found[-1][0], period.end)
            else:
                found.append((start, period.end))
        for grain, windows in runs.items():
            for dimension in ("", *self.metric.by):
                for first, past in windows:
                    yield Scope(self.metric.pk, grain, dimension, first, past)
