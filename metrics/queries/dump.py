"""What is stored, in the normal form of a definitions file, and as its text."""

from collections import defaultdict
from datetime import UTC
from typing import Any

from django.db import connection

from metrics.definitions.build import PART, calendar_of
from metrics.definitions.fields import compact
from metrics.definitions.file import Definitions
from metrics.definitions.metric import MetricText
from metrics.definitions.promises import OwnerRow
from metrics.definitions.writing import write
from metrics.models import Driver, Installation, Metric, Source, Target, Warehouse
from owners.models import Leader, Ownership, Team

# Columns of a metric that are written, with the value that is left out for being the default.
COLUMNS: dict[str, Any] = {
    "name": "",
    "role": "supporting",
    "lens": "",
    "stage": "",
    "definition": "",
    "success": "",
    "segment": "",
    "unit": "count",
    "better": "up",
    "low": None,
    "high": None,
    "visible": "everyone",
    "type": "",
    "spec": {},
    "by": [],
    "plausible": {},
    "goal": {},
    "plan": "flat",
}


def dump() -> str:
    """The definitions file of this installation, with the revision as which it was read. About ten
    statements."""
    # First the revision, then the rows: what is committed in between is in the file, and counted as newer
    # than it.
    mark = revision()
    definitions = stored()
    definitions.revision = mark
    return write(definitions)


def revision() -> str:
    """An instant before which every edit that has begun is visible to the next statement."""
    with connection.cursor() as cursor:
        # An edit carries the time at which its transaction began; one that is under way is not visible yet.
        # The server's own processes (autovacuum) edit nothing.
        cursor.execute(
            "SELECT least(statement_timestamp(), min(xact_start)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
        (instant,) = cursor.fetchone()
    return str(instant.astimezone(UTC).isoformat(timespec="microseconds"))


def stored() -> Definitions:
    """All that is stored and not archived; every section is there. Hidden parts of ratios are left out."""
    calendar = calendar_of(Installation.objects.filter(id=1).first())
    return Definitions(
        calendar={
            "timezone": calendar.timezone,
            "week_start": calendar.week_start,
            "fiscal_year_start": calendar.fiscal_year_start,
            "holidays": calendar.holidays,
        },
        warehouses={
            row.key: warehouse_fields(row)
            for row in Warehouse.objects.filter(archived_at=None).order_by("key")
        },
        sources={
            row.key: source_fields(row)
            for row in Source.objects.filter(archived_at=None)
            .select_related("warehouse", "data_owner")
            .order_by("key")
        },
        teams={row.key: team_fields(row) for row in Team.objects.filter(archived_at=None).order_by("key")},
        leaders={
            row.key: leader_fields(row)
            for row in Leader.objects.filter(archived_at=None).select_related("team").order_by("key")
        },
        metrics=_metrics(),
        former=frozenset(Leader.objects.exclude(archived_at=None).values_list("key", flat=True)),
    )


def warehouse_fields(row: Warehouse) -> dict[str, Any]:
    return compact({"engine": row.engine, **row.options})


def source_fields(row: Source) -> dict[str, Any]:
    owner = row.data_owner.key if row.data_owner and row.data_owner.archived_at is None else ""
    return compact({"warehouse": row.warehouse.key, **row.spec, "data_owner": owner})


def team_fields(row: Team) -> dict[str, Any]:
    return compact({"name": row.name})


def leader_fields(row: Leader) -> dict[str, Any]:
    team = row.team.key if row.team and row.team.archived_at is None else ""
    said = {name: getattr(row, name) for name in ("name", "email", "title", "country", "timezone")}
    return compact({**said, "team": team})


def metric_fields(row: Metric) -> dict[str, Any]:
    """The metric's own columns in normal form."""
    return compact({name: value for name in COLUMNS if (value := getattr(row, name)) != COLUMNS[name]})


def target_fields(row: Target) -> dict[str, Any]:
    """A target in normal form, without its reason. Reads `row.benchmarks`: prefetch it."""
    # Once a growth has become a number at its review, that number is the target.
    growth = row.growth if row.value is None else ""
    benchmarks = {f"{b.month:%Y-%m}": b.value for b in sorted(row.benchmarks.all(), key=lambda b: b.month)}
    return compact({"value": row.value, "growth": growth, "baseline": row.baseline, "benchmarks": benchmarks})


def _metrics() -> dict[str, MetricText]:
    rows = list(Metric.objects.filter(archived_at=None).exclude(role=PART).order_by("position", "key"))
    targets: dict[int, dict[str, Any]] = defaultdict(dict)
    for target in Target.objects.filter(dimension="").order_by("quarter").prefetch_related("benchmarks"):
        if target.value is not None or target.growth:  # else only what was agreed is left of it
            targets[target.metric_id][target.quarter] = target_fields(target)
    owners: dict[str, list[OwnerRow]] = defaultdict(list)
    for tenure in Ownership.objects.filter(dimension="").select_related("leader").order_by("from_date"):
        key = tenure.leader.key if tenure.leader else ""
        owners[tenure.metric_key].append(OwnerRow(key, tenure.from_date.isoformat(), tenure.note))
    drivers: dict[int, list[dict[str, str]]] = defaultdict(list)
    for edge in Driver.objects.filter(driver__archived_at=None).select_related("driver"):
        relation = "" if edge.relation == "influence" else edge.relation
        drivers[edge.metric_id].append(
            compact({"metric": edge.driver.key, "relation": relation, "lag": edge.lag})
        )
    return {
        row.key: MetricText(
            fields=metric_fields(row),
            owners=owners.get(row.key) or None,
            targets=targets.get(row.pk) or None,
            drivers=sorted(drivers[row.pk], key=lambda edge: edge["metric"]) or None,
        )
        for row in rows
    }
