"""When a message may arrive: not in the quiet hours, nor on the free days, of the person's own clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise

DAY = timedelta(days=1)
FAR = 60  # days that are looked ahead; nobody is free for longer
MIDNIGHT = time(0)


@dataclass(frozen=True)
class Hours:
    """Quiet from `begin` (inclusive) to `end` (exclusive) of the local clock, over midnight if begin > end;
    none if they are equal."""

    begin: time
    end: time

    def hold(self, clock: time) -> bool:
        """Whether this time of day is quiet."""
        if self.begin <= self.end:
            return self.begin <= clock < self.end
        return clock >= self.begin or clock < self.end


def arrival(now: datetime, zone: tzinfo, quiet: Hours, is_free: Callable[[date], bool]) -> datetime:
    """The first instant from `now` (aware) on whose local day is not free and whose local time is not quiet.

    Summer time is the person's own: an hour that the clocks skip is not waited for, one that comes twice is
    quiet both times. `now` itself if nothing within two months fits.
    """

    def fits(moment: datetime) -> bool:
        local = moment.astimezone(zone)
        return not is_free(local.date()) and not quiet.hold(local.time())

    if fits(now):
        return now
    # The answer changes to yes only where a day begins, the quiet hours end, or the clock is moved.
    first = now.astimezone(zone).date()
    for n in range(-1, FAR):
        day = first + n * DAY
        moments = _changes(day, zone)
        for near in (day, day + DAY, day + 2 * DAY):  # a change may lie on another day than its day of UTC
            moments |= {
                _instant(near, clock, zone, fold) for clock in (MIDNIGHT, quiet.end) for fold in (0, 1)
            }
        found = [moment for moment in sorted(moments) if moment > now and fits(moment)]
        if found:
            return found[0].astimezone(now.tzinfo)
    return now


def _instant(day: date, clock: time, zone: tzinfo, fold: int) -> datetime:
    return datetime.combine(day, clock.replace(fold=fold), zone).astimezone(UTC)


def _changes(day: date, zone: tzinfo) -> set[datetime]:
    """The instants of this day, to the second, from which the clock runs differently."""
    begin = datetime.combine(day, MIDNIGHT, UTC) - DAY
    hours = [begin + timedelta(hours=n) for n in range(73)]
    found = set()
    for early, late in pairwise(hours):
        if early.astimezone(zone).utcoffset() == late.astimezone(zone).utcoffset():
            continue
        before = early.astimezone(zone).utcoffset()
        while late - early > timedelta(seconds=1):
            middle = early + (late - early) // 2
            middle = middle.replace(microsecond=0)
            if middle.astimezone(zone).utcoffset() == before:
                early = middle
            else:
                late = middle
        found.add(late)
    return found
