"""Connections as pages show them: where they lead and whether a password is set, never which."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from metrics.definitions.build import VARIABLE
from metrics.models import Source, Warehouse


@dataclass(frozen=True)
class WarehouseLine:
    """One connection. secret: "typed", "none", or the variable of the environment that holds it.
    sources: how many read it."""

    key: str
    engine: str
    place: str
    secret: str
    sources: int


def lines() -> tuple[WarehouseLine, ...]:
    """Every warehouse that is not archived, by key. One SQL statement."""
    live = Count("sources", filter=Q(sources__archived_at=None))
    found = Warehouse.objects.filter(archived_at=None).annotate(live=live).order_by("key")
    return tuple(
        WarehouseLine(row.key, row.engine, place(row.options), secret(row), row.live) for row in found
    )


def place(options: dict[str, Any]) -> str:
    """Where the options lead to, in one line without any password."""
    if options.get("host"):
        port = f":{options['port']}" if options.get("port") else ""
        return f"{options['host']}{port}/{options.get('database', '')}"
    if options.get("path"):
        return str(options["path"])
    return ", ".join(str(path) for path in options.get("files", {}).values())


def secret(row: Warehouse) -> str:
    """Whether a password is kept: "typed", "none", or the name of the variable that holds it."""
    match = VARIABLE.search(str(row.options.get("password", "")))
    if match:
        return match[1]
    return "typed" if row.secrets else "none"


def sources_of(key: str) -> tuple[str, ...]:
    """The keys of the sources that read a warehouse."""
    live = Source.objects.filter(archived_at=None, warehouse__key=key)
    return tuple(live.order_by("key").values_list("key", flat=True))
