"""What all stages share: the statement they produce and the rows that they read."""

# ruff: noqa: S608 (this text is built from checked expressions and escaped literals)

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from calc.calendar import Grain
from warehouse.clock import DATE, INSTANT, Clock
from warehouse.definitions import Conversion, Measure, Request, SourceDef
from warehouse.engines.base import wall_sql
from warehouse.expressions import check_expression, conjuncts, is_fragile, transpile
from warehouse.sql import literal, local_day, member, period_start, relation

Target = Measure | Conversion
WHOLE = ""

# The days that a raw time bound is loosened by; the exact bound is on the local day.
_MARGIN = timedelta(days=2)


@dataclass(frozen=True)
class Statement:
    """One SELECT of a plan. `text` carries its values as escaped literals, so `parameters` stays empty.

    shape "periods": rows of (grain, dimension, member, start, *values), to-date rows keyed by their last day;
    shape "days": rows of (number of the target, dimension, member, day, *values).
    columns: (target, part) -> index of a value. serves: the atoms' keys.
    """

    name: str
    source: str
    shape: str
    text: str
    columns: Mapping[tuple[Target, str], int] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    serves: tuple[str, ...] = ()
    parameters: tuple[object, ...] = ()


@dataclass(frozen=True)
class Context:
    """A request with what the statements of one source need to know."""

    request: Request
    source: SourceDef
    clock: Clock
    dialect: str

    @property
    def window(self) -> tuple[date, date]:
        """The local days to scan: the requested window widened to whole periods of every grain."""
        return widened(self.request)

    def grain_window(self, grain: Grain) -> tuple[date, date]:
        return self.request.calendar.widen(grain.whole, self.request.start, self.request.end)

    def period_start(self, day: str, grain: Grain) -> str:
        return period_start(day, grain, self.request.calendar)

    def whole_grains(self) -> list[Grain]:
        """The requested grains that are not to-date ones, and the day where something is
        added up from days."""
        grains = [g for g in self.request.grains if not g.is_to_date]
        return [Grain.DAY, *grains] if self.needs_all_days and Grain.DAY not in grains else grains

    @property
    def needs_all_days(self) -> bool:
        """Whether the days of the whole scanned window are wanted: for to-date figures and daily promises."""
        return self.source.rows == "daily" or any(grain.is_to_date for grain in self.request.grains)

    def expression(self, text: str) -> str:
        check_expression(text)
        return f"({transpile(text, self.dialect)})"

    def dimension(self, name: str) -> str:
        return member(self.expression(self.source.dimensions[name]), self.request.top.get(name))

    def value(self, measure: Measure) -> str:
        """The measure's expression; one that may fail is only evaluated on the rows of its filter."""
        inner = self.expression(measure.expr)
        if measure.where and is_fragile(measure.expr):
            return f"CASE WHEN {self.expression(measure.where)} THEN {inner} END"
        return inner

    def relation(self) -> str:
        return relation(self.source, self.dialect)

    @property
    def wall(self) -> str:
        return wall_sql(self.expression(self.source.time), self.clock.kind, self.dialect)

    def rows(
        self,
        columns: Mapping[str, str],
        where: str = "",
        window: tuple[date, date] | None = None,
        ever: bool = False,
    ) -> str:
        """`SELECT day, <columns>` of the rows whose local day lies in the window (`ever`: up to its end)."""
        low, high = window or self.window
        if ever:
            low = min(low, self.request.first_day or low)
        wall = self.wall
        listed = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
        day = local_day(wall, self.clock, low, high)
        filters = [f"({where})"] if where else []
        if self.clock.kind == DATE:
            filters += [f"{wall} < {literal(high)}"] + ([] if ever else [f"{wall} >= {literal(low)}"])
        else:
            filters.append(self._bound("<", high + _MARGIN))
            if not ever:
                filters.append(self._bound(">=", low - _MARGIN))
        inner = (
            f"SELECT {day} AS day{', ' + listed if listed else ''}\n  FROM {self.relation()}\n"
            f"  WHERE {' AND '.join(filters)}"
        )
        if self.clock.kind == DATE:
            return inner
        bound = f"day < {literal(high)}" + ("" if ever else f" AND day >= {literal(low)}")
        return f"SELECT * FROM (\n  {inner}\n) AS scanned WHERE {bound}"

    def _bound(self, sign: str, day: date) -> str:
        """A bound on the column as it is stored, so that an index or a zone map can serve it."""
        stamp = literal(self.clock.wall(day))
        if self.clock.kind == INSTANT:
            stamp = f"TIMESTAMPTZ '{self.clock.wall(day):%Y-%m-%d %H:%M:%S}+00'"
        return f"{self.expression(self.source.time)} {sign} {stamp}"


class Mask:
    """The filters of several measures as bits of one number: bit n says that conjunct n is true for the row.

    A conjunct that is NULL counts as false, which is right for parts of an AND and for nothing else; hence
    only those are split.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._bits: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._bits)

    def need(self, where: str) -> None:
        for part in parts_of(where):
            self._bits.setdefault(part, len(self._bits))

    def column(self) -> dict[str, str]:
        """The column to select, if there are any filters."""
        if not self._bits:
            return {}
        bits = (
            f"CASE WHEN {self._context.expression(part)} THEN {1 << bit} ELSE 0 END"
            for part, bit in self._bits.items()
        )
        return {"mask": f"CAST({' + '.join(bits)} AS BIGINT)"}

    def when(self, where: str) -> str:
        """The condition on `mask` that is a measure's filter; "" without one."""
        wanted = sum(1 << self._bits[part] for part in parts_of(where))
        return f"(mask & {wanted}) = {wanted}" if wanted else ""


def parts_of(where: str) -> list[str]:
    """The distinct conjuncts of a filter, in order."""
    return list(dict.fromkeys(conjuncts(where))) if where else []


def case(condition: str, then: str, otherwise: str = "") -> str:
    """CASE WHEN, which costs a third to an eighth of what FILTER does; the bare value without a condition."""
    if not condition:
        return then
    return f"CASE WHEN {condition} THEN {then}{' ELSE ' + otherwise if otherwise else ''} END"


def widened(request: Request) -> tuple[date, date]:
    """The requested window widened to whole periods of every requested grain."""
    bounds = [request.calendar.widen(g.whole, request.start, request.end) for g in request.grains]
    return min((b[0] for b in bounds), default=request.start), max(
        (b[1] for b in bounds), default=request.end
    )


def union(branches: Sequence[str]) -> str:
    return "\nUNION ALL\n".join(branches)
