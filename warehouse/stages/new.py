"""Entities first seen, under the same filter, on a day: over all history, whatever the window."""

from collections.abc import Sequence

from warehouse.definitions import Measure
from warehouse.sql import literal
from warehouse.stages.scan import Context, Statement, union


def statement(context: Context, measure: Measure, by: Sequence[str], serves: tuple[str, ...]) -> Statement:
    """An entity belongs to the member of its first row; of several rows at that instant to the first by name,
    so that the members add up to the whole."""
    columns = {"e": context.expression(measure.expr or context.source.entity)}
    if by:
        columns["t"] = context.wall
    columns |= {f"d{n}": context.dimension(name) for n, name in enumerate(by)}
    where = context.expression(measure.where) if measure.where else ""
    low, high = context.window
    text = f"WITH source_rows AS (\n{context.rows(columns, where, ever=True)}\n)"
    bound = f"day >= {literal(low)} AND day < {literal(high)}"
    if by:
        text += (
            ",\nfirst_times AS MATERIALIZED (\n"
            "SELECT e, min(t) AS t, min(day) AS day FROM source_rows WHERE e IS NOT NULL GROUP BY e\n)"
        )
        for n in range(len(by)):
            text += (
                f",\nfirst_{n} AS (\nSELECT f.day, min(r.d{n}) AS member FROM first_times AS f "
                "JOIN source_rows AS r ON r.e = f.e AND r.t = f.t\nWHERE "
                f"f.{bound.replace(' AND day', ' AND f.day')}"
                f"\nGROUP BY f.e, f.day\n)"
            )
        whole = "first_times"
    else:
        text += (
            ",\nfirst_times AS (\n"
            "SELECT e, min(day) AS day FROM source_rows WHERE e IS NOT NULL GROUP BY e\n)"
        )
        whole = "first_times"
    branches = [
        f"SELECT '0' AS target, '' AS dimension, '' AS member, day, count(*) AS value\n"
        f"FROM {whole} WHERE {bound} GROUP BY day"
    ]
    branches += [
        f"SELECT '0' AS target, {literal(name)} AS dimension, member, day, count(*) AS value\n"
        f"FROM first_{n} GROUP BY member, day"
        for n, name in enumerate(by)
    ]
    return Statement(
        name=f"{context.source.key}: first seen",
        source=context.source.key,
        shape="days",
        text=text + "\n" + union(branches),
        columns={(measure, "value"): 0},
        targets=(measure,),
        serves=serves,
    )
