"""Doubt handed down: which figures that a metric is built on are disputed, or held for checking."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from calc.calendar import Calendar, Grain, Period
from metrics.charts.text import period as say_period
from metrics.queries.clocks import Clock, clocks
from metrics.queries.remarks import open_doubts
from metrics.queries.shapes import Doubt, Ingredient
from metrics.services.offsets import days_of

WHOLE = ("", "")
Days = tuple[date, date]  # [start, end)


@dataclass(frozen=True)
class _Reach:
    """The days of a metric that stand behind figures of another one. A year lies 364 days back for those of
    days and weeks (`days`), twelve months for all else (`months`); see metrics.services.offsets."""

    key: str
    days: Days
    months: Days

    def of(self, grain: str) -> Days:
        """Where a figure of this grain is behind any: a day's or a week's is part of a month's as well."""
        if not _is_fine(grain):
            return self.months
        return min(self.days[0], self.months[0]), max(self.days[1], self.months[1])


@dataclass(frozen=True)
class Ingredients:
    """Which metric is built on which, and what is in doubt. Pure: nothing is read here.

    clocks: of all metrics. seen: the keys of the metrics that may be named to whoever reads this.
    """

    clocks: Collection[Clock]
    doubts: Mapping[str, tuple[Doubt, ...]]
    cal: Calendar
    seen: Collection[str] = ()
    _by_key: dict[str, Clock] = field(default_factory=dict)
    _doubtful: set[str] = field(default_factory=set)
    _known: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_key.update((clock.key, clock) for clock in self.clocks)
        self._doubtful.update(self.doubts, (clock.key for clock in self.clocks if clock.held))

    def of(self, key: str, period: Period, segment: tuple[str, str] = WHOLE) -> tuple[Ingredient, ...]:
        """What is in doubt below a metric (key) over the days of `period`: the disputed before the held, the
        unnamed last and each of them once. A member (`segment`) is built on the same member's figures; the
        whole on all."""
        return self._found(key, period, segment, lambda reach, grain, days: meets(days, reach.of(grain)))

    def of_figure(self, key: str, period: Period, segment: tuple[str, str] = WHOLE) -> tuple[Ingredient, ...]:
        """The same of one stored figure: what is in doubt of the same days or of a part of them."""
        fine = _is_fine(period.grain)
        return self._found(
            key, period, segment, lambda reach, _, days: lies_in(days, reach.days if fine else reach.months)
        )

    def are_disputed(self, key: str, period: Period, segment: tuple[str, str] = WHOLE) -> bool:
        """Whether one stored figure is built on a disputed one."""
        return any(not one.held for one in self.of_figure(key, period, segment))

    def _found(
        self,
        key: str,
        period: Period,
        segment: tuple[str, str],
        counts: Callable[[_Reach, str, Days], bool],
    ) -> tuple[Ingredient, ...]:
        if self._doubtful.isdisjoint(self._built_on(key)):
            return ()
        disputed: list[Ingredient] = []
        held: list[Ingredient] = []
        for reach in self._below(key, (period.start, period.end)):
            clock = self._by_key[reach.key]
            for doubt in self.doubts.get(reach.key, ()):
                touches = segment == WHOLE or segment == (doubt.dimension, doubt.member)
                if touches and counts(reach, doubt.grain, (doubt.start, doubt.end)):
                    disputed.append(self._disputed(clock, doubt))
            for entry in clock.held if segment == WHOLE else ():  # only the whole's figures are ever held
                days = held_days(entry)
                if counts(reach, entry["grain"], days):
                    held.append(self._held(clock, entry, days))
        return _named_first([*disputed, *held])

    def _built_on(self, key: str) -> set[str]:
        """The keys of all metrics below one: few questions lead to any in doubt."""
        if key not in self._known:
            found: set[str] = set()
            waiting = [key]
            while waiting:
                clock = self._by_key.get(waiting.pop())
                below = {o.metric for o in clock.operands.inputs} if clock and clock.operands else set()
                waiting += below - found
                found |= below
            self._known[key] = found
        return self._known[key]

    def _below(self, key: str, days: Days) -> Iterator[_Reach]:
        """Every metric below, with the days that count; each once for each way that leads to other days."""
        top = _Reach(key, days, days)
        met, waiting = {top}, [top]
        while waiting:
            reach = waiting.pop(0)
            operands = self._by_key[reach.key].operands if reach.key in self._by_key else None
            for operand in operands.inputs if operands else ():
                if operand.metric not in self._by_key:
                    continue
                below = _Reach(
                    operand.metric,
                    days_of(operand, Grain.DAY, *reach.days, self.cal),
                    days_of(operand, Grain.MONTH, *reach.months, self.cal),
                )
                if below not in met:
                    met.add(below)
                    waiting.append(below)
                    yield below

    def _disputed(self, clock: Clock, doubt: Doubt) -> Ingredient:
        if clock.key not in self.seen:
            return Ingredient("built on a figure that is disputed", False, doubt.raised_date)
        when = say_period(doubt.start, doubt.end, doubt.grain)
        return Ingredient(
            f"built on {clock.name}, whose figure for {when} is disputed",
            False,
            doubt.raised_date,
            clock.key,
            clock.name,
            doubt.grain,
            doubt.start,
            doubt.end,
            doubt.member,
            doubt.text,
            doubt.by,
        )

    def _held(self, clock: Clock, entry: Mapping[str, Any], days: Days) -> Ingredient:
        at = entry.get("at")
        since = self.cal.day_of(datetime.fromisoformat(at)) if at else None
        if clock.key not in self.seen:
            return Ingredient("built on a figure that is held for checking", True, since)
        when = say_period(*days, entry["grain"])
        words = f"built on {clock.name}, whose figure for {when} is held for checking"
        return Ingredient(
            words, True, since, clock.key, clock.name, entry["grain"], *days, text=entry["reason"]
        )


SOUND = Ingredients((), {}, Calendar())  # nothing is in doubt


def _is_fine(grain: str) -> bool:
    return Grain(grain).whole in (Grain.DAY, Grain.WEEK)


def held_days(entry: Mapping[str, Any]) -> Days:
    """The days of a figure that is held for checking."""
    return date.fromisoformat(entry["period_start"]), date.fromisoformat(entry["period_end"])


def lies_in(days: Days, others: Days) -> bool:
    return others[0] <= days[0] and days[1] <= others[1]


def meets(one: Days, other: Days) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _named_first(found: Iterable[Ingredient]) -> tuple[Ingredient, ...]:
    """Of one metric the newest dispute speaks for all, likewise the first of its held figures."""
    once: dict[tuple[str, bool], Ingredient] = {}
    for one in found:
        once.setdefault((one.metric, one.held), one)
    return tuple(sorted(once.values(), key=lambda one: (one.held, not one.metric)))


def ingredients(cal: Calendar, known_at: datetime | None = None) -> Ingredients:
    """What is built on what, with nothing that may be named; one SQL statement where nothing is disputed,
    five else. For stored figures: what is held is not among them."""
    doubts = open_doubts(cal, known_at)
    return Ingredients(tuple(clocks(cal, known_at).values()) if doubts else (), doubts, cal)
