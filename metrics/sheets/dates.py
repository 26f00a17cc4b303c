"""Dates, months, weeks and quarters as spreadsheets write them. A column or a header is read as one, since
one cell often says what the next one leaves open: 13/7/2026 tells what 1/7/2026 means."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from calc.calendar import Calendar, Grain
from metrics.sheets.months import month_of

ORDERS = ("dmy", "mdy")
FIRST_YEAR, LAST_YEAR = 1900, 2199
_PIVOT = 70  # two digits: 69 is 2069, 70 is 1970
_EPOCH = date(1899, 12, 30)  # day 0 of spreadsheets
_SERIALS = (20_000, 73_050)  # 1954 to 2099; smaller and larger numbers are figures
_DAY = timedelta(days=1)

_TIME = re.compile(r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2}|AM|PM)?$", re.IGNORECASE)
_WEEKDAY = re.compile(
    r"^((mon|tues?|wed(nes)?|thu(rs?)?|fri|sat(ur)?|sun)(day)?|(mon|diens|donners|frei|sams|sonn)tag|mittwoch"
    r"|mo|di|mi|do|fr|sa|so)[.,]?\s+(?=\d)",
    re.IGNORECASE,
)
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_YEAR_MONTH = re.compile(r"(\d{4})[-/. ](\d{1,2})")
_MONTH_YEAR = re.compile(r"(\d{1,2})[-/. ](\d{4})")
_THREE = re.compile(r"(\d{1,2})([-/.]) ?(\d{1,2})\2 ?(\d{4}|\d{2})")
_TWO = re.compile(r"\d{1,2}[-/.]\d{1,2}\.?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})?")
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
_YEAR = re.compile(r"(?:FY ?)?((?:19|20|21)\d{2})")
_QUARTERS = (
    re.compile(r"[QT] ?(?P<n>[1-4])[-/. ']*(?P<fy>FY)? ?'?(?P<y>\d{4}|\d{2})", re.IGNORECASE),
    re.compile(r"(?P<fy>FY)? ?(?P<y>\d{4}|\d{2})[-/. ]*[QT] ?(?P<n>[1-4])", re.IGNORECASE),
    re.compile(r"(?P<n>[1-4])[QT][-/. ']*(?P<fy>FY)? ?'?(?P<y>\d{4}|\d{2})", re.IGNORECASE),
)
_WEEKS = (
    re.compile(r"(?P<y>\d{4})[-/. ]*(?:W|KW|CW|S|wk|week|woche)[-. ]*(?P<n>\d{1,2})", re.IGNORECASE),
    re.compile(
        r"(?:W|KW|CW|wk|week|woche|semaine|semana)[-. ]*(?P<n>\d{1,2})[-/., ]+(?P<y>\d{4})", re.IGNORECASE
    ),
)
_OPENING = re.compile(
    r"^(week (of|from|starting|beginning|commencing|ending|to)|w/?c|w/?e|wc:|month of|as of)[ :.]+",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[^\W\d_]+\.?|\d+(?:st|nd|rd|th|er|º|ª|\.)?", re.IGNORECASE)
LONGEST = 60  # characters of a date; patterns take long to say no to much longer ones
_NO_YEAR = "The year is missing: write “{}” with a year, for example {}."


@dataclass(frozen=True)
class Moment:
    """What a cell says about time.

    start: the first day of what it names; grain: the length of that. None where it names none: `problem` says
    why if it looks like a date. other: the day that it would be with day and month exchanged. month: of a
    month without a year, its number. number: of "Jul 26" the 26, which may be a day. weak: a bare number that
    is a date only among others (46204, 202607, 2026).
    """

    text: str
    start: date | None = None
    grain: Grain | None = None
    other: date | None = None
    month: int | None = None
    number: int | None = None
    weak: bool = False
    problem: str = ""

    @property
    def is_date(self) -> bool:
        """Whether the cell speaks of time at all, with or without a year."""
        return self.start is not None or self.month is not None


def read_date(text: str, *, order: str = "", calendar: Calendar | None = None) -> Moment:
    """Reads one cell on its own. order: "dmy" or "mdy" for 1/7/2026, "" where nobody knows: the day comes
    first and `other` is the other day. Quarters are those of `calendar`'s fiscal year. Never raises."""
    if len(text.strip()) > LONGEST:
        return Moment(text)
    clean = _clean(text)
    if not clean:
        return Moment(text)
    try:
        return replace(_read(clean, order, calendar or Calendar()), text=text)
    except (ValueError, OverflowError):
        return Moment(text, problem=f"“{clean[:40]}” is not a day of the calendar.")


def read_month(text: str, *, order: str = "", calendar: Calendar | None = None) -> Moment:
    """As `read_date`, with days drawn to the first of their month; a quarter or a year is a problem."""
    read = read_date(text, order=order, calendar=calendar)
    if read.start is None or read.grain is Grain.MONTH:
        return read
    if read.grain is not Grain.DAY:
        return Moment(
            text, problem=f"“{text.strip()[:40]}” is a {read.grain}; write a month, for example Jul 2026."
        )
    other = read.other.replace(day=1) if read.other else None
    first = read.start.replace(day=1)
    return replace(read, start=first, grain=Grain.MONTH, other=other if other != first else None)


def read_dates(
    texts: Sequence[str], *, order: str = "", calendar: Calendar | None = None, year: int | None = None
) -> tuple[Moment, ...]:
    """Reads the cells of one column or header as one: the order of day and month by all of them, missing
    years from the cell before (after December comes the next year). year: of the first month without one."""
    order = order or day_order(texts)
    moments = [read_date(text, order=order, calendar=calendar) for text in texts]
    return tuple(_with_years(_short_years(moments), year))


def day_order(texts: Sequence[str]) -> str:
    """ "dmy" or "mdy", if the cells of a column prove one: by a number above 12, or because only one order
    makes them firsts of months or whole weeks apart. "" where they prove none, or both."""
    short = (text for text in texts if len(text.strip()) <= LONGEST)
    found = [match for text in short if (match := _THREE.fullmatch(_bare(_clean(text)))) and match[2] != "."]
    firsts, seconds = [int(m[1]) for m in found], [int(m[3]) for m in found]
    day_first, month_first = any(n > 12 for n in firsts), any(n > 12 for n in seconds)
    if day_first or month_first:
        return "" if day_first and month_first else "dmy" if day_first else "mdy"
    if len(found) < 2 or firsts == seconds:
        return ""
    regular = [order for order in ORDERS if _is_regular([read_date(m[0], order=order).start for m in found])]
    return regular[0] if len(regular) == 1 else ""


def _is_regular(days: Sequence[date | None]) -> bool:
    """Whether the days are firsts or lasts of different months, or whole weeks apart."""
    known = [day for day in days if day is not None]
    if len(known) < len(days) or len(set(known)) < 2:
        return False
    months = {(day.year, day.month) for day in known}
    if len(months) == len(set(known)) and (
        all(day.day == 1 for day in known) or all((day + _DAY).day == 1 for day in known)
    ):
        return True
    return all((day - known[0]).days % 7 == 0 for day in known)


def _clean(text: str) -> str:
    said = "".join(
        " " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) not in ("Cf", "Cc")
    )
    said = re.sub("[‐‑‒–—−]", "-", said).replace("’", "'").replace("`", "'")
    return " ".join(said.split())


def _bare(clean: str) -> str:
    """Without the time of day, the weekday and words such as "week of"."""
    clean = _OPENING.sub("", _TIME.sub("", clean))
    return _WEEKDAY.sub("", clean).strip(" ,;:")


def _read(clean: str, order: str, calendar: Calendar) -> Moment:
    text = _bare(clean)
    if match := _ISO.fullmatch(text):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := _YEAR_MONTH.fullmatch(text):
        return _month(int(match[1]), int(match[2]))
    if match := _MONTH_YEAR.fullmatch(text):
        return _month(int(match[2]), int(match[1]))
    if match := _THREE.fullmatch(text):
        return _three(int(match[1]), int(match[3]), _full(match[4]), "dmy" if match[2] == "." else order)
    if match := next((m for p in _QUARTERS if (m := p.fullmatch(text))), None):
        name = f"{_full(match['y'])}-Q{match['n']}"
        return Moment("", calendar.quarter(name).start, Grain.QUARTER)
    if match := next((m for p in _WEEKS if (m := p.fullmatch(text))), None):
        monday = date.fromisocalendar(int(match["y"]), int(match["n"]), 1)
        return Moment("", calendar.period(Grain.WEEK, monday).start, Grain.WEEK)
    if (text.isascii() and text.replace(".", "").isdigit()) or _YEAR.fullmatch(text):
        return _bare_number(text, calendar)
    if _TWO.fullmatch(text):
        return Moment("")
    return _words(text)


def _bare_number(text: str, calendar: Calendar) -> Moment:
    if match := _SERIAL.fullmatch(text):
        serial = int(match[1])
        if _SERIALS[0] <= serial <= _SERIALS[1]:
            return Moment("", _EPOCH + _DAY * serial, Grain.DAY, weak=True)
        return Moment("")
    if match := _YEAR.fullmatch(text):
        first = calendar.quarter(f"{match[1]}-Q1").start
        return Moment("", first, Grain.YEAR, weak=True)
    if (match := _COMPACT.fullmatch(text)) and 1 <= int(match[2]) <= 12 and _plausible(int(match[1])):
        if match[3] is None:
            return replace(_month(int(match[1]), int(match[2])), weak=True)
        return replace(_day(int(match[1]), int(match[2]), int(match[3])), weak=True)
    return Moment("")


def _three(first: int, second: int, year: int, order: str) -> Moment:
    """1/7/2026, in the order that is known or possible."""
    if first > 12 or second > 12:
        month, day = (second, first) if first > 12 else (first, second)
        if order == "mdy" and first > 12 and second <= 12:
            return Moment("", problem=f"There is no month {first}: the other dates begin with the month.")
        if order == "dmy" and second > 12 and first <= 12:
            return Moment("", problem=f"There is no month {second}: the other dates begin with the day.")
        return _day(year, month, day)
    if order == "mdy":
        return _day(year, first, second)
    read = _day(year, second, first)
    if order == "dmy" or first == second or read.start is None:
        return read
    return replace(read, other=_day(year, first, second).start)


def _words(text: str) -> Moment:
    """Texts with the name of a month: July 2026, Jul-26, 1. Juli 2026, July 1, 2026, 1 de julio de 2026."""
    rest = _WORDS.sub("", text)
    if rest.strip(" -/.,'"):
        return Moment("")
    words = [w for w in _WORDS.findall(text) if w.lower() not in ("de", "del", "the", "of")]
    named = [word for word in words if not word[0].isdigit()]
    months = [month for word in named if (month := month_of(word))]
    numbers = [re.sub(r"\D", "", word) for word in words if word[0].isdigit()]
    if len(months) != 1 or len(named) > 1 or len(numbers) > 2:
        return Moment("")
    month, name = months[0], named[0]
    if not numbers:
        return Moment("", month=month, problem=_NO_YEAR.format(name, f"{name} 2026"))
    if len(numbers) == 1:
        if len(numbers[0]) == 4:
            return _month(int(numbers[0]), month)
        if len(numbers[0]) != 2:
            return Moment("", problem=_NO_YEAR.format(text, f"{text} 2026"))
        return replace(_month(_full(numbers[0]), month), month=month, number=int(numbers[0]))
    # Of two numbers a long one is the year wherever it stands; of two short ones the last is.
    a, b = numbers
    day, year = (b, a) if len(a) == 4 and len(b) <= 2 else (a, b)
    if len(year) not in (2, 4) or len(day) > 2:
        return Moment("")
    return _day(_full(year), month, int(day))


def _short_years(moments: list[Moment]) -> list[Moment]:
    """Of "Jul 24, Jul 25, Jul 26" the numbers are days without a year; of "Jul 26, Aug 26" they are years."""
    short = [m for m in moments if m.number is not None]
    months, numbers = {m.month for m in short}, {m.number for m in short}
    if len(short) > 1 and len(months) == 1 and len(numbers) > 2:
        return [
            Moment(m.text, problem=_NO_YEAR.format(m.text.strip(), "1 Jul 2026"))
            if m.number is not None
            else m
            for m in moments
        ]
    return moments


def _with_years(moments: list[Moment], year: int | None) -> list[Moment]:
    found: list[Moment] = []
    before: date | None = None
    for moment in moments:
        dated, month = moment, moment.month
        if moment.start is None and month is not None:
            of = year if before is None else before.year + (month <= before.month)
            if of is not None and _plausible(of):
                dated = Moment(moment.text, date(of, month, 1), Grain.MONTH)
        if dated.start is not None and dated.grain is Grain.MONTH:
            before = dated.start
        found.append(dated)
    return found


def _full(year: str) -> int:
    """Two digits stand for the nearest such year."""
    if len(year) == 4:
        return int(year)
    return int(year) + (2000 if int(year) < _PIVOT else 1900)


def _plausible(year: int) -> bool:
    return FIRST_YEAR <= year <= LAST_YEAR


def _month(year: int, month: int) -> Moment:
    if not _plausible(year) or not 1 <= month <= 12:
        return Moment("")
    return Moment("", date(year, month, 1), Grain.MONTH)


def _day(year: int, month: int, day: int) -> Moment:
    if not _plausible(year):
        return Moment("", problem=f"The year {year} is too far away.")
    return Moment("", date(year, month, day), Grain.DAY)
