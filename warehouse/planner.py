"""From a request to statements: pure, so that a plan can be shown, tested and
compared without a warehouse."""

from collections.abc import Mapping
from dataclasses import dataclass

from warehouse.clock import NAIVE, Clock
from warehouse.definitions import Atom, Measure, Request, WarehouseError
from warehouse.expressions import ExpressionError
from warehouse.merging import check_atom, measures_of, stage_of
from warehouse.sql import literal
from warehouse.stages import cells, conversions, distinct, edges, new, percentiles
from warehouse.stages.scan import Context, Statement


@dataclass(frozen=True)
class Plan:
    """The statements of a request, each reading its source once; together they serve every atom."""

    statements: tuple[Statement, ...]

    def sql_for(self, key: str) -> str:
        """The text of the statements that serve an atom, for the page that says how it is computed."""
        served = [s for s in self.statements if key in s.serves]
        return "\n\n".join(f"-- {s.name}\n{s.text};" for s in served)


def plan(request: Request, dialect: str, clocks: Mapping[str, Clock] | None = None) -> Plan:
    """The statements that compute a request in an engine's dialect ("duckdb" or "postgres").

    clocks: how each source's time column reads, by source key; by default naive timestamps in its timezone.
    WarehouseError names the metric whose definition cannot be computed.
    """
    wanted: dict[Measure, dict[str, None]] = {}
    serves: dict[Measure, dict[str, None]] = {}
    for atom in request.atoms:
        _check(atom, request)
        for measure in measures_of(atom):
            wanted.setdefault(measure, {}).update(dict.fromkeys(atom.by))
            serves.setdefault(measure, {})[atom.key] = None
    statements: list[Statement] = []
    contexts: dict[str, Context] = {}

    def context_of(measure: Measure) -> Context:
        source = request.source_of(measure)
        if source.key not in contexts:
            clock = (clocks or {}).get(source.key) or Clock(NAIVE, source.timezone, request.calendar)
            contexts[source.key] = Context(request, source, clock, dialect)
        return contexts[source.key]

    staged: dict[tuple[str, str], dict[Measure, tuple[str, ...]]] = {}
    for measure, by in wanted.items():
        context = context_of(measure)
        stage = stage_of(measure)
        staged.setdefault((context.source.key, stage), {})[measure] = tuple(by)
        if context.source.rows == "daily" and stage != "cells":
            staged.setdefault((context.source.key, "cells"), {})[measure] = tuple(by)
    keys = {measure: tuple(found) for measure, found in serves.items()}
    try:
        for (source, stage), measures in staged.items():
            statements += _stage(contexts[source], stage, measures, keys)
        for context in contexts.values():
            if context.source.rows == "daily":
                statements.append(_promise(context, tuple(a.key for a in request.atoms)))
        for atom in request.atoms:
            if atom.conversion:
                base = context_of(atom.conversion.base)
                event = context_of(atom.conversion.conversion)
                statements.append(conversions.statement(base, event, atom.conversion, atom.by, (atom.key,)))
    except ExpressionError as error:
        raise WarehouseError(
            str(error),
            source=request.source.key,
            metric=request.atoms[0].key if len(request.atoms) == 1 else "",
        ) from None
    return Plan(tuple(statements))


def _stage(
    context: Context,
    stage: str,
    measures: Mapping[Measure, tuple[str, ...]],
    serves: Mapping[Measure, tuple[str, ...]],
) -> list[Statement]:
    if stage == "cells":
        if not context.whole_grains():
            return []
        return cells.statements(context, measures, serves)
    if stage == "distinct":
        return distinct.statements(context, measures, serves)
    if stage == "percentiles":
        return percentiles.statements(context, measures, serves)
    if stage == "new":
        return [new.statement(context, m, by, serves[m]) for m, by in measures.items()]
    return [edges.statement(context, m, by, serves[m]) for m, by in measures.items()]


def _promise(context: Context, serves: tuple[str, ...]) -> Statement:
    """With `rows: daily`, one row a day and member is promised; the first that comes twice."""
    columns = {f"d{n}": context.expression(sql) for n, sql in enumerate(context.source.dimensions.values())}
    keys = ", ".join(["day", *columns])
    text = (
        f"WITH source_rows AS (\n{context.rows(columns)}\n)\n"
        f"SELECT {literal('promise')} AS target, '' AS dimension, '' AS member, day, count(*) AS value\n"
        f"FROM source_rows GROUP BY {keys} HAVING count(*) > 1 ORDER BY day LIMIT 1"
    )
    return Statement(
        name=f"{context.source.key}: one row a day",
        source=context.source.key,
        shape="promise",
        text=text,
        serves=serves,
    )


def _check(atom: Atom, request: Request) -> None:
    check_atom(atom)
    first = atom.conversion.base if atom.conversion else atom.numerator
    assert first
    source = request.source_of(first)
    for name in atom.by:
        for measure in (first, *measures_of(atom)):
            if name not in request.source_of(measure).dimensions:
                raise WarehouseError(
                    f"there is no dimension {name!r} in the source", source=source.key, metric=atom.key
                )
    if atom.conversion:
        for measure in (atom.conversion.base, atom.conversion.conversion):
            if not request.source_of(measure).entity:
                raise WarehouseError(
                    "a conversion needs the source's entity", source=source.key, metric=atom.key
                )
    for measure in measures_of(atom):
        if measure.agg == "count_new" and not (measure.expr or request.source_of(measure).entity):
            raise WarehouseError("count_new needs an expr or the source's entity", metric=atom.key)
