"""What is wrong with a source, in the words of a banner: it is behind its time, or could not be read."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Trouble:
    """A source (its key) that is late, or could not be read, since a moment. words: one whole sentence."""

    source: str
    failed: bool
    since: datetime
    words: str

    @property
    def short(self) -> str:
        """For a row: which source, and what is wrong with it."""
        return f"{self.source} {'cannot be read' if self.failed else 'is late'}"


def trouble_of(
    key: str,
    watermark: date | None,
    late_since: datetime | None,
    failed_since: datetime | None,
    data_owner: str | None,
) -> Trouble | None:
    """What a source's columns say; None if it is well. watermark: exclusive. data_owner: the name of whoever
    was told, None for the admins."""
    told = f"{data_owner} has been told" if data_owner else "the admins have been told"
    through = f"figures are as of {_say(watermark - DAY)}" if watermark else "nothing is loaded"
    if failed_since:
        words = f"The source {key} could not be read since {_say(failed_since.date())}: {through}; {told}."
        return Trouble(key, True, failed_since, words)
    if late_since:
        return Trouble(key, False, late_since, f"The source {key} is late: {through}; {told}.")
    return None


def _say(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"
