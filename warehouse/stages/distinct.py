"""Exact distinct counts of all grains, from one deduplicated stage of (entity, day) for all filters of an
expression.

An entity counts in a period on its first day there: the smallest day per (entity, period), found by one
grouping for all filters at once, coarser periods from finer ones where they nest. The number of entities with
a first day is the period's distinct count; the running sum of the firsts by day is the to-date count.
"""

# ruff: noqa: S608 (this text is built from checked expressions and escaped literals)

from collections.abc import Mapping, Sequence

from calc.calendar import PERIODS, Grain
from warehouse.definitions import Measure
from warehouse.expressions import is_fragile
from warehouse.sql import literal
from warehouse.stages.scan import WHOLE, Context, Mask, Statement, case, union


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


# The finer grain that a grain's periods are made of; days for those whose parts do not nest in another.
_FINER = {Grain.QUARTER: Grain.MONTH, Grain.YEAR: Grain.QUARTER}


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
    keys = ", ".join(["e", "day", *columns])
    flags = ", ".join(f"min({case(when, 'day')}) AS f{n}" for n, when in enumerate(whens))
    rows = context.rows({"e": context.value(measures[0]), **columns, **mask.column()})
    stages = [
        f"source_rows AS (\n{rows}\n)",
        f"seen AS MATERIALIZED (\nSELECT {keys}, {flags} FROM source_rows "
        f"WHERE e IS NOT NULL{any_filter} GROUP BY {keys}\n)",
    ]
    branches: list[str] = []
    for dimension in (WHOLE, *names):
        wanted = [n for n, m in enumerate(measures) if not dimension or dimension in by[m]]
        _firsts(
            context,
            members.get(dimension, ""),
            dimension,
            wanted,
            len(measures),
            bool(names),
            stages,
            branches,
        )
    return Statement(
        name=f"{context.source.key}: distinct {measures[0].expr}",
        source=context.source.key,
        shape="firsts",
        text="WITH " + ",\n".join(stages) + "\n" + union(branches),
        columns={(m, "value"): n for n, m in enumerate(measures)},
        targets=tuple(measures),
        serves=serves,
    )


def _firsts(
    context: Context,
    alias: str,
    dimension: str,
    wanted: Sequence[int],
    width: int,
    merge: bool,
    stages: list[str],
    branches: list[str],
) -> None:
    """Add the stages of one dimension (`alias`, "" for the whole), and a branch per grain and wanted filter.

    merge: whether `seen` has several rows of an entity's day, one per member.
    """
    held = f"e, {alias}" if alias else "e"
    flags = ", ".join(f"min(f{n}) AS f{n}" for n in wanted)
    for grain in grains_needed(context):
        name = f"{grain}_{alias or 'whole'}"
        finer = _FINER.get(grain, Grain.DAY)
        source = f"{finer}_{alias or 'whole'}"
        if grain is Grain.DAY:
            if not merge:
                stages.append(f"{name} AS (SELECT *, day AS start FROM seen)")
            else:
                stages.append(
                    f"{name} AS MATERIALIZED (\nSELECT {held}, day AS start, {flags} FROM seen GROUP BY "
                    f"{held}, day\n)"
                )
        else:
            if finer not in grains_needed(context):
                source = f"{Grain.DAY}_{alias or 'whole'}"
            start = context.period_start("start", grain)
            stages.append(
                f"{name} AS MATERIALIZED (\nSELECT {held}, {start} AS start, {flags} FROM {source} "
                f"GROUP BY {held}, {start}\n)"
            )
        counts = [f"count(f{n})" if n in wanted else "0" for n in range(width)]
        branches.append(
            f"SELECT {literal(str(grain))} AS tag, {literal(dimension)} AS dimension, "
            f"{alias or literal('')} AS member, start, {', '.join(counts)} FROM {name} "
            f"GROUP BY {alias + ', ' if alias else ''}start"
        )
        if alias or grain not in {g.whole for g in context.request.grains if g.is_to_date}:
            continue
        for n in wanted:
            padding = ", 0" * (width - 1)
            branches.append(
                f"SELECT {literal(f'{n}:{grain}')} AS tag, '' AS dimension, '' AS member, f{n} AS start, "
                f"count(*){padding} FROM {name} WHERE f{n} IS NOT NULL GROUP BY f{n}"
            )
