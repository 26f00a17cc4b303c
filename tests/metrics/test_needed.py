"""What the rest of a quarter needs, said so that somebody can act on it, to the quarter's last day."""

import re
from datetime import date, timedelta

import pytest
import time_machine

from tests.metrics.quarter import QUARTER, TODAY, at, line, more_days, quarter, signed_in
from tests.people import Company

pytestmark = pytest.mark.django_db


def plain(text: str) -> str:
    return re.sub("[\u202f\u00a0\u2009]", " ", text)


def until(day: date) -> Company:
    """Each day of the quarter through `day` brought 80 orders."""
    with at():
        made = quarter()
        more_days(made.metrics["orders"], [80.0] * ((day - TODAY).days + 1))
        return made


@pytest.mark.parametrize(
    ("day", "said"),
    [
        # 51 days brought 4 080; 4 920 are left for 11 of August's 31 days and September: / (1 + 11 / 31)
        (date(2026, 8, 20), "3 631 a month after 20 Aug"),
        (date(2026, 8, 31), "4 040 a month after 31 Aug"),  # 62 days brought 4 960: a whole month is left
        (date(2026, 9, 20), "2 440 in the 10 days after 20 Sep"),  # 82 days brought 6 560
        (date(2026, 9, 29), "1 720 on the last day"),  # 91 days brought 7 280
    ],
)
def test_with_less_than_a_month_left_the_rest_is_said_in_days(day: date, said: str) -> None:
    made = until(day)
    with time_machine.travel(day + timedelta(days=1, hours=11), tick=False):
        assert line(as_of=day).quarter == QUARTER
        page = signed_in(made.viewer).get(f"/metrics/orders/?as_of={day}").content.decode()
    fact = plain(page).partition("The rest needs")[2].partition("</div>")[0]
    assert " ".join(re.sub("<[^>]*>", " ", fact).split()) == said


def test_at_the_end_no_month_is_left() -> None:
    until(date(2026, 9, 30))
    now = line(as_of=date(2026, 9, 30))
    # 92 days brought 7 360 of 9 000
    assert plain(now.reason).endswith("Sep ended 1 640 behind, and no month is left to make up for it")
    assert (now.rest, now.required_per_month, now.days_left) == (None, None, 0)
    then = line(as_of=TODAY)
    assert plain(then.reason).endswith("Jul ended 520 behind, which leaves 3 260 a month for Aug and Sep")
