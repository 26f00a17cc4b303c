"""Holds definitions that are not stored yet against their warehouses: columns, types, and a dry run's
figures."""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from calc.calendar import Calendar, Grain, Period
from calc.formula import Formula
from metrics.definitions.build import (
    atoms_from,
    connection,
    goal_of,
    operands_of,
    parts_of,
    source_from,
    source_keys_of,
)
from metrics.definitions.checks import calendar_from, model_of
from metrics.definitions.file import Definitions
from metrics.definitions.metric import MetricText
from metrics.definitions.mistakes import Report
from metrics.definitions.specs import spec_of
from metrics.models import Metric, Value, Warehouse
from metrics.secrets import UnreadableSecret, decrypt
from metrics.services.offsets import last_periods, period_of
from metrics.services.recalling import Recalled, recall
from warehouse.compute import check_columns as check_atom
from warehouse.compute import compute
from warehouse.definitions import (
    Atom,
    Request,
    SourceDef,
    WarehouseDef,
    WarehouseDown,
    WarehouseError,
)
from warehouse.engines import Engine, connect
from warehouse.expressions import ExpressionError, check_expression
from warehouse.planner import plan

PERIODS_SHOWN = 8


@dataclass(frozen=True)
class Preview:
    """What a changed metric would say: its figures of the last periods, oldest first, and the SQL ("" for
    what follows from other metrics). error: why there are none."""

    key: str
    grain: Grain
    figures: tuple[tuple[Period, float | None], ...] = ()
    sql: str = ""
    error: str = ""


def sources_of(key: str, text: MetricText) -> tuple[str, ...]:
    """The sources that a metric's own measures read, those of its hidden halves too."""
    metric = model_of(key, text)
    parts = [spec["measure"]["source"] for spec in parts_of(metric).values()]
    return tuple(dict.fromkeys([*source_keys_of(metric), *parts]))


def check_columns(
    whole: Definitions,
    file: Definitions,
    touched: Collection[str],
    changed: Collection[str],
    report: Report,
) -> None:
    """Reports columns that are missing and expressions that an engine refuses, for new and changed sources
    and for the metrics of `touched`. WarehouseError if a warehouse cannot be asked."""
    with _Bench(whole, file) as bench:
        bench.check(touched, changed, report)


def column_check(
    whole: Definitions,
    file: Definitions,
    touched: Collection[str],
    changed: Collection[str],
    report: Report,
    patience: float,
) -> Callable[[], None]:
    """`check_columns` as a question for later, which needs no database of ours and raises DefinitionsError.

    It only looks at columns and types, so that it is quick where counting rows would take long. patience:
    seconds for one statement.
    """
    bench = _Bench(whole, file, quick=True)
    bench.prepare({*changed, *bench.sources_of(touched)}, patience)

    def question() -> None:
        with bench:
            bench.check(touched, changed, report)
        report.raise_any()

    return question


def preview_later(whole: Definitions, file: Definitions, key: str, patience: float) -> Callable[[], Preview]:
    """The preview of a metric as a question for later, which needs no database of ours: warehouses are asked
    for its own measures; the figures of other metrics that it is made of are the stored ones."""
    bench = _Bench(whole, file)
    bench.prepare(bench.sources_of([key]), patience)
    bench.recall(key)

    def question() -> Preview:
        with bench:
            return bench.preview(key)

    return question


def preview(whole: Definitions, file: Definitions, touched: Collection[str]) -> tuple[Preview, ...]:
    """The last figures of each metric of `touched`, computed by the warehouses; nothing is stored."""
    with _Bench(whole, file) as bench:
        return tuple(bench.preview(key) for key in touched)


class _Bench:
    """Open warehouses, each once, and what has been read from them."""

    def __init__(self, whole: Definitions, file: Definitions, *, quick: bool = False) -> None:
        self.whole, self.file, self.quick = whole, file, quick
        self.calendar: Calendar = calendar_from(whole.calendar or {})
        self.sources: dict[str, SourceDef] = {
            key: source_from(key, source["warehouse"], source)
            for key, source in (whole.sources or {}).items()
        }
        self._definitions: dict[str, WarehouseDef] = {}
        self._engines: dict[str, Engine] = {}
        self._columns: dict[str, set[str]] = {}
        self._reach: dict[str, tuple[date | None, date | None]] = {}
        self._figures: dict[tuple[str, Grain], dict[Period, float | None]] = {}
        self._recalled = Recalled()
        self._stack = ExitStack()

    def __enter__(self) -> "_Bench":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def engine(self, key: str) -> Engine:
        if key not in self._engines:
            self._engines[key] = self._stack.enter_context(connect(self.definition(key)))
        return self._engines[key]

    def definition(self, key: str) -> WarehouseDef:
        """The connection that would result, with its stored or new secrets."""
        if key not in self._definitions:
            options = dict((self.whole.warehouses or {})[key])
            engine = options.pop("engine")
            row = Warehouse.objects.filter(key=key).first()
            try:
                if row is not None and row.engine == engine:
                    options = {**decrypt(row.secrets), **options}
            except UnreadableSecret as error:
                raise WarehouseError(str(error), warehouse=key) from None
            options |= self.file.secrets.get(key, {})
            self._definitions[key] = connection(key, engine, options)
        return self._definitions[key]

    def prepare(self, sources: Collection[str], patience: float) -> None:
        """Reads the connections of `sources`, each statement limited to `patience` seconds."""
        for source in sources:
            key = self.sources[source].warehouse
            known = self.definition(key)
            self._definitions[key] = replace(known, timeout=min(known.timeout, patience))

    def recall(self, key: str) -> None:
        """Reads the stored figures of the metrics that `key` is made of, which are then not computed anew."""
        self._recalled = recall(self.metric(key), self.grain(key), self.calendar, 2 * PERIODS_SHOWN)

    def check(self, touched: Collection[str], changed: Collection[str], report: Report) -> None:
        for key in self.file.sources or {}:
            if key in changed or key in self.sources_of(touched):
                self.check_source(key, report)
        if report.mistakes:
            return
        for key in touched:
            self.check_metric(key, report)

    def sources_of(self, touched: Collection[str]) -> set[str]:
        """The sources that the metrics of `touched` read."""
        metrics = self.whole.metrics or {}
        return {source for key in touched for source in sources_of(key, metrics[key])}

    def columns(self, source: SourceDef) -> set[str]:
        if source.key not in self._columns:
            self._columns[source.key] = set(self.engine(source.warehouse).columns(source))
        return self._columns[source.key]

    def check_source(self, key: str, report: Report) -> None:
        source, path = self.sources[key], f"sources.{key}"
        try:
            columns = self.columns(source)
        except WarehouseDown:
            raise
        except WarehouseError as error:
            report.at(path, str(error))
            return
        said = [("time", source.time), ("changed_at", source.changed_at), ("entity", source.entity)]
        said += [(f"dimensions.{name}", expression) for name, expression in source.dimensions.items()]
        sound = True
        for name, expression in said:
            try:
                if expression:
                    check_expression(expression, columns)
            except ExpressionError as error:
                report.at(f"{path}.{name}", f"{error} (source {key}, warehouse {source.warehouse})")
                sound = False
        if sound:
            try:
                engine = self.engine(source.warehouse)
                if not self.quick:
                    engine.watermark(source, self.calendar)
                else:
                    engine.clock(source, self.calendar)
            except WarehouseDown:
                raise
            except WarehouseError as error:
                report.at(path, str(error))

    def atoms(self, key: str) -> list[Atom]:
        """The metric's own atoms, or those of its hidden halves; without dimensions."""
        metric = self.metric(key)
        found = list(atoms_from(key, spec_of(metric.type, metric.spec), tuple(metric.by)))
        for part, spec in parts_of(metric).items():
            found += atoms_from(part, spec_of("simple", spec), tuple(metric.by))
        return found

    def metric(self, key: str) -> Metric:
        return model_of(key, (self.whole.metrics or {})[key])

    def request(self, atom: Atom, grain: Grain, start: date, end: date) -> Request:
        sources = _sources_of(atom)
        first, watermark = self.reach(sources[0])
        return Request(
            source=self.sources[sources[0]],
            atoms=(atom,),
            calendar=self.calendar,
            start=start,
            end=end,
            grains=(grain,),
            first_day=first,
            watermark=watermark or start,
            sources={key: self.sources[key] for key in sources[1:]},
        )

    def reach(self, source: str) -> tuple[date | None, date | None]:
        if source not in self._reach:
            definition = self.sources[source]
            engine = self.engine(definition.warehouse)
            self._reach[source] = engine.watermark(definition, self.calendar)
        return self._reach[source]

    def check_metric(self, key: str, report: Report) -> None:
        """Columns first, for their better words; then the engine's own opinion on types, without running
        anything."""
        for atom in self.atoms(key):
            source = self.sources[_sources_of(atom)[0]]
            engine = self.engine(source.warehouse)
            try:
                request = self.request(atom, Grain.MONTH, date(2001, 1, 1), date(2001, 2, 1))
                columns = {name: self.columns(self.sources[name]) for name in _sources_of(atom)}
                check_atom(atom, request, columns)
                clocks = {name: engine.clock(self.sources[name], self.calendar) for name in _sources_of(atom)}
                for statement in plan(request, engine.dialect, clocks).statements:
                    engine.describe(statement.text, source=statement.source)
            except WarehouseDown:
                raise
            except WarehouseError as error:
                named = WarehouseError(
                    error.message,
                    warehouse=error.warehouse or source.warehouse,
                    source=error.source or source.key,
                    metric=key,
                )
                report.at(f"metrics.{key}", str(named))

    def grain(self, key: str) -> Grain:
        """The grain of a metric's preview."""
        metric = self.metric(key)
        grain = Grain.QUARTER if goal_of(metric).kind == "total" else goal_of(metric).grain
        # A quarter's total is told by its months: they are what the plan is made of.
        return Grain.MONTH if grain is Grain.QUARTER and metric.type != "manual" else grain

    def preview(self, key: str) -> Preview:
        grain = self.grain(key)
        try:
            end = self._end(key)
            if end is None:
                empty = [other for other, end in self._recalled.ends.items() if end is None]
                of = f" by {grain} of {', '.join(empty)}" if empty else ""
                return Preview(key, grain, error=f"no figures yet{of}")
            periods = last_periods(self.calendar, grain, end, PERIODS_SHOWN)
            figures = tuple((period, self.figure(key, period)) for period in periods)
            return Preview(key, grain, figures, "\n\n".join(self._sql(key, periods)))
        except WarehouseError as error:
            return Preview(key, grain, error=str(error))

    def _end(self, key: str) -> date | None:
        """The exclusive day to which the metric's data reach."""
        if key in self._recalled.ends:
            return self._recalled.ends[key]
        metric = self.metric(key)
        if metric.type == "manual":
            return (
                Value.objects.filter(metric__key=key)
                .order_by("-period_end")
                .values_list("period_end", flat=True)
                .first()
            )
        ends = [self.reach(source)[1] for source in sources_of(key, (self.whole.metrics or {})[key])]
        operands = operands_of(metric)
        own_parts = parts_of(metric)
        others = [key for key in operands.metrics if key not in own_parts] if operands else []
        ends += [self._end(operand) for operand in others]
        known = [end for end in ends if end is not None]
        return min(known) if known and len(known) == len(ends) else None

    def _sql(self, key: str, periods: list[Period]) -> Iterator[str]:
        for atom in self.atoms(key):
            source = self.sources[_sources_of(atom)[0]]
            engine = self.engine(source.warehouse)
            clocks = {name: engine.clock(self.sources[name], self.calendar) for name in _sources_of(atom)}
            request = self.request(atom, periods[0].grain, periods[0].start, periods[-1].end)
            yield plan(request, engine.dialect, clocks).sql_for(atom.key)

    def figure(self, key: str, period: Period) -> float | None:
        """A metric's figure of a period, from the warehouse; of a manual metric the stored one."""
        known = self._figures.setdefault((key, period.grain), {})
        if period not in known:
            self._ask(key, period, known)
        return known.get(period)

    def _ask(self, key: str, period: Period, known: dict[Period, float | None]) -> None:
        if (self.whole.metrics or {}).get(key) is None:
            owner = key.rpartition("__")[0]
            atom = next(atom for atom in self.atoms(owner) if atom.key == key)
            self._compute(atom, period, known)
            return
        metric = self.metric(key)
        operands = operands_of(metric)
        if operands is not None:
            values: dict[str, float | None] = {}
            for operand in operands.inputs:
                if operand.metric in self._recalled.ends:
                    values[operand.name] = self._recalled.figures.get((operand.name, period))
                    continue
                there = period_of(operand, period, self.calendar)
                values[operand.name] = None if there is None else self.figure(operand.metric, there)
            known[period] = Formula.parse(operands.formula).evaluate(values)
        elif metric.type == "manual":
            of = Value.objects.filter(
                metric__key=key, grain=period.grain, period_start=period.start, dimension=""
            )
            known[period] = of.values_list("value", flat=True).first()
        else:
            self._compute(self.atoms(key)[0], period, known)

    def _compute(self, atom: Atom, period: Period, known: dict[Period, float | None]) -> None:
        """Asks for the period and those before it at once, since they are wanted too."""
        start = last_periods(self.calendar, period.grain, period.end, PERIODS_SHOWN)[0].start
        source = self.sources[_sources_of(atom)[0]]
        bare = Atom(atom.key, atom.numerator, atom.denominator, atom.conversion)
        request = self.request(bare, period.grain, start, period.end)
        for figure in compute(self.engine(source.warehouse), request):
            known[Period(figure.start, figure.end, figure.grain)] = figure.value
        known.setdefault(period, None)


def _sources_of(atom: Atom) -> tuple[str, ...]:
    sides: list[Any] = [atom.numerator, atom.denominator]
    if atom.conversion:
        sides = [atom.conversion.base, atom.conversion.conversion]
    return tuple(dict.fromkeys(side.source for side in sides if side))
