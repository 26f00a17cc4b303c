"""Sources as their pages show and edit them."""

from typing import Any

from metrics.definitions.build import source_keys_of
from metrics.models import Source, Warehouse
from metrics.queries.dump import source_fields
from metrics.queries.scope import visible_metrics
from owners.models import User


def live(key: str) -> Source | None:
    """The source with its warehouse and data owner; None if there is none that is not archived."""
    rows = Source.objects.filter(archived_at=None).select_related("warehouse", "data_owner")
    return rows.filter(key=key).first()


def all_live() -> tuple[Source, ...]:
    """Those that metrics may be computed from, with their warehouses."""
    return tuple(Source.objects.filter(archived_at=None).select_related("warehouse").order_by("key"))


def first() -> str:
    """The key of the first source that metrics may be computed from; "" for none."""
    return Source.objects.filter(archived_at=None).order_by("key").values_list("key", flat=True).first() or ""


def stored_fields(source: Source) -> dict[str, Any]:
    """The source in the normal form of the definitions file."""
    return source_fields(source)


def keys() -> tuple[str, ...]:
    """Of all sources, archived ones among them: no key is given twice."""
    return tuple(Source.objects.order_by("key").values_list("key", flat=True))


def keys_and_tables() -> tuple[tuple[str, str], ...]:
    """(key, table) of the sources that metrics may be computed from; of a query no table."""
    rows = Source.objects.filter(archived_at=None).order_by("key")
    return tuple((row.key, str(row.spec.get("table", ""))) for row in rows)


def warehouses() -> tuple[Warehouse, ...]:
    """Those that a source may read."""
    return tuple(Warehouse.objects.filter(archived_at=None).order_by("key"))


def metrics_of(user: User, key: str) -> tuple[tuple[str, str], ...]:
    """(key, name) of the metrics that are computed from a source and that `user` may see."""
    return tuple((m.key, m.name) for m in visible_metrics(user) if key in source_keys_of(m))
