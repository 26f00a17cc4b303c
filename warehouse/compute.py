"""From a request to figures: runs a plan, then fills, divides and leaves out by the rules of figures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from calc.calendar import Grain, Period
from warehouse.clock import Clock
from warehouse.definitions import (
    Atom,
    Conversion,
    Figure,
    Measure,
    Request,
    SourceDef,
    WarehouseDown,
    WarehouseError,
)
from warehouse.engines.base import Engine
from warehouse.expressions import ExpressionError, check_expression
from warehouse.merging import measures_of, merges
from warehouse.planner import plan
from warehouse.results import Results
from warehouse.sql import OTHER
from warehouse.stages.scan import WHOLE, Context, Target

Part = tuple[object, object, object]
_DAY = timedelta(days=1)


def compute(engine: Engine, request: Request) -> Iterator[Figure]:
    """All figures of a request. The first fault raises WarehouseError, naming the metric where it is known.

    Statements have run and all numbers are checked before the first figure comes.
    """
    figures, errors = _attempt(engine, request, isolate=False)
    for error in errors.values():
        raise error
    return figures


def compute_isolated(engine: Engine, request: Request) -> tuple[Iterator[Figure], dict[str, WarehouseError]]:
    """The figures of all atoms that can be computed, and the error of each that cannot, by key.

    A statement that fails is asked again by halves of the atoms it serves until the faulty one is alone. The
    errors are complete before the first figure comes. WarehouseDown if the warehouse cannot be reached at
    all.
    """
    return _attempt(engine, request, isolate=True)


def _attempt(
    engine: Engine, request: Request, *, isolate: bool
) -> tuple[Iterator[Figure], dict[str, WarehouseError]]:
    errors: dict[str, WarehouseError] = {}
    atoms = []
    clocks = _clocks(engine, request)
    columns = {key: set(engine.columns(source)) for key, source in _sources(request).items()}
    for atom in request.atoms:
        try:
            check_columns(atom, request, columns)
            plan(replace(request, atoms=(atom,)), engine.dialect, clocks)
        except WarehouseError as error:
            errors[atom.key] = _named(error, engine, request, atom)
            if not isolate:
                return iter(()), errors
            continue
        atoms.append(atom)
    parts: list[Iterator[Figure]] = []
    _run(engine, replace(request, atoms=tuple(atoms)), clocks, errors, parts, isolate=isolate)
    return (figure for part in parts for figure in part), errors


def _run(
    engine: Engine,
    request: Request,
    clocks: dict[str, Clock],
    errors: dict[str, WarehouseError],
    parts: list[Iterator[Figure]],
    *,
    isolate: bool,
) -> None:
    """Run the plan of the request's atoms; the atoms of a statement that failed are tried again by halves."""
    if not request.atoms:
        return
    results = Results(request, {key: _context(engine, request, key, clocks) for key in clocks})
    failed: dict[str, WarehouseError] = {}
    for statement in plan(request, engine.dialect, clocks).statements:
        try:
            results.add(statement, engine.run(statement.text, source=statement.source))
        except WarehouseDown:
            raise
        except WarehouseError as error:
            failed |= dict.fromkeys(statement.serves, error)
            if not isolate:
                break
    by_key = {atom.key: atom for atom in request.atoms}
    sound = []
    for atom in request.atoms:
        if atom.key in failed:
            continue
        message = next(filter(None, (results.fault(target) for target in targets_of(atom))), "")
        if message:
            errors[atom.key] = _named(WarehouseError(message), engine, request, atom)
        else:
            sound.append(atom)
    parts.append(figures_of(replace(request, atoms=tuple(sound)), results))
    again = [by_key[key] for key in failed]
    if not again:
        return
    if len(again) == 1 or not isolate:
        atom = again[0]
        errors[atom.key] = _named(failed[atom.key], engine, request, atom if len(again) == 1 else None)
        return
    half = len(again) // 2
    for some in (again[:half], again[half:]):
        _run(engine, replace(request, atoms=tuple(some)), clocks, errors, parts, isolate=isolate)


def targets_of(atom: Atom) -> tuple[Target, ...]:
    """The measures of an atom, or its conversion."""
    return (atom.conversion,) if atom.conversion else measures_of(atom)


def _sources(request: Request) -> dict[str, SourceDef]:
    """The sources that the request's atoms read, by key."""
    found = {request.source.key: request.source}
    for atom in request.atoms:
        for measure in _all_measures(atom):
            source = request.sources.get(measure.source)
            if source is not None and measure.source != request.source.key:
                found[source.key] = source
    return found


def _all_measures(atom: Atom) -> tuple[Measure, ...]:
    if atom.conversion:
        return atom.conversion.base, atom.conversion.conversion
    return measures_of(atom)


def _clocks(engine: Engine, request: Request) -> dict[str, Clock]:
    return {key: engine.clock(source, request.calendar) for key, source in _sources(request).items()}


def _context(engine: Engine, request: Request, key: str, clocks: dict[str, Clock]) -> Context:
    source = request.source if key == request.source.key else request.sources[key]
    return Context(request, source, clocks[key], engine.dialect)


def check_columns(atom: Atom, request: Request, columns: dict[str, set[str]]) -> None:
    """Raise WarehouseError naming the metric if an expression is refused or names a
    column that is not there."""
    for measure in _all_measures(atom):
        source = request.source_of(measure)
        texts = [("expr", measure.expr), ("where", measure.where)]
        first = measure in (atom.numerator, atom.conversion.base if atom.conversion else None)
        texts += [(f"dimension {name}", source.dimensions.get(name, "")) for name in atom.by if first]
        if atom.conversion:
            texts += [("match", name) for name in atom.conversion.match] + [("entity", source.entity)]
        elif measure.agg == "count_new" and not measure.expr:
            texts.append(("entity", source.entity))
        for what, text in texts:
            if not text:
                continue
            try:
                check_expression(text, columns[source.key])
            except ExpressionError as error:
                raise WarehouseError(f"{what}: {error}", source=source.key, metric=atom.key) from None


def _named(error: WarehouseError, engine: Engine, request: Request, atom: Atom | None) -> WarehouseError:
    return WarehouseError(
        error.message,
        warehouse=error.warehouse or engine.warehouse.key,
        source=error.source or request.source.key,
        metric=error.metric or (atom.key if atom else ""),
    )


def figures_of(request: Request, results: Results) -> Iterator[Figure]:
    """The figures of atoms whose results are sound: grain by grain, dimension by dimension."""
    dimensions = [WHOLE, *dict.fromkeys(d for atom in request.atoms for d in atom.by)]
    for grain in request.grains:
        periods = list(request.calendar.periods(grain, request.start, request.end))
        for dimension in dimensions:
            for atom in request.atoms:
                if dimension and dimension not in atom.by:
                    continue
                if grain.is_to_date and (dimension or merges(atom) != "none"):
                    continue
                yield from _figures(request, results, atom, grain, dimension, periods)
            results.forget()


def _figures(
    request: Request, results: Results, atom: Atom, grain: Grain, dimension: str, periods: Sequence[Period]
) -> Iterator[Figure]:
    build = (_conversion if atom.conversion else _ratio if atom.denominator else _simple)(
        results, atom, grain, dimension
    )
    first_day, watermark = request.first_day, request.watermark
    own_days: set[date] = set()
    if grain.is_to_date:
        own_days = set().union(*(results.days_with_rows(m, grain) for m in measures_of(atom)))
    measures = [m for m in measures_of(atom) if request.source_of(m).rows == "daily"]
    # Decided once for all members: the window of a source that ended years ago has thousands of empty days.
    spans: list[tuple[Period, date, bool]] = []
    for period in periods:
        loaded = first_day is not None and period.end > first_day and period.start < watermark
        day = period.start
        if grain.is_to_date:
            day = period.end - _DAY
            loaded = loaded and first_day is not None and first_day <= day < watermark
            if not loaded and day not in own_days:
                continue
        spans.append((period, day, loaded))
    for member in _members(request, results, atom, dimension):
        for period, day, loaded in spans:
            found = build((member, day), loaded)
            if found is None:
                continue
            value, numerator, denominator, immature = found
            missing: tuple[date, ...] = ()
            if measures and loaded:
                bad = {
                    day
                    for m in measures
                    for day in results.bad_days(m, dimension, member, period.start, period.end)
                }
                missing = tuple(sorted(bad))
                if missing:
                    value = numerator = denominator = None
            yield Figure(
                atom.key,
                grain,
                period.start,
                period.end,
                dimension,
                member,
                value,  # type: ignore[arg-type]
                numerator,  # type: ignore[arg-type]
                denominator,  # type: ignore[arg-type]
                immature,
                missing,
            )


def _members(request: Request, results: Results, atom: Atom, dimension: str) -> list[str]:
    if not dimension:
        return [""]
    seen = results.members.get(dimension, set()) | set(request.members.get(dimension, ()))
    top = request.top.get(dimension)
    members = (
        sorted(seen) if top is None else [*top, *([OTHER] if OTHER in seen and OTHER not in top else [])]
    )
    if merges(atom) != "sum" and top is not None and OTHER not in top:
        members = [member for member in members if member != OTHER]
    return members


# What a key gives: (value, numerator, denominator, immature), or None where there is nothing to say.
_Built = Callable[[tuple[str, date], bool], tuple[object, object, object, int | None] | None]


def _fill(measure: Measure) -> float | None:
    return 0.0 if measure.zero_fills else None


def _simple(results: Results, atom: Atom, grain: Grain, dimension: str) -> _Built:
    assert atom.numerator
    found, fill = results.measure(atom.numerator, grain, dimension), _fill(atom.numerator)

    def build(key: tuple[str, date], loaded: bool) -> tuple[object, object, object, int | None] | None:
        part = found.get(key)
        if part is not None:
            return *part, None
        return (fill, None, None, None) if loaded else None

    return build


def _ratio(results: Results, atom: Atom, grain: Grain, dimension: str) -> _Built:
    assert atom.numerator and atom.denominator
    over, under = (results.measure(m, grain, dimension) for m in (atom.numerator, atom.denominator))
    fill_over, fill_under = _fill(atom.numerator), _fill(atom.denominator)

    def build(key: tuple[str, date], loaded: bool) -> tuple[object, object, object, int | None] | None:
        top, bottom = over.get(key), under.get(key)
        if top is None and bottom is None and not loaded:
            return None
        numerator = fill_over if top is None else top[0]
        denominator = fill_under if bottom is None else bottom[0]
        if numerator is None or not denominator:
            return None, numerator, denominator, None
        return numerator / denominator, numerator, denominator, None  # type: ignore[operator]

    return build


def _conversion(results: Results, atom: Atom, grain: Grain, dimension: str) -> _Built:
    conversion = atom.conversion
    assert isinstance(conversion, Conversion)
    rows, _ = results.cut(conversion, "base", grain, dimension)

    def build(key: tuple[str, date], loaded: bool) -> tuple[object, object, object, int | None] | None:
        base, converted, immature = (int(n) for n in rows.get(key, (0, 0, 0)))  # type: ignore[call-overload]
        if not loaded and not base:
            return None
        if conversion.calculation == "count":
            return (None if immature and not base else float(converted)), None, None, immature
        return (converted / base if base else None), float(converted), float(base), immature

    return build
