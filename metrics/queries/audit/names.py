"""Names of what a history mentions by number, also of what has been removed since."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection

from calc.calendar import PERIODS, Calendar, Grain
from metrics.queries.audit.statement import table_of
from metrics.queries.entries import label

# Column -> history that knows the name, and the expression that gives it.
_NAMES = {
    "metric_id": ("metrics.Metric", "name"),
    "warehouse_id": ("metrics.Warehouse", "key"),
    "leader_id": ("owners.Leader", "name"),
    "team_id": ("owners.Team", "name"),
    "user_id": ("owners.User", "coalesce(nullif(name, ''), email)"),
    "target_id": ("metrics.Target", "metric_id::text || ' ' || quarter"),
}
_SAME = {
    "driver_id": "metric_id",
    "data_owner_id": "leader_id",
    "delegate_id": "leader_id",
    "agreed_by_id": "user_id",
    "asked_by_id": "user_id",
    "accepted_by_id": "user_id",
    "ended_by_id": "user_id",
    "closed_by_id": "user_id",
    "invited_by_id": "user_id",
}


# What else a name's history says: of a metric its key, unit and the grain in which it is counted by hand.
_MORE = {
    "metric_id": "key, unit, coalesce(spec->>'grain', '')",
    "leader_id": "key, '', ''",
}


@dataclass(frozen=True)
class Counted:
    """A metric's unit, and the grain in which it is entered ("": computed)."""

    name: str
    unit: str
    grain: str


@dataclass(frozen=True)
class Names:
    """`known` by column and number; metrics and leaders by their key too."""

    known: Mapping[str, Mapping[str, str]]
    metrics: Mapping[str, Counted] = field(default_factory=dict)
    by_id: Mapping[str, Counted] = field(default_factory=dict)
    leaders: Mapping[str, str] = field(default_factory=dict)
    calendar: Calendar = field(default_factory=Calendar)

    def metric(self, key: str) -> str:
        """A metric's name by its key, else the key."""
        return self.metrics[key].name if key in self.metrics else key

    def leader(self, key: str) -> str:
        """A leader's name by their key, else the key."""
        return self.leaders.get(key, key)

    def quarter(self, name: str) -> str:
        """`Q4 2026 (Oct–Dec)`; what is no quarter stays."""
        try:
            return self.calendar.quarter_label(name)
        except ValueError:
            return name

    def unit_of(self, row: Mapping[str, Any]) -> str:
        """The unit of the figures in a row: its own, or that of its metric."""
        if "unit" in row:
            return str(row["unit"])
        counted = self._counted(row)
        return counted.unit if counted else "count"

    def _counted(self, row: Mapping[str, Any]) -> Counted | None:
        if row.get("target_id") is not None:
            metric, _, _ = self.known.get("target_id", {}).get(str(row["target_id"]), "").partition(" ")
            return self.by_id.get(metric)
        if row.get("metric_id") is not None:
            return self.by_id.get(str(row["metric_id"]))
        return self.metrics.get(str(row.get("metric_key")))

    def _period(self, row: Mapping[str, Any]) -> str:
        """`Oct 2026`, `week of 5 Oct 2026`: the period that a row is about."""
        counted = self._counted(row)
        grain = str(row.get("grain") or (counted.grain if counted else ""))
        try:
            start = date.fromisoformat(str(row["period_start"]))
            period = self.calendar.period(Grain(grain) if grain in PERIODS else Grain.DAY, start)
        except ValueError:
            return str(row["period_start"])
        return label(self.calendar, period) if period.start == start else f"{start.day} {start:%b %Y}"

    def of(self, column: str, pk: Any) -> str:
        """The name of what `column` points to, else its number."""
        found = self.known.get(_SAME.get(column, column), {}).get(str(pk))
        if found and column == "target_id":
            metric, _, quarter = found.partition(" ")
            return f"{self.of('metric_id', metric)}, {self.quarter(quarter)}"
        return found or f"no. {pk}"

    def title(self, title: str, pk: int, row: Mapping[str, Any]) -> str:
        """What a row is about, in words."""
        if title == "installation":
            return str(row.get("name") or "")
        if title == "driver":
            return (
                f"{self.of('driver_id', row.get('driver_id'))} → {self.of('metric_id', row.get('metric_id'))}"
            )
        if title == "single sign-on":
            return self.of("user_id", row.get("user_id"))
        if "metric_key" in row:
            return self.metric(str(row["metric_key"]))
        if "target_id" in row:
            return f"{self.of('target_id', row['target_id'])}: {_month(str(row.get('month') or ''))}"
        if "metric_id" in row:
            quarter = self.quarter(str(row.get("quarter") or ""))
            about = self._period(row) if row.get("period_start") else quarter
            member = f", {row['member']}" if row.get("member") else ""
            return f"{self.of('metric_id', row['metric_id'])}, {about}{member}"
        if row.get("leader_id"):
            return self.of("leader_id", row["leader_id"])
        return str(row.get("name") or row.get("email") or row.get("key") or f"no. {pk}")


def _month(day: str) -> str:
    try:
        return f"{date.fromisoformat(day):%B %Y}"
    except ValueError:
        return day


def read_names(calendar: Calendar) -> Names:
    """The newest name of everything that ever was. One SQL statement."""
    parts = [
        f"(SELECT DISTINCT ON (pgh_obj_id) '{column}', pgh_obj_id::text, {expression}, "  # noqa: S608
        f"{_MORE.get(column, 'NULL, NULL, NULL')} FROM {table_of(model)} "
        "ORDER BY pgh_obj_id, pgh_id DESC)"
        for column, (model, expression) in _NAMES.items()
    ]
    known: dict[str, dict[str, str]] = {column: {} for column in _NAMES}
    metrics: dict[str, Counted] = {}
    by_id: dict[str, Counted] = {}
    leaders: dict[str, str] = {}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        for column, pk, name, key, unit, grain in cursor.fetchall():
            known[column][pk] = name
            if column == "metric_id":
                metrics[key] = by_id[pk] = Counted(name, unit, grain)
            elif column == "leader_id":
                leaders[key] = name
    return Names(known, metrics, by_id, leaders, calendar)
