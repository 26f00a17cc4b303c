"""How far each metric's data reach: the watermark of its sources, entries or operands."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from django.db.models import Max
from django.utils import timezone

from calc.calendar import Calendar
from metrics.definitions.build import operands_of
from metrics.definitions.specs import (
    ConversionSpec,
    DerivedSpec,
    ManualSpec,
    Measure,
    Operands,
    RatioSpec,
    SimpleSpec,
    Spec,
    spec_of,
)
from metrics.models import Entry, Metric, Source, StateRecord
from metrics.queries.recorded import events
from metrics.queries.troubles import Trouble, trouble_of

_T = TypeVar("_T")


@dataclass(frozen=True)
class Clock:
    """`watermark` is exclusive: figures before this local day are complete. None: nothing is loaded yet.

    stale_since: since when the last good figure stands in for one that could not be computed.
    troubles: what is wrong with the sources that it follows from, through whatever metrics, now.
    held: its own figures that are held for checking, as kept. operands: what it is built on, if on metrics.
    """

    watermark: date | None
    stale_since: datetime | None = None
    error: str = ""
    sources: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    held: tuple[dict[str, Any], ...] = ()
    key: str = ""
    name: str = ""
    operands: Operands | None = None


@dataclass(frozen=True)
class _Source:
    key: str
    watermark: date | None
    failed_since: datetime | None = None
    trouble: Trouble | None = None


def clocks(cal: Calendar, known_at: datetime | None = None) -> dict[int, Clock]:
    """The clock of every metric that is not archived, hidden parts included, by id. Four SQL statements.

    known_at: as it was recorded at that instant; a doubt that was raised or settled since is not told."""
    metrics = list(Metric.objects.filter(archived_at=None).select_related("state"))
    entered = _entered(known_at)
    states = _states(metrics, known_at)
    specs = {m.key: spec_of(m.type, m.spec) for m in metrics}
    reader = _Reader(cal, {m.key: m for m in metrics}, specs, _sources(known_at), entered, states)
    return {m.id: reader.clock(m.key) for m in metrics}


def _sources(known_at: datetime | None) -> dict[str, _Source]:
    rows = list(Source.objects.select_related("data_owner"))
    if not known_at:
        return {row.key: _source(row) for row in rows}
    newest = events(Source).objects.filter(pgh_created_at__lte=min(known_at, timezone.now()))
    newest = newest.order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id").select_related("data_owner")
    then = {event.pgh_obj_id: event for event in newest}
    return {row.key: _source(then[row.pk]) if row.pk in then else _Source(row.key, None) for row in rows}


def _source(row: Any) -> _Source:
    """Of a source, or of what its history says of it."""
    trouble = None
    if row.archived_at is None:
        who = row.data_owner.name if row.data_owner else None
        trouble = trouble_of(row.key, row.watermark, row.late_since, row.failed_since, who)
    return _Source(row.key, row.watermark, row.failed_since, trouble)


def _entered(known_at: datetime | None) -> dict[int, date]:
    """The last period with an entry of the whole, by metric (id)."""
    found = Entry.objects.filter(dimension="")
    if known_at:
        then = events(Entry).objects.filter(pgh_created_at__lte=min(known_at, timezone.now()), dimension="")
        last = then.order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id")
        found = events(Entry).objects.filter(pgh_id__in=last.values("pgh_id")).exclude(pgh_label="delete")
    return dict(found.values_list("metric_id").annotate(Max("period_start")).order_by())


def _states(metrics: Iterable[Metric], known_at: datetime | None) -> dict[int, Any]:
    """What has gone wrong with each metric (id): its state, or the record of it that stood at an instant."""
    if known_at is None:
        return {m.pk: m.state for m in metrics if hasattr(m, "state")}
    then = StateRecord.objects.filter(at__lte=known_at).order_by("metric_id", "-at", "-id")
    return {record.metric_id: record for record in then.distinct("metric_id")}


class _Reader:
    """Follows operands down to sources and entries, each once."""

    def __init__(
        self,
        cal: Calendar,
        metrics: dict[str, Metric],
        specs: dict[str, Spec],
        sources: dict[str, _Source],
        entered: dict[int, date],
        states: dict[int, Any],
    ) -> None:
        self.cal, self.metrics, self.specs = cal, metrics, specs
        self.sources, self.entered, self.states = sources, entered, states
        self.known: dict[str, Clock] = {}

    def clock(self, key: str) -> Clock:
        if key not in self.metrics:
            return Clock(None)
        if key not in self.known:
            self.known[key] = self._clock(self.metrics[key], self.specs[key])
        return self.known[key]

    def _clock(self, metric: Metric, spec: Spec) -> Clock:
        state = self.states.get(metric.id)
        below: list[Clock] = []
        if isinstance(spec, ManualSpec):
            last = self.entered.get(metric.id)
            end = self.cal.period(spec.grain, last).end if last else None
            below.append(Clock(end))
        elif isinstance(spec, SimpleSpec):
            below.append(self._of_source(spec.measure.source))
        elif isinstance(spec, ConversionSpec):
            below.append(self._of_source(spec.conversion.base.source))
            below.append(self._of_source(spec.conversion.conversion.source))
        elif isinstance(spec, DerivedSpec):
            below.extend(self.clock(key) for key in spec.operands.metrics)
        elif isinstance(spec, RatioSpec):
            sides = (spec.numerator, spec.denominator)
            below.extend(
                self._of_source(s.source) if isinstance(s, Measure) else self.clock(s) for s in sides
            )
        marks = [c.watermark for c in below]
        own = state.stale_since if state else None
        stale = [moment for moment in (own, *(c.stale_since for c in below)) if moment]
        return Clock(
            watermark=None if None in marks else min(m for m in marks if m),
            stale_since=min(stale, default=None),
            error=state.error if state else "",
            sources=_each_once(c.sources for c in below),
            troubles=_each_once(c.troubles for c in below),
            held=tuple(state.held) if state else (),
            key=metric.key,
            name=metric.name,
            operands=operands_of(metric),
        )

    def _of_source(self, key: str) -> Clock:
        source = self.sources.get(key)
        if source is None:
            return Clock(None)
        return Clock(
            source.watermark,
            stale_since=source.failed_since,
            sources=(key,),
            troubles=(source.trouble,) if source.trouble else (),
        )


def _each_once(groups: Iterable[Iterable[_T]]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(one for group in groups for one in group))
