"""Percentiles: by the engine's own exact, interpolating aggregate, per grain apart."""

# ruff: noqa: S608 (this text is built from checked expressions and escaped literals)

from collections.abc import Mapping, Sequence

from calc.calendar import Grain
from warehouse.definitions import Measure
from warehouse.merging import quantile
from warehouse.sql import literal
from warehouse.stages.scan import WHOLE, Context, Mask, Statement, Target, case, union


def statements(
    context: Context, measures: Mapping[Measure, tuple[str, ...]], serves: Mapping[Measure, tuple[str, ...]]
) -> list[Statement]:
    """One statement for whole periods, and one for each measure's to-date figures."""
    found = []
    whole = [grain for grain in context.request.grains if not grain.is_to_date]
    if whole:
        keys = tuple(dict.fromkeys(key for m in measures for key in serves[m]))
        found.append(_periods(context, measures, whole, keys))
    to_date = [grain for grain in context.request.grains if grain.is_to_date]
    if to_date:
        found += [_to_date(context, measure, to_date, serves[measure]) for measure in measures]
    return found


def _number(context: Context, measure: Measure) -> str:
    # "+ 0" makes the engines refuse text, which a cast alone would read as a number.
    return f"CAST({context.value(measure)} + 0 AS DOUBLE PRECISION)"


def _periods(
    context: Context,
    measures: Mapping[Measure, tuple[str, ...]],
    grains: Sequence[Grain],
    serves: tuple[str, ...],
) -> Statement:
    mask = Mask(context)
    inputs: dict[str, str] = {}
    groups: dict[str, list[float]] = {}  # the quantiles asked of one column and filter share a sort
    place: dict[Measure, tuple[str, int]] = {}
    for measure in measures:
        mask.need(measure.where)
        alias = inputs.setdefault(_number(context, measure), f"x{len(inputs)}")
        argument = case(mask.when(measure.where), alias)
        shares = groups.setdefault(argument, [])
        if quantile(measure) not in shares:
            shares.append(quantile(measure))
        place[measure] = (argument, shares.index(quantile(measure)) + 1)
    names = list(dict.fromkeys(d for by in measures.values() for d in by))
    members = {f"d{n}": context.dimension(name) for n, name in enumerate(names)}
    rows = context.rows({**members, **mask.column(), **{a: sql for sql, a in inputs.items()}})
    values: list[str] = []
    found: dict[tuple[Target, str], int] = {}
    for measure in measures:
        argument, index = place[measure]
        found[measure, "value"] = len(values)
        values.append(f"{_quantiles(context, argument, groups[argument])}[{index}]")
        found[measure, "rows"] = len(values)
        values.append(f"sum({case(mask.when(measure.where), '1', '0')})")
    listed = ", ".join(f"{sql} AS c{n}" for n, sql in enumerate(values))
    branches = []
    for grain in grains:
        low, high = context.grain_window(grain)
        for dimension, alias in [(WHOLE, literal("")), *zip(names, members, strict=True)]:
            branches.append(
                f"SELECT {literal(str(grain))} AS grain, {literal(dimension)} AS dimension, member, "
                f"start, {listed}\n"
                f"FROM (SELECT *, {alias} AS member, {context.period_start('day', grain)} AS start "
                "FROM source_rows\n"
                f"  WHERE day >= {literal(low)} AND day < {literal(high)}) AS cut\nGROUP BY member, start"
            )
    return Statement(
        name=f"{context.source.key}: percentiles",
        source=context.source.key,
        shape="periods",
        text=f"WITH source_rows AS MATERIALIZED (\n{rows}\n)\n" + union(branches),
        columns=found,
        targets=tuple(measures),
        serves=serves,
    )


def _quantiles(context: Context, argument: str, shares: Sequence[float]) -> str:
    listed = ", ".join(repr(share) for share in shares)
    if context.dialect == "duckdb":
        return f"quantile_cont({argument}, [{listed}])"
    return f"(percentile_cont(ARRAY[{listed}]) WITHIN GROUP (ORDER BY {argument}))"


def _to_date(
    context: Context, measure: Measure, grains: Sequence[Grain], serves: tuple[str, ...]
) -> Statement:
    where = context.expression(measure.where) if measure.where else ""
    number = _number(context, measure)
    rows = context.rows({"x": number}, where)
    share = quantile(measure)
    high = context.request.end
    branches = []
    for grain in grains:
        # From the opening of the period, for a day without rows has the figure of the last day with some.
        low = context.request.calendar.period(grain.whole, context.request.start).start
        head = f"SELECT {literal(str(grain))} AS grain, '' AS dimension, '' AS member, day AS start, "
        wanted = f"day >= {literal(low)} AND day < {literal(high)}"
        if context.dialect == "duckdb":
            # A growing frame reuses its sorted state from day to day.
            branches.append(
                f"{head}max(q) AS c0 FROM (\n  SELECT day, quantile_cont(x, {share!r}) OVER (PARTITION BY "
                f"{context.period_start('day', grain)} ORDER BY day RANGE UNBOUNDED PRECEDING) AS q\n"
                f"  FROM source_rows WHERE x IS NOT NULL) AS running\nWHERE {wanted} GROUP BY day"
            )
        else:
            branches.append(
                f"{head}(SELECT percentile_cont({share!r}) WITHIN GROUP (ORDER BY x) FROM source_rows AS r "
                f"WHERE r.day >= {context.period_start('days.day', grain)} AND r.day <= days.day) AS c0\n"
                f"FROM (SELECT DISTINCT day FROM source_rows WHERE x IS NOT NULL) AS days WHERE {wanted}"
            )
    return Statement(
        name=f"{context.source.key}: {measure.agg} to date",
        source=context.source.key,
        shape="periods",
        text=f"WITH source_rows AS MATERIALIZED (\n{rows}\n)\n" + union(branches),
        columns={(measure, "value"): 0},
        targets=(measure,),
        serves=serves,
    )
