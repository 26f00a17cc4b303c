"""Targets of a dimension's members against that of the whole.

Totals that add up: the rest is the whole less the sum of the members, what nobody has been given yet.
Shares: members' targets weighted by their denominators come to a figure of the whole. Everything else does
not add up, and no check is made.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

NEAR = 1e-6  # relative


@dataclass(frozen=True)
class Sum:
    """members: the sum of the members' figures. rest: the whole less that; 0 where they add up."""

    members: float
    rest: float | None


@dataclass(frozen=True)
class Weighted:
    """figure: what the members' targets come to for the whole. covered: the part, 0 to 1, of the known weight
    that belongs to members with a target. gap: figure - whole."""

    figure: float
    covered: float
    gap: float | None


def add_up(whole: float | None, members: Sequence[float | None]) -> Sum | None:
    """The sum of members that add up against the whole; None while no member has a figure."""
    known = [figure for figure in members if figure is not None]
    if not known:
        return None
    total = math.fsum(known)
    if whole is None:
        return Sum(total, None)
    rest = whole - total
    return Sum(total, 0.0 if abs(rest) <= NEAR * max(1.0, abs(whole)) else rest)


def weigh(whole: float | None, members: Sequence[tuple[float | None, float | None]]) -> Weighted | None:
    """Members' (target, weight) against the whole's target; None without a member that has both."""
    given = [(t, w) for t, w in members if t is not None and w is not None and w > 0]
    known = math.fsum(w for _, w in members if w is not None and w > 0)
    if not given:
        return None
    weight = math.fsum(w for _, w in given)
    figure = math.fsum(t * w for t, w in given) / weight
    gap = None if whole is None else figure - whole
    if gap is not None and whole is not None and abs(gap) <= NEAR * max(1.0, abs(whole)):
        gap = 0.0
    return Weighted(figure, weight / known, gap)
