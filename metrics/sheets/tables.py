"""From pasted text or an uploaded file to a table of texts. What is handed in is strangers' input: everything
is bounded before it is opened."""

import csv
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum, ZipError

from metrics.sheets.bounds import Beyond, Bounds
from metrics.sheets.formats import percent_cells

MOST_BYTES = 5_000_000  # of a file or a text as it comes
MOST_UNPACKED = 60_000_000  # bytes of a workbook's parts
MOST_PARTS = 2_000
MOST_ROWS = 20_000
MOST_COLUMNS = 800  # fifteen years of weeks
MOST_CELLS = 300_000
LONGEST = 2_000  # characters of a cell; a longer one is no figure

_WORKBOOK = b"PK\x03\x04"
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_SEPARATORS = ("\t", ";", ",", "|")
_RULED = str.maketrans("", "", "|:+-")


class TableError(ValueError):
    """What was handed in cannot be read as a table; says in words why and what to do."""


@dataclass(frozen=True)
class Table:
    """Texts by row and column, each row as long as the longest. Both count from 0 here, and from 1 and A on
    screen (`place_of`). exact: cells that a workbook holds as numbers, written with a decimal point, and as
    72 % where its format says so. sheet: the one that was read; sheets: all with cells that are shown."""

    rows: tuple[tuple[str, ...], ...]
    exact: frozenset[tuple[int, int]] = frozenset()
    sheet: str = ""
    sheets: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return len(self.rows[0]) if self.rows else 0


def place_of(row: int, column: int) -> str:
    """The name that a spreadsheet gives a cell: row 3, column 1 is B4."""
    return f"{column_name(column)}{row + 1}"


def column_name(column: int) -> str:
    """A to Z, AA and so on."""
    name, left = "", column + 1
    while left:
        left, letter = divmod(left - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def read_table(content: str | bytes, filename: str = "", *, sheet: str = "") -> Table:
    """The table in a pasted text, a CSV file (comma, semicolon, tab or bar; quotes) or an XLSX workbook.

    filename: for messages only; what it is, its bytes say. sheet: which one of a workbook; "" is the first
    with cells. TableError for everything that is no table or too large.
    """
    if len(content) > MOST_BYTES:
        raise TableError(f"This is larger than {MOST_BYTES // 1_000_000} MB. Leave out what is not needed.")
    if isinstance(content, bytes):
        if content.startswith(_WORKBOOK):
            return _bounded(_workbook(content, sheet))
        if content.startswith(_OLD_WORKBOOK) or filename.lower().endswith(
            (".xls", ".xlsb", ".ods", ".numbers")
        ):
            raise TableError("This kind of file is not read. Save it as .xlsx or .csv, or paste the cells.")
        content = _decoded(content)
    if "\x00" in content:
        raise TableError("This is not a text or a workbook. Save it as .xlsx or .csv, or paste the cells.")
    return _bounded(Table(_rows(content)))


def _bounded(table: Table) -> Table:
    rows = list(table.rows)
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    if not rows:
        raise TableError("There is nothing in it: paste the cells with their headings.")
    if len(rows) > MOST_ROWS:
        raise TableError(f"This has more than {MOST_ROWS:,} rows. Leave out what is not needed.")
    width = max(max((n + 1 for n, cell in enumerate(row) if cell.strip()), default=0) for row in rows)
    if width > MOST_COLUMNS:
        raise TableError(f"This has more than {MOST_COLUMNS} columns. Leave out what is not needed.")
    if len(rows) * width > MOST_CELLS:
        raise TableError(f"This has more than {MOST_CELLS:,} cells. Leave out what is not needed.")
    even = tuple(tuple(cell[:LONGEST] for cell in (*row, *[""] * (width - len(row)))[:width]) for row in rows)
    return Table(even, table.exact, table.sheet, table.sheets)


def _decoded(content: bytes) -> str:
    """UTF-8, UTF-16 with its mark (as Excel's "Unicode text"), else the Western code page of Windows."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _rows(text: str) -> tuple[tuple[str, ...], ...]:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = [line for line in text.split("\n") if line.strip()]
    separator = _separator(lines[:50])
    if not separator:
        return tuple(tuple(re.split(r" {2,}", line.strip())) for line in text.split("\n"))
    if separator == "|":
        rows = [line.strip().strip("|").split("|") for line in lines if not _is_rule(line)]
        return tuple(tuple(cell.strip() for cell in row) for row in rows)
    found = list(_parsed(text, separator))
    if separator == ",":
        _check_commas(found)
    return tuple(found)


def _is_rule(line: str) -> bool:
    """Whether this is the line under the head of a table in Markdown. Not a pattern: one that says this takes
    minutes for a long line of dashes."""
    return "---" in line and not line.translate(_RULED).strip()


def _parsed(text: str, separator: str) -> Iterator[tuple[str, ...]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for cells in reader:
            yield tuple(cells)
            if reader.line_num > MOST_ROWS * 2:
                raise TableError(f"This has more than {MOST_ROWS:,} rows. Leave out what is not needed.")
    except csv.Error as error:
        raise TableError(f"Row {reader.line_num} cannot be read: {error}.") from None


def _separator(lines: list[str]) -> str:
    """The one that cuts most lines into the same number of cells, more than one; "" if none does."""
    if any("\t" in line for line in lines):
        return "\t"
    best, best_score = "", 0.0
    for separator in _SEPARATORS:
        if separator == "|" and not all("|" in line for line in lines):
            continue
        try:
            counts = Counter(len(row) for row in csv.reader(lines, delimiter=separator) if row)
        except csv.Error:
            continue
        cells, times = max(counts.items(), key=lambda pair: (pair[1], pair[0]), default=(1, 0))
        score = times / max(len(lines), 1)
        if cells > 1 and score > best_score + 1e-9:
            best, best_score = separator, score
    return best


def _check_commas(rows: list[tuple[str, ...]]) -> None:
    """A figure such as 1,234 without quotation marks falls into two cells: that must not pass unseen."""
    head = next((row for row in rows if len(row) > 1), ())
    long = [
        n + 1
        for n, row in enumerate(rows)
        if len(row) > len(head) and any(c.strip() for c in row[len(head) :])
    ]
    if long and len(head) > 1:
        listed = ", ".join(str(n) for n in long[:5]) + (" and more" if len(long) > 5 else "")
        raise TableError(
            f"Row {listed}: more cells than the headings. Put figures with a comma into quotation marks "
            '("1,234"), or paste the cells from the spreadsheet instead.'
        )


def _workbook(content: bytes, sheet: str) -> Table:
    try:
        plain = _repacked(content)
        with CalamineWorkbook.from_filelike(io.BytesIO(plain)) as book:
            names = [
                meta.name
                for meta in book.sheets_metadata
                if meta.typ == SheetTypeEnum.WorkSheet and meta.visible == SheetVisibleEnum.Visible
            ]
            if sheet and sheet not in names:
                raise TableError(f"There is no sheet “{sheet[:60]}” in this workbook.")
            if len(names) > 60:
                names = names[:60]
            found = {name: _cells(book, name) for name in ([sheet] if sheet else names[:20])}
    except Beyond as beyond:
        raise _far(beyond) from None
    except (CalamineError, ZipError, zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        if isinstance(error, TableError):
            raise
        raise TableError(
            "This workbook cannot be read. Save it again as .xlsx or .csv, or paste the cells."
        ) from None
    chosen = next((name for name, (rows, _) in found.items() if any(any(row) for row in rows)), "")
    if not chosen:
        raise TableError("There are no cells in this workbook.")
    rows, exact = found[chosen]
    with zipfile.ZipFile(io.BytesIO(plain)) as parts:
        shares = percent_cells(parts, chosen) & exact
    if shares:
        rows = tuple(
            tuple(_percent(cell) if (r, c) in shares else cell for c, cell in enumerate(row))
            for r, row in enumerate(rows)
        )
    shown = tuple(n for n in names if n not in found or any(any(row) for row in found[n][0]))
    return Table(rows, exact, chosen, shown)


def _cells(
    book: CalamineWorkbook, name: str
) -> tuple[tuple[tuple[str, ...], ...], frozenset[tuple[int, int]]]:
    rows, exact = [], set()
    for r, row in enumerate(
        book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=MOST_ROWS + 1)
    ):
        rows.append(tuple(_text(cell) for cell in row))
        exact |= {
            (r, c)
            for c, cell in enumerate(row)
            if isinstance(cell, int | float) and not isinstance(cell, bool)
        }
    return tuple(rows), frozenset(exact)


def _percent(cell: str) -> str:
    """A number whose format is a percentage, as its sheet shows it; 15 digits are what a sheet has."""
    return f"{float(cell) * 100:.15g} %"


def _text(cell: object) -> str:
    match cell:
        case bool():
            return str(cell).upper()
        case float():
            return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
        case datetime():
            return cell.date().isoformat() if cell.time() == time.min else cell.isoformat(" ", "seconds")
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
    return str(cell)


def _repacked(content: bytes) -> bytes:
    """The workbook's parts that hold cells, unpacked within bounds and packed again without compression.

    What a part claims about its size is believed only as far as it has been read, so that no reader after
    this one meets more; what they would become in memory is for metrics/sheets/bounds.py to say.
    """
    out = io.BytesIO()
    left, bounds = MOST_UNPACKED, Bounds()
    with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(out, "w") as plain:
        parts = packed.infolist()
        if len(parts) > MOST_PARTS or len({part.filename for part in parts}) < len(parts):
            raise TableError("This workbook has too many parts.")
        for part in parts:
            if part.flag_bits & 1:
                raise TableError("This workbook is locked by a password. Save it without one.")
            if not part.filename.lower().endswith((".xml", ".rels")):
                continue  # pictures and macros
            with packed.open(part) as stream:
                data = stream.read(left + 1)
            left -= len(data)
            if left < 0:
                raise TableError("This workbook is too large when unpacked. Leave out what is not needed.")
            bounds.take(data)
            plain.writestr(part.filename, data)
    bounds.check()
    return out.getvalue()


def _far(beyond: Beyond) -> TableError:
    if beyond.reach is None:
        return TableError("This workbook is too large when unpacked. Leave out what is not needed.")
    row, column = beyond.reach
    return TableError(
        f"The cells of a sheet reach as far as {column_name(column - 1)}{row}: more than is read. "
        "Paste only the part that you need."
    )
