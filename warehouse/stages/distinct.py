"""Exact distinct counts of all grains from one deduplicated, ordered stage of (entity, day) per filter.

A row of that stage knows the entity's day before it. It is the entity's first of a week, month, quarter or year if
that day lies before the period, so that each period's distinct count is the sum of its days' firsts, and the
to-date counts are running sums. One sort serves every grain.
"""

from collections.abc import Mapping, Sequence

from calc.calendar import PERIODS, Grain
from warehouse.definitions import Measure
from warehouse.expressions import is_fragile
from warehouse.sql import literal
from warehouse.stages.scan import WHOLE, Context, Mask, Statement, Target, case, union


def statements(
    context: Context, measures: Mapping[Measure, tuple[str, ...]], serves: Mapping[Measure, tuple[str, ...]]
) -> list[Statement]:
    """One statement per distinct expression; a fragile one gets its own per filter."""
    groups: dict[tuple[str, str], list[Measure]] = {}
    for measure in measures:
        groups.setdefault((measure.expr, measure.where if is_fragile(measure.expr) else ""), []).append(
            measure
        )
    found = []
    for group in groups.values():
        # Measures that differ only in fill or promise share their numbers.
        keys = tuple(dict.fromkeys(key for m in group for key in serves[m]))
        found.append(_statement(context, group, measures, keys))
    return found


def grains_needed(context: Context) -> list[Grain]:
    """The whole grains whose firsts are counted: those asked for, to-date ones through their whole."""
    wanted = {grain.whole for grain in context.request.grains}
    return [grain for grain in PERIODS if grain in wanted or grain is Grain.DAY]


def _statement(
    context: Context,
    measures: Sequence[Measure],
    by: Mapping[Measure, tuple[str, ...]],
    serves: tuple[str, ...],
) -> Statement:
    mask = Mask(context)
    for measure in measures:
        mask.need(measure.where)
    names = list(dict.fromkeys(d for m in measures for d in by[m]))
    members = {name: f"d{n}" for n, name in enumerate(names)}
    columns = {alias: context.dimension(name) for name, alias in members.items()}
    whens = [mask.when(m.where) for m in measures]
    any_filter = "" if "" in whens else " AND (" + " OR ".join(dict.fromkeys(whens)) + ")"
    keys = ", ".join(["e", "day", *columns, *mask.column()])
    text = (
        f"WITH source_rows AS (\n{context.rows({'e': context.value(measures[0]), **columns, **mask.column()})}\n),\n"
        f"seen AS MATERIALIZED (\nSELECT DISTINCT {keys} FROM source_rows WHERE e IS NOT NULL{any_filter}\n)\n"
    )
    grains = grains_needed(context)
    firsts = ["count(*) AS first_day"]
    for grain in grains[1:]:
        condition = f"prev IS NULL OR prev < {context.period_start('day', grain)}"
        firsts.append(f"count({case(condition, '1')}) AS first_{grain}")
    branches = []
    for number, (measure, when) in enumerate(zip(measures, whens, strict=True)):
        for dimension in (WHOLE, *by[measure]):
            alias = members.get(dimension, "")
            partition = f"e, {alias}" if alias else "e"
            branches.append(
                f"SELECT {literal(str(number))} AS target, {literal(dimension)} AS dimension, member, day, "  # noqa: S608
                f"{', '.join(firsts)}\nFROM (SELECT day, {alias or literal('')} AS member, "
                f"lag(day) OVER (PARTITION BY {partition} ORDER BY day) AS prev\n"
                f"  FROM (SELECT DISTINCT {partition}, day FROM seen{' WHERE ' + when if when else ''}) AS once"
                f") AS ordered\nGROUP BY member, day"
            )
    parts: dict[tuple[Target, str], int] = {
        (m, str(grain)): n for m in measures for n, grain in enumerate(grains)
    }
    return Statement(
        name=f"{context.source.key}: distinct {measures[0].expr}",
        source=context.source.key,
        shape="days",
        text=text + union(branches),
        columns=parts,
        targets=tuple(measures),
        serves=serves,
    )
