"""The page of a metric's owners: who answers since when, what lies ahead, what stands open."""

from dataclasses import dataclass
from datetime import date

from calc.calendar import Calendar
from calc.numbers import full
from metrics.models import Metric, Target
from metrics.queries import installation
from metrics.queries.members import MemberOwner, member_owners
from metrics.queries.rows import latest_words, todo
from metrics.queries.shapes import Todo, Words
from owners.models import Action, Leader
from owners.queries.leave import Away, away_on
from owners.queries.ownership import Tenure, history


@dataclass(frozen=True)
class OwnerPage:
    """held: the tenure of today, None before the first. ahead: hand-overs that lie ahead. past: those before
    today's, newest first. away: today's owner's leave, if any. actions: open ones on the metric, and how many
    of them are today's owner's (`theirs`). targets: those that wait for the owner, in words."""

    held: Tenure | None
    ahead: tuple[Tenure, ...]
    past: tuple[Tenure, ...]
    members: tuple[MemberOwner, ...]
    away: Away | None
    actions: tuple[Todo, ...]
    theirs: int
    targets: tuple[str, ...]
    words: Words | None

    @property
    def owner(self) -> Leader | None:
        return self.held.leader if self.held else None

    @property
    def open_ends(self) -> int:
        return len(self.actions) + len(self.targets)


def owner_page(metric: Metric, cal: Calendar, day: date) -> OwnerPage:
    """Eight SQL statements, whatever there is."""
    tenures = history(metric.key)
    held = next((t for t in reversed(tenures) if t.from_date <= day), None)
    owner = held.leader if held else None
    actions = list(
        Action.objects.filter(metric_key=metric.key, done_at=None)
        .select_related("leader")
        .order_by("due_date", "id")
    )
    return OwnerPage(
        held=held,
        ahead=tuple(t for t in tenures if t.from_date > day),
        past=tuple(t for t in reversed(tenures) if held and t.from_date < held.from_date),
        members=member_owners(metric, day),
        away=away_on(day).get(owner.pk) if owner else None,
        actions=tuple(todo(a) for a in actions),
        theirs=sum(a.leader_id == owner.pk for a in actions) if owner else 0,
        targets=_waiting(metric, cal, day),
        words=latest_words([metric.key], installation.words_by(cal, day)).get(metric.key),
    )


def _waiting(metric: Metric, cal: Calendar, day: date) -> tuple[str, ...]:
    """Targets of this quarter and later ones that nobody has agreed to yet."""
    found = Target.objects.filter(metric=metric, agreed_at=None, quarter__gte=cal.quarter_name(day))
    said = []
    for target in found.order_by("quarter", "dimension", "member"):
        figure = full(target.value, metric.unit) if target.value is not None else f"growth {target.growth}"
        of = f" of {target.member}" if target.dimension else ""
        said.append(f"{cal.quarter_label(target.quarter)}: {figure}{of}")
    return tuple(said)
