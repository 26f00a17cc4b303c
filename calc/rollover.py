"""Proposals for the next quarter's targets: what this quarter set out to do, done again.

Nothing here is a forecast: it is a first figure to argue with, so that a quarter does not begin empty.

Totals, the first way that the figures allow:
  year     next quarter a year ago x (this quarter's target / this quarter a year ago)
  quarter  this quarter's target x (this quarter's target / the quarter before)
  again    this quarter's target
Without a target the quarter to date stands for it, carried on at its pace: to date x days / days elapsed.
Levels: the latest level + (this quarter's target - its baseline), in proportion for amounts, in points for
shares; a hold, a band, and a level without target or baseline stay where they are (a level that is already
beyond such a step stays there rather than falling back).
"""

import math
from dataclasses import dataclass

from calc.numbers import parse_unit, short
from calc.pace import Better
from calc.plan import GoalKind

DIGITS = 3  # significant ones: as people plan


@dataclass(frozen=True)
class Past:
    """What is known of this quarter. target: the agreed one, else the stated one; None without any.

    so_far: a total carried on at its pace, or the latest level. before: the quarter before (a total), or the
    level from which this quarter started. year_ago: this quarter a year ago; next_year_ago: the next one.
    """

    kind: GoalKind
    unit: str
    better: Better
    target: float | None
    so_far: float | None
    before: float | None = None
    year_ago: float | None = None
    next_year_ago: float | None = None


@dataclass(frozen=True)
class Proposal:
    """A target, rounded as people plan, and where it comes from, in words."""

    value: float
    words: str


def propose(past: Past) -> Proposal | None:
    """The next quarter's target; None where nothing is known to go by, and for a band, which is its own."""
    if past.better is Better.BAND:
        return None
    found = _total(past) if past.kind is GoalKind.TOTAL else _level(past)
    if found is None or not math.isfinite(found.value):
        return None
    value = found.value
    if parse_unit(past.unit).is_share:
        value = min(value, 1.0)
    return Proposal(rounded(value, past.unit), found.words)


def rounded(value: float, unit: str) -> float:
    """As people plan: three digits, shares to a tenth of a percent, money at least to the penny."""
    if value == 0:
        return 0.0
    if parse_unit(unit).is_share:
        return round(value, 3)
    places = DIGITS - 1 - math.floor(math.log10(abs(value)))
    if parse_unit(unit).kind == "count":
        places = min(places, 0) if abs(value) >= 10 else places
    if parse_unit(unit).kind == "currency":
        places = min(places, 2)
    return round(value, places)


def _total(past: Past) -> Proposal | None:
    aim = past.target if past.target is not None else past.so_far
    if aim is None:
        return None
    what = "target" if past.target is not None else "pace"
    then, following = past.year_ago, past.next_year_ago
    if then is not None and following is not None and then > 0 and following > 0:
        rate = aim / then
        return Proposal(
            following * rate,
            f"{short(following, past.unit)} in the same quarter a year ago, "
            f"and {_by(rate)} as this quarter’s {what} on its year before",
        )
    if past.before is not None and past.before > 0:
        rate = aim / past.before
        return Proposal(
            aim * rate,
            f"{short(aim, past.unit)} as this quarter’s {what}, {_by(rate)} as that on the quarter before",
        )
    return Proposal(aim, f"this quarter’s {what} again")


def _level(past: Past) -> Proposal | None:
    now = past.so_far if past.so_far is not None else past.target
    if now is None:
        return None
    if past.target is None or past.before is None or past.so_far is None:
        words = "where it stands now" if past.so_far is not None else "this quarter’s target again"
        return Proposal(now, words)
    if math.isclose(past.target, past.before, rel_tol=1e-12):
        return Proposal(past.target, "held as in this quarter")
    share = parse_unit(past.unit).is_share
    if share or past.before <= 0 or past.target <= 0:
        step = past.target - past.before
        value, how = now + step, f"{_points(step)} more" if share else "the same step again"
        if share and step < 0:
            how = f"{_points(-step)} less"
    else:
        value, how = now * past.target / past.before, _by(past.target / past.before)
    return Proposal(value, f"{short(now, past.unit)} now, and {how} as this quarter set out to do")


def _by(rate: float) -> str:
    change = rate - 1
    if abs(change) < 0.0005:
        return "no change"
    return f"{short(abs(change), 'percent')} {'more' if change > 0 else 'less'}"


def _points(step: float) -> str:
    return f"{step * 100:.3g} points"
