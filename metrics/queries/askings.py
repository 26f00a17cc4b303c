"""Whose word on which metric is due when: one answer for the board, leaders, `/me/` and reminders."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from calc import clock
from calc.cadence import Cadence, Due, Every, due_check_in
from calc.calendar import Calendar, Grain
from calc.clock import FreeDays
from metrics.definitions.build import entry_grain
from metrics.definitions.holidays import free_days
from metrics.definitions.specs import ManualSpec, spec_of
from metrics.models import Metric
from metrics.queries.entries import YEARS
from metrics.queries.rows import CHECKED_IN
from owners.models import Leader
from owners.queries.cadences import cadences
from owners.queries.days import zone_of
from owners.queries.ownership import rows_on


@dataclass(frozen=True)
class Tenure:
    """Who answers for a metric today, and since when."""

    leader: Leader
    begun: date


def tenures(day: date) -> dict[str, Tenure]:
    """The owner of every metric that has one, by its key. One SQL statement."""
    rows = rows_on(day).select_related("leader")
    return {row.metric_key: Tenure(row.leader, row.from_date) for row in rows if row.leader is not None}


def words_due(
    metrics: Iterable[Metric],
    owned: Mapping[str, Tenure],
    said: Mapping[str, date],
    cal: Calendar,
    day: date,
) -> dict[str, Due]:
    """The check-in that each metric's owner is asked for on `day`, by key; absent where none is.

    said: when the newest word on a metric was given. Working days are those of the owner's country. One SQL
    statement.
    """
    wanted = [m for m in metrics if m.key in owned]
    set_rhythms = cadences(m.key for m in wanted)
    found = {}
    for metric in wanted:
        who = owned[metric.key]
        free = days_off(who.leader, cal, day)
        due = word_due(metric, set_rhythms.get(metric.key), said.get(metric.key), who.begun, cal, day, free)
        if due is not None:
            found[metric.key] = due
    return found


def word_due(
    metric: Metric,
    cadence: Cadence | None,
    last_said: date | None,
    begun: date,
    cal: Calendar,
    day: date,
    free: FreeDays,
) -> Due | None:
    """The check-in that one metric's owner is asked for; None where none is. Pure."""
    if cadence is None and metric.role not in CHECKED_IN and metric.type != "manual":
        return None
    spec = spec_of(metric.type, metric.spec)
    figure = None
    if isinstance(spec, ManualSpec) and (cadence is None or cadence.every.value == spec.grain.value):
        figure = clock.Due(spec.collect.due_days, spec.collect.due_working)
    rhythm = entry_grain(metric) or Grain.WEEK
    return due_check_in(cal, rhythm, day, last_said, free, cadence=cadence, figure=figure, begun=begun)


def days_off(leader: Leader | None, cal: Calendar, day: date) -> FreeDays:
    """Public holidays and weekend where the leader works, else where the installation is, around `day`."""
    country = leader.country if leader is not None else ""
    return free_days(country or cal.holidays, range(day.year - YEARS, day.year + 2))


def day_of(leader: Leader | None, cal: Calendar, now: datetime | None = None) -> date:
    """Which day it is where the leader is."""
    zone = zone_of(leader) if leader is not None else None
    return (now or timezone.now()).astimezone(zone or cal.zone).date()


def say_cadence(cadence: Cadence | None) -> str:
    """The rhythm in words: "every Monday"; "" where it is that of the figures."""
    if cadence is None:
        return ""
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    if cadence.every is Every.NEVER:
        return "not asked for"
    if cadence.every is Every.WEEK:
        return f"every {days[cadence.weekday]}"
    if cadence.every is Every.WEEKS:
        often = "every week" if cadence.weeks == 1 else f"every {cadence.weeks} weeks"
        return f"{often} from {cadence.first.day} {cadence.first:%b %Y}" if cadence.first else often
    return f"on the {_nth(cadence.working_days)} working day after each {cadence.every}"


def _nth(number: int) -> str:
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if 11 <= number % 100 <= 13 else ends.get(number % 10, 'th')}"
