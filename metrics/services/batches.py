"""Figures of several metrics entered together: all or nothing, every mistake with its row and field."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from metrics.definitions.mistakes import nearest
from metrics.models import Metric
from metrics.queries.scope import visible_metrics
from metrics.services.entries import EntriesRefused, EntryOutcome, EntryRow, enter
from owners.models import User
from owners.rules import can


@dataclass(frozen=True)
class Line:
    """One figure and the key of the metric that it belongs to."""

    metric: str
    row: EntryRow


@dataclass(frozen=True)
class Fault:
    """What is wrong with the line at `index`, in words. conflict: somebody changed the figure since."""

    index: int
    field: str
    message: str
    conflict: bool = False


class BatchRefused(Exception):
    """Lines that are refused; nothing was entered."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: fault.index))
        super().__init__("; ".join(f"{fault.index}: {fault.message}" for fault in self.faults[:10]))


def lock_metrics(keys: Collection[str]) -> dict[str, Metric]:
    """The metrics of these keys, locked until the transaction ends. Whoever enters figures of several takes
    all their locks first, in one order: `enter` goes on to a lock that all writers share."""
    rows = Metric.objects.select_for_update(of=("self",)).filter(key__in=[k for k in keys if "\x00" not in k])
    return {metric.key: metric for metric in rows.order_by("pk")}


@transaction.atomic
def enter_batch(
    lines: Sequence[Line],
    *,
    author: User | None,
    origin: str,
    among: Collection[str] | None = None,
    today: date | None = None,
    now: datetime | None = None,
) -> dict[str, EntryOutcome]:
    """Enters figures of several metrics, each by its own right; the outcome of each metric, by key.

    among: keys that a token is restricted to; None for all. Raises BatchRefused with every mistake. A metric
    that `author` may not see is answered as if there were none.
    """
    by_metric: dict[str, list[int]] = {}
    for index, line in enumerate(lines):
        by_metric.setdefault(line.metric, []).append(index)
    seen = set(visible_metrics(author).values_list("key", flat=True))
    known = {key: row for key, row in lock_metrics(by_metric).items() if key in seen}
    faults: list[Fault] = []
    outcomes: dict[str, EntryOutcome] = {}
    for key, indices in by_metric.items():
        problem = _problem(key, known, among, author)
        if problem:
            faults += [Fault(index, "metric", problem) for index in indices]
            continue
        try:
            rows = [lines[index].row for index in indices]
            with transaction.atomic():
                outcomes[key] = enter(known[key], rows, author=author, origin=origin, today=today, now=now)
        except EntriesRefused as refused:
            for n, message in refused.errors.items():
                field = getattr(message, "field", "")
                faults.append(Fault(indices[n], field, str(message), field == "expected"))
        except PermissionDenied:
            words = f"you neither own nor count {known[key].name}, so its figures are not yours to enter"
            faults += [Fault(index, "metric", words) for index in indices]
        except ValidationError as error:
            faults += [Fault(index, "metric", " ".join(error.messages)) for index in indices]
    if faults:
        raise BatchRefused(faults)
    return outcomes


def _problem(key: str, known: dict[str, Metric], among: Collection[str] | None, author: User | None) -> str:
    """Why no figure of this metric can be entered, before anything is said about the figure; or ""."""
    if among is not None and key not in among:
        return f"this token is not for {key!r}"[:120]
    if key not in known:
        countable = [
            k for k, m in known.items() if m.type == "manual" and can(author, "metric.enter_values", m)
        ]
        return f"there is no metric {key[:80]!r}{nearest(key, countable)}"
    if known[key].type != "manual":
        return f"{key!r} is computed; its figures cannot be entered"
    return ""
