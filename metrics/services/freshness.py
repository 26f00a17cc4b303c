"""Whether a source is loaded as far as it should be. A late load makes no zero and no red, but a notice."""

from datetime import date, datetime, time, timedelta

from calc.calendar import Calendar
from metrics.models import Source
from metrics.services import notices

DAY = timedelta(days=1)


def expected_watermark(source: Source, calendar: Calendar, now: datetime) -> date | None:
    """How far the source should be loaded now (exclusive): through yesterday once `fresh_by` has passed,
    through the day before until then. None without `fresh_by`: nothing was promised."""
    promised = source.spec.get("fresh_by")
    if not promised:
        return None
    local = now.astimezone(calendar.zone)
    hour, minute = (int(part) for part in str(promised).split(":")[:2])
    today = local.date()
    return today if local.time() >= time(hour, minute) else today - DAY


def judge(source: Source, calendar: Calendar, now: datetime) -> bool:
    """Set or clear `late_since` of a source that is about to be saved, and tell its data owner once each way.

    Returns whether anything has changed.
    """
    expected = expected_watermark(source, calendar, now)
    late = expected is not None and (source.watermark is None or source.watermark < expected)
    if late and expected is not None:
        if source.late_since is not None:
            return False
        source.late_since = now
        notices.load_late(source, source.watermark or expected - DAY)
        return True
    if source.late_since is not None:
        notices.load_back(source, source.late_since)
        source.late_since = None
        return True
    return False
