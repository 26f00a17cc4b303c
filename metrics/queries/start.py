"""The first hour as its pages show it: which screens are done, zones and countries, targets to propose."""

import importlib.resources
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import holidays
from django.conf import settings
from django.urls import reverse

from calc.calendar import Calendar, Grain, Period, add_months
from calc.plan import GoalKind, months_of, split
from calc.splits import EVEN, split_goal, step_of
from metrics.definitions.build import goal_of, is_additive
from metrics.models import Metric, SheetImport, Start, Value
from metrics.queries.scope import visible_metrics
from metrics.queries.targets import Goalpost, goalposts
from metrics.services.starting import STEPS
from owners.models import Leader, User
from owners.queries.ownership import owners_on

TITLES = {
    "company": "Your company",
    "north-star": "Your North Star",
    "figures": "Past months",
    "targets": "The quarter’s targets",
    "leaders": "Who answers for what",
    "invitations": "Invitations",
}


@dataclass(frozen=True)
class Screen:
    """One of the six. state: "done", "skipped" or "" for still to do."""

    slug: str
    number: int
    title: str
    state: str

    @property
    def url(self) -> str:
        return reverse(f"start_{self.slug.replace('-', '_')}")


@dataclass(frozen=True)
class Progress:
    """How far the first hour has come."""

    screens: tuple[Screen, ...]
    finished: bool

    def at(self, slug: str) -> Screen:
        return next(screen for screen in self.screens if screen.slug == slug)

    def after(self, slug: str) -> Screen | None:
        """The screen after this one; None after the last."""
        number = self.at(slug).number
        return self.screens[number] if number < len(self.screens) else None

    @property
    def begun(self) -> bool:
        """Whether any screen was done or skipped."""
        return any(screen.state for screen in self.screens)

    @property
    def next(self) -> Screen | None:
        """The first screen that is neither done nor skipped; None if there is none."""
        return next((screen for screen in self.screens if not screen.state), None)


def progress() -> Progress:
    """One SQL statement."""
    row = Start.objects.filter(id=1).first()
    steps = row.steps if row else {}
    screens = tuple(Screen(s, n, TITLES[s], steps.get(s, "")) for n, s in enumerate(STEPS, 1))
    return Progress(screens, bool(row and row.finished_at))


@dataclass(frozen=True)
class Places:
    """zones: region -> [(name, country's code)]; countries: those whose holidays are known, (code, name)."""

    zones: dict[str, list[tuple[str, str]]]
    countries: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)
def places() -> Places:
    """Time zones with their countries, from the zone tables of the tz database."""
    tables = importlib.resources.files("tzdata") / "zoneinfo"
    names = dict(_rows((tables / "iso3166.tab").read_text("utf-8")))
    zones: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for code, _, zone, *_ in (row.split("\t") for row in _lines((tables / "zone.tab").read_text("utf-8"))):
        zones[zone.partition("/")[0]].append((zone, code))
    ordered = {region: sorted(zones[region]) for region in sorted(zones)}
    known = holidays.list_supported_countries(include_aliases=False)
    countries = sorted(((c, names[c]) for c in known if c in names), key=lambda pair: pair[1])
    return Places({"": [("UTC", "")], **ordered}, tuple(countries))


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _rows(text: str) -> list[tuple[str, str]]:
    return [(row.split("\t")[0], row.split("\t")[1]) for row in _lines(text)]


def mails_go_out() -> bool:
    """Whether a mail server is configured; else mails lie in files that nobody gets."""
    return bool(settings.MAIL_SERVER)


@dataclass(frozen=True)
class Aim:
    """A metric on the screen of targets: what is set, what it did before, and how a target would be split.

    weights: what part of a total falls to each month, last year's figures where `season`, else its days.
    baseline: the level from which a level climbs.
    """

    metric: Metric
    owner: Leader | None
    post: Goalpost
    months: tuple[date, ...]
    adds_up: bool
    weights: tuple[float, ...]
    season: bool
    baseline: float | None
    last_quarter: float | None
    last_year: float | None

    def proposal(self, target: float) -> dict[date, float]:
        """The months' benchmarks on the way to a target, no finer than it is; those of a total add up."""
        unit = self.metric.unit
        if self.adds_up:
            by_month = dict(zip(self.months, self.weights, strict=True))
            return split(target, self._quarter, "season", by_month, step=step_of(target, unit))
        kind = GoalKind.LEVEL
        return split_goal(
            target, self._quarter, EVEN, kind=kind, additive=False, unit=unit, baseline=self.baseline
        )

    @property
    def _quarter(self) -> Period:
        return Period(self.months[0], add_months(self.months[-1], 1), Grain.QUARTER)


def aims(user: User, quarter: str, calendar: Calendar, today: date) -> tuple[Aim, ...]:
    """The metrics that a target can be set for, the North Star first. Seven SQL statements, however many."""
    period = calendar.quarter(quarter)
    metrics = star_first(visible_metrics(user))
    posts = goalposts([m.pk for m in metrics], quarter)
    owners = owners_on([m.key for m in metrics], today)
    year_ago, before = calendar.year_back(period), calendar.previous(period)
    wanted = Value.objects.filter(
        metric__in=[m.pk for m in metrics], dimension="", grain__in=["month", "quarter"],
        period_start__gte=min(year_ago.start, before.start), period_start__lt=period.start,
    )  # fmt: skip
    known: dict[tuple[int, str, date], float] = {
        (v.metric_id, v.grain, v.period_start): v.value for v in wanted if v.value is not None
    }
    found = []
    for metric in metrics:
        adds_up = goal_of(metric).kind == "total" and is_additive(metric)
        months = tuple(m.start for m in months_of(period))
        then = [known.get((metric.pk, "month", add_months(m, -12))) for m in months]
        seasonal = [value for value in then if value is not None and value >= 0]
        season = adds_up and len(seasonal) == len(months) and math.fsum(seasonal) > 0
        last = add_months(period.start, -1)
        found.append(
            Aim(
                metric=metric,
                owner=owners.get(metric.key),
                post=posts.get(metric.pk, Goalpost()),
                months=months,
                adds_up=adds_up,
                weights=tuple(seasonal)
                if season
                else tuple(float((add_months(m, 1) - m).days) for m in months),
                season=season,
                baseline=None if adds_up else known.get((metric.pk, "month", last)),
                last_quarter=known.get(
                    (metric.pk, "quarter" if adds_up else "month", before.start if adds_up else last)
                ),
                last_year=known.get(
                    (metric.pk, "quarter", year_ago.start)
                    if adds_up
                    else (metric.pk, "month", add_months(last, -9))
                ),
            )
        )
    return tuple(found)


def star_first(metrics: Iterable[Metric]) -> list[Metric]:
    """In the definitions' order, but the North Star before the others."""
    return sorted(metrics, key=lambda m: (m.role != "north_star", m.position, m.key))


def last_import(user: User) -> SheetImport | None:
    """The latest spreadsheet whose figures this person took over and has not taken back."""
    return (
        SheetImport.objects.filter(author=user, undone_at=None)
        .exclude(accepted_at=None)
        .defer("table")
        .first()
    )


@dataclass(frozen=True)
class Guest:
    """A leader on the screen of invitations; `joined` says that there is an account."""

    leader: Leader
    joined: bool


def guests() -> tuple[Guest, ...]:
    """Every leader, with or without an account. One SQL statement."""
    leaders = Leader.objects.filter(archived_at=None).select_related("user")
    return tuple(Guest(leader, leader.user_id is not None) for leader in leaders)
