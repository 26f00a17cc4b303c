"""A metric's health: attempts, quarantine, figures held for a check. A healthy metric has no row."""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from metrics.definitions.build import source_keys_of
from metrics.definitions.goals import bounds_grain, grows, merges_of
from metrics.models import HeldDecision, Metric, MetricState, Source, StateRecord
from metrics.services.incoming import Scope
from metrics.services.ledger import ATTEMPTS, wait
from metrics.services.plausibility import Decided, Held, Plausible

REST = timedelta(days=1)  # after which a quarantined metric is tried once more


def record(state: MetricState, at: datetime) -> None:
    """Keep what a state says from now on of staleness and held figures, where that is new. One SQL statement,
    two where it is."""
    told = {"stale_since": state.stale_since, "error": state.error, "held": state.held}
    last = StateRecord.objects.filter(metric=state.metric_id).order_by("-at", "-id").values(*told).first()
    well: dict[str, Any] = {"stale_since": None, "error": "", "held": []}
    if (last or well) != told:
        StateRecord.objects.create(metric_id=state.metric_id, at=at, **told)


def left_out(metrics: Collection[Metric], now: datetime) -> set[str]:
    """Keys of metrics that a scheduled run leaves alone: quarantined, or waiting after a failure."""
    states = MetricState.objects.filter(metric__in=metrics, retry_at__gt=now).exclude(error="")
    return set(states.values_list("metric__key", flat=True))


def dirty_from(metrics: Collection[Metric]) -> dict[str, date]:
    """Since which day figures have missed changes, by key."""
    states = MetricState.objects.filter(metric__in=metrics).select_related("metric")
    return {state.metric.key: state.dirty_from for state in states if state.dirty_from is not None}


def failed(metric: Metric, error: str, now: datetime, missed: date | None) -> MetricState:
    """One more failed attempt: the last good figures stay, stale, and miss what changed since `missed`."""
    state, _ = MetricState.objects.get_or_create(metric=metric)
    state.attempts = min(state.attempts + 1, 1000)
    state.error = error[:4000]
    state.stale_since = state.stale_since or now
    state.dirty_from = earlier(state.dirty_from, missed)
    if state.attempts >= ATTEMPTS:
        state.quarantined_at = state.quarantined_at or now
        state.retry_at = now + REST
    else:
        state.retry_at = now + wait(state.attempts)
    state.save()
    record(state, now)
    return state


def waits(metric: Metric, operands: Collection[str], now: datetime, missed: date) -> None:
    """A dependent whose operands are stale keeps its figures until they recover; that is no failed
    attempt."""
    state, _ = MetricState.objects.get_or_create(metric=metric)
    state.error = f"waits for {', '.join(sorted(operands))}"
    state.stale_since = state.stale_since or now
    state.dirty_from = earlier(state.dirty_from, missed)
    state.save()
    record(state, now)


def missed(metrics: Collection[Metric], since: date) -> None:
    """Metrics that a run has left out will need the days from `since` on."""
    for state in MetricState.objects.filter(metric__in=metrics):
        state.dirty_from = earlier(state.dirty_from, since)
        state.save(update_fields=["dirty_from"])


def recovered(metrics: Collection[Metric], now: datetime) -> list[tuple[Metric, datetime]]:
    """Forget failures of metrics that have been computed; returns those that had failed themselves, with the
    moment since which they were stale. Held figures stay."""
    states = list(MetricState.objects.filter(metric__in=metrics).select_related("metric"))
    if states:
        MetricState.objects.filter(metric__in=metrics).update(
            attempts=0, stale_since=None, dirty_from=None, quarantined_at=None, retry_at=None, error=""
        )
        MetricState.objects.filter(metric__in=metrics, held=[]).delete()
    for state in states:
        if state.stale_since or state.error:
            well = MetricState(metric_id=state.metric_id, held=state.held)
            record(well, now)
    return [(state.metric, state.stale_since) for state in states if state.attempts and state.stale_since]


def bounds_of(metrics: Collection[Metric]) -> dict[int, Plausible]:
    """The declared bounds by metric id, with what waits for a check and what somebody has decided. Three SQL
    statements."""
    bounded = [m for m in metrics if m.plausible]
    decided: dict[int, list[HeldDecision]] = {}
    for row in HeldDecision.objects.filter(metric__in=bounded, ended_at=None):
        decided.setdefault(row.metric_id, []).append(row)
    states = MetricState.objects.filter(metric__in=bounded).exclude(held=[])
    waiting = dict(states.values_list("metric_id", "held"))
    sources = Source.objects.filter(spec__rows="daily") if bounded else Source.objects.none()
    promised = set(sources.values_list("key", flat=True))
    return {
        m.pk: _bounds(
            m, decided.get(m.pk, []), waiting.get(m.pk, []), not promised.isdisjoint(source_keys_of(m))
        )
        for m in bounded
    }


def keep_held(
    metrics: Mapping[int, Metric], held: Mapping[int, list[Held]], scopes: Collection[Scope], now: datetime
) -> list[Metric]:
    """Bring the lists of held figures of computed metrics in line with a write; returns metrics with new
    ones.

    A held figure outside of what was recomputed stays held.
    """
    windows: dict[tuple[int, str], list[tuple[date, date]]] = {}
    for scope in scopes:
        windows.setdefault((scope.metric, str(scope.grain)), []).append((scope.start, scope.end))

    def again(pk: int, entry: Mapping[str, Any]) -> bool:
        end = date.fromisoformat(entry["period_end"])
        return any(a < end <= b for a, b in windows.get((pk, entry["grain"]), ()))

    fresh: list[Metric] = []
    stored = {s.metric_id: s for s in MetricState.objects.filter(metric__in=list(metrics))}
    for pk, metric in metrics.items():
        state = stored.get(pk)
        before = state.held if state else []
        kept = [entry for entry in before if not again(pk, entry)]
        now_held = [_entry(h, now) for h in held.get(pk, []) if not h.rejected]
        _end_rejections(pk, held.get(pk, []), again, now)
        known = {_identity(entry): entry for entry in before}
        entries = kept + [known.get(_identity(entry), entry) for entry in now_held]
        if any(_identity(entry) not in known for entry in now_held):
            fresh.append(metric)
        if entries != before:
            state = state or MetricState(metric=metric)
            state.held = entries
            state.save()
            record(state, now)
    return fresh


def _end_rejections(
    pk: int, held: list[Held], again: Callable[[int, Mapping[str, Any]], bool], now: datetime
) -> None:
    """A rejection ends where its period was asked for again and the source no longer says that figure."""
    still = {(h.grain, h.start, h.end) for h in held if h.rejected}
    standing = HeldDecision.objects.filter(metric=pk, outcome=HeldDecision.Outcome.REJECTED, ended_at=None)
    for row in standing:
        place = {"grain": row.grain, "period_end": row.period_end.isoformat()}
        if again(pk, place) and (row.grain, row.period_start, row.period_end) not in still:
            row.ended_at = now
            row.save(update_fields=["ended_at"])


def _entry(held: Held, now: datetime) -> dict[str, Any]:
    return {
        "grain": str(held.grain),
        "period_start": held.start.isoformat(),
        "period_end": held.end.isoformat(),
        "value": held.value,
        "reason": held.reason,
        "at": now.isoformat(),
    }


def _identity(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return entry["grain"], entry["period_start"], entry["period_end"], entry["value"]


def _bounds(
    metric: Metric, decided: list[HeldDecision], waiting: list[dict[str, Any]], daily: bool
) -> Plausible:
    def number(name: str) -> float | None:
        value = metric.plausible.get(name)
        return float(value) if value is not None else None

    def those(outcome: HeldDecision.Outcome) -> tuple[Decided, ...]:
        return tuple(
            (d.grain, d.period_start, d.period_end, d.value) for d in decided if d.outcome == outcome
        )

    return Plausible(
        number("low"),
        number("high"),
        number("max_change"),
        accepted=those(HeldDecision.Outcome.RELEASED),
        rejected=those(HeldDecision.Outcome.REJECTED),
        grain=bounds_grain(metric),
        grows=grows(metric),
        merges=merges_of(metric),
        daily=daily,
        waiting=tuple(
            (
                entry["grain"],
                date.fromisoformat(entry["period_start"]),
                date.fromisoformat(entry["period_end"]),
                entry["value"],
            )
            for entry in waiting
        ),
    )


def earlier(one: date | None, other: date | None) -> date | None:
    return min((day for day in (one, other) if day is not None), default=None)
