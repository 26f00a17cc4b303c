"""The word for where a metric stands, with its reason: from the gap to plan at the last due period.

Colours change only when the business does: too early, not due, late, stale and disputed have their own words.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from calc.calendar import Grain, Period
from calc.numbers import counted, gap, is_share, short
from calc.numbers import full as full_figure
from calc.pace import Better, Pace
from calc.plan import GoalKind

ENOUGH_PERIODS = 2
ENOUGH_OF_PLAN = 0.15
HOLD_AT_RISK = 2.0  # a hold is at risk up to twice its tolerance, off track beyond


class State(StrEnum):
    """All states of a metric; `word` and `symbol` are shown together, never the colour alone."""

    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OFF_TRACK = "off_track"
    TOO_EARLY = "too_early"
    LATE = "late"
    NOT_DUE = "not_due"
    NO_TARGET = "no_target"
    DISPUTED = "disputed"
    HELD = "held"

    @property
    def symbol(self) -> str:
        return _SHOWN[self][0]

    @property
    def word(self) -> str:
        return _SHOWN[self][1]

    @property
    def rank(self) -> int:
        """For lists with the worst first: 0 is the worst."""
        return list(_SHOWN).index(self)

    @property
    def is_healthy(self) -> bool:
        return self is State.ON_TRACK


_SHOWN = {  # from worst to best
    State.OFF_TRACK: ("■", "off track"),
    State.AT_RISK: ("▲", "at risk"),
    State.LATE: ("○", "late"),
    State.DISPUTED: ("?", "disputed"),
    State.HELD: ("?", "held for checking"),
    State.NO_TARGET: ("◌", "no target"),
    State.TOO_EARLY: ("◔", "too early"),
    State.NOT_DUE: ("·", "not due yet"),
    State.ON_TRACK: ("●", "on track"),
}


@dataclass(frozen=True)
class Thresholds:
    """The pace from which on is on track, and at risk."""

    on_track: float = 0.97
    at_risk: float = 0.90


@dataclass(frozen=True)
class Status:
    """A state and why, in words. `stale`: the data stopped before the day that was asked for; never green."""

    state: State
    reason: str
    stale: bool = False

    @property
    def symbol(self) -> str:
        return self.state.symbol

    @property
    def word(self) -> str:
        return self.state.word


def judge(
    pace: Pace | None,
    *,
    unit: str = "count",
    thresholds: Thresholds | None = None,
    due_periods: int | None = None,
    expected_periods: int = 0,
    stale_through: date | None = None,
    late: Period | None = None,
    missing: str = "",
) -> Status:
    """The status of a metric in a quarter; every argument but the pace and unit is there only if it applies.
    What is in doubt about the figures is laid over it: see `hold` and `doubt`.

    pace: None without a target.
    due_periods: of a manual total, how many of its own periods are due (else the pace's).
    stale_through: the last day there is data for, if later days should be there; with expected_periods, how
    many would then be due (`plan.due_periods(as_of)`), so that a stop before the first is not "not due yet".
    late: the manual period whose figure is due and missing.
    missing: why the due figure is unknown (`no figure for 3 Aug 2011`).
    """
    limits = thresholds or Thresholds()
    stale = stale_through is not None
    if pace is None:
        return Status(State.NO_TARGET, "no target for this quarter")
    due = pace.due_periods if due_periods is None else due_periods
    if late is not None:
        return Status(State.LATE, f"the figure for {say_period(late)} is due and missing")
    if due <= 0 and stale_through is not None and expected_periods > 0:
        return Status(State.LATE, f"no data after {say_day(stale_through)}", stale=True)
    if due <= 0 or pace.planned is None:
        return Status(State.NOT_DUE, "nothing of this quarter is due yet")
    if pace.figure is None:
        return _unknown(pace, missing, stale_through)
    words = describe(pace, unit)
    if due < ENOUGH_PERIODS and pace.plan_share < ENOUGH_OF_PLAN:
        share = short(pace.plan_share, "percent")
        return Status(State.TOO_EARLY, f"too early to judge, {share} of the plan is due; {words}", stale)
    state = _state(pace, limits)
    if stale_through is None:
        return Status(state, words)
    stop = f"no data after {say_day(stale_through)}"
    if state is State.ON_TRACK:
        return Status(State.LATE, f"{stop}; until then {words}", stale=True)
    return Status(state, f"{words}; {stop}", stale=True)


def hold(status: Status, words: str) -> Status:
    """The status of a metric of which a figure is held for checking: the last good one stands in, and nobody
    knows yet what it is worth. What is not due stays so."""
    if status.state is State.NOT_DUE:
        return status
    return Status(State.HELD, f"{words}; as it stands: {status.reason}", status.stale)


def doubt(status: Status, words: str, state: State = State.DISPUTED) -> Status:
    """The status of a metric whose figure is in doubt, because it is disputed itself or built on one that is
    disputed, or held (`state`): never green, and no bad news is hidden by a doubt.

    Off track, at risk, late and held stay what they are, with the doubt marked beside them; all else is what
    `state` says.
    """
    if status.state in (State.OFF_TRACK, State.AT_RISK, State.LATE, State.HELD):
        return status
    return Status(state, f"{words}; as it stands: {status.reason}", status.stale)


def describe(pace: Pace, unit: str = "count") -> str:
    """The gap to plan as a sentence's beginning: `6.1 % behind plan: 1 971 of 2 098 due by 14 Aug`."""
    figure, planned = pace.figure, pace.planned
    if figure is None or planned is None or pace.gap is None:
        return "the gap to plan is not known"
    if pace.better is Better.BAND:
        return _describe_band(pace, figure, unit)
    where = f"for {say_period(pace.period)}" if pace.period else f"by {say_day(pace.through)}"
    said, plan = _pair(figure, planned, unit)
    lower = ", lower is better" if pace.better is Better.DOWN else ""
    if pace.hold:
        allowed = f", tolerance {gap(pace.tolerance, unit, sign=False)}"
        return f"{_holding(pace, unit)}: {said} {where}, to be held at {plan}{allowed}{lower}"
    sums_up = pace.kind is GoalKind.TOTAL and pace.better is Better.UP and not is_share(unit)
    against = f"{said} of {plan} due {where}" if sums_up else f"{said} against {plan} planned {where}"
    return f"{_distance(pace, planned, unit)}: {against}{lower}"


def say_day(day: date) -> str:
    """`14 Aug`; pages show the year with the quarter."""
    return f"{day.day} {day:%b}"


def say_period(period: Period) -> str:
    """`14 Aug`, `the week to 14 Aug`, `Aug`, `the quarter to 30 Sep`."""
    last = period.end - timedelta(days=1)
    if period.grain is Grain.DAY:
        return say_day(last)
    if period.grain is Grain.MONTH:
        return f"{period.start:%b}"
    return f"the {period.grain.whole} to {say_day(last)}"


def worst_first(statuses: Sequence[Status]) -> list[Status]:
    """In the order of the board's list."""
    return sorted(statuses, key=lambda status: status.state.rank)


def _unknown(pace: Pace, missing: str, stale_through: date | None) -> Status:
    """A figure that should be there and is not: late, with the best reason that is known."""
    if missing:
        return Status(State.LATE, missing, stale=stale_through is not None)
    if stale_through is not None:
        return Status(State.LATE, f"no data after {say_day(stale_through)}", stale=True)
    where = say_period(pace.period) if pace.period else f"the days to {say_day(pace.through)}"
    return Status(State.LATE, f"the figure for {where} is due and missing")


def _state(pace: Pace, limits: Thresholds) -> State:
    shortfall = pace.shortfall or 0.0
    if pace.hold and pace.better is not Better.BAND:
        allowed = pace.tolerance or 0.0
        if shortfall <= allowed or math.isclose(shortfall, allowed):
            return State.ON_TRACK
        return State.AT_RISK if shortfall <= allowed * HOLD_AT_RISK else State.OFF_TRACK
    if pace.pace is None:
        # planned is 0: there is no proportion, only a side
        return State.ON_TRACK if shortfall <= 0 else State.OFF_TRACK
    if pace.better is Better.BAND and shortfall > 0:  # on track is inside and nowhere else
        return State.AT_RISK if pace.pace >= limits.at_risk - 1e-9 else State.OFF_TRACK
    # a pace of 0.97 reached by division may be 0.9699999999999999
    slack = 1e-9
    if pace.pace >= limits.on_track - slack:
        return State.ON_TRACK
    return State.AT_RISK if pace.pace >= limits.at_risk - slack else State.OFF_TRACK


def _distance(pace: Pace, planned: float, unit: str) -> str:
    """`6.1 % behind plan`, `1.2 points ahead of plan`, `on plan`: percent for totals, the unit for levels."""
    shortfall = pace.shortfall or 0.0
    if math.isclose(shortfall, 0, abs_tol=1e-9 * max(abs(planned), 1e-9)):
        return "on plan"
    relative = pace.kind is GoalKind.TOTAL and not is_share(unit) and planned != 0
    size = short(abs(shortfall / planned), "percent") if relative else gap(shortfall, unit, sign=False)
    return f"{size} {'behind' if shortfall > 0 else 'ahead of'} plan"


def _holding(pace: Pace, unit: str) -> str:
    shortfall, allowed = pace.shortfall or 0.0, pace.tolerance or 0.0
    if shortfall <= allowed or math.isclose(shortfall, allowed):
        return "holding"
    way = "above" if pace.better is Better.DOWN else "below"
    return f"{gap(shortfall, unit, sign=False)} {way}"


def _describe_band(pace: Pace, figure: float, unit: str) -> str:
    where = f"for {say_period(pace.period)}" if pace.period else f"by {say_day(pace.through)}"
    low, high = (None if bound is None else short(bound, unit) for bound in (pace.low, pace.high))
    band = f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}"
    if not pace.gap:
        return f"inside the band: {short(figure, unit)} {where}, band {band}"
    way = "above" if pace.gap > 0 else "below"
    return f"{gap(pace.gap, unit, sign=False)} {way} the band: {short(figure, unit)} {where}, band {band}"


def _pair(figure: float, planned: float, unit: str) -> tuple[str, str]:
    """Figure and plan as said; whole where the short forms would look alike although they differ."""
    pair = short(figure, unit), short(planned, unit)
    if pair[0] == pair[1] and not math.isclose(figure, planned):
        return full_figure(figure, unit), full_figure(counted(planned, unit), unit)
    return pair
