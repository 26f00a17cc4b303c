"""Where one metric stands in the quarter that runs: what a call or an accepted deviation is held against."""

from dataclasses import dataclass
from datetime import date

from calc.calendar import Calendar, Period
from metrics.models import Metric
from metrics.queries import installation
from metrics.queries.courses import DAY, load
from metrics.queries.progress import judge
from metrics.queries.shapes import Progress


@dataclass(frozen=True)
class Now:
    """The running quarter by name and days, the local day, and the metric's progress by now."""

    today: date
    quarter: str
    period: Period
    progress: Progress

    @property
    def last_day(self) -> date:
        """Of the quarter: nothing that is said of it holds longer."""
        return self.period.end - DAY


def now(metric: Metric, today: date | None = None) -> Now:
    """Reads it; as many SQL statements as one line of the board."""
    cal = installation.calendar()
    day = today or installation.today(cal)
    name = cal.quarter_name(day)
    (course,) = load([metric], name, cal=cal, as_of=day)
    return standing_of(judge(course), cal, day)


def standing_of(progress: Progress, cal: Calendar, today: date) -> Now:
    """The same of a progress that is known already, by the quarter's name that it has. Reads nothing."""
    return Now(today, progress.quarter, cal.quarter(progress.quarter), progress)
