"""`progress QUARTER`: per metric the target, the plan and the figure due."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from metrics.management import output
from metrics.models import Metric
from metrics.queries.progress import progress
from metrics.queries.shapes import Progress
from owners.models import Leader

COLUMNS = (
    "metric",
    "leader",
    "target",
    "agreed_target",
    "benchmark",
    "figure",
    "period_start",
    "period_end",
    "planned_to_date",
    "gap",
    "progress",
    "pace",
    "required_rate",
    "forecast",
    "probability",
    "pace_status",
)
DETAILS = (
    "target_state",
    "agreed_at",
    "agreed_benchmark",
    "agreed_baseline",
    "needed_per_month",
    "dimension",
    "member",
    "name",
    "quarter",
    "unit",
    "goal",
    "baseline",
    "due_through",
    "provisional",
    "reason",
    *("disputed", "built_on_disputed", "built_on_held"),
    *("call", "call_reason", "call_until", "accepted_shortfall", "accepted_reason", "accepted_until"),
)


def line(row: Progress) -> dict[str, Any]:
    """One metric's progress under the contract's names; shares are fractions, numbers unrounded."""
    return {
        "metric": row.metric.key,
        "leader": row.metric.owner.key if row.metric.owner else None,
        **{c: getattr(row, c) for c in COLUMNS[2:-1]},
        "pace_status": str(row.status.state),
        "target_state": row.target_state or None,
        "agreed_at": row.agreed_at,
        "agreed_benchmark": row.agreed_benchmark,
        "agreed_baseline": row.agreed_baseline,
        "needed_per_month": next((m.needed for m in row.months if m.needed is not None), None),
        "dimension": row.dimension,
        "member": row.member,
        "name": row.metric.name,
        "quarter": row.quarter,
        "unit": row.metric.unit,
        "goal": row.metric.goal_kind,
        "baseline": row.baseline,
        "due_through": row.due_through,
        "provisional": row.provisional,
        "reason": row.reason,
        "disputed": bool(row.doubts),
        "built_on_disputed": " ".join(i.metric for i in row.ingredients if not i.held),
        "built_on_held": " ".join(i.metric for i in row.ingredients if i.held),
        "call": str(row.call.state) if row.call else None,
        "call_reason": row.call.reason if row.call else None,
        "call_until": row.call.until_date if row.call else None,
        "accepted_shortfall": row.accepted.shortfall if row.accepted else None,
        "accepted_reason": row.accepted.reason if row.accepted else None,
        "accepted_until": row.accepted.until_date if row.accepted else None,
    }


class Command(BaseCommand):
    help = "Prints the quarter's progress of every metric: figure due, plan, pace, required rate and status."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("quarter", help="such as 2026-Q3")
        parser.add_argument("--leader", default="", metavar="KEY", help="only metrics of this owner")
        parser.add_argument(
            "--by", default="", metavar="DIMENSION", help="also its members that have a target of their own"
        )
        parser.add_argument("--as-of", type=output.day, help="data and elapsed time through that day")
        parser.add_argument("--known-at", type=output.instant, help="as recorded at that time")
        parser.add_argument("--format", choices=["table", "csv", "json"], default="table")

    def handle(self, *args: Any, quarter: str, leader: str, **options: Any) -> None:
        if leader and not Leader.objects.filter(key=leader).exists():
            raise CommandError(f"there is no leader {leader!r}", returncode=2)
        by = options["by"]
        if by and not Metric.objects.filter(by__contains=by, archived_at=None).exists():
            raise CommandError(f"no metric is kept by {by!r}", returncode=2)
        try:
            found = progress(
                None, quarter, as_of=options["as_of"], known_at=options["known_at"], leader=leader, by=by
            )
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from None
        columns: tuple[str, ...] = COLUMNS if options["format"] == "table" else (*COLUMNS, *DETAILS)
        if by and options["format"] == "table":
            columns = (COLUMNS[0], "member", *COLUMNS[1:])
        output.write([line(row) for row in found], columns, options["format"], self.stdout)
