"""Figures that people count: entered by page, file or API through one door, checked, kept with their
history."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from calc.calendar import Calendar, Grain
from calc.numbers import full
from metrics.definitions.build import calendar_of, entry_grain
from metrics.definitions.fields import text_problem
from metrics.models import Entry, Installation, Metric
from metrics.services.manual import recompute_manual
from owners.models import User
from owners.rules import require

ORIGINS = ("page", "file", "api")
FIRST_YEAR = 1900  # earlier years are typing errors
NOTE = 500  # characters


@dataclass(frozen=True)
class EntryRow:
    """One figure to enter. A share is numerator and denominator, all else a value. remove: take the figure
    away. expected: the token of the state that the writer saw ("" for nothing); None writes over whatever is
    there."""

    period_start: date
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    dimension: str = ""
    member: str = ""
    note: str | None = None  # None keeps what is there
    remove: bool = False
    expected: str | None = None

    @property
    def place(self) -> tuple[str, str, date]:
        return self.dimension, self.member, self.period_start


@dataclass(frozen=True)
class EntryOutcome:
    """How many figures were new, changed, removed, or there already."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0

    def __add__(self, other: "EntryOutcome") -> "EntryOutcome":
        return EntryOutcome(
            self.added + other.added,
            self.changed + other.changed,
            self.removed + other.removed,
            self.unchanged + other.unchanged,
        )

    @property
    def writes(self) -> int:
        return self.added + self.changed + self.removed


class Problem(str):
    """What is wrong with a row, in words, and the field of EntryRow that it is about; "" is nothing."""

    __slots__ = ("field",)
    field: str

    def __new__(cls, words: str = "", field: str = "") -> "Problem":
        made = super().__new__(cls, words)
        made.field = field
        return made


class EntriesRefused(ValidationError):
    """Figures that are refused; nothing was entered. `errors`: index of the row -> why, in words."""

    def __init__(self, errors: Mapping[int, Problem]) -> None:
        self.errors = dict(errors)
        super().__init__(list(self.errors.values()))


def token_of(entry: Entry | None) -> str:
    """Names an entry's state, so that a page can tell whether somebody changed it meanwhile; "" for none."""
    if entry is None:
        return ""
    said = repr((entry.value, entry.numerator, entry.denominator, entry.note))
    return sha256(said.encode()).hexdigest()[:16]


@transaction.atomic
def enter(
    metric: Metric,
    rows: Sequence[EntryRow],
    *,
    author: User | None,
    origin: str,
    today: date | None = None,
    now: datetime | None = None,
) -> EntryOutcome:
    """Enters figures of a manual metric and brings its figures, and all that follow from them, in line at
    once.

    All or nothing. origin: page | file | api. today: the local day; a period that begins later is refused.
    Raises PermissionDenied without `metric.enter_values`, EntriesRefused for what is wrong, naming each row.
    """
    require(author, "metric.enter_values", metric)
    return put(metric, rows, author=author, origin=origin, today=today, now=now)


@transaction.atomic
def put(
    metric: Metric,
    rows: Sequence[EntryRow],
    *,
    author: User | None,
    origin: str,
    today: date | None = None,
    now: datetime | None = None,
) -> EntryOutcome:
    """As `enter`, for services that have asked for another right themselves."""
    if origin not in ORIGINS:
        raise ValueError(f"{origin!r} is not one of {', '.join(ORIGINS)}")
    now = now or timezone.now()
    # Whoever enters figures of one metric comes one after the other, so that nobody's check is overtaken.
    metric = Metric.objects.select_for_update(of=("self",)).get(pk=metric.pk)
    calendar = calendar_of(Installation.objects.filter(id=1).first())
    stored = {(e.dimension, e.member, e.period_start): e for e in Entry.objects.filter(metric=metric)}
    errors = mistakes(metric, rows, calendar, today or calendar.day_of(now))
    for index, row in enumerate(rows):
        there = stored.get(row.place)
        if index not in errors and row.expected is not None and row.expected != token_of(there):
            errors[index] = _changed_meanwhile(metric, there)
    if errors:
        raise EntriesRefused(errors)
    with pghistory.context(origin=origin, user=author.pk if author else None):
        outcome = EntryOutcome()
        for row in rows:
            outcome += _write(metric, row, stored.get(row.place), author, origin, now)
    if outcome.writes:
        recompute_manual([metric.key], now=now)
    return outcome


def mistakes(metric: Metric, rows: Iterable[EntryRow], calendar: Calendar, today: date) -> dict[int, Problem]:
    """Index of the row -> what is wrong with it, in words."""
    grain = entry_grain(metric)
    if grain is None:
        raise ValidationError(f"{metric.name} is computed; its figures are not entered by hand")
    if metric.archived_at is not None:
        raise ValidationError(f"{metric.name} is archived")
    errors: dict[int, Problem] = {}
    seen: set[tuple[str, str, date]] = set()
    for index, row in enumerate(rows):
        problem = _place_problem(metric, row, grain, calendar, today)
        if not problem and row.place in seen:
            problem = Problem("this figure stands here a second time", "period_start")
        if not problem and not row.remove:
            problem = _figure_problem(metric.spec["kind"], row)
        if not problem and row.note:
            problem = Problem(text_problem(row.note, NOTE), "note")
        seen.add(row.place)
        if problem:
            errors[index] = problem
    return errors


def _place_problem(metric: Metric, row: EntryRow, grain: Grain, calendar: Calendar, today: date) -> Problem:
    if row.dimension and row.dimension not in metric.by:
        said = f"; it is by {', '.join(metric.by)}" if metric.by else ""
        return Problem(f"{metric.name} is not kept by “{row.dimension}”{said}", "dimension")
    if bool(row.dimension) != bool(row.member):
        return Problem("a dimension and a member go together", "member" if row.dimension else "dimension")
    if problem := text_problem(row.member, 200):
        return Problem(problem, "member")
    if row.period_start.year < FIRST_YEAR:
        return Problem(f"the year {row.period_start.year} is too long ago", "period_start")
    period = calendar.period(grain, row.period_start)
    if period.start != row.period_start:
        words = f"{row.period_start} opens no {grain}; its {grain} begins on {period.start}"
        return Problem(words, "period_start")
    if row.period_start > today:
        words = f"{row.period_start} lies in the future: the {grain} has not begun"
        return Problem(words, "period_start")
    return Problem()


def _figure_problem(kind: str, row: EntryRow) -> Problem:
    said = {"value": row.value, "numerator": row.numerator, "denominator": row.denominator}
    for name, number in said.items():
        if number is not None and not math.isfinite(number):
            return Problem("a figure must be a finite number", name)
        if number is not None and abs(number) > 1e15:
            return Problem("the figure is too large to be right", name)
    if kind != "share":
        for name in ("numerator", "denominator"):
            if said[name] is not None:
                return Problem("this metric takes one value, not numerator and denominator", name)
        return Problem("the value is missing", "value") if row.value is None else Problem()
    if row.value is not None:
        words = "a share is entered as two numbers, numerator and denominator (18 of 25)"
        return Problem(words, "value")
    if row.numerator is None or row.denominator is None:
        missing = "numerator" if row.numerator is None else "denominator"
        return Problem(f"the {missing} is missing", missing)
    if row.denominator <= 0:
        return Problem("the denominator must be more than 0", "denominator")
    if not 0 <= row.numerator <= row.denominator:
        share = f"{full(row.numerator)} of {full(row.denominator)}"
        words = f"{share} is no share: the numerator lies between 0 and the denominator"
        return Problem(words, "numerator")
    return Problem()


def _changed_meanwhile(metric: Metric, there: Entry | None) -> Problem:
    if there is None:
        return Problem("somebody has removed this figure meanwhile", "expected")
    figure = full(there.value, metric.unit)
    if there.value is None:
        figure = f"{full(there.numerator)} of {full(there.denominator)}"
    who = f" by {there.author}" if there.author else ""
    return Problem(f"this figure was changed meanwhile{who}: it is {figure} now", "expected")


def _write(
    metric: Metric, row: EntryRow, there: Entry | None, author: User | None, origin: str, now: datetime
) -> EntryOutcome:
    if row.remove:
        if there is None:
            return EntryOutcome(unchanged=1)
        there.delete()
        return EntryOutcome(removed=1)
    said = {"value": row.value, "numerator": row.numerator, "denominator": row.denominator}
    if row.note is not None:
        said["note"] = row.note.strip()  # type: ignore[assignment]
    if there is not None and all(getattr(there, name) == value for name, value in said.items()):
        return EntryOutcome(unchanged=1)
    entry = there or Entry(
        metric=metric, dimension=row.dimension, member=row.member, period_start=row.period_start
    )
    for name, value in said.items():
        setattr(entry, name, value)
    entry.author, entry.origin, entry.entered_at = author, origin, now
    entry.save()
    return EntryOutcome(changed=1) if there else EntryOutcome(added=1)
