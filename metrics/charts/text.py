"""Names that are safe to draw: Plotly reads a small HTML dialect and `%{...}` in every label."""

import re
import textwrap
import unicodedata
from datetime import date, timedelta

_OPENERS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # they would turn the text after them round
_BLANKS = re.compile(r"[ \t\r\n]+")
LONGEST = 60


def plain(text: str, longest: int = LONGEST) -> str:
    """`text` as Plotly must be given it, so that it is drawn letter by letter: no tags, links, entities or
    templates; control and direction characters removed; cut after `longest` characters."""
    kept = "".join(c for c in _TURNING.sub("", text) if c in "\t " or unicodedata.category(c) != "Cc")
    if len(kept) > longest:
        kept = kept[: longest - 1].rstrip() + "…"
    # a zero-width space breaks %{...}, which Plotly replaces in hovers, and $...$, which is mathematics
    return kept.translate(_OPENERS).replace("%{", "%\u200b{").replace("$", "$\u200b")


def wrapped(text: str, longest: int = 160, width: int = 44) -> str:
    """A sentence in a hover, which Plotly never breaks by itself: cut, broken into lines and made `plain`."""
    kept = _BLANKS.sub(" ", text).strip()  # not the thin ones inside of figures
    kept = kept if len(kept) <= longest else kept[: longest - 1].rstrip() + "…"
    return "<br>".join(plain(line) for line in textwrap.wrap(kept, width))


def day(value: date | None, *, year: bool = False) -> str:
    """`14 Aug`, or `14 Aug 2011`."""
    if value is None:
        return ""
    return f"{value.day} {value:%b %Y}" if year else f"{value.day} {value:%b}"


def period(start: date, end: date, grain: str, *, year: bool = False) -> str:
    """A period as people say it: `week to 24 Jul`, `July`, `14 Aug`, `Jul–Sep`, `2011`, `1 Jul to 14 Aug`.

    `end` is exclusive.
    """
    last = end - timedelta(days=1)
    tail = f" {last.year}" if year else ""
    if grain == "day":
        return day(last) + tail
    if grain == "week":
        return f"week to {day(last)}{tail}"
    if grain == "month":
        return f"{start:%B}{tail}"
    if grain == "quarter":
        return f"{start:%b}–{last:%b}{tail}"
    if grain == "year":
        return str(start.year) if start.month == 1 else f"year to {last:%b %Y}"
    return f"{day(start)} to {day(last)}{tail}"
