"""What came back from a warehouse, kept by grain, dimension, member and period; nothing of it is trusted."""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from calc.calendar import Grain
from warehouse.definitions import Conversion, Measure, Request, WarehouseError
from warehouse.merging import stage_of
from warehouse.stages.conversions import CONVERSION_PARTS
from warehouse.stages.distinct import grains_needed
from warehouse.stages.scan import WHOLE, Context, Statement, Target, widened

Row = Sequence[object]
Key = tuple[str, date]  # member, first day of the period (of a to-date period: its last day)
_DAY = timedelta(days=1)
_NAMED_DAYS = 31


class Results:
    """The rows of a plan's statements.

    `measure(m, grain, dimension)` gives {key: (value, numerator, denominator)} for keys that had rows under
    the measure's filter. `fault(target)` says why a target's numbers may not be used, "" if they may.
    """

    def __init__(self, request: Request, contexts: Mapping[str, Context]) -> None:
        self._request = request
        self._contexts = contexts
        self.window = widened(request)
        self.members: dict[str, set[str]] = defaultdict(set)
        self._faults: dict[Target, str] = {}
        self._source_faults: dict[str, str] = {}
        # (target, part) -> [(table of (grain, dimension), column)]; a target may stand in several statements
        self._places: dict[tuple[Target, str], list[tuple[dict[tuple[str, str], dict[Key, Row]], int]]] = {}
        self._measured: dict[tuple[Measure, str, str], dict[Key, tuple[object, object, object]]] = {}
        self._own_days: dict[tuple[Measure, str], set[date]] = {}
        self._bad_days: dict[tuple[Measure, str, str], list[date]] = {}

    def add(self, statement: Statement, batches: Iterable[list[Row]]) -> None:
        """Take in one statement's rows; WarehouseError if they are not of the shape that was asked for."""
        table: dict[tuple[str, str], dict[Key, Row]] = defaultdict(dict)
        for batch in batches:
            for row in batch:
                tag, dimension, member, day = row[0], row[1], row[2], row[3]
                if not isinstance(day, date) or not isinstance(member, str):
                    raise WarehouseError(
                        f"a period is due, but got {row[2:4]!r:.80}", source=statement.source
                    )
                if dimension:
                    self.members[str(dimension)].add(member)
                key = (member, day)
                cut = table[str(tag), str(dimension)]
                if key in cut:
                    raise WarehouseError(f"the period {day} came back twice", source=statement.source)
                cut[key] = row[4:]
        if statement.shape == "promise":
            self._keep_promise(statement, table)
        elif statement.shape == "periods":
            for column, index in statement.columns.items():
                self._places.setdefault(column, []).append((table, index))
        elif statement.shape == "firsts":
            self._take_distinct(statement, table)
        else:
            for number, target in enumerate(statement.targets):
                days = {cut: rows for (tag, cut), rows in table.items() if tag == str(number)}
                self._roll(statement, target, days)

    def fault(self, target: Target) -> str:
        """Why a target's numbers may not be used; "" if they may."""
        if target not in self._faults:
            source = (target.base if isinstance(target, Conversion) else target).source
            self._faults[target] = self._source_faults.get(
                source or self._request.source.key
            ) or self._invalid(target)
        return self._faults[target]

    def cut(self, target: Target, part: str, grain: Grain, dimension: str) -> tuple[dict[Key, Row], int]:
        """The rows of one grain and dimension, and the column in which a part stands."""
        for table, index in self._places.get((target, part), ()):
            if (str(grain), dimension) in table:
                return table[str(grain), dimension], index
        return {}, 0

    def measure(
        self, measure: Measure, grain: Grain, dimension: str
    ) -> dict[Key, tuple[object, object, object]]:
        """{key: (value, numerator, denominator)} as doubles or None; only keys with rows under the filter."""
        found = self._measured.get((measure, str(grain), dimension))
        if found is None:
            found = self._measured[measure, str(grain), dimension] = self._measure(measure, grain, dimension)
        return found

    def forget(self) -> None:
        """Let go of what `measure` has kept; called between cuts."""
        self._measured.clear()

    def bad_days(
        self, measure: Measure, dimension: str, member: str, start: date, end: date
    ) -> tuple[date, ...]:
        """With `rows: daily`: the elapsed days of `[start, end)` that lack a row or hold a
        null, at most 31."""
        source = self._request.source_of(measure)
        if source.rows != "daily":
            return ()
        key = (measure, dimension, member)
        if key not in self._bad_days:
            self._bad_days[key] = self._find_bad_days(measure, dimension, member)
        days = self._bad_days[key]
        found = days[bisect_left(days, start) : bisect_left(days, end)]
        return tuple(found[:_NAMED_DAYS])

    def _find_bad_days(self, measure: Measure, dimension: str, member: str) -> list[date]:
        rows, presence = self.cut(measure, "all_rows", Grain.DAY, dimension)
        _, filtered = self.cut(measure, "rows", Grain.DAY, dimension)
        _, known = self.cut(measure, "known", Grain.DAY, dimension)
        has_known = (measure, "known") in self._places
        low, high = self.window
        bad = []
        for n in range((min(high, self._request.watermark) - low).days):
            day = low + n * _DAY
            row = rows.get((member, day))
            if row is None or not row[presence] or (has_known and row[filtered] != row[known]):
                bad.append(day)
        return bad

    def _measure(
        self, measure: Measure, grain: Grain, dimension: str
    ) -> dict[Key, tuple[object, object, object]]:
        if grain.is_to_date and measure.agg in _RUNNING:
            return self._running(measure, grain)
        rows, value = self.cut(measure, "value", grain, dimension)
        if stage_of(measure) == "percentiles" and grain.is_to_date:
            self._own_days[measure, str(grain)] = {day for _, day in rows}
            carried = self._carried(grain, lambda last, day: rows.get(("", day), last))
            return {key: (number(row[value]), None, None) for key, row in carried.items()}
        if stage_of(measure) == "percentiles" or stage_of(measure) == "cells":
            _, count = self.cut(measure, "rows", grain, dimension)
            if measure.agg == "avg":
                _, known = self.cut(measure, "known", grain, dimension)
                return {key: _average(row[value], row[known]) for key, row in rows.items() if row[count]}
            return {key: (number(row[value]), None, None) for key, row in rows.items() if row[count]}
        # A distinct count's row may be there for another filter only.
        distinct = measure.agg == "count_distinct"
        return {
            key: (number(row[value]), None, None) for key, row in rows.items() if row[value] or not distinct
        }

    def days_with_rows(self, measure: Measure, grain: Grain) -> set[date]:
        """For a to-date grain: the days on which the measure itself is known, not only carried over."""
        if (measure, str(grain)) not in self._own_days:
            self.measure(measure, grain, WHOLE)
        return self._own_days.get((measure, str(grain)), set())

    def _running(self, measure: Measure, grain: Grain) -> dict[Key, tuple[object, object, object]]:
        """To-date parts of a ratio that merge from days."""
        days = {day: part for (_, day), part in self.measure(measure, Grain.DAY, WHOLE).items()}
        self._own_days[measure, str(grain)] = {day for day, part in days.items() if part[0] is not None}

        def step(
            total: tuple[object, object, object] | None, day: date
        ) -> tuple[object, object, object] | None:
            part = days.get(day)
            if part is None or total is None:
                return total if part is None else part
            return _merged(measure.agg, total, part)

        return self._carried(grain, step)

    def _carried(self, grain: Grain, step: Callable[[Any, date], Any]) -> dict[Key, Any]:
        """What `step(value of the day before, day)` gives for every day, anew in each whole period."""
        found: dict[Key, Any] = {}
        for period in self._request.calendar.periods(grain.whole, self._request.start, self._request.end):
            value, day = None, period.start
            while day < min(period.end, self._request.end):
                value = step(value, day)
                if value is not None:
                    found["", day] = value
                day += _DAY
        return found

    def _invalid(self, target: Target) -> str:
        """The first number of a target that is none; faults found while rolling up are kept already."""
        for (owner, part), places in self._places.items():
            if owner != target:
                continue
            for table, index in places:
                for (grain, _), rows in table.items():
                    for (_, day), row in rows.items():
                        value = row[index]
                        if type(value) is int or value is None:
                            continue
                        if type(value) is float and math.isfinite(value):
                            continue
                        try:
                            number(value)
                        except ValueError as error:
                            return f"{error} ({part} of the {grain} of {day})"
        return ""

    def _keep_promise(self, statement: Statement, table: Mapping[tuple[str, str], Mapping[Key, Row]]) -> None:
        for rows in table.values():
            for (_, day), row in rows.items():
                self._source_faults[statement.source] = (
                    f"the source promises one row a day (rows: daily), but {day} has {row[0]} rows of one "
                    "member"
                )

    def _roll(self, statement: Statement, target: Target, days: dict[str, dict[Key, Row]]) -> None:
        """From days to all grains, by the target's own rule."""
        table: dict[tuple[str, str], dict[Key, Row]] = {}
        try:
            for dimension, rows in days.items():
                for grain in dict.fromkeys((Grain.DAY, *self._request.grains)):
                    table[str(grain), dimension] = self._rolled(target, rows, grain)
        except ValueError as error:
            self._faults[target] = str(error)
        parts = ["value"] if isinstance(target, Measure) else [str(p) for _, p in statement.columns]
        for n, part in enumerate(parts):
            self._places.setdefault((target, part), []).append((table, n))

    def _rolled(self, target: Target, rows: Mapping[Key, Row], grain: Grain) -> dict[Key, Row]:
        if grain.is_to_date:
            return {}
        start_of = _starts(self._request, grain)
        if isinstance(target, Measure) and target.agg in ("first", "last"):
            return _edges(rows, start_of, self.window, last=target.agg == "last")
        return self._summed(rows, start_of, 1 if isinstance(target, Measure) else len(CONVERSION_PARTS))

    def _summed(
        self, rows: Mapping[Key, Row], start_of: Callable[[date], date], width: int
    ) -> dict[Key, Row]:
        low, high = self.window
        sums: dict[Key, list[int]] = {}
        for (member, day), row in rows.items():
            if low <= day < high:
                found = sums.setdefault((member, start_of(day)), [0] * width)
                for n in range(width):
                    found[n] += _count(row[n])
        return dict(sums)

    def _take_distinct(self, statement: Statement, table: dict[tuple[str, str], dict[Key, Row]]) -> None:
        """Whole periods as they came; to-date counts as running sums of each target's firsts by day."""
        for number, target in enumerate(statement.targets):
            assert isinstance(target, Measure)
            self._places.setdefault((target, "value"), []).append((table, number))
            own: dict[tuple[str, str], dict[Key, Row]] = {}
            seen = {day for (_, day), row in table.get((Grain.DAY, WHOLE), {}).items() if row[number]}
            try:
                for grain in self._request.grains:
                    if grain.is_to_date:
                        firsts = table.get((f"{number}:{grain.whole}", WHOLE), {})
                        own[str(grain), WHOLE] = self._to_date(target, firsts, seen, grain)
                if target.additive:
                    self._check_additive(statement, number, table)
            except ValueError as error:
                self._faults[target] = str(error)
            self._places[target, "value"].append((own, 0))

    def _to_date(
        self, target: Measure, rows: Mapping[Key, Row], seen: set[date], grain: Grain
    ) -> dict[Key, Row]:
        """Running sums of the firsts, carried over days without rows."""
        firsts = {day: _count(row[0]) for (_, day), row in rows.items()}
        # An entity that was seen before in the period is no first, so the days with rows are those of the day
        # grain.
        self._own_days[target, str(grain)] = seen

        def step(total: Row | None, day: date) -> Row | None:
            if day not in firsts:
                return total
            return (firsts[day] + (_count(total[0]) if total else 0),)

        return self._carried(grain, step)

    def _check_additive(
        self, statement: Statement, number: int, table: Mapping[tuple[str, str], Mapping[Key, Row]]
    ) -> None:
        """ValueError unless days add up to the coarsest grain, and members to the whole."""
        grain = grains_needed(self._contexts[statement.source])[-1]
        start_of = _starts(self._request, grain)
        whole = table.get((Grain.DAY, WHOLE), {})
        for (tag, dimension), rows in table.items():
            if tag != Grain.DAY:
                continue
            exact = table.get((str(grain), dimension), {})
            sums: dict[Key, int] = defaultdict(int)
            per_day: dict[date, int] = defaultdict(int)
            for (member, day), row in rows.items():
                sums[member, start_of(day)] += _count(row[number])
                per_day[day] += _count(row[number])
            for (member, start), total in sums.items():
                distinct = _count(exact[member, start][number])
                if total != distinct:
                    raise ValueError(
                        f"it is declared additive, but the {grain} of {start} has {distinct:,} "
                        f"distinct values and its days add up to {total:,}"
                    )
            for day, added in per_day.items():
                distinct = _count(whole["", day][number])
                if added != distinct:
                    raise ValueError(
                        f"it is declared additive, but on {day} there are {distinct:,} distinct values "
                        f"and the members of {dimension} add up to {added:,}"
                    )


def number(value: object) -> float | None:
    """A value of a warehouse as a double, None for NULL; ValueError for what is no finite number."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        kind = type(value).__name__ if not isinstance(value, str) else "text"
        raise ValueError(f"a number is due, but got {kind} {value!r:.60}")
    try:
        found = float(value)
    except OverflowError:
        raise ValueError(f"the number {value!r:.60} is out of range") from None
    if math.isnan(found):
        raise ValueError("a number is due, but got NaN")
    if math.isinf(found):
        raise ValueError("a number is due, but got infinity")
    return found


_RUNNING = frozenset({"count", "count_new", "sum", "sum_boolean", "avg", "min", "max", "first", "last"})


def _merged(
    agg: str, before: tuple[object, object, object], after: tuple[object, object, object]
) -> tuple[object, object, object]:
    """Two neighbouring parts of one measure as one; an unknown value leaves the known one."""
    if agg == "avg":
        return _average(_added(before[1], after[1]), _added(before[2], after[2]))
    if agg == "first":
        return before
    if agg == "last" or before[0] is None:
        return after
    if after[0] is None:
        return before
    if agg in ("min", "max"):
        pick = min if agg == "min" else max
        return pick(before[0], after[0]), None, None  # type: ignore[call-overload]
    return _added(before[0], after[0]), None, None


def _added(before: object, after: object) -> object:
    return after if before is None else before if after is None else before + after  # type: ignore[operator]


def _count(value: object) -> int:
    found = number(value)
    if found is None or found < 0 or found != int(found):
        raise ValueError(f"a count is due, but got {value!r:.60}")
    return int(found)


def _average(total: object, count: object) -> tuple[object, object, object]:
    numerator, denominator = number(total), number(count)
    if numerator is None or not denominator:
        return None, numerator, denominator
    return numerator / denominator, numerator, denominator


class _starts:
    """The first day of the period that contains a day, remembered."""

    def __init__(self, request: Request, grain: Grain) -> None:
        self._calendar, self._grain = request.calendar, grain
        self._known: dict[date, date] = {}

    def __call__(self, day: date) -> date:
        found = self._known.get(day)
        if found is None:
            found = self._known[day] = self._calendar.period(self._grain, day).start
        return found


def _edges(
    rows: Mapping[Key, Row], start_of: _starts, window: tuple[date, date], *, last: bool
) -> dict[Key, Row]:
    low, high = window
    found: dict[Key, tuple[date, Row]] = {}
    for (member, day), row in rows.items():
        if low <= day < high:
            key = (member, start_of(day))
            kept = found.get(key)
            if kept is None or (day > kept[0] if last else day < kept[0]):
                found[key] = (day, row)
    return {key: row for key, (_, row) in found.items()}
