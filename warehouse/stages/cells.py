"""Counts, sums, averages and extremes: once per cell of day, members and filters, then rolled up from the
cells.
"""

# ruff: noqa: S608 (this text is built from checked expressions and escaped literals)

from collections.abc import Mapping, Sequence

from warehouse.definitions import Measure
from warehouse.sql import literal
from warehouse.stages.scan import WHOLE, Context, Mask, Statement, Target, case, parts_of, union

# More independent filters in one grouping could make as many cells as rows; more dimensions likewise.
MAX_FILTERS = 24
MAX_DIMENSIONS = 3


def statements(
    context: Context, measures: Mapping[Measure, tuple[str, ...]], serves: Mapping[Measure, tuple[str, ...]]
) -> list[Statement]:
    """measures: with the dimensions that each is wanted by; the whole is always computed."""
    found = []
    for group in _groups(list(measures)):
        dimensions = list(dict.fromkeys(d for m in group for d in measures[m]))
        bundles = [dimensions[n : n + MAX_DIMENSIONS] for n in range(0, len(dimensions), MAX_DIMENSIONS)] or [
            []
        ]
        for n, bundle in enumerate(bundles):
            wanted = [m for m in group if n == 0 or set(bundle) & set(measures[m])]
            keys = tuple(dict.fromkeys(key for m in wanted for key in serves[m]))
            found.append(_statement(context, wanted, bundle, with_whole=n == 0, serves=keys))
    return found


def _groups(measures: Sequence[Measure]) -> list[list[Measure]]:
    groups: list[list[Measure]] = []
    filters: set[str] = set()
    for measure in measures:
        wanted = set(parts_of(measure.where))
        if not groups or len(filters | wanted) > MAX_FILTERS:
            groups.append([])
            filters = set()
        groups[-1].append(measure)
        filters |= wanted
    return groups


class _Cells:
    """Collects the columns of the cells and of the roll-up, each once."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.mask = Mask(context)
        self.inputs: dict[str, str] = {}  # expression -> alias
        self.aggregates: dict[str, str] = {"count(*)": "n"}
        self.outputs: dict[str, int] = {}
        self.columns: dict[tuple[Target, str], int] = {}

    def input(self, measure: Measure) -> str:
        sql = self.context.value(measure)
        if measure.agg == "sum_boolean":
            sql = f"CASE WHEN {sql} THEN 1 WHEN NOT {sql} THEN 0 END"
        return self.inputs.setdefault(sql, f"x{len(self.inputs)}")

    def aggregate(self, sql: str) -> str:
        return self.aggregates.setdefault(sql, f"a{len(self.aggregates)}")

    def output(self, measure: Measure, part: str, sql: str) -> None:
        self.columns[measure, part] = self.outputs.setdefault(sql, len(self.outputs))

    def add(self, measure: Measure, *, nulls: bool) -> None:
        self.mask.need(measure.where)
        when = self.mask.when(measure.where)
        rows = f"sum({case(when, 'n', '0')})"
        self.output(measure, "rows", rows)
        if not measure.expr:
            self.output(measure, "value", rows)
            return
        if measure.agg in ("count_distinct", "count_new", "first", "last") or measure.agg not in _SQL:
            # Only here for the promise of daily rows: which days hold a null.
            known = self.aggregate(f"count({self.input(measure)})")
            self.output(measure, "known", f"sum({case(when, known, '0')})")
            return
        x = self.input(measure)
        inner, outer = _SQL[measure.agg]
        cell = self.aggregate(f"{inner}({x})")
        self.output(measure, "value", f"{outer}({case(when, cell, '0' if measure.agg == 'count' else '')})")
        if nulls or measure.agg == "avg":
            known = self.aggregate(f"count({x})")
            self.output(measure, "known", f"sum({case(when, known, '0')})")


_SQL = {
    "count": ("count", "sum"), "sum": ("sum", "sum"), "sum_boolean": ("sum", "sum"), "avg": ("sum", "sum"),
    "min": ("min", "min"), "max": ("max", "max"),
}  # fmt: skip


def _statement(
    context: Context,
    measures: Sequence[Measure],
    dimensions: Sequence[str],
    *,
    with_whole: bool,
    serves: tuple[str, ...],
) -> Statement:
    cells = _Cells(context)
    for measure in measures:
        cells.add(measure, nulls=context.source.rows == "daily")
    presence = "sum(n)"
    all_rows = cells.outputs.setdefault(presence, len(cells.outputs))
    members = {f"d{n}": context.dimension(name) for n, name in enumerate(dimensions)}
    inputs = {alias: sql for sql, alias in cells.inputs.items()}
    mask = cells.mask.column()
    keys = ", ".join(["day", *members, *mask])
    aggregates = ", ".join(f"{sql} AS {alias}" for sql, alias in cells.aggregates.items())
    text = (
        f"WITH source_rows AS (\n{context.rows({**members, **mask, **inputs})}\n),\n"
        f"cells AS MATERIALIZED (\nSELECT {keys}, {aggregates}\nFROM source_rows GROUP BY {keys}\n)\n"
    )
    outputs = ", ".join(f"{sql} AS c{n}" for sql, n in cells.outputs.items())
    branches = []
    for grain in context.whole_grains():
        low, high = context.window if context.needs_all_days else context.grain_window(grain)
        for dimension, alias in [(WHOLE, literal(""))] * with_whole + list(
            zip(dimensions, members, strict=True)
        ):
            branches.append(
                f"SELECT {literal(str(grain))} AS grain, {literal(dimension)} AS dimension, member, "
                f"start, {outputs}\n"
                f"FROM (SELECT *, {alias} AS member, {context.period_start('day', grain)} AS start "
                "FROM cells\n"
                f"  WHERE day >= {literal(low)} AND day < {literal(high)}) AS cut\nGROUP BY member, start"
            )
    columns: dict[tuple[Target, str], int] = dict(cells.columns)
    for measure in measures:
        columns[measure, "all_rows"] = all_rows
    return Statement(
        name=f"{context.source.key}: cells",
        source=context.source.key,
        shape="periods",
        text=text + union(branches),
        columns=columns,
        targets=tuple(measures),
        serves=serves,
    )
