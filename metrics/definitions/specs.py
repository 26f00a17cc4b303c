"""A metric's `spec` as frozen dataclasses, one per type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calc.calendar import Grain
from metrics.definitions.quantities import Span, parse_span, parse_working_days
from warehouse.definitions import Conversion, Measure


@dataclass(frozen=True)
class SimpleSpec:
    """One aggregate of one source."""

    measure: Measure


@dataclass(frozen=True)
class RatioSpec:
    """Each side is a measure, or the key of another metric."""

    numerator: Measure | str
    denominator: Measure | str

    @property
    def of_one_source(self) -> bool:
        """Whether the warehouse can compute it as one; else it is computed from the figures of two
        metrics."""
        return (
            isinstance(self.numerator, Measure)
            and isinstance(self.denominator, Measure)
            and self.numerator.source == self.denominator.source
        )


@dataclass(frozen=True)
class ConversionSpec:
    conversion: Conversion


@dataclass(frozen=True)
class Operand:
    """`name` in a formula stands for the figure of `metric`: of the same period, of the one that lies
    `offset` earlier (days and weeks by 364 days a year), or, with `to` (MetricFlow's offset_to_grain), of the
    period of the same grain with which that month, quarter or year opens."""

    name: str
    metric: str
    offset: Span | None = None
    to: Grain | None = None


@dataclass(frozen=True)
class Operands:
    """How a metric follows from other metrics' figures. For a ratio the operands are called `numerator` and
    `denominator`, are kept beside the value, and the formula is their quotient."""

    formula: str
    inputs: tuple[Operand, ...]
    ratio: bool = False

    @property
    def metrics(self) -> tuple[str, ...]:
        """The keys of the operands, each once."""
        return tuple(dict.fromkeys(operand.metric for operand in self.inputs))


@dataclass(frozen=True)
class DerivedSpec:
    operands: Operands


@dataclass(frozen=True)
class Collect:
    """Who counts a manual figure: a leader's key, how often, and by when after the period's end."""

    by: str = ""
    every: str = ""
    due_days: int = 0
    due_working: bool = True
    where: str = ""  # `from` in the file
    how: str = ""


@dataclass(frozen=True)
class ManualSpec:
    """kind: amount (adds up) | level (the last one stands) | share (two numbers, a ratio of sums)."""

    kind: str
    grain: Grain
    collect: Collect


Spec = SimpleSpec | RatioSpec | ConversionSpec | DerivedSpec | ManualSpec


def measure_of(written: Mapping[str, Any]) -> Measure:
    """A measure as the file writes it."""
    return Measure(
        source=written["source"],
        agg=written["agg"],
        expr=written.get("expr", ""),
        where=written.get("where", ""),
        additive=bool(written.get("additive", False)),
        fill=written.get("fill", ""),
    )


def operand_of(name: str, written: str | Mapping[str, Any]) -> Operand:
    """An input of a formula: `revenue`, or `{metric: revenue, offset: 1 year}`."""
    if isinstance(written, str):
        return Operand(name, written)
    return Operand(
        name,
        written["metric"],
        parse_span(written["offset"]) if written.get("offset") else None,
        Grain(written["to"]) if written.get("to") else None,
    )


def spec_of(kind: str, spec: Mapping[str, Any]) -> Spec:
    """The dataclass of a stored spec that has passed the checks; ValueError for a type not computed here."""
    if kind == "simple":
        return SimpleSpec(measure_of(spec["measure"]))
    if kind == "ratio":
        sides = (spec["numerator"], spec["denominator"])
        numerator, denominator = (side if isinstance(side, str) else measure_of(side) for side in sides)
        return RatioSpec(numerator, denominator)
    if kind == "conversion":
        return ConversionSpec(
            Conversion(
                base=measure_of(spec["base"]),
                conversion=measure_of(spec["conversion"]),
                within=parse_span(spec["within"]).as_within(),
                calculation=spec.get("calculation", "rate"),
                match=tuple(spec.get("match", ())),
                period_by=spec.get("period_by", "start"),
            )
        )
    if kind == "derived":
        # Bare metric keys in the formula are written into `inputs` when the file is read.
        inputs = tuple(operand_of(name, written) for name, written in sorted(spec["inputs"].items()))
        return DerivedSpec(Operands(spec["formula"], inputs))
    if kind == "manual":
        collect = spec.get("collect", {})
        due = collect.get("due", "")
        return ManualSpec(
            spec["kind"],
            Grain(spec["grain"]),
            Collect(
                by=collect.get("by", ""),
                every=collect.get("every", ""),
                due_days=parse_working_days(due) if due else 0,
                due_working="working" in due or not due,
                where=collect.get("from", ""),
                how=collect.get("how", ""),
            ),
        )
    raise ValueError(f"type {kind} is not computed by this version")
