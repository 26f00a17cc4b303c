"""Names of what a history mentions by number, also of what has been removed since."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from metrics.queries.audit.statement import table_of

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
    "asked_by_id": "user_id",
    "accepted_by_id": "user_id",
    "ended_by_id": "user_id",
    "closed_by_id": "user_id",
    "invited_by_id": "user_id",
}


@dataclass(frozen=True)
class Names:
    """`known` by column and number."""

    known: Mapping[str, Mapping[str, str]]
    by_key: Mapping[str, str]  # of metrics

    def of(self, column: str, pk: Any) -> str:
        """The name of what `column` points to, else its number."""
        found = self.known.get(_SAME.get(column, column), {}).get(str(pk))
        if found and column == "target_id":
            metric, _, quarter = found.partition(" ")
            return f"{self.of('metric_id', metric)}, {quarter}"
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
            return self.by_key.get(str(row["metric_key"]), str(row["metric_key"]))
        if "target_id" in row:
            return f"{self.of('target_id', row['target_id'])}: {str(row.get('month') or '')[:7]}"
        if "metric_id" in row:
            about = str(row.get("quarter") or row.get("period_start") or "")
            member = f", {row['member']}" if row.get("member") else ""
            return f"{self.of('metric_id', row['metric_id'])}, {about}{member}"
        if row.get("leader_id"):
            return self.of("leader_id", row["leader_id"])
        return str(row.get("name") or row.get("email") or row.get("key") or f"no. {pk}")


def read_names() -> Names:
    """The newest name of everything that ever was. One SQL statement."""
    parts = [
        f"(SELECT DISTINCT ON (pgh_obj_id) '{column}', pgh_obj_id::text, {expression}, "  # noqa: S608
        f"{'key' if column == 'metric_id' else 'NULL'} FROM {table_of(model)} "
        "ORDER BY pgh_obj_id, pgh_id DESC)"
        for column, (model, expression) in _NAMES.items()
    ]
    known: dict[str, dict[str, str]] = {column: {} for column in _NAMES}
    by_key: dict[str, str] = {}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        for column, pk, name, key in cursor.fetchall():
            known[column][pk] = name
            if key:
                by_key[key] = name
    return Names(known, by_key)
