"""A recompute of all history: ours beside a bare scan and beside one query per metric and grain.

Every way runs in a fresh process of its own; peak memory is of that process and the engine it starts.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import warehouse as bench
from warehouse.compute import compute
from warehouse.definitions import Atom, WarehouseDef
from warehouse.engines import connect
from warehouse.expressions import transpile
from warehouse.merging import quantile, stage_of

Answers = dict[str, float]


def scan(path: Path, metrics: int) -> Answers:
    """Read once every column that the metrics need, and nothing else."""
    with duckdb.connect(str(path), read_only=True) as session:
        session.execute(
            "SELECT count(ordered_at), max(ordered_at), sum(customer_id), max(status), "
            "max(channel), sum(amount), "
            "sum(minutes) FROM orders"
        ).fetchall()
        session.execute("SELECT max(seen_at), sum(user_id), max(kind), max(channel) FROM events").fetchall()
    return {}


def naive(path: Path, metrics: int) -> Answers:
    """One query per metric and grain, as they would be written by hand; the zone is converted per row."""
    found: Answers = {}
    with duckdb.connect(str(path), read_only=True) as session:
        session.execute("SET TimeZone = 'UTC'")
        for source, some in bench.atoms(metrics).items():
            time_column = (bench.ORDERS if source == "orders" else bench.EVENTS).time
            for atom in some:
                assert atom.numerator
                for grain in bench.GRAINS:
                    local = f"timezone('{bench.CALENDAR.timezone}', timezone('UTC', {time_column}))"
                    where = (
                        f"WHERE {transpile(atom.numerator.where, 'duckdb')}" if atom.numerator.where else ""
                    )
                    rows = session.execute(
                        f"SELECT CAST(date_trunc('{grain}', {local}) AS DATE), {_by_hand(atom)} "
                        f"FROM {source} "
                        f"{where} "
                        "GROUP BY 1"
                    ).fetchall()
                    found |= {
                        f"{atom.key} {grain} {day}": float(value) for day, value in rows if value is not None
                    }
    return found


def _by_hand(atom: Atom) -> str:
    measure = atom.numerator
    assert measure
    if stage_of(measure) == "percentiles":
        return f"quantile_cont(CAST({measure.expr} AS DOUBLE), {quantile(measure)})"
    if measure.agg == "count_distinct":
        return f"count(DISTINCT {measure.expr})"
    return f"{measure.agg}({measure.expr or '*'})"


def ours(path: Path, metrics: int) -> Answers:
    """Through the planner and the adapter, figures included."""
    found: Answers = {}
    with connect(WarehouseDef("bench", "duckdb", {"path": str(path)}, timeout=3600)) as engine:
        for source, some in bench.atoms(metrics).items():
            definition = bench.ORDERS if source == "orders" else bench.EVENTS
            first, watermark = engine.watermark(definition, bench.CALENDAR)
            assert first and watermark
            for figure in compute(engine, bench.request(definition, some, first, watermark)):
                if figure.value is not None:
                    found[f"{figure.key} {figure.grain} {figure.start}"] = figure.value
    return found


WAYS = {"scan": scan, "naive": naive, "ours": ours}
NAMES = {"scan": "bare scan", "naive": "one query per metric and grain", "ours": "ours, staged"}


def main(arguments: list[str] | None = None) -> int:
    """Print the table; exit code 1 if the two ways disagree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=2_000_000)
    parser.add_argument("--events", type=int, default=3_000_000)
    parser.add_argument("--metrics", type=int, default=60)
    parser.add_argument("--dir", type=Path, default=None, help="keep the generated file here")
    parser.add_argument("--ways", default="scan,naive,ours")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.way:
        return _one(options)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.dir or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"bench-{options.orders}-{options.events}.duckdb"
        started = time.perf_counter()
        bench.generate(path, options.orders, options.events)
        print(
            f"{options.orders:,} orders, {options.events:,} events, {options.metrics} metrics, "
            f"{' and '.join(bench.GRAINS)}, {os.cpu_count()} cores; "
            f"generated in {time.perf_counter() - started:.1f} s"
        )
        return _table(path, options)


def _table(path: Path, options: argparse.Namespace) -> int:
    results = {way: _apart(way, path, options) for way in options.ways.split(",")}
    base = results.get("scan", {}).get("seconds") or math.nan
    rows = options.orders + options.events
    heads = (
        f"{'seconds':>9}{'cpu s':>8}{'peak MB':>9}{'rows/s':>13}{'ratio to scan':>15}{'ratio to naive':>16}"
    )
    print(f"{'':32}{heads}")
    slow = results.get("naive", {}).get("seconds") or math.nan
    for way, found in results.items():
        seconds = found["seconds"]
        print(
            f"{NAMES[way]:32}{seconds:9.2f}{found['cpu']:8.2f}{found['peak'] / 2**20:9.0f}"
            f"{rows / seconds:13,.0f}{seconds / base:15.1f}{seconds / slow:16.2f}"
        )
    if not {"naive", "ours"} <= results.keys():
        return 0
    return _agree(results["naive"]["answers"], results["ours"]["answers"])


def _agree(theirs: Answers, ours: Answers) -> int:
    """Every figure that a query by hand gives must be ours; ours besides are zeros of days without rows."""
    wrong = [
        key
        for key, value in theirs.items()
        if key not in ours or not math.isclose(value, ours[key], rel_tol=1e-9)
    ]
    wrong += [key for key in ours.keys() - theirs.keys() if ours[key] != 0]
    print(f"{len(theirs):,} figures agree" if not wrong else f"{len(wrong):,} figures differ: {wrong[:5]}")
    return 1 if wrong else 0


def _apart(way: str, path: Path, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.recompute", "--way", way, "--file", str(path)]
    command += ["--metrics", str(options.metrics)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{NAMES[way]} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _one(options: argparse.Namespace) -> int:
    started = time.perf_counter()
    answers = WAYS[options.way](options.file, options.metrics)
    seconds = time.perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    peak = unit * sum(usage.ru_maxrss for usage in used)
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in used)
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "answers": answers}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
