"""Which numbers of a workbook are shown as percentages: a sheet that says 72 % holds 0.72 and a format."""

import posixpath
import re
import zipfile
from collections.abc import Callable
from xml.parsers import expat

_PERCENT = {9, 10}  # the formats 0% and 0.00% that every workbook has (ECMA-376, part 1, 18.8.30)
_WORDS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')  # parts of a format that are texts, escapes or conditions
_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_ROOT = "xl/workbook.xml"

Begin = Callable[[str, dict[str, str]], None]


def percent_cells(book: zipfile.ZipFile, sheet: str) -> frozenset[tuple[int, int]]:
    """(row, column), from 0, of the cells of `sheet` whose format is a percentage; none where the workbook
    does not say. `book` has been bounded and holds well-formed parts (metrics/sheets/bounds.py)."""
    try:
        parts = _parts(book)
        at = _path_of(book, sheet, parts)
        styles = parts.get("styles", {})
        formats = _percent_formats(book, next(iter(styles.values()), ""))
        return _cells(book, at, formats) if at and formats else frozenset()
    except (KeyError, ValueError, LookupError, expat.ExpatError):
        return frozenset()


def _read(book: zipfile.ZipFile, path: str, begin: Begin, end: Callable[[str], None] | None = None) -> None:
    """Calls `begin` and `end` with the names of the elements, without their prefixes."""
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: begin(name.rpartition(":")[2], attributes)
    if end is not None:
        parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    parser.Parse(book.read(path), True)


def _parts(book: zipfile.ZipFile) -> dict[str, dict[str, str]]:
    """Kind of a part ("worksheet", "styles") -> its identifier -> its path."""
    found: dict[str, dict[str, str]] = {}

    def begin(name: str, said: dict[str, str]) -> None:
        if name == "Relationship":
            path = posixpath.normpath(posixpath.join("/xl", said.get("Target", ""))).lstrip("/")
            found.setdefault(said.get("Type", "").rpartition("/")[2], {})[said.get("Id", "")] = path

    _read(book, "xl/_rels/workbook.xml.rels", begin)
    return found


def _path_of(book: zipfile.ZipFile, sheet: str, parts: dict[str, dict[str, str]]) -> str:
    found = [""]

    def begin(name: str, said: dict[str, str]) -> None:
        if name == "sheet" and said.get("name") == sheet:
            number = next((value for key, value in said.items() if key.rpartition(":")[2] == "id"), "")
            found[0] = parts.get("worksheet", {}).get(number, "")

    _read(book, _ROOT, begin)
    return found[0]


def _percent_formats(book: zipfile.ZipFile, path: str) -> frozenset[int]:
    """The numbers of the cell formats (`cellXfs`) that show a percentage."""
    codes: dict[int, str] = {}
    formats: list[int] = []
    inside = [False]

    def begin(name: str, said: dict[str, str]) -> None:
        if name == "numFmt":
            codes[int(said.get("numFmtId", "0"))] = said.get("formatCode", "")
        elif name == "cellXfs":
            inside[0] = True
        elif name == "xf" and inside[0]:
            formats.append(int(said.get("numFmtId", "0")))

    def end(name: str) -> None:
        if name == "cellXfs":
            inside[0] = False

    _read(book, path, begin, end)
    return frozenset(
        n for n, code in enumerate(formats) if code in _PERCENT or "%" in _WORDS.sub("", codes.get(code, ""))
    )


def _cells(book: zipfile.ZipFile, path: str, formats: frozenset[int]) -> frozenset[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    row, column = 0, 0

    def begin(name: str, said: dict[str, str]) -> None:
        nonlocal row, column
        if name == "row":
            row, column = int(said.get("r") or row + 1), 0
        elif name == "c":
            column += 1
            if at := _REFERENCE.fullmatch(said.get("r", "")):
                column = 0
                for letter in at[1].upper():
                    column = column * 26 + ord(letter) - ord("A") + 1
                row = int(at[2])
            if int(said.get("s", "0")) in formats:
                found.add((row - 1, column - 1))

    _read(book, path, begin)
    return frozenset(found)
