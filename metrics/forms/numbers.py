"""Numbers as people type them."""

import math
import re

_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
_SPACES = re.compile(r"[\s\u2009\u202f\u00a0']")
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_CURRENCY = re.compile(r"^([+-]?)[£$€¥]")


def read_number(text: str, *, share: bool = False) -> float | None:
    """`1,234`, `1 234.5`, `£1.20`, `72 %`; None for an empty cell.

    A share is typed in percent and read as a fraction. ValueError says what is wrong, for the cell.
    """
    cleaned = _SPACES.sub("", text).replace("\u2212", "-")
    percent = cleaned.endswith("%")
    cleaned = _CURRENCY.sub(r"\1", cleaned.removesuffix("%"))
    if not cleaned and not percent:
        return None
    if percent and not share:
        raise ValueError("This figure is not a share: leave out the percent sign.")
    if _GROUPED.fullmatch(cleaned):
        cleaned = cleaned.replace(",", "")
    if not _PLAIN.fullmatch(cleaned):
        hint = " Write decimals with a point." if "," in cleaned else ""
        raise ValueError(f"“{text.strip()[:40]}” is not a number.{hint}")
    value = float(cleaned)
    if not math.isfinite(value):
        raise ValueError(f"“{text.strip()[:40]}” is too large.")
    return value / 100 if share else value
