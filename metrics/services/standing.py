"""How far the data of each metric reach, before and after a run: the watermark of its sources or operands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, F, Max, OuterRef

from calc.calendar import Calendar
from metrics.definitions.build import entry_grain, operands_of, source_def, source_keys_of
from metrics.models import Entry, Metric, MetricVersion, Source, Value
from metrics.services.incoming import Reach


@dataclass(frozen=True)
class Standing:
    """before, now: watermarks (exclusive local days) before the run and with it; final_before: periods that
    end by this day are final. None: nothing is loaded."""

    before: date | None = None
    now: date | None = None
    final_before: date | None = None

    @property
    def reach(self) -> Reach:
        return Reach(self.before, self.now)


class Standings:
    """The standing of every metric; follows operands down to sources and entries, each once.

    Reads the database when it is built and once for each manual metric. loaded: the watermarks that the run
    has read, by source key, where they are not stored yet."""

    def __init__(
        self,
        calendar: Calendar,
        metrics: Mapping[str, Metric],
        loaded: Mapping[str, date | None] | None = None,
    ) -> None:
        self.calendar, self.metrics = calendar, metrics
        self._loaded = loaded or {}
        self._sources = {s.key: s for s in Source.objects.select_related("warehouse")}
        self._known: dict[str, Standing] = {}

    def of(self, key: str) -> Standing:
        if key not in self._known:
            self._known[key] = Standing()  # a circle, which `apply` refuses, ends here
            metric = self.metrics.get(key)
            if metric is not None:
                self._known[key] = self._find(metric)
        return self._known[key]

    def _find(self, metric: Metric) -> Standing:
        grain = entry_grain(metric)
        if grain is not None:
            stored = Value.objects.filter(metric=metric, grain=grain).aggregate(Max("period_end"))
            entered = Entry.objects.filter(metric=metric).aggregate(Max("period_start"))["period_start__max"]
            now = self.calendar.period(grain, entered).end if entered else None
            return Standing(stored["period_end__max"], now, now)
        operands = operands_of(metric)
        if operands is not None:
            return _least([self.of(key) for key in operands.metrics])
        return _least([self._of_source(key) for key in source_keys_of(metric)])

    def _of_source(self, key: str) -> Standing:
        source = self._sources.get(key)
        if source is None:
            return Standing()
        now = self._loaded.get(key, source.watermark)
        lateness = whole_days(source_def(source).lateness)
        return Standing(source.watermark, now, now - lateness if now else None)


def whole_days(lateness: timedelta) -> timedelta:
    """A begun day of lateness counts whole."""
    return timedelta(days=-(-lateness // timedelta(days=1)))


def _least(standings: list[Standing]) -> Standing:
    """The earliest of each; None wins."""
    befores = [s.before for s in standings]
    nows = [s.now for s in standings]
    finals = [s.final_before for s in standings]
    return Standing(
        *(None if None in days or not days else min(d for d in days if d) for days in (befores, nows, finals))
    )


def with_figures(metrics: Iterable[Metric]) -> set[int]:
    """The metrics (ids) that have a figure of their version."""
    current = Value.objects.filter(metric=OuterRef("pk"), version=OuterRef("version"))
    wanted = Metric.objects.filter(pk__in=[m.pk for m in metrics])
    return set(wanted.filter(Exists(current)).values_list("pk", flat=True))


def effective_days(metrics: Iterable[Metric]) -> dict[int, date]:
    """From which day on the versions apply that do not cover all history, by the metric's id."""
    rows = MetricVersion.objects.filter(metric__in=[m.pk for m in metrics], number=F("metric__version"))
    return {pk: day for pk, day in rows.values_list("metric", "effective_date") if day is not None}
