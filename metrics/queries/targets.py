"""The quarter's targets and benchmarks, as they stand or as they were recorded at an instant."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from metrics.models import Benchmark, Target
from metrics.queries.recorded import rows


@dataclass(frozen=True)
class Goalpost:
    """One metric's target for a quarter; `benchmarks` by the first day of the month."""

    value: float | None = None
    growth: str = ""
    baseline: float | None = None
    agreed_value: float | None = None
    benchmarks: Mapping[date, float] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """Names this state, so that a page can tell whether somebody changed it meanwhile."""
        said = repr((self.value, self.growth, self.baseline, sorted(self.benchmarks.items())))
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def goalposts(
    metric_ids: Iterable[int], quarter: str, known_at: datetime | None = None
) -> dict[int, Goalpost]:
    """The whole's target of each metric that has one in `quarter`, by metric id. Two SQL statements."""
    fields = ("metric_id", "value", "growth", "baseline", "agreed_value")
    wanted = {"metric_id__in": list(metric_ids), "quarter": quarter, "dimension": ""}
    targets = {row["id"]: row for row in rows(Target, fields, known_at, **wanted)}
    months: dict[int, dict[date, float]] = {}
    found = rows(Benchmark, ("target_id", "month", "value"), known_at, target_id__in=list(targets))
    for row in sorted(found, key=lambda r: r["month"]):
        months.setdefault(row["target_id"], {})[row["month"]] = row["value"]
    return {
        row["metric_id"]: Goalpost(
            row["value"], row["growth"], row["baseline"], row["agreed_value"], months.get(key, {})
        )
        for key, row in targets.items()
    }
