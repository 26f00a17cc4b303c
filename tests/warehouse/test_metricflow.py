"""dbt MetricFlow's printed results for the types that this layer computes; what is left out is listed with
why.
"""

# ruff: noqa: E501 (tables of cases read better one a line)

import math
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from calc.calendar import Calendar, Grain
from tests.shared import cases
from warehouse.compute import compute
from warehouse.definitions import Atom, Conversion, Measure, Request, SourceDef, WarehouseDef, Within
from warehouse.engines import Engine, connect

FOREVER = 36_500  # days; MetricFlow's conversions without a window
FAR = date(2130, 1, 1)  # a watermark by which every window has passed

LEFT_OUT = {
    "test_conversion_metric_with_different_time_dimension_grains": "not a period figure: no grouping by time",
    "test_conversion_metric_with_metric_definition_filter": "a rate above 1: visits are filtered, their buys are not",
    "test_join_to_time_spine_with_filter_not_in_group_by_using_agg_time": "the filter is given at query time",
    "test_join_to_time_spine_with_filter_smaller_than_group_by": "the filter is given at query time, by the hour",
    "test_offset_window_with_date_part_only": "not a period figure: months of all years together",
}
OTHER_TYPES = {"cumulative", "derived"}  # calculated from stored figures, and tested there

TYPES = {"TIME": "TIMESTAMP", "STRING": "VARCHAR", "FLOAT": "DOUBLE", "INT": "BIGINT", "BOOLEAN": "BOOLEAN"}


def name_of(case: dict[str, Any]) -> str:
    return str(case["id"]).rsplit("::", 1)[1]


def simple_columns(published: dict[str, Any], case: dict[str, Any]) -> list[str]:
    """The columns of a case that are simple, ratio or conversion metrics; none of them: the case is left out."""
    return [
        name
        for name in case["request"]["metric_names"]
        if published["metrics"][name]["type"] in ("simple", "ratio", "conversion")
    ]


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    found: dict[str, Any] = cases("metricflow")
    return found


@pytest.fixture(scope="module")
def warehouse(published: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path = tmp_path_factory.mktemp("metricflow") / "seed.duckdb"
    with duckdb.connect(str(path)) as session:
        for table, seed in published["tables"].items():
            columns = ", ".join(f'"{c["name"]}" {TYPES[c["type"]]}' for c in seed["columns"])
            session.execute(f"CREATE TABLE {table} ({columns})")
            marks = ", ".join("?" * len(seed["columns"]))
            session.executemany(f"INSERT INTO {table} VALUES ({marks})", seed["rows"])
    with connect(WarehouseDef("mf", "duckdb", {"path": str(path)})) as engine:
        yield engine


def source_of(published: dict[str, Any], measure: str) -> SourceDef:
    said = published["measures"][measure]
    user = said["entities"].get("user", {}).get("column", "")
    return SourceDef(measure, "mf", said["time"], table=said["table"], entity=user)


def measure_of(published: dict[str, Any], name: str, fill: str = "null") -> Measure:
    said = published["measures"][name]
    return Measure(name, said["agg"].lower(), said["expr"], fill=fill)


def atom_of(published: dict[str, Any], name: str) -> Atom:
    metric = published["metrics"][name]
    if metric["type"] == "conversion":
        said = metric["conversion_type_params"]
        days, unit = said.get("window", f"{FOREVER} days").split()
        within = Within(months=int(days)) if unit.startswith("month") else Within(days=int(days))
        base, event = said["base_measure"], said["conversion_measure"]
        return Atom(
            name, conversion=Conversion(measure_of(published, base), measure_of(published, event), within)
        )
    measure = metric["measure"]
    if isinstance(measure, str):
        return Atom(name, measure_of(published, measure))
    fill = "zero" if measure.get("fill_nulls_with") == 0 else "null"
    return Atom(name, measure_of(published, measure["name"], fill))


def sources(published: dict[str, Any], atom: Atom) -> dict[str, SourceDef]:
    some = (atom.conversion.base, atom.conversion.conversion) if atom.conversion else (atom.numerator,)
    return {m.source: source_of(published, m.source) for m in some if m}


def figures(
    published: dict[str, Any], warehouse: Engine, name: str, grain: Grain, start: date, end: date
) -> dict[date, float | None]:
    atom = atom_of(published, name)
    known = sources(published, atom)
    first = next(iter(known.values()))
    first_day, _ = warehouse.watermark(first, Calendar())
    # A metric joined to a time spine speaks of all its days, others of those with rows.
    spine = isinstance(published["metrics"][name].get("measure"), dict)
    request = Request(
        first,
        (atom,),
        Calendar(),
        start,
        end,
        (grain,),
        date(1990, 1, 1) if spine else first_day,
        FAR,
        sources=known,
    )
    return {f.start: f.value for f in compute(warehouse, request)}


def test_what_is_left_out_is_still_published(published: dict[str, Any]) -> None:
    assert set(LEFT_OUT) <= {name_of(case) for case in published["cases"]}
    for case in published["cases"]:
        types = {published["metrics"][name]["type"] for name in case["request"]["metric_names"]}
        assert simple_columns(published, case) or types <= OTHER_TYPES


def test_the_published_period_figures(published: dict[str, Any], warehouse: Engine) -> None:
    checked = 0
    for case in published["cases"]:
        wanted = simple_columns(published, case)
        if name_of(case) in LEFT_OUT or not wanted:
            continue
        time_column = next(c for c in case["columns"] if c.startswith("metric_time__"))
        if [c for c in case["columns"] if c.startswith("metric_time__")] != [time_column]:
            continue
        grain = Grain(time_column.removeprefix("metric_time__"))
        starts = [
            datetime.fromisoformat(row[case["columns"].index(time_column)]).date() for row in case["rows"]
        ]
        start = min(starts)
        end = Calendar().period(grain, max(starts)).end
        limits = case["request"]
        if "time_constraint_start" in limits:
            start, end = _limits(limits)
        for name in wanted:
            found = figures(published, warehouse, name, grain, start, end)
            column = case["columns"].index(name)
            for row, opens in zip(case["rows"], starts, strict=True):
                expected = float(row[column]) if row[column] not in ("", None) else None
                ours = found.get(opens)
                if expected is None and atom_of(published, name).conversion:
                    expected = 0.0  # nobody converted: MetricFlow prints nothing, here 0 of n is 0
                if expected is None or ours is None:
                    assert ours is None and expected is None, (case["id"], name, opens)
                else:
                    assert math.isclose(ours, expected, rel_tol=1e-5), (case["id"], name, opens)
                checked += 1
    assert checked > 80


def _limits(limits: dict[str, str]) -> tuple[date, date]:
    def read(text: str) -> date:
        year, month, day = (
            int(n) for n in text.removeprefix("datetime.datetime(").rstrip(")").split(",")[:3]
        )
        return date(year, month, day)

    start, last = read(limits["time_constraint_start"]), read(limits["time_constraint_end"])
    return start, date.fromordinal(last.toordinal() + 1)
