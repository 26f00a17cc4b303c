"""CSV that people open in a spreadsheet: no cell of it can be a formula."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# What begins a formula, also in the full-width forms that some programs read as the plain ones.
_FORMULA = frozenset("=+-@\t\n|%＝＋－＠")
LONGEST = 32_000  # characters; a spreadsheet's cell takes 32,767


def csv_text(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The rows as CSV with a mark for UTF-8. Numbers stay numbers; a text that would begin a formula gets an
    apostrophe in front, control characters go, long texts end with an ellipsis."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([safe_cell(cell) for cell in head])
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def safe_cell(value: object) -> object:
    """One cell: a number as it is, all else as text that no spreadsheet computes."""
    if value is None or isinstance(value, int | float):
        return value
    text = _CONTROL.sub("", str(value))
    first = next((c for c in text if not c.isspace() and unicodedata.category(c) != "Cf"), "")
    if first in _FORMULA or text[:1] in {"\t", "\n"}:
        text = "'" + text if first else text.strip()
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
