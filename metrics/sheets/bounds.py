"""How much a workbook would take once it is read, found out before anything reads it.

A few kilobytes can say that a cell lies at the far end of a sheet, or repeat one long text in each of its
cells: the reader would take all of the memory for it, and with it the process of everybody's pages. The parts
are read here as the reader reads them, whatever they are called, since a relationship may name any part a
sheet.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from xml.parsers import expat

MOST_AREA = 2_000_000  # cells from A1 to the last one of a sheet, blank ones too
MOST_AREAS = 6_000_000  # of all sheets together
MOST_ELEMENTS = 5_000_000  # of all parts together
MOST_TEXT = 60_000_000  # characters of the texts that cells share, as often as a cell has one

_REFERENCE = re.compile(r"([A-Za-z]{1,7})([0-9]{1,10})")


class Beyond(ValueError):
    """The workbook is too large; `reach`: the last cell's row and column from 1, if that is why."""

    def __init__(self, reach: tuple[int, int] | None = None) -> None:
        self.reach = reach
        super().__init__(reach)


class Unreadable(ValueError):
    """A part is not well-formed XML, or declares a document type, which no spreadsheet does."""


@dataclass
class Bounds:
    """Counts a workbook's parts, one `take` each, and then `check`s what only all of them together say."""

    _areas: int = 0
    _elements: int = 0
    _used: Counter[int] = field(default_factory=Counter)  # by number of the shared text
    _lengths: dict[int, int] = field(default_factory=dict)  # likewise, the longest of that number

    def take(self, part: bytes) -> None:
        """Raises Beyond, Unreadable."""
        seen = _Part(self, MOST_ELEMENTS - self._elements)
        try:
            seen.read(part)
        except (expat.ExpatError, ValueError, LookupError) as error:
            if isinstance(error, Beyond | Unreadable):
                raise
            raise Unreadable from None
        self._elements += seen.elements
        self._areas += seen.rows * seen.columns
        if seen.rows * seen.columns > MOST_AREA:
            raise Beyond((seen.rows, seen.columns))
        if self._areas > MOST_AREAS:
            raise Beyond

    def shares(self, number: int) -> None:
        """A cell has the shared text of this number."""
        self._used[number] += 1

    def holds(self, number: int, length: int) -> None:
        """The shared text of this number is so long."""
        self._lengths[number] = max(length, self._lengths.get(number, 0))

    def check(self) -> None:
        """Raises Beyond; after the last part, since texts may stand behind the cells that have them."""
        if sum(times * self._lengths.get(number, 0) for number, times in self._used.items()) > MOST_TEXT:
            raise Beyond


class _Part:
    """One part: the last row and column with a filled cell, from 1, and how many elements there are."""

    def __init__(self, bounds: Bounds, most: int) -> None:
        self.rows = self.columns = self.elements = 0
        self._bounds, self._most = bounds, most
        self._row, self._column = 1, 0
        self._shared = self._fresh = False
        self._text: list[str] | None = None
        self._texts = 0

    def read(self, part: bytes) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._said
        parser.Parse(part, True)

    def _doctype(self, *args: object) -> None:
        raise Unreadable

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements > self._most:
            raise Beyond
        match name.rpartition(":")[2]:
            case "row":
                self._row, self._column = int(attributes.get("r") or self._row), 0
            case "c":
                self._place(attributes.get("r"))
                self._shared, self._fresh = attributes.get("t") == "s", True
            case "si":
                self._text = []
            case "v":
                self._fill()
                self._text = [] if self._shared else None
            case _:
                self._fill()

    def _end(self, name: str) -> None:
        match name.rpartition(":")[2]:
            case "row":
                self._row += 1
            case "c":
                self._fresh = self._shared = False
            case "si":
                self._bounds.holds(self._texts, sum(map(len, self._text or ())))
                self._texts, self._text = self._texts + 1, None
            case "v" if self._shared:
                number = "".join(self._text or ()).strip()
                if number.isascii() and number.isdigit():
                    self._bounds.shares(int(number[:20]))
                self._text = None

    def _said(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _place(self, reference: str | None) -> None:
        """Where the cell lies: as it says, else right of the one before."""
        self._column += 1
        found = _REFERENCE.fullmatch(reference or "")
        if found is not None:
            self._column = 0
            for letter in found[1].upper():
                self._column = self._column * 26 + ord(letter) - ord("A") + 1
            self._row = int(found[2])

    def _fill(self) -> None:
        """Whatever stands in a cell fills it; a cell that has but a colour is not read."""
        if self._fresh:
            self._fresh = False
            self.rows, self.columns = max(self.rows, self._row), max(self.columns, self._column)
