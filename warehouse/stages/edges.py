"""`first` and `last`: the figure at a period's first or last time (semi-additive)."""

# ruff: noqa: S608 (this text is built from checked expressions and escaped literals)

from collections.abc import Sequence

from warehouse.definitions import Measure
from warehouse.sql import literal
from warehouse.stages.scan import WHOLE, Context, Statement, union


def statement(context: Context, measure: Measure, by: Sequence[str], serves: tuple[str, ...]) -> Statement:
    """Per day and member, the sum of the rows that carry exactly the first (last) time of that day.

    Several rows at one instant are parts of one level (accounts of a balance), so they add up; rows whose
    figure is NULL do not count. A member's figure stands at the member's own last time, so members need not
    add up.
    """
    columns = {"t": context.wall, "x": context.value(measure)}
    columns |= {f"d{n}": context.dimension(name) for n, name in enumerate(by)}
    where = context.expression(measure.where) if measure.where else ""
    text = f"WITH source_rows AS (\n{context.rows(columns, where)}\n)\n"
    direction = "DESC" if measure.agg == "last" else "ASC"
    branches = []
    for dimension, alias in [(WHOLE, literal("")), *((name, f"d{n}") for n, name in enumerate(by))]:
        branches.append(
            f"SELECT '0' AS target, {literal(dimension)} AS dimension, member, day, value FROM (\n"
            f"  SELECT member, day, value, "
            f"row_number() OVER (PARTITION BY member, day ORDER BY t {direction}) AS place FROM (\n"
            f"    SELECT {alias} AS member, day, t, sum(x) AS value FROM source_rows WHERE x IS NOT NULL\n"
            f"    GROUP BY {alias + ', ' if dimension else ''}day, t) AS moments) AS placed\nWHERE place = 1"
        )
    return Statement(
        name=f"{context.source.key}: {measure.agg} {measure.expr}",
        source=context.source.key,
        shape="days",
        text=text + union(branches),
        columns={(measure, "value"): 0},
        targets=(measure,),
        serves=serves,
    )
