"""How measures and atoms combine: which stage computes them, and how coarser periods follow from days."""

from warehouse.definitions import AGGREGATIONS, Atom, Conversion, Measure, WarehouseError

CELLS = frozenset({"count", "sum", "sum_boolean", "avg", "min", "max"})
EDGES = frozenset({"first", "last"})
_BASE_EVENTS = frozenset({"count", "count_distinct", "count_new"})
_CONVERSION_EVENTS = frozenset({"count", "count_distinct"})


def stage_of(measure: Measure) -> str:
    """ "cells", "distinct", "new", "edges" or "percentiles"."""
    if measure.agg in CELLS:
        return "cells"
    if measure.agg in EDGES:
        return "edges"
    return {"count_distinct": "distinct", "count_new": "new"}.get(measure.agg, "percentiles")


def quantile(measure: Measure) -> float:
    """The share below: 0.5 for median, 0.95 for p95."""
    return 0.5 if measure.agg == "median" else int(measure.agg[1:]) / 100


def merges_measure(measure: Measure) -> str:
    """ "sum", "min", "max", "first", "last" or "none". An average sums through its two parts."""
    if measure.sums or measure.agg == "avg":
        return "sum"
    return measure.agg if measure.agg in ("min", "max", "first", "last") else "none"


def merges(atom: Atom) -> str:
    """How an atom's coarser figures follow from its days: "sum", "min", "max", "first", "last" or "none".

    "sum" of a ratio, an average or a conversion rate means: sum numerators and denominators, then divide.
    """
    if atom.conversion:
        return "sum"
    assert atom.numerator
    if atom.denominator is None:
        return merges_measure(atom.numerator)
    return "sum" if atom.numerator.sums and atom.denominator.sums else "none"


def measures_of(atom: Atom) -> tuple[Measure, ...]:
    """The measures that an atom reads, a conversion's two events excepted."""
    return tuple(m for m in (atom.numerator, atom.denominator) if m is not None)


def check_atom(atom: Atom) -> None:
    """Raise WarehouseError unless the atom can be computed; expressions are checked where they are used."""
    if atom.conversion:
        _check_conversion(atom.key, atom.conversion)
        return
    if atom.numerator is None:
        raise WarehouseError("a measure is needed", metric=atom.key)
    for measure in measures_of(atom):
        if measure.agg not in AGGREGATIONS:
            raise WarehouseError(f"there is no aggregation {measure.agg!r}", metric=atom.key)
        if not measure.expr and measure.agg not in ("count", "count_new"):
            raise WarehouseError(f"{measure.agg} needs an expr", metric=atom.key)


def _check_conversion(key: str, conversion: Conversion) -> None:
    for what, measure, allowed in (
        ("base", conversion.base, _BASE_EVENTS),
        ("conversion", conversion.conversion, _CONVERSION_EVENTS),
    ):
        if measure.agg not in allowed:
            raise WarehouseError(
                f"{what} counts events: {', '.join(sorted(allowed))}, not {measure.agg!r}", metric=key
            )
        if measure.agg == "count_distinct" and not measure.expr:
            raise WarehouseError(f"{what}: count_distinct needs an expr", metric=key)
    if conversion.within.days <= 0 and conversion.within.months <= 0:
        raise WarehouseError("within must be a window of days or months", metric=key)
    if conversion.calculation not in ("rate", "count") or conversion.period_by not in ("start", "due"):
        raise WarehouseError("calculation is rate or count, period_by start or due", metric=key)
