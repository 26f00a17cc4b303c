"""Conversions: each base event with the conversions that are credited to it.

Base events and conversions of one entity stand in one ordered line. A running count of the base events
numbers each conversion with the last base event before it, so crediting is one sort and no range join.
"""

# ruff: noqa: S608 (this text is built from checked expressions and escaped literals)

from datetime import date, timedelta

from warehouse.clock import DATE, Clock
from warehouse.definitions import Conversion, Measure
from warehouse.sql import literal, local_timestamp
from warehouse.stages.scan import WHOLE, Context, Statement, union

CONVERSION_PARTS = ("base", "converted", "immature")  # columns of the statement, in its order


def statement(
    base: Context, event: Context, conversion: Conversion, by: tuple[str, ...], serves: tuple[str, ...]
) -> Statement:
    """base, event: the contexts of the two measures' sources. Rows: base events whose window has passed,
    those among them that are credited with a conversion, base events whose window is still open.

    An event of an unknown entity (NULL) can neither convert nor be credited. Several base events at one
    instant share one credit, which goes to one of them.
    """
    low, high = base.window
    reach = timedelta(days=conversion.within.days + 31 * conversion.within.months + 2)
    span = (low, high + reach) if conversion.period_by == "start" else (low - reach, high)
    shared = (base.clock.kind, base.clock.wall_zone) == (event.clock.kind, event.clock.wall_zone)
    match = [f"m{n}" for n in range(len(conversion.match))]
    dims = [f"d{n}" for n in range(len(by))]
    members = {alias: base.dimension(name) for alias, name in zip(dims, by, strict=True)}
    nothing = dict.fromkeys(dims, "CAST(NULL AS VARCHAR)")
    text = (
        f"WITH base_rows AS (\n{_events(base, conversion, conversion.base, members, span, shared)}\n),\n"
        "conversion_rows AS "
        f"(\n{_events(event, conversion, conversion.conversion, nothing, span, shared)}\n),\n"
    )
    columns = ["e", *match, "t", *dims]
    within = conversion.within
    window = f"INTERVAL '{within.months} months {within.days} days'"
    text += (
        f"line AS (\nSELECT {', '.join(columns)}, 0 AS kind, t + {window} AS due FROM base_rows\n"
        f"UNION ALL\nSELECT {', '.join(columns)}, 1 AS kind, CAST(NULL AS TIMESTAMP) AS due "
        "FROM conversion_rows\n),\n"
    )
    key = ", ".join(["e", *match])
    order = f"PARTITION BY {key} ORDER BY {', '.join(['t', 'kind', *dims])} ROWS UNBOUNDED PRECEDING"
    text += (
        f"credited AS (\nSELECT *, sum(1 - kind) OVER line_of_entity AS place, "
        f"max(due) OVER line_of_entity AS closes\nFROM line WINDOW line_of_entity AS ({order})\n),\n"
    )
    kept = "".join(f", min({alias}) AS {alias}" for alias in dims)
    clock = base.clock if shared and base.clock.kind != DATE else Clock(DATE, "UTC", base.request.calendar)
    spread = (span[0], span[1] + reach)
    text += (
        f"bases AS (\nSELECT min(CASE WHEN kind = 0 THEN t END) AS t, max(closes) AS due{kept}, "
        f"max(CASE WHEN kind = 1 AND t < closes THEN 1 ELSE 0 END) AS converted\n"
        f"FROM credited WHERE place > 0 GROUP BY {key}, place\n),\n"
    )
    stamp = "t" if conversion.period_by == "start" else "due"
    watermark = base.request.watermark
    watermark = min(watermark, base.request.watermarks.get(event.source.key, watermark))
    passed = f"{local_timestamp('due', clock, *spread)} <= CAST({literal(watermark)} AS TIMESTAMP)"
    text += (
        f"judged AS MATERIALIZED (\nSELECT CAST({local_timestamp(stamp, clock, *spread)} AS DATE) AS day, "
        f"CASE WHEN {passed} THEN 1 ELSE 0 END AS passed, converted"
        f"{''.join(', ' + alias for alias in dims)} FROM bases\n)\n"
    )
    branches = [
        f"SELECT '0' AS target, {literal(dimension)} AS dimension, {alias} AS member, day, "
        "sum(passed) AS base, "
        "sum(passed * converted) AS converted, sum(1 - passed) AS immature\n"
        f"FROM judged WHERE day >= {literal(low)} AND day < {literal(high)} "
        f"GROUP BY {alias + ', ' if dimension else ''}day"
        for dimension, alias in [(WHOLE, literal("")), *zip(by, dims, strict=True)]
    ]
    return Statement(
        name=f"{base.source.key}: conversion",
        source=base.source.key,
        shape="days",
        text=text + union(branches),
        columns={(conversion, part): n for n, part in enumerate(CONVERSION_PARTS)},
        targets=(conversion,),
        serves=serves,
    )


def _events(
    context: Context,
    conversion: Conversion,
    measure: Measure,
    members: dict[str, str],
    span: tuple[date, date],
    shared: bool,
) -> str:
    """`e, m.., t, d..` of one measure's events; `t` is a naive timestamp of the clock that both sides share.

    A count_distinct event happens at its first row, a count_new event at the entity's first row ever; both
    need all history, since an earlier row takes the event with it.
    """
    low, high = span
    ever = measure.agg != "count"
    if ever:
        low = min(low, context.request.first_day or low)
    stamp = context.wall
    if context.clock.kind == DATE:
        stamp = f"CAST({stamp} AS TIMESTAMP)"
    elif not shared:
        stamp = f"CAST({local_timestamp(stamp, context.clock, low, high)} AS TIMESTAMP)"
    columns = {"e": context.expression(context.source.entity), "t": stamp, **members}
    match = {f"m{n}": context.expression(column) for n, column in enumerate(conversion.match)}
    columns |= match
    filters = [f"{context.expression(context.source.entity)} IS NOT NULL"]
    if measure.where:
        filters.append(context.expression(measure.where))
    if measure.expr:
        filters.append(f"{context.value(measure)} IS NOT NULL")
    if measure.agg == "count_distinct":
        columns["x"] = context.value(measure)
    rows = context.rows(columns, " AND ".join(filters), span, ever=ever)
    if not ever:
        return rows
    identity = ", ".join(["e", *match, *(["x"] if measure.agg == "count_distinct" else [])])
    order = ", ".join(["t", *members])
    return (
        f"SELECT * FROM (SELECT DISTINCT ON ({identity}) * FROM (\n{rows}\n) AS every_row "
        f"ORDER BY {identity}, {order}) AS firsts WHERE day >= {literal(span[0])}"
    )
