"""From stored definitions to what a warehouse can be asked: calendar, connections, sources and atoms."""

import os
import re
from pathlib import Path
from typing import Any

from django.conf import settings

from calc.calendar import Calendar
from metrics.definitions.goals import (
    AT_RISK,
    ON_TRACK,
    Goal,
    Thresholds,
    entry_grain,
    goal_of,
    is_additive,
    merges_of,
)
from metrics.definitions.quantities import parse_span
from metrics.definitions.specs import (
    ConversionSpec,
    DerivedSpec,
    Operand,
    Operands,
    RatioSpec,
    SimpleSpec,
    Spec,
    spec_of,
)
from metrics.models import Installation, Metric, Source, Warehouse
from metrics.secrets import UnreadableSecret, decrypt
from warehouse.definitions import Atom, Measure, SourceDef, WarehouseDef, WarehouseError
from warehouse.reach import Reach

__all__ = [
    "AT_RISK",
    "ON_TRACK",
    "Goal",
    "Thresholds",
    "atoms_of",
    "calendar_of",
    "entry_grain",
    "goal_of",
    "is_additive",
    "merges_of",
    "operands_of",
    "part_keys",
    "parts_of",
    "source_def",
    "source_keys_of",
    "top_of",
    "warehouse_def",
]

PART = "part"  # the role of hidden halves of a ratio
TOP = 20  # members of a dimension that are kept by name
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# This system's own secrets are for no warehouse: whoever names its host could read them there.
OWN_VARIABLE = re.compile(
    r"(NORTHSTAR_.*|OIDC_.*|(DATABASE|DATABASE_OWNER|REDIS|EMAIL)_URL|SECRET_KEY|(POSTGRES|APP_DATABASE)_PASSWORD)"
)


def calendar_of(installation: Installation | None) -> Calendar:
    """How the installation cuts time; the default calendar while none is stored."""
    if installation is None:
        return Calendar()
    return Calendar(
        installation.timezone,
        installation.week_start,
        installation.fiscal_year_start,
        installation.holidays,
    )


def warehouse_def(warehouse: Warehouse) -> WarehouseDef:
    """The connection with `${NAME}` read from the environment, secrets opened and relative files made
    absolute.

    WarehouseError names a variable that is not set, or says that a secret cannot be opened.
    """
    try:
        options: dict[str, Any] = {**warehouse.options, **decrypt(warehouse.secrets)}
    except UnreadableSecret as error:
        raise WarehouseError(str(error), warehouse=warehouse.key) from None
    return connection(warehouse.key, warehouse.engine, options)


def connection(key: str, engine: str, options: dict[str, Any]) -> WarehouseDef:
    """As `warehouse_def`, from options that are not stored (yet)."""
    options = {name: _resolve(value, key) for name, value in options.items()}
    limits = {name: float(options.pop(name)) for name in ("timeout",) if name in options}
    if "row_cap" in options:
        limits["row_cap"] = int(options.pop("row_cap"))
    if "port" in options:
        if not str(options["port"]).removesuffix(".0").isdigit():
            raise WarehouseError(f"{options['port']!r} is not a port", warehouse=key)
        options["port"] = int(float(options["port"]))
    if engine == "duckdb":
        if "path" in options:
            options["path"] = _absolute(options["path"])
        if "files" in options:
            options["files"] = {table: _absolute(path) for table, path in options["files"].items()}
    return WarehouseDef(key, engine, options, reach=reach(), **limits)  # type: ignore[arg-type]


def reach() -> Reach:
    """Where this installation's warehouses may lie."""
    return Reach(
        hosts=tuple(settings.WAREHOUSE_HOSTS),
        local=not settings.PRODUCTION,
        folders=tuple(settings.WAREHOUSE_FILES),
    )


def _resolve(value: Any, warehouse: str) -> Any:
    if isinstance(value, dict):
        return {name: _resolve(inner, warehouse) for name, inner in value.items()}
    if not isinstance(value, str):
        return value

    def read(match: re.Match[str]) -> str:
        if OWN_VARIABLE.fullmatch(match[1]):
            raise WarehouseError(
                f"{match[1]} belongs to this system itself and is for no warehouse", warehouse=warehouse
            )
        if match[1] not in os.environ:
            raise WarehouseError(f"the environment variable {match[1]} is not set", warehouse=warehouse)
        return os.environ[match[1]]

    return VARIABLE.sub(read, value)


def _absolute(path: str) -> str:
    return str(Path(settings.BASE_DIR) / path)


def source_def(source: Source) -> SourceDef:
    """The source as the warehouse needs it."""
    return source_from(source.key, source.warehouse.key, source.spec)


def source_from(key: str, warehouse: str, spec: dict[str, Any]) -> SourceDef:
    """As `source_def`, from a spec that is not stored (yet)."""
    fields = ("time", "table", "sql", "timezone", "changed_at", "entity", "rows", "loaded_to")
    written = {name: spec[name] for name in fields if spec.get(name)}
    if spec.get("lateness"):
        written["lateness"] = parse_span(spec["lateness"]).as_timedelta()
    return SourceDef(key=key, warehouse=warehouse, dimensions=dict(spec.get("dimensions", {})), **written)


def top_of(source: Source) -> dict[str, int]:
    """How many members of each dimension are kept by name, by default `TOP`."""
    written = source.spec.get("top", {})
    return {dimension: int(written.get(dimension, TOP)) for dimension in source.spec.get("dimensions", {})}


def _spec(metric: Metric) -> Spec:
    return spec_of(metric.type, metric.spec)


def atoms_of(metric: Metric) -> tuple[Atom, ...]:
    """What a warehouse computes for this metric itself: one atom for a simple, a conversion, or a ratio of
    two measures of one source; none for what follows from other metrics or is entered by hand."""
    return atoms_from(metric.key, _spec(metric), tuple(metric.by))


def atoms_from(key: str, spec: Spec, by: tuple[str, ...]) -> tuple[Atom, ...]:
    match spec:
        case SimpleSpec(measure):
            return (Atom(key, numerator=measure, by=by),)
        case ConversionSpec(conversion):
            return (Atom(key, conversion=conversion, by=by),)
        case RatioSpec(numerator, denominator) if spec.of_one_source:
            assert isinstance(numerator, Measure)
            assert isinstance(denominator, Measure)
            return (Atom(key, numerator=numerator, denominator=denominator, by=by),)
        case _:
            return ()


def part_keys(key: str) -> tuple[str, str]:
    """The keys of the hidden halves of a ratio; no key of the file can look like this."""
    return f"{key}__numerator", f"{key}__denominator"


def parts_of(metric: Metric) -> dict[str, dict[str, Any]]:
    """Hidden metrics that `apply` keeps for a ratio that no single source can compute: key -> spec of type
    simple, one for each side that is a measure."""
    spec = _spec(metric)
    if not isinstance(spec, RatioSpec) or spec.of_one_source:
        return {}
    sides = zip(part_keys(metric.key), ("numerator", "denominator"), strict=True)
    return {
        part: {"measure": metric.spec[side]} for part, side in sides if isinstance(metric.spec[side], dict)
    }


def operands_of(metric: Metric) -> Operands | None:
    """The formula over other metrics' figures; None for what the warehouse computes or people enter."""
    match _spec(metric):
        case DerivedSpec(operands):
            return operands
        case RatioSpec(numerator, denominator) as ratio if not ratio.of_one_source:
            keys = part_keys(metric.key)
            above = numerator if isinstance(numerator, str) else keys[0]
            below = denominator if isinstance(denominator, str) else keys[1]
            inputs = (Operand("numerator", above), Operand("denominator", below))
            return Operands("numerator / denominator", inputs, ratio=True)
        case _:
            return None


def source_keys_of(metric: Metric) -> tuple[str, ...]:
    """The sources whose rows this metric's own atoms read; () for what follows from other metrics."""
    keys: list[str] = []
    for atom in atoms_of(metric):
        conversion = (atom.conversion.base, atom.conversion.conversion) if atom.conversion else ()
        for measure in (atom.numerator, atom.denominator, *conversion):
            if measure and measure.source not in keys:
                keys.append(measure.source)
    return tuple(keys)
