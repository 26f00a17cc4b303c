"""The first hour: which of its screens are done, and what they save together."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from metrics.models import Metric, Start
from metrics.services.manual_metrics import STAR, Counted, add, add_own, change, counted_of
from owners.models import Leader, User
from owners.queries.ownership import owners_on
from owners.rules import require
from owners.services.names import clean_name
from owners.services.newcomers import add_leader
from owners.services.ownership import hand_over

STEPS = ("company", "north-star", "figures", "targets", "leaders", "invitations")
DONE, SKIPPED = "done", "skipped"


@dataclass(frozen=True)
class Person:
    """Whoever a field names: a leader that there is, by name, or a new one."""

    name: str = ""
    email: str = ""


@dataclass(frozen=True)
class Charge:
    """One line of the screen of leaders: an indicator (`key` of a metric, or a new one as `said`), who
    answers for it, who counts it and when it is due (working days; None leaves that as it is)."""

    key: str = ""
    said: Counted | None = None
    leader: Person = field(default_factory=Person)
    counted_by: Person = field(default_factory=Person)
    due: int | None = None
    token: str = ""  # of the metric's definition as the writer saw it


class Refused(ValidationError):
    """What is wrong, by line and field: errors {(line, field): words}."""

    def __init__(self, errors: dict[tuple[int, str], str]) -> None:
        self.errors = errors
        super().__init__(list(errors.values()))


@transaction.atomic
def mark(by: User, step: str, state: str = DONE) -> Start:
    """Notes that a screen is done or skipped; done stays done. PermissionDenied without `start.use`."""
    require(by, "start.use")
    if step not in STEPS or state not in (DONE, SKIPPED):
        raise ValueError(f"{step!r} is not a screen of the first hour")
    with pghistory.context(origin="page", user=by.pk):
        row, _ = Start.objects.select_for_update().get_or_create(id=1)
        if row.steps.get(step) != DONE and row.steps.get(step) != state:
            row.steps = {**row.steps, step: state}
            row.save(update_fields=["steps"])
    return row


@transaction.atomic
def finish(by: User) -> Start:
    """Notes that the first hour is over; its screens stay reachable."""
    require(by, "start.use")
    with pghistory.context(origin="page", user=by.pk):
        row, _ = Start.objects.select_for_update().get_or_create(id=1)
        if row.finished_at is None:
            row.finished_at = timezone.now()
            row.save(update_fields=["finished_at"])
    return row


@transaction.atomic
def set_north_star(by: User, said: Counted, *, expected: str = "") -> Metric:
    """The North Star: a new one, answered for by `by` until somebody else does, or the one there is, changed.

    A North Star that is computed keeps how it is; only an analyst's file changes it. Raises as
    `manual_metrics.add` and `change`.
    """
    require(by, "start.use")
    star = Metric.objects.select_for_update().filter(role=STAR, archived_at=None).first()
    said = replace(said, role=STAR)
    if star is None:
        return add_own(said, by)
    before = counted_of(star) if star.type == "manual" else said
    # the screen is short: what it does not ask for stays
    kept = ("lens", "stage", "visible", "by", "due", "working", "origin", "how")
    said = replace(said, **{name: getattr(before, name) for name in kept})
    return change(star, said, author=by, expected=expected)


@transaction.atomic
def set_charges(by: User, charges: Sequence[Charge], *, today: date) -> list[Metric]:
    """Adds the new indicators, hands every one over to its leader from `today` on, and says who counts it.

    All or nothing; leaders that nobody knows yet are added. Without a leader a line's owner stays; a new one
    is then `by`'s own. Returns the metrics added. Raises Refused with every mistake, PermissionDenied.
    """
    require(by, "start.use")
    work = _Charges(by, today)
    for number, charge in enumerate(charges):
        try:
            with transaction.atomic():
                work.do(charge)
        except ValidationError as error:
            for place, words in _places(error):
                work.errors.setdefault((number, place), words)
    if work.errors:
        transaction.set_rollback(True)
        raise Refused(work.errors)
    return work.made


class _Charges:
    def __init__(self, by: User, today: date) -> None:
        self.by, self.today = by, today
        self.leaders = {folded(leader.name): leader for leader in Leader.objects.filter(archived_at=None)}
        self.metrics = {m.key: m for m in Metric.objects.filter(archived_at=None)}
        self.owners = owners_on(self.metrics, today)
        self.made: list[Metric] = []
        self.errors: dict[tuple[int, str], str] = {}

    def do(self, charge: Charge) -> None:
        """One line; ValidationError by field."""
        leader = self._leader("leader", charge.leader)
        counter = self._leader("counted_by", charge.counted_by)
        by_key = counter.key if counter is not None and counter != leader else ""
        if charge.said is not None:
            due = charge.said.due if charge.due is None else charge.due
            said = replace(charge.said, by=by_key, due=due)
            metric = add(said, author=self.by) if leader is not None else add_own(said, self.by)
            self.made.append(metric)
        elif charge.key in self.metrics:
            metric = self._collected(self.metrics[charge.key], by_key, charge)
        else:
            raise ValidationError({"name": "This metric is not there any more."})
        if leader is not None and self.owners.get(metric.key) != leader:
            hand_over(metric.key, leader, self.today, author=self.by)

    def _leader(self, place: str, person: Person) -> Leader | None:
        if not person.name.strip():
            return None
        try:
            name = clean_name(person.name)
            if folded(name) not in self.leaders:
                self.leaders[folded(name)] = add_leader(self.by, name, email=person.email)
        except ValidationError as error:
            raise ValidationError({place: error.messages}) from None
        return self.leaders[folded(name)]

    def _collected(self, metric: Metric, by_key: str, charge: Charge) -> Metric:
        if metric.type != "manual":
            return metric
        before = counted_of(metric)
        said = replace(before, by=by_key, due=before.due if charge.due is None else charge.due)
        if said == before:
            return metric
        return change(metric, said, author=self.by, expected=charge.token or None)


def _places(error: ValidationError) -> list[tuple[str, str]]:
    """(field, words) of a service's refusal; "" is the line as a whole."""
    if hasattr(error, "error_dict"):
        return [(place, " ".join(e.messages)) for place, e in _errors(error)]
    return [("", " ".join(error.messages))]


def _errors(error: ValidationError) -> list[tuple[str, ValidationError]]:
    return [(place, ValidationError(found)) for place, found in error.error_dict.items()]


def folded(name: str) -> str:
    """For comparing people's names: without case and double blanks."""
    return " ".join(name.casefold().split())
