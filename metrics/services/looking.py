"""What a page asks of a warehouse before a source is defined: its tables, and what a table's columns hold.

Each function reads what it needs from our database and returns `(about, question)` for `questions.ask`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from metrics.definitions.build import warehouse_def
from metrics.models import Warehouse
from warehouse import catalog, proposals
from warehouse.catalog import Extent, Sample, Table
from warehouse.definitions import SourceDef, WarehouseDef, WarehouseError
from warehouse.engines import connect
from warehouse.expressions import ExpressionError, check_expression, transpile
from warehouse.proposals import Proposal

PATIENCE = 8.0  # seconds for one statement


@dataclass(frozen=True)
class Look:
    """The first rows of a table or query, what its columns may be for, and how much there is."""

    sample: Sample
    proposal: Proposal
    extent: Extent


Tables = tuple[tuple[Table, ...], bool]


def tables(row: Warehouse, find: str) -> tuple[object, Callable[[], Tables]]:
    """The tables whose names contain `find`. WarehouseError if the connection cannot be made up."""
    definition = _definition(row)

    def question() -> Tables:
        with connect(definition) as engine:
            return catalog.tables(engine, find)

    return ("tables", row.pk, repr(definition.options), find), question


def look(
    row: Warehouse, *, table: str = "", sql: str = "", time: str = ""
) -> tuple[object, Callable[[], Look]]:
    """A table or query. time: the expression whose ends are read, by default the proposed one."""
    definition = _definition(row)
    source = SourceDef("", row.key, time or "now", table=table, sql=sql)

    def question() -> Look:
        with connect(definition) as engine:
            sample = catalog.sample(engine, source)
            proposal = proposals.propose(sample)
            wanted = time or proposal.time
            try:
                if wanted:
                    check_expression(wanted, [column.name for column in sample.columns])
                text = transpile(wanted, engine.dialect) if wanted else ""
            except ExpressionError:
                text = ""
            return Look(sample, proposal, catalog.extent(engine, source, text))

    return ("look", row.pk, repr(definition.options), table, sql, time), question


def _definition(row: Warehouse) -> WarehouseDef:
    if row.archived_at:
        raise WarehouseError("the warehouse is archived", warehouse=row.key)
    found = warehouse_def(row)
    return replace(found, timeout=min(found.timeout, PATIENCE))
