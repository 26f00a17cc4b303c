"""What the demo company's people counted by hand: NPS and the kitchens' success plans, month by month."""

from collections.abc import Iterator
from datetime import date, timedelta

from calc.calendar import add_months
from demo.truth import Truth

COUNTED_AFTER = timedelta(days=2)  # of the month's end: before it is due
FIRST_MONTH = -18  # counting began a year and a half before the quarter

# Months before the quarter, oldest first, then its own three. Planted: a slow rise with a wobble.
NPS = (31, 33, 32, 34, 33, 35, 36, 34, 37, 38, 37, 39, 41, 40, 42, 43, 42, 44, 45, 47, 49)
PLANS = (  # (signed off, due)
    *((9, 21), (10, 22), (11, 24), (11, 23), (13, 26), (13, 25), (14, 26), (15, 28), (16, 29)),
    *((16, 28), (18, 31), (19, 32), (20, 33), (20, 32), (22, 35), (23, 36), (24, 37), (25, 38)),
    *((27, 40), (29, 42), (31, 44)),
)


def months(truth: Truth) -> Iterator[date]:
    """The first days of the months that are counted, through the end of the quarter."""
    for n in range(len(NPS)):
        yield add_months(truth.quarter_start, FIRST_MONTH + n)


def nps(truth: Truth) -> dict[date, float]:
    """First day of a month -> score."""
    return {month: float(score) for month, score in zip(months(truth), NPS, strict=True)}


def success_plans(truth: Truth) -> dict[date, tuple[float, float]]:
    """First day of a month -> (signed off, due)."""
    return {month: (float(done), float(due)) for month, (done, due) in zip(months(truth), PLANS, strict=True)}


def counted(truth: Truth, today: date) -> list[date]:
    """The months that have been entered by a day, each two days after its end."""
    return [month for month in months(truth) if add_months(month, 1) + COUNTED_AFTER <= today]
