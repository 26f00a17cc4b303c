"""The quarter's targets and benchmarks, as they stand or as they were recorded at an instant."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from metrics.definitions.quantities import parse_growth
from metrics.models import Benchmark, Target
from metrics.queries.recorded import rows

WHOLE = ("", "")  # dimension and member of a metric as a whole
AGREED = Target.State.AGREED.value
_FIELDS = (
    "metric_id",
    "dimension",
    "member",
    "value",
    "growth",
    "baseline",
    "reason",
    "state",
    "agreed_value",
    "agreed_growth",
    "agreed_baseline",
    "agreed_months",
    "agreed_at",
)


@dataclass(frozen=True)
class Goalpost:
    """A target for a quarter; `benchmarks` and `agreed_months` by the first day of the month.

    state: proposed, answered or agreed. What was agreed stays as it was agreed, however the target changes.
    """

    value: float | None = None
    growth: str = ""
    baseline: float | None = None
    agreed_value: float | None = None
    benchmarks: Mapping[date, float] = field(default_factory=dict)
    agreed_growth: str = ""
    agreed_baseline: float | None = None
    agreed_months: Mapping[date, float] = field(default_factory=dict)
    agreed_at: datetime | None = None
    state: str = "proposed"
    reason: str = ""

    @property
    def token(self) -> str:
        """Names this state, so that a page can tell whether somebody changed it meanwhile."""
        said = repr((self.value, self.growth, self.baseline, sorted(self.benchmarks.items())))
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @property
    def is_agreed(self) -> bool:
        return self.agreed_at is not None

    @property
    def differs(self) -> bool:
        """Whether the target, its benchmarks or what it starts from have changed since they were agreed."""
        return self.is_agreed and (
            self._figure != self._agreed_figure
            or dict(self.benchmarks) != dict(self.agreed_months)
            or (self.baseline is not None and self.baseline != self.agreed_baseline)
        )

    @property
    def _figure(self) -> tuple[float | None, str]:
        """The target as it would be agreed to: a growth from a stated baseline with its number."""
        if self.value is not None:
            return self.value, ""
        return _resolved(None, self.growth, self.baseline), self.growth

    @property
    def _agreed_figure(self) -> tuple[float | None, str]:
        return self.agreed_value, self.agreed_growth

    def base(self, measured: float | None) -> float | None:
        """What a growth is counted from and a level climbs from: as stated, else as agreed, else as it is
        measured by now. What was agreed is not moved by a figure that is restated later."""
        return self.baseline if self.baseline is not None else self.agreed_base(measured)

    def agreed_base(self, measured: float | None) -> float | None:
        """The same as it was agreed."""
        return self.agreed_baseline if self.agreed_baseline is not None else measured

    def target(self, base: float | None) -> float | None:
        """The target in numbers; a growth is counted from `base`, and unknown without it."""
        return _resolved(self.value, self.growth, base)

    def agreed_target(self, base: float | None) -> float | None:
        """What was agreed, in numbers; None while nothing is. base: what a growth is counted from that was
        agreed without a baseline of its own."""
        return _resolved(self.agreed_value, self.agreed_growth, base)


def goalposts(
    metric_ids: Iterable[int], quarter: str, known_at: datetime | None = None
) -> dict[int, Goalpost]:
    """The whole's target of each metric that has one in `quarter`, by metric id. Two SQL statements."""
    found = all_goalposts(metric_ids, quarter, ("",), known_at)
    return {metric: post for (metric, *_), post in found.items()}


def all_goalposts(
    metric_ids: Iterable[int], quarter: str, dimensions: Iterable[str], known_at: datetime | None = None
) -> dict[tuple[int, str, str], Goalpost]:
    """The targets of these metrics along these dimensions ("" is the whole), by metric id, dimension and
    member. Two SQL statements."""
    wanted = {"metric_id__in": list(metric_ids), "quarter": quarter, "dimension__in": list(dimensions)}
    targets = {row["id"]: row for row in rows(Target, _FIELDS, known_at, **wanted)}
    months: dict[int, dict[date, float]] = {}
    found = rows(Benchmark, ("target_id", "month", "value"), known_at, target_id__in=list(targets))
    for row in sorted(found, key=lambda r: r["month"]):
        months.setdefault(row["target_id"], {})[row["month"]] = row["value"]
    return {
        (row["metric_id"], row["dimension"], row["member"]): _goalpost(row, months.get(key, {}))
        for key, row in targets.items()
    }


def post_of(target: Target) -> Goalpost:
    """A target as it is stored. Reads `target.benchmarks`: prefetch it."""
    row = {name: getattr(target, name) for name in _FIELDS}
    return _goalpost(row, {b.month: b.value for b in target.benchmarks.all()})


def _goalpost(row: Mapping[str, Any], months: Mapping[date, float]) -> Goalpost:
    agreed = {date.fromisoformat(day): value for day, value in sorted((row["agreed_months"] or {}).items())}
    plain = ("value", "growth", "baseline", "agreed_value", "agreed_growth", "agreed_baseline")
    same = {name: row[name] for name in plain}
    return Goalpost(
        **same,
        benchmarks=months,
        agreed_months=agreed,
        agreed_at=row["agreed_at"],
        state=row["state"],
        reason=row["reason"],
    )


def _resolved(value: float | None, growth: str, base: float | None) -> float | None:
    if value is not None or not growth:
        return value
    return None if base is None else parse_growth(growth).of(base)
