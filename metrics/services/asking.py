"""What a run asks of its warehouse, outside of any transaction, and the answer that is then taken in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

from django.db.models import Min

from calc.calendar import Calendar, Grain, add_months
from metrics.definitions.build import (
    atoms_of,
    calendar_of,
    merges_of,
    source_def,
    source_keys_of,
    top_of,
    warehouse_def,
)
from metrics.models import Installation, Metric, MetricVersion, Run, Source, Value
from metrics.services import health
from metrics.services.ledger import FROM_THE_START
from metrics.services.standing import whole_days, with_figures
from metrics.services.windows import (
    DAY,
    Ask,
    Need,
    Range,
    asks,
    clipped,
    everything,
    joined,
    of_days,
    open_since,
    reached,
)
from warehouse.compute import compute_isolated
from warehouse.definitions import Atom, Figure, Measure, Request, SourceDef, WarehouseError
from warehouse.engines import Engine, connect

UTC = Calendar("UTC")
RANKED = "rows_by_member"  # no metric can be called so: it is asked for alone


@dataclass(frozen=True)
class Job:
    """A run with all that was read from the database when it began; nothing of it changes while it is
    asked."""

    run: Run
    source: Source
    definition: SourceDef
    others: Mapping[str, SourceDef]
    calendar: Calendar
    today: date
    metrics: Mapping[str, Metric]
    atoms: Mapping[str, Atom]
    left_out: tuple[Metric, ...]  # quarantined, or waiting after a failure
    anew: Mapping[str, date]  # metrics without a figure of their version -> from which day on they need some
    dirty: Mapping[str, date]  # metrics that have missed changes -> since which day
    unripe: Mapping[str, date]  # conversions into another source -> since when windows are open
    members: Mapping[str, tuple[str, ...]]
    warehouse_options: Mapping[str, Any]
    is_complete: bool  # the run is about all metrics of the source

    @property
    def is_whole(self) -> bool:
        """Whether all metrics are computed over all of history."""
        return self.is_complete and self.run.window_start == FROM_THE_START


@dataclass
class Answer:
    """Figures come as an iterator that needs no warehouse any more. `failures`: metric key -> what went
    wrong."""

    first_day: date | None
    watermark: date | None
    changed_to: datetime | None = None
    top: dict[str, list[str]] = field(default_factory=dict)
    watermarks: dict[str, date] = field(default_factory=dict)  # of other sources, where conversions read them
    asked: list[Ask] = field(default_factory=list)
    figures: Iterator[Figure] = field(default_factory=lambda: iter(()))
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def window(self) -> Range | None:
        """From the first to the last day asked for."""
        if not self.asked:
            return None
        return min(a.start for a in self.asked), max(a.end for a in self.asked)


def job_of(run: Run, now: datetime) -> Job:
    """Read what a run needs to know. WarehouseError if its source is gone."""
    source = run.source
    assert source is not None
    if source.archived_at:
        raise WarehouseError("the source is archived", source=source.key)
    calendar = calendar_of(Installation.objects.first())
    own = {
        m.key: m
        for m in Metric.objects.filter(archived_at=None).exclude(type="manual")
        if source_keys_of(m)[:1] == (source.key,)
    }
    is_complete = not run.metrics or set(own) <= set(run.metrics)
    if run.metrics:
        own = {key: m for key, m in own.items() if key in run.metrics}
    patient = run.cause in ("schedule", "late_data") and not run.metrics
    out = health.left_out(list(own.values()), now) if patient else set()
    metrics = {key: m for key, m in own.items() if key not in out}
    keys = {key for m in metrics.values() for key in source_keys_of(m)} - {source.key}
    others = Source.objects.filter(key__in=keys).select_related("warehouse")
    return Job(
        run=run,
        source=source,
        definition=source_def(source),
        others={s.key: source_def(s) for s in others},
        calendar=calendar,
        today=calendar.day_of(now),
        metrics=metrics,
        atoms={key: atoms_of(m)[0] for key, m in metrics.items()},
        left_out=tuple(own[key] for key in sorted(out)),
        anew=_without_figures(metrics),
        dirty=health.dirty_from(list(metrics.values())),
        unripe=_unripe(metrics),
        members=known_members(source),
        warehouse_options=dict(source.warehouse.options),
        is_complete=is_complete,
    )


def known_members(source: Source) -> dict[str, tuple[str, ...]]:
    """The members that a source's metrics have figures of, by dimension."""
    keys = [m.pk for m in Metric.objects.filter(archived_at=None) if source_keys_of(m)[:1] == (source.key,)]
    rows = (
        Value.objects.filter(metric__in=keys, grain=Grain.YEAR)
        .exclude(dimension="")
        .order_by("dimension", "member")
        .values_list("dimension", "member")
        .distinct()
    )
    found: dict[str, tuple[str, ...]] = {}
    for dimension, member in rows:
        found[dimension] = (*found.get(dimension, ()), member)
    return found


def _unripe(metrics: Mapping[str, Metric]) -> dict[str, date]:
    """Since which day a window of a conversion into another source was open when it was last asked for: how
    far that source had come then is not known any more."""
    across = [m.pk for m in metrics.values() if len(source_keys_of(m)) > 1]
    rows = Value.objects.filter(metric__in=across, grain=Grain.DAY, immature__gt=0)
    return dict(rows.values_list("metric__key").annotate(Min("period_start")).order_by())


def _without_figures(metrics: Mapping[str, Metric]) -> dict[str, date]:
    """Metrics none of whose figures has their version, and from which day on they need some."""
    have = with_figures(metrics.values())
    return {key: effective_from(m) for key, m in metrics.items() if m.pk not in have}


def effective_from(metric: Metric) -> date:
    """The day from which the metric's version applies; FROM_THE_START where it covers all history."""
    version = MetricVersion.objects.filter(metric=metric, number=metric.version).first()
    return (version.effective_date if version else None) or FROM_THE_START


def ask(job: Job) -> Answer:
    """Ask the warehouse. WarehouseError if the source as a whole cannot be read; a metric's own fault is in
    the answer's failures."""
    with connect(warehouse_def(job.source.warehouse)) as engine:
        first_day, watermark = engine.watermark(job.definition, job.calendar)
        if first_day is None:
            if job.source.first_day is not None:
                raise WarehouseError("the source has no rows any more", source=job.source.key)
            return Answer(None, None)
        if watermark is None:
            raise WarehouseError("loaded_to gave no date", source=job.source.key)
        # A row dated in the future says nothing of how far the load has come.
        watermark = min(watermark, job.today + (DAY if job.definition.loaded_to else timedelta(0)))
        answer = Answer(first_day, watermark, job.source.changed_to, dict(job.source.top))
        changed = _changed(engine, job, answer)
        if not job.atoms:
            return answer
        horizon = max([watermark, job.today, *(end for _, end in changed)]) + DAY
        if job.is_whole or not (job.source.top or job.source.watermark):
            _rank(engine, job, answer, horizon)
        answer.watermarks = _watermarks(engine, job)
        answer.asked = _plan(job, answer, changed, horizon)
        parts = []
        for wanted in answer.asked:
            figures, errors = compute_isolated(engine, _request(job, answer, wanted))
            parts.append(figures)
            for key, error in errors.items():
                answer.failures.setdefault(key, str(error))
        answer.figures = chain.from_iterable(parts)
    return answer


def _watermarks(engine: Engine, job: Job) -> dict[str, date]:
    """How far the other sources are loaded into which conversions of this one lead; date.min where nothing
    is."""
    read = {a.conversion.conversion.source for a in job.atoms.values() if a.conversion}
    found = {}
    for key in sorted(read & set(job.others)):
        _, watermark = engine.watermark(job.others[key], job.calendar)
        found[key] = min(watermark, job.today + DAY) if watermark else date.min
    return found


def _changed(engine: Engine, job: Job, answer: Answer) -> tuple[Range, ...]:
    """Days whose rows have changed by the source's own account; the answer is told how new the newest
    change is."""
    definition = job.definition
    if not definition.changed_at:
        return ()
    # Only whole days are kept of the newest change: a few rows are looked at again, and none is missed.
    stamps = replace(definition, time=definition.changed_at, loaded_to="")
    _, newest = engine.watermark(stamps, UTC)
    answer.changed_to = UTC.opens(newest) if newest else None
    since = job.source.changed_to
    if since is None or job.run.window_start is not None:
        return ()
    return of_days(engine.changed_days(definition, job.calendar, since - definition.lateness))


def _plan(job: Job, answer: Answer, changed: tuple[Range, ...], horizon: date) -> list[Ask]:
    """What to ask for: whole history for some metrics, the dirty periods for the rest."""
    assert answer.first_day is not None
    first = min(answer.first_day, job.source.first_day or answer.first_day)
    whole: list[str] = []
    needs: dict[str, Need] = {}
    for key, atom in job.atoms.items():
        ranges = _dirty(job, answer, key, atom, changed, horizon)
        if ranges and ranges[0][0] <= first and ranges[-1][1] >= horizon:
            whole.append(key)
        elif ranges:
            needs[key] = Need(
                clipped(ranges, first - 400 * DAY, date.max), merges_of(job.metrics[key]) == "none"
            )
    result = [everything(whole, job.calendar, first, horizon)] if whole else []
    return result + asks(needs, job.calendar, horizon)


def _dirty(
    job: Job, answer: Answer, key: str, atom: Atom, changed: tuple[Range, ...], horizon: date
) -> tuple[Range, ...]:
    assert answer.first_day is not None
    assert answer.watermark is not None
    run, source = job.run, job.source
    if run.window_start is not None:
        start = max(run.window_start, effective_from(job.metrics[key]))
        return joined([(start, run.window_end or horizon)])
    ranges: list[Range] = [
        (day, horizon)
        for day in (job.anew.get(key), job.dirty.get(key), job.unripe.get(key))
        if day is not None
    ]
    if source.watermark is None or (source.first_day and answer.first_day < source.first_day):
        ranges.append((effective_from(job.metrics[key]), horizon))
        return joined(ranges)
    seen = min(source.watermark, answer.watermark)
    lateness = timedelta(0) if job.definition.changed_at else whole_days(job.definition.lateness)
    for name in source_keys_of(job.metrics[key])[
        1:
    ]:  # another source's changes are known by its lateness only
        lateness = max(lateness, whole_days(job.others[name].lateness)) if name in job.others else lateness
    if job.definition.changed_at:
        seen -= DAY
    ranges.append((open_since(atom, seen, lateness), horizon))
    ranges += changed
    first = min(answer.first_day, source.first_day or answer.first_day)
    return reached(atom, clipped(ranges, first, date.max), horizon)


def _request(job: Job, answer: Answer, wanted: Ask) -> Request:
    assert answer.watermark is not None
    whole = job.is_whole and len(wanted.keys) == len(job.atoms)
    return Request(
        source=job.definition,
        atoms=tuple(job.atoms[key] for key in wanted.keys),
        calendar=job.calendar,
        start=wanted.start,
        end=wanted.end,
        grains=wanted.grains,
        first_day=answer.first_day,
        watermark=answer.watermark,
        top={name: tuple(members) for name, members in answer.top.items()},
        members={} if whole else job.members,
        sources=job.others,
        watermarks=answer.watermarks,
    )


def _rank(engine: Engine, job: Job, answer: Answer, horizon: date) -> None:
    """Decide which members are kept by name, where there are more than the source wants: those with the
    most rows of the last 12 months, by name where equal."""
    assert answer.first_day is not None
    assert answer.watermark is not None
    used = tuple(sorted({name for atom in job.atoms.values() for name in atom.by}))
    if not used:
        return
    most = top_of(job.source)
    atom = Atom(RANKED, numerator=Measure(job.source.key, "count"), by=used)

    def rows(grain: Grain, start: date, end: date) -> dict[str, dict[str, float]]:
        start, end = job.calendar.widen(grain, start, end)
        request = Request(
            job.definition,
            (atom,),
            job.calendar,
            start,
            end,
            (grain,),
            answer.first_day,
            answer.first_day or start,
        )
        figures, errors = compute_isolated(engine, request)
        for error in errors.values():
            raise error
        found: dict[str, dict[str, float]] = {}
        for figure in figures:
            if figure.dimension:
                members = found.setdefault(figure.dimension, {})
                members[figure.member] = members.get(figure.member, 0.0) + (figure.value or 0.0)
        return found

    ever = rows(Grain.YEAR, answer.first_day, horizon)
    many = [name for name in used if len(ever.get(name, {})) > most.get(name, 0)]
    if not many:
        answer.top = {}
        return
    recent = rows(Grain.MONTH, add_months(answer.watermark, -12), answer.watermark + DAY)
    answer.top = {
        name: sorted(recent.get(name, {}), key=lambda m, n=name: (-recent[n][m], m))[: most[name]]  # type: ignore[misc]
        for name in many
    }
