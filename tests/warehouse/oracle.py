"""The rules of figures in plain Python, row by row and period by period; shares no code with the planner.

Rows are dicts; expressions are looked up in `EXPRESSIONS`, which says in Python what the SQL text says.
"""

import math
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from calc.calendar import Calendar, Grain, Period, add_months
from warehouse.definitions import Atom, Conversion, Measure, Request

Row = dict[str, Any]
DAY = timedelta(days=1)

EXPRESSIONS: dict[str, Callable[[Row], Any]] = {
    "who": lambda r: r["who"],
    "amount": lambda r: r["amount"],
    "amount * 2": lambda r: None if r["amount"] is None else r["amount"] * 2,
    "amount / points": lambda r: (
        None if r["amount"] is None or not r["points"] else r["amount"] / r["points"]
    ),
    "points": lambda r: r["points"],
    "item": lambda r: r["item"],
    "ok": lambda r: r["ok"],
    "ok and amount > 5": lambda r: _and(r["ok"], None if r["amount"] is None else r["amount"] > 5),
    "amount > 5": lambda r: None if r["amount"] is None else r["amount"] > 5,
    "kind = 'visit'": lambda r: None if r["kind"] is None else r["kind"] == "visit",
    "kind = 'buy'": lambda r: None if r["kind"] is None else r["kind"] == "buy",
    "kind = 'visit' and amount > 5": lambda r: _and(
        None if r["kind"] is None else r["kind"] == "visit", None if r["amount"] is None else r["amount"] > 5
    ),
    "not (kind = 'visit')": lambda r: None if r["kind"] is None else r["kind"] != "visit",
    "points <> 0": lambda r: None if r["points"] is None else r["points"] != 0,
    "country": lambda r: r["country"],
    "coalesce(kind, 'none')": lambda r: r["kind"] or "none",
}


def _and(a: bool | None, b: bool | None) -> bool | None:
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def local_day(row: Row, request: Request) -> date:
    """The local day of a row whose `at` is a date, a naive datetime in the source's timezone, or aware."""
    at = row["at"]
    if not isinstance(at, datetime):
        return at
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(request.source.timezone))
    return at.astimezone(UTC).astimezone(ZoneInfo(request.calendar.timezone)).date()


def instant(row: Row, request: Request) -> datetime:
    at = row["at"]
    if not isinstance(at, datetime):
        return datetime.combine(at, time.min)
    if at.tzinfo is not None:
        return at.astimezone(UTC).replace(tzinfo=None)
    return at


def member_of(row: Row, dimension: str, request: Request) -> str:
    value = EXPRESSIONS[request.source.dimensions[dimension]](row)
    name = "(none)" if value is None else str(value)
    top = request.top.get(dimension)
    return name if top is None or name in top else "(other)"


def percentile(values: list[float], share: float) -> float:
    """Linear interpolation between closest ranks, as spreadsheets' PERCENTILE.INC."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def sums(measure: Measure) -> bool:
    return measure.agg in {"count", "sum", "sum_boolean", "count_new"} or (
        measure.agg == "count_distinct" and measure.additive
    )


def mergeable(atom: Atom) -> bool:
    if atom.conversion:
        return True
    if atom.denominator:
        return sums(atom.numerator) and sums(atom.denominator)
    return sums(atom.numerator) or atom.numerator.agg in {"avg", "min", "max", "first", "last"}


def adds_up(atom: Atom) -> bool:
    if atom.conversion or atom.denominator:
        return mergeable(atom)
    return sums(atom.numerator) or atom.numerator.agg == "avg"


def figures(rows: list[Row], request: Request) -> dict[tuple, tuple]:
    """{(key, grain, start, end, dimension, member): (value, numerator, denominator, immature)}."""
    found = {}
    days = [(local_day(row, request), row) for row in rows]
    for atom in request.atoms:
        judged = conversions(days, atom.conversion, request) if atom.conversion else []
        firsts = {
            m: first_rows(days, m, request)
            for m in (atom.numerator, atom.denominator)
            if m and m.agg == "count_new"
        }
        for dimension in ("", *atom.by):
            for member in members(days, atom, dimension, request):
                own = Slice(days, judged, firsts, dimension, member, request)
                for grain in request.grains:
                    if grain.is_to_date and (dimension or mergeable(atom)):
                        continue
                    for period in request.calendar.periods(grain, request.start, request.end):
                        answer = figure(own, atom, period, request)
                        if answer is not None:
                            found[atom.key, grain, period.start, period.end, dimension, member] = answer
    return found


class Slice:
    """The rows of one member (of the whole: all), by local day."""

    def __init__(
        self, days: list, judged: list, firsts: dict, dimension: str, member: str, request: Request
    ) -> None:
        def inside(row: Row) -> bool:
            return not dimension or member_of(row, dimension, request) == member

        self.rows: dict[date, list[Row]] = {}
        for day, row in days:
            if inside(row):
                self.rows.setdefault(day, []).append(row)
        self.judged = [entry for entry in judged if inside(entry[1])]
        self.firsts: dict[Measure, list[date]] = {}
        for measure, tied_rows in firsts.items():
            self.firsts[measure] = [
                tied[0][0]
                for tied in tied_rows
                # Of rows tied for the first place, the member that comes first by name.
                if not dimension or min(member_of(row, dimension, request) for _, row in tied) == member
            ]

    def within(self, period: Period) -> list[tuple[date, Row]]:
        return [(day, row) for day in sorted(self.rows) if day in period for row in self.rows[day]]


def members(days: list[tuple[date, Row]], atom: Atom, dimension: str, request: Request) -> list[str]:
    if not dimension:
        return [""]
    start, end = scanned(request)
    seen = {member_of(row, dimension, request) for day, row in days if start <= day < end}
    top = request.top.get(dimension)
    if top is None:
        return sorted(seen)
    return [*top, *(["(other)"] if "(other)" in seen and adds_up(atom) else [])]


def scanned(request: Request) -> tuple[date, date]:
    wide = [request.calendar.widen(g.whole, request.start, request.end) for g in request.grains]
    return min(w[0] for w in wide), max(w[1] for w in wide)


def figure(own: Slice, atom: Atom, period: Period, request: Request) -> tuple | None:
    loaded = (
        request.first_day is not None and request.first_day < period.end and period.start < request.watermark
    )
    if period.grain.is_to_date:
        loaded = loaded and request.first_day <= period.end - DAY < request.watermark
    if atom.conversion:
        mine = [entry for entry in own.judged if entry[0] in period]
        base = sum(passed for _, _, passed, _ in mine)
        immature = len(mine) - base
        converted = sum(passed and credits > 0 for _, _, passed, credits in mine)
        if not base and not loaded:
            return None
        if atom.conversion.calculation == "count":
            return (None if immature and not base else converted), None, None, immature
        return (converted / base if base else None), converted, base, immature
    chosen = own.within(period)
    if period.grain.is_to_date and not loaded:
        # Past the watermark a to-date figure stands only on days that say something themselves.
        day = request.calendar.period(Grain.DAY, period.end - DAY)
        parts = [
            measured(own, own.within(day), m, day, request) for m in (atom.numerator, atom.denominator) if m
        ]
        if all(part is None or part[0] is None for part in parts):
            return None
    top = measured(own, chosen, atom.numerator, period, request)
    if atom.denominator is None:
        if top is None:
            if not loaded:
                return None
            return (0.0 if zero_fills(atom.numerator) else None), None, None, None
        return *top, None
    bottom = measured(own, chosen, atom.denominator, period, request)
    if top is None and bottom is None and not loaded:
        return None
    over = top[0] if top else (0.0 if zero_fills(atom.numerator) else None)
    under = bottom[0] if bottom else (0.0 if zero_fills(atom.denominator) else None)
    return (None if over is None or not under else over / under), over, under, None


def zero_fills(measure: Measure) -> bool:
    if measure.fill:
        return measure.fill == "zero"
    return measure.agg in {"count", "count_distinct", "count_new", "sum", "sum_boolean"}


def passes(measure: Measure, row: Row) -> bool:
    return not measure.where or EXPRESSIONS[measure.where](row) is True


def measured(
    own: Slice, chosen: Iterable[tuple[date, Row]], measure: Measure, period: Period, request: Request
) -> tuple | None:
    """(value, numerator, denominator), or None without rows under the filter."""
    if measure.agg == "count_new":
        count = sum(day in period for day in own.firsts[measure])
        return (float(count), None, None) if count else None
    rows = [(day, row) for day, row in chosen if passes(measure, row)]
    if not rows:
        return None
    if not measure.expr:
        return float(len(rows)), None, None
    known = [(day, row, EXPRESSIONS[measure.expr](row)) for day, row in rows]
    values = [value for _, _, value in known if value is not None]
    if measure.agg == "count":
        return float(len(values)), None, None
    if measure.agg == "count_distinct":
        return (float(len(set(values))), None, None) if values else None
    if measure.agg in ("first", "last"):
        return edge(known, measure, request)
    if not values:
        return (None, None, 0.0) if measure.agg == "avg" else (None, None, None)
    if measure.agg in ("sum", "sum_boolean"):
        return float(sum(values)), None, None
    if measure.agg == "avg":
        return sum(values) / len(values), float(sum(values)), float(len(values))
    if measure.agg in ("min", "max"):
        return float((min if measure.agg == "min" else max)(values)), None, None
    share = 0.5 if measure.agg == "median" else int(measure.agg[1:]) / 100
    return percentile([float(v) for v in values], share), None, None


def edge(known: list, measure: Measure, request: Request) -> tuple | None:
    stamped = [(day, instant(row, request), value) for day, row, value in known if value is not None]
    if not stamped:
        return None
    pick = min if measure.agg == "first" else max
    day, at = pick((day, at) for day, at, _ in stamped)
    return float(sum(value for d, a, value in stamped if (d, a) == (day, at))), None, None


def first_rows(
    days: list[tuple[date, Row]], measure: Measure, request: Request
) -> list[list[tuple[date, Row]]]:
    """Per entity the rows, under the filter, at its first instant ever."""
    stamped: dict[Any, list] = {}
    for day, row in days:
        entity = EXPRESSIONS[measure.expr or request.source.entity](row)
        if entity is not None and passes(measure, row):
            stamped.setdefault(entity, []).append((instant(row, request), day, row))
    found = []
    for events in stamped.values():
        at = min(a for a, _, _ in events)
        found.append([(day, row) for a, day, row in events if a == at])
    return found


def conversions(
    days: list[tuple[date, Row]], wanted: Conversion, request: Request
) -> list[tuple[date, Row, bool, int]]:
    """Every base event: (day that its period is by, row, whether its window has passed, conversions
    credited).
    """
    bases = [(d, r) for d, r in days if passes(wanted.base, r) and r["who"] is not None]
    if wanted.base.agg == "count_new":
        first: dict[Any, tuple[date, Row]] = {}
        for d, r in bases:
            key = (r["who"], *(r[m] for m in wanted.match))
            if key not in first or instant(r, request) < instant(first[key][1], request):
                first[key] = (d, r)
        bases = list(first.values())
    events = [r for _, r in days if passes(wanted.conversion, r) and r["who"] is not None]
    credits = {id(r): 0 for _, r in bases}
    for event in events:
        earlier = [
            r
            for _, r in bases
            if r["who"] == event["who"]
            and all(r[m] == event[m] for m in wanted.match)
            and instant(r, request) <= instant(event, request)
        ]
        if earlier:
            at = max(instant(r, request) for r in earlier)
            tied = [r for r in earlier if instant(r, request) == at]
            # Of base events at one instant the last in the order of the dimensions is credited.
            last = max(tied, key=lambda r: _order(r, request))
            if instant(event, request) < due(last, wanted, request):
                credits[id(last)] += 1
    found = []
    for day, row in bases:
        closes = to_local(due(row, wanted, request), row, request)
        passed = closes <= datetime.combine(request.watermark, time.min)
        found.append((day if wanted.period_by == "start" else closes.date(), row, passed, credits[id(row)]))
    return found


def _order(row: Row, request: Request) -> tuple:
    return tuple(member_of(row, dimension, request) for dimension in request.source.dimensions)


def due(row: Row, wanted: Conversion, request: Request) -> datetime:
    at = instant(row, request)
    moved = datetime.combine(add_months(at.date(), wanted.within.months), at.time())
    return moved + wanted.within.days * DAY


def to_local(at: datetime, row: Row, request: Request) -> datetime:
    original = row["at"]
    if not isinstance(original, datetime):
        return at
    zone = "UTC" if original.tzinfo is not None else request.source.timezone
    there = at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return there.astimezone(ZoneInfo(request.calendar.timezone)).replace(tzinfo=None)


__all__ = ["Calendar", "Grain", "figures"]
