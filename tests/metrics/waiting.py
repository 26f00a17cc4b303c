"""Rows by day and member as a run writes them, and what must stand of them: a replay in plain Python."""

from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from hypothesis import strategies as st

from calc.calendar import PERIODS, Calendar, Grain
from metrics.models import Metric, Value
from metrics.services.health import bounds_of, keep_held
from metrics.services.incoming import Draft, Reach, Scope
from metrics.services.writing import Written, write

CALENDAR = Calendar()
NOW = datetime(2020, 7, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FIRST, PAST = date(2020, 3, 28), date(2020, 4, 5)  # over the ends of a week, a month and a quarter
DAYS = [FIRST + n * DAY for n in range((PAST - FIRST).days)]
MEMBERS = ("DE", "FR", "GB")
HIGH = 120.0
REACH = Reach(date(2021, 7, 1), date(2021, 7, 1))  # all has ended, so that every figure that was is kept

Rows = dict[date, dict[str, float]]
amounts = st.sampled_from([0.0, 10.0, 60.5, 90.0])
days = st.sampled_from(DAYS[1:5])  # few, so that one is often said, held and decided about again
# (what, day, member, amount): rows of a day and member are said anew; held figures are decided about
what = st.sampled_from(["say", "say", "gone", "load", "load", "released", "rejected"])
steps = st.lists(st.tuples(what, days, st.sampled_from(MEMBERS), amounts), min_size=4, max_size=16)


def load(
    metric: Metric,
    rows: Rows,
    dirty: set[date],
    *,
    now: datetime = NOW,
    version: int = 1,
    final_before: date = date.max,
) -> Written:
    """As a run does: every period that holds a dirty day, the whole and the members, in one write."""
    drafts, scopes = [], []
    for grain in PERIODS:
        for period in {CALENDAR.period(grain, day) for day in dirty}:
            inside = {day: found for day, found in rows.items() if period.start <= day < period.end}
            scopes += [Scope(metric.pk, grain, by, period.start, period.end) for by in ("", "country")]
            sums: dict[str, float] = {}
            for found in inside.values():
                for member, amount in found.items():
                    sums[member] = sums.get(member, 0.0) + amount
            segments = [("", "", sum(sums.values()))]
            segments += [("country", member, amount) for member, amount in sums.items()]
            for by, member, amount in segments if inside else ():
                place = (metric.pk, grain, period.start, period.end, by, member)
                status = "final" if period.end <= final_before else "provisional"
                drafts.append(Draft(*place, amount, None, None, None, status, version))
    with transaction.atomic():
        written = write(
            drafts,
            scopes,
            now=now,
            calendar=CALENDAR,
            cause="late_data",
            reach={metric.pk: REACH},
            plausible=bounds_of([metric]),
        )
        keep_held({metric.pk: metric}, written.held, scopes, now)
    return written


class Replay:
    """What a reader must find after each step."""

    def __init__(self) -> None:
        self.said: Rows = {day: {"GB": 50.0, "FR": 50.0} for day in DAYS}
        self.stands: Rows = {}
        self.held: dict[date, float] = {}
        self.decided: dict[date, tuple[str, float]] = {}

    def load(self, asked: set[date]) -> None:
        for day in asked & set(DAYS):
            total = sum(self.said[day].values())
            outcome, value = self.decided.get(day, ("", None))
            if total > HIGH and not (outcome == "released" and value == total):
                if not (outcome == "rejected" and value == total):
                    self.held[day] = total
                    if outcome == "rejected":
                        del self.decided[day]
                continue
            self.held.pop(day, None)
            if outcome == "rejected":
                del self.decided[day]
            self.stands[day] = dict(self.said[day])

    def decide(self, day: date, outcome: str) -> bool:
        if day not in self.held:
            return False
        self.decided[day] = (outcome, self.held.pop(day))
        return True


def stored(metric: Metric, grain: str) -> dict[tuple[date, str], float | None]:
    rows = Value.objects.filter(metric=metric, grain=grain)
    return {
        (start, member): value for start, member, value in rows.values_list("period_start", "member", "value")
    }


def month_of(day: date) -> set[date]:
    """A run asks for whole months of days."""
    period = CALENDAR.period(Grain.MONTH, day)
    return {d for d in DAYS if period.start <= d < period.end}
