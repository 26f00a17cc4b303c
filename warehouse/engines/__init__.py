"""One adapter per engine; `connect` opens the one that a definition names."""

from warehouse.definitions import WarehouseDef, WarehouseError
from warehouse.engines.base import Engine


def connect(warehouse: WarehouseDef) -> Engine:
    """Open a warehouse, read-only. WarehouseError if it is unreachable or its options are not allowed."""
    if warehouse.engine == "duckdb":
        from warehouse.engines.duckdb import DuckDB

        return DuckDB(warehouse)
    if warehouse.engine == "postgres":
        from warehouse.engines.postgres import Postgres

        return Postgres(warehouse)
    raise WarehouseError(
        f"there is no engine {warehouse.engine!r}; write duckdb or postgres", warehouse=warehouse.key
    )


__all__ = ["Engine", "connect"]
