"""What each metric is and who answers for it: the part of every page that does not move."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from calc.calendar import Calendar, Grain
from calc.clock import FreeDays
from metrics.definitions.build import entry_grain, goal_of
from metrics.definitions.holidays import free_days
from metrics.models import Metric
from metrics.queries.recorded import rows
from metrics.queries.shapes import MetricHead, Person
from owners.models import Leader, Ownership
from owners.rules import collector_of


@dataclass(frozen=True)
class Owners:
    """Who answers for which metric, by day. today: that of the reader, or of the instant that is read."""

    tenures: Mapping[
        str, tuple[tuple[date, int | None], ...]
    ]  # metric key -> (from, leader id), oldest first
    people: Mapping[int, Person]
    countries: Mapping[str, str]  # of leaders, by their keys; "" is the installation's
    today: date

    def on(self, metric_key: str, day: date) -> Person | None:
        """The owner on `day`; before the first record, the first one who was recorded, once they answer:
        a metric without an owner has none because somebody is to take it over one day."""
        tenures = self.tenures.get(metric_key, ())
        known = [leader for since, leader in tenures if since <= day] or [
            leader for since, leader in tenures[:1] if since <= self.today
        ]
        leader = known[-1] if known else None
        return self.people.get(leader) if leader is not None else None

    def days_off(self, metric: Metric, cal: Calendar, day: date, years: Iterable[int]) -> FreeDays:
        """When whoever counts a manual metric on `day` does not work: its collector, else its owner. By the
        installation's country where they have none of their own."""
        owner = self.on(metric.key, day)
        who = collector_of(metric) or (owner.key if owner else "")
        return free_days(self.countries.get(who) or cal.holidays, years)


def person(leader: Leader) -> Person:
    team = leader.team
    return Person(leader.key, leader.name, leader.title, team.name if team else "", team.key if team else "")


def owners(metric_keys: Iterable[str], cal: Calendar, known_at: datetime | None = None) -> Owners:
    """The owners of these metrics over time, as recorded now or at an instant. Two SQL statements."""
    fields = ("metric_key", "from_date", "leader_id")
    found = rows(Ownership, fields, known_at, metric_key__in=list(metric_keys), dimension="")
    tenures: dict[str, list[tuple[date, int | None]]] = {}
    for row in sorted(found, key=lambda r: r["from_date"]):
        tenures.setdefault(row["metric_key"], []).append((row["from_date"], row["leader_id"]))
    leaders = list(Leader.objects.select_related("team"))
    return Owners(
        tenures={key: tuple(each) for key, each in tenures.items()},
        people={leader.id: person(leader) for leader in leaders},
        countries={leader.key: leader.country for leader in leaders},
        today=cal.day_of(known_at or timezone.now()),
    )


def rhythm(metric: Metric) -> Grain:
    """The grain in which people speak of a metric: that of its entries, of its level goal, else the week."""
    entered = entry_grain(metric)
    if entered:
        return entered
    stated = metric.goal.get("grain")
    return Grain(stated) if stated and goal_of(metric).kind == "level" else Grain.WEEK


def head(metric: Metric, owner: Person | None) -> MetricHead:
    goal = goal_of(metric)
    return MetricHead(
        id=metric.id,
        key=metric.key,
        name=metric.name,
        role=metric.role,
        lens=metric.lens,
        stage=metric.stage,
        unit=metric.unit,
        better=metric.better,
        low=metric.low,
        high=metric.high,
        type=metric.type,
        manual=metric.type == "manual",
        definition=metric.definition,
        success=metric.success,
        segment=metric.segment,
        visible=metric.visible,
        owner=owner,
        goal_kind=goal.kind,
        goal_grain=str(goal.grain) if goal.kind == "level" else "quarter",
        grain=str(rhythm(metric)),
        by=tuple(metric.by),
    )
