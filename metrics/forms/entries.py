"""The grid of a manual metric as typed: which cells have changed, to what, and what is wrong with them."""

from collections.abc import Mapping
from dataclasses import dataclass

from calc.numbers import is_share as in_percent
from metrics.forms.numbers import read_number, same_number, write_number
from metrics.queries.shapes import EntryCell

_NOTE = 500  # characters that a note may have


@dataclass(frozen=True)
class Cell:
    """One period of the grid: what is stored, what stands in its fields, and what was typed as numbers.

    `token` names the state that the writer had before them; `changed` says that the fields differ from it.
    """

    stored: EntryCell
    value_text: str
    numerator_text: str
    denominator_text: str
    note: str
    token: str
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    changed: bool = False
    error: str = ""

    @property
    def name(self) -> str:
        return self.stored.start.isoformat()

    @property
    def is_empty(self) -> bool:
        return self.value is None and self.numerator is None and self.denominator is None


def read_cells(
    entries: tuple[EntryCell, ...], typed: Mapping[str, str] | None, is_share: bool, unit: str
) -> tuple[Cell, ...]:
    """The grid's cells, filled from what was typed (None: as stored). Nothing typed raises; it is refused in
    words at its cell."""
    percent = in_percent(unit) and not is_share
    return tuple(_read(entry, typed, is_share, percent) for entry in entries)


def _read(entry: EntryCell, typed: Mapping[str, str] | None, is_share: bool, percent: bool) -> Cell:
    shown = _stored(entry, percent)
    if typed is None or f"token-{shown.name}" not in typed:
        return shown

    def text(field: str) -> str:
        return typed.get(f"{field}-{shown.name}", "").strip()[: _NOTE * 2]

    texts = (text("value"), text("numerator"), text("denominator"))
    note = text("note")
    before = (shown.value_text, shown.numerator_text, shown.denominator_text)
    # against what the writer saw, which the page sent along: others' changes are none of this one's
    seen = (text("was-value"), text("was-numerator"), text("was-denominator"))
    known = f"was-note-{shown.name}" in typed
    seen, noted = (seen, text("was-note")) if known else (before, shown.note)
    changed = note != noted or not all(map(same_number, texts, seen))
    value = numerator = denominator = None
    error = ""
    try:
        if is_share:
            numerator, denominator = read_number(texts[1]), read_number(texts[2])
            error = _wrong_share(numerator, denominator)
        else:
            value = read_number(texts[0], share=percent)
    except ValueError as wrong:
        error = str(wrong)
    if len(note) > _NOTE:
        error = f"The note is longer than {_NOTE} characters."
    if changed and not error and not entry.open:
        error = f"{entry.label} has not begun: enter it from {entry.start.day} {entry.start:%b} on."
    return Cell(
        entry, *texts, note, text("token"), value, numerator, denominator, changed, error if changed else ""
    )


def _stored(entry: EntryCell, percent: bool) -> Cell:
    return Cell(
        entry,
        write_number(entry.value, share=percent),
        write_number(entry.numerator),
        write_number(entry.denominator),
        entry.note,
        entry.token,
        entry.value,
        entry.numerator,
        entry.denominator,
    )


def _wrong_share(numerator: float | None, denominator: float | None) -> str:
    if (numerator is None) != (denominator is None):
        return "A share needs both numbers, as in 18 of 25."
    if numerator is None or denominator is None:
        return ""
    if denominator <= 0:
        return "The second number must be more than 0."
    if not 0 <= numerator <= denominator:
        return "The first number must lie between 0 and the second."
    return ""
