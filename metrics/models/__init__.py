"""Definitions and versions, figures and revisions, targets and benchmarks, and the recompute ledger."""

from metrics.models.definitions import Driver, Metric, MetricVersion
from metrics.models.disputes import Dispute
from metrics.models.figures import Entry, Revision, Value
from metrics.models.held import HeldDecision
from metrics.models.idempotency import IdempotencyKey
from metrics.models.installation import Installation
from metrics.models.ledger import MetricState, Run, StateRecord
from metrics.models.notes import Disposition
from metrics.models.sources import Source, Warehouse
from metrics.models.starting import SheetImport, Start
from metrics.models.targets import Benchmark, Target, TargetAnswer

__all__ = [
    "Benchmark",
    "Disposition",
    "Dispute",
    "Driver",
    "Entry",
    "HeldDecision",
    "IdempotencyKey",
    "Installation",
    "Metric",
    "MetricState",
    "MetricVersion",
    "Revision",
    "Run",
    "SheetImport",
    "Source",
    "Start",
    "StateRecord",
    "Target",
    "TargetAnswer",
    "Value",
    "Warehouse",
]
