"""What a page's address says beside its path: quarter, as-of date, filters; nonsense is refused."""

from dataclasses import dataclass, field
from datetime import date

from django.core.exceptions import BadRequest
from django.http import HttpRequest

from calc.calendar import Calendar, Grain
from metrics.queries import installation

EARLIEST, LATEST = 1990, 2100  # years; beyond them an address is a slip of the finger
GRAINS = (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)
LENSES = ("breadth", "depth", "frequency", "efficiency")
HIDDEN = "hidden"  # what a filter says of a kind that is left out


@dataclass(frozen=True)
class State:
    """`quarter` and `as_of` are None where the address does not say them; `shown` is the page's quarter."""

    calendar: Calendar
    quarter: str | None
    as_of: date | None
    today: date
    filters: dict[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        return self.quarter or self.calendar.quarter_name(self.as_of or self.today)

    @property
    def label(self) -> str:
        return self.calendar.quarter_label(self.shown)

    @property
    def previous(self) -> str:
        return self._beside(-1)

    @property
    def following(self) -> str:
        return self._beside(1)

    @property
    def is_current(self) -> bool:
        return self.shown == self.calendar.quarter_name(self.today)

    @property
    def carried(self) -> dict[str, str]:
        """What links to other pages take along."""
        pairs = {"quarter": self.quarter or "", "as_of": self.as_of.isoformat() if self.as_of else ""}
        return {k: v for k, v in pairs.items() if v}

    @property
    def all(self) -> dict[str, str]:
        return self.carried | {k: v for k, v in self.filters.items() if v}

    def _beside(self, step: int) -> str:
        period = self.calendar.quarter(self.shown)
        other = self.calendar.next(period) if step > 0 else self.calendar.previous(period)
        return self.calendar.quarter_name(other.start)


def read(request: HttpRequest, *filters: str) -> State:
    """The state of an address; BadRequest, in words for the reader, where it makes no sense. One query."""
    cal = installation.calendar()
    given = request.GET
    as_of = day(given.get("as_of", ""))
    quarter = given.get("quarter", "").strip() or None
    if quarter is not None:
        check_quarter(cal, quarter)
    kept = {name: given.get(name, "").strip()[:80] for name in filters}
    if kept.get("lens") and kept["lens"] not in LENSES:
        raise BadRequest(f"There is no lens called {kept['lens']!r}; there are {', '.join(LENSES)}.")
    if kept.get("grain") and kept["grain"] not in GRAINS:
        raise BadRequest(f"There is no rhythm called {kept['grain']!r}; there are {', '.join(GRAINS)}.")
    if kept.get("accepted") not in (None, "", HIDDEN):
        raise BadRequest(f"Accepted gaps are shown, or left out by accepted={HIDDEN}.")
    if any("\x00" in value for value in kept.values()):
        raise BadRequest("This address holds a character that no name has.")
    return State(cal, quarter, as_of, installation.today(cal), kept)


def check_quarter(cal: Calendar, name: str) -> None:
    """BadRequest unless `name` is a quarter that a page can show."""
    try:
        year = int(name[:4])
        if not (name.isascii() and EARLIEST <= year <= LATEST):
            raise ValueError
        cal.quarter(name)
    except ValueError:
        raise BadRequest(f"{name!r} is not a quarter. Write it like 2026-Q3.") from None


def day(text: str) -> date | None:
    """A day of an address, None for ""; BadRequest for anything else."""
    if not text.strip():
        return None
    try:
        value = date.fromisoformat(text.strip())
    except ValueError:
        raise BadRequest(f"{text!r} is not a date. Write it like 2026-09-30.") from None
    if not EARLIEST <= value.year <= LATEST:
        raise BadRequest(f"{text!r} lies outside the years that a page can show.")
    return value
