"""From a source's time column to the local day, once per row and without a time-zone conversion per row.

A zone's offset is constant between two transitions, so the offset is a nested CASE over the few transitions
of the scanned window (a binary search: six comparisons for thirty years), which the engines evaluate in
batches.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calc.calendar import Calendar

DATE, NAIVE, INSTANT = "date", "timestamp", "timestamptz"
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Clock:
    """How one source's time column reads.

    kind: DATE (already local), NAIVE (wall time in `zone`) or INSTANT. zone: an IANA name, what NAIVE means.
    """

    kind: str
    zone: str
    calendar: Calendar

    @property
    def wall_zone(self) -> str:
        """The zone of the wall time that SQL works on: instants are brought to UTC first."""
        return "UTC" if self.kind == INSTANT else self.zone

    def wall(self, day: date) -> datetime:
        """The naive wall time, in the source's own zone, at which a local day begins."""
        if self.kind == DATE:
            return datetime.combine(day, time.min)
        return self.calendar.opens(day).astimezone(ZoneInfo(self.wall_zone)).replace(tzinfo=None)

    def local(self, wall: datetime | date) -> datetime:
        """The naive local time of a value of the time column (a wall time in `wall_zone`, or a DATE)."""
        if not isinstance(wall, datetime):
            return datetime.combine(wall, time.min)
        if self.kind == DATE:
            return wall
        if wall.tzinfo is None:
            wall = wall.replace(tzinfo=ZoneInfo(self.wall_zone))
        return wall.astimezone(self.calendar.zone).replace(tzinfo=None)

    def shifts(self, start: date, end: date) -> list[tuple[datetime, int]]:
        """`[(from, seconds)]`: what to add to a wall time at or after `from` to get local time.

        The first entry also holds for everything before it. Covers `[start, end)` with a margin of two days.
        An ambiguous wall time is read as its first occurrence, one that a clock skipped by the old offset.
        """
        if self.kind == DATE or self.wall_zone == self.calendar.timezone:
            return [(datetime.min, 0)]
        source, target = ZoneInfo(self.wall_zone), self.calendar.zone
        low = datetime.combine(start, time.min) - 2 * _DAY
        high = datetime.combine(end, time.min) + 2 * _DAY
        candidates = {low}
        for instant, before, after in transitions(self.wall_zone, low.year - 1, high.year + 1):
            candidates |= {instant + before, instant + after}
        for instant, _, _ in transitions(self.calendar.timezone, low.year - 1, high.year + 1):
            candidates.add(instant.replace(tzinfo=UTC).astimezone(source).replace(tzinfo=None))
        pieces: list[tuple[datetime, int]] = []
        for wall in sorted(c for c in candidates if low <= c <= high):
            local = wall.replace(tzinfo=source).astimezone(target).replace(tzinfo=None)
            seconds = round((local - wall).total_seconds())
            if not pieces or pieces[-1][1] != seconds:
                pieces.append((wall, seconds))
        return pieces


@functools.lru_cache(maxsize=256)
def transitions(
    zone: str, first_year: int, last_year: int
) -> tuple[tuple[datetime, timedelta, timedelta], ...]:
    """The instants (naive UTC) at which a zone's offset changes, with the offsets before and after."""
    tz = ZoneInfo(zone)

    def offset(instant: datetime) -> timedelta:
        return instant.replace(tzinfo=UTC).astimezone(tz).utcoffset() or timedelta(0)

    def found() -> Iterator[tuple[datetime, timedelta, timedelta]]:
        # Transitions are months apart, except for a few historical ones; a step of a day finds them all.
        instant = datetime(max(first_year, 2), 1, 1)
        stop = datetime(min(last_year, 9998), 12, 31)
        before = offset(instant)
        while instant < stop:
            following = instant + _DAY
            after = offset(following)
            if after != before:
                low, high = instant, following
                while high - low > timedelta(seconds=1):
                    middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
                    low, high = (low, middle) if offset(middle) != before else (middle, high)
                yield high, before, after
            instant, before = following, after

    return tuple(found())
