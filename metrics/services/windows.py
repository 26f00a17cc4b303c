"""Which days have changed, and which whole periods must be asked for because of them. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from calc.calendar import PERIODS, TO_DATE, Calendar, Grain, add_months
from warehouse.definitions import Atom

DAY = timedelta(days=1)

Range = tuple[date, date]  # half-open local days


@dataclass(frozen=True)
class Ask:
    """One request to a warehouse: these metrics in these grains over `[start, end)`, whole in each grain."""

    keys: tuple[str, ...]
    grains: tuple[Grain, ...]
    start: date
    end: date


@dataclass(frozen=True)
class Need:
    """What one metric needs: dirty days, and whether its to-date figures are stored."""

    ranges: tuple[Range, ...] = ()
    to_date: bool = False


@dataclass
class _Window:
    start: date
    end: date
    grains: dict[str, set[Grain]] = field(default_factory=dict)  # by metric


def joined(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Sorted ranges of which none touches another; empty ones fall out."""
    result: list[Range] = []
    for start, end in sorted(r for r in ranges if r[0] < r[1]):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return tuple(result)


def of_days(days: Collection[date]) -> tuple[Range, ...]:
    """The ranges that given days fill."""
    return joined((day, day + DAY) for day in days)


def clipped(ranges: Iterable[Range], start: date, end: date) -> tuple[Range, ...]:
    """The parts of ranges that lie in `[start, end)`."""
    return joined((max(a, start), min(b, end)) for a, b in ranges)


def reached(atom: Atom, ranges: Iterable[Range], horizon: date) -> tuple[Range, ...]:
    """The days whose figures depend on rows of the dirty days.

    An entity's first row decides all days after it (count_new). A conversion reaches back to the base event
    that it is credited to, and a base event forward to the conversions that it takes over and to the day
    its window closes."""
    ranges = found = joined(ranges)
    if atom.conversion and found:
        within = atom.conversion.within
        found = joined(
            (
                add_months(start, -within.months) - (within.days + 1) * DAY,
                add_months(end, 2 * within.months) + (2 * within.days + 1) * DAY,
            )
            for start, end in found
        )
        found = clipped(found, date.min, max(horizon, *(e for _, e in ranges)))
    if any(m and m.agg == "count_new" for m in (atom.numerator, atom.denominator)) and found:
        found = ((found[0][0], max(horizon, found[-1][1])),)
    return found


def open_since(atom: Atom, watermark: date, lateness: timedelta) -> date:
    """The first day whose figure may still change by a row or by time alone, as of a watermark."""
    start = watermark - lateness
    if atom.conversion:
        within = atom.conversion.within
        start = add_months(start, -within.months) - within.days * DAY
    return start - DAY if atom.conversion else start


def asks(needs: Mapping[str, Need], calendar: Calendar, horizon: date) -> list[Ask]:
    """The fewest requests in which every period holding a needed day is asked for, and hardly any other.

    To-date figures of every later day of the same month, quarter or year follow a changed day, up to
    `horizon`."""
    windows: dict[Range, _Window] = {}

    def add(key: str, grain: Grain, window: Range) -> None:
        found = windows.setdefault(window, _Window(*window))
        found.grains.setdefault(key, set()).add(grain)

    by_need: dict[Need, list[str]] = {}
    for key, need in needs.items():
        by_need.setdefault(need, []).append(key)
    for need, keys in by_need.items():
        for grain in PERIODS:
            # A month's days are asked for with the month: its rows are read anyway.
            widest = Grain.MONTH if grain is Grain.DAY else grain
            for window in joined(calendar.widen(widest, *r) for r in need.ranges):
                for key in keys:
                    add(key, grain, window)
        if need.to_date:
            for grain in TO_DATE:
                ends = (
                    (s, min(calendar.widen(grain.whole, s, e)[1], max(horizon, e))) for s, e in need.ranges
                )
                for window in joined(ends):
                    for key in keys:
                        add(key, grain, window)
    return _packed(windows.values(), needs)


def _packed(windows: Iterable[_Window], needs: Mapping[str, Need]) -> list[Ask]:
    """Windows as requests; one in which metrics want different grains is split, so that no figure is asked
    for twice. Metrics that store no to-date figures share the request of those that do: the planner gives
    them none."""
    order = (*PERIODS, *TO_DATE)
    result: list[Ask] = []
    for window in sorted(windows, key=lambda w: (w.start, w.end)):
        groups: dict[tuple[Grain, ...], list[str]] = {}
        for key in sorted(window.grains, key=lambda k: (not needs[k].to_date, k)):
            wanted = tuple(g for g in order if g in window.grains[key])
            if not needs[key].to_date:
                shared = (g for g in groups if tuple(w for w in g if not w.is_to_date) == wanted)
                wanted = next(shared, wanted)
            groups.setdefault(wanted, []).append(key)
        result += [Ask(tuple(sorted(k)), g, window.start, window.end) for g, k in groups.items()]
    return result


def everything(keys: Collection[str], calendar: Calendar, first_day: date, horizon: date) -> Ask:
    """All of history in all grains: one request, whose stages every grain shares.

    There is no row before `first_day`, so that weeks may begin outside of the first year.
    """
    years = calendar.widen(Grain.YEAR, first_day, horizon)
    weeks = calendar.widen(Grain.WEEK, *years)
    return Ask(tuple(sorted(keys)), (*PERIODS, *TO_DATE), weeks[0], weeks[1])
