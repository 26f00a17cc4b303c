"""Numbers as people type them, and as fields show them."""

import math
import re
from collections.abc import Sequence
from decimal import Decimal

from calc.numbers import LARGEST
from metrics.definitions.quantities import repr_percent
from metrics.sheets.numbers import decimal_mark
from metrics.sheets.numbers import read_number as read_cell

_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
_SPACES = re.compile(r"[\s\u2009\u202f\u00a0']")
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_CURRENCY = re.compile(r"^([+-]?)[£$€¥]|[£$€¥]$")
_DIGITS_SHOWN = range(-7, 21)  # powers of ten that are written out; beyond, nobody counts zeros


def read_number(text: str, *, share: bool = False) -> float | None:
    """`1,234`, `1 234.5`, `£1.20`, `46 €`, `72 %`; None for an empty cell.

    A share is typed in percent and read as a fraction. ValueError says what is wrong, for the cell.
    """
    cleaned = _SPACES.sub("", text).replace("\u2212", "-")
    percent = cleaned.endswith("%")
    cleaned = _CURRENCY.sub(r"\1", cleaned.removesuffix("%"), count=1)
    if not cleaned and not percent:
        return None
    if percent and not share:
        raise ValueError("This figure is not a share: leave out the percent sign.")
    if _GROUPED.fullmatch(cleaned):
        cleaned = cleaned.replace(",", "")
    if not _PLAIN.fullmatch(cleaned):
        hint = " Write decimals with a point." if "," in cleaned else ""
        if read_cell(text).is_unknown:
            hint = " Leave the cell empty where it is not known."
        raise ValueError(f"“{text.strip()[:40]}” is not a number.{hint}")
    # the fraction by its digits: 57.3 / 100 is 0.5730000000000001 in floats
    value = float(repr_percent(cleaned) if share else cleaned)
    if not math.isfinite(value):
        raise ValueError(f"“{text.strip()[:40]}” is too large.")
    return value


def read_plan(text: str, *, share: bool = False) -> float | None:
    """A target or benchmark as `read_number` reads it; ValueError too for one that nobody can mean."""
    value = read_number(text, share=share)
    if value is not None and abs(value) > LARGEST:
        raise ValueError(f"“{text.strip()[:40]}” is too large to be right.")
    return value


def write_number(value: float | None, *, share: bool = False) -> str:
    """A stored figure as its field shows it: `1,737,500`, `0.25`, of a share its percent; "" for none.

    `read_number` reads it back to exactly the same number.
    """
    if value is None:
        return ""
    number = Decimal(repr(float(value)))
    number = number.scaleb(2) if share else number
    if number == 0:
        return "0"
    if number.adjusted() not in _DIGITS_SHOWN:
        return f"{number.normalize():e}"
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def same_number(text: str, other: str) -> bool:
    """Whether two texts of a field say the same, however they are spaced and grouped: `9,000` and `9000`."""
    return text == other or _bare(text) == _bare(other)


def _bare(text: str) -> str:
    cleaned = _SPACES.sub("", text).replace("\u2212", "-")
    return cleaned.replace(",", "") if _GROUPED.fullmatch(cleaned) else cleaned


def figures_of(texts: Sequence[str]) -> list[str]:
    """Cells of a pasted block as pages write figures; the same as in static/js/grid.js. A block that proves
    a decimal comma has points for thousands: `1.234,5` is 1234.5, and `1.180` beside it 1180. What stands for
    an unknown figure ("n/a") is empty; what is no figure stays."""
    comma = decimal_mark(texts) == ","
    return [_pasted(text, comma) for text in texts]


def _pasted(text: str, comma: bool) -> str:
    read = read_cell(text, decimal="," if comma else "")
    if read.is_unknown:
        return ""
    if not comma or read.value is None or read.numerator is not None or not set(text) & set(".,"):
        return text
    return f"{read.value * 100:.12g} %" if read.percent else f"{read.value:.12g}"
