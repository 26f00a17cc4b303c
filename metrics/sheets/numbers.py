"""Numbers as spreadsheets of any country write them, read together so that one cell explains another."""

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

LARGEST = 1e15  # beyond, a figure is a slip of the keyboard

_MINUS = str.maketrans(
    dict.fromkeys("−‒–—﹣－", "-") | {"＋": "+", "％": "%", "，": ",", "．": ".", "／": "/"}
)
_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")
_BLANKS = """
- -- --- / . .. ... … ? x n/a n.a. n.a na n/d n.d. nd nan null none nil unknown missing tbd tbc tba pending
k.a. k.a s/d s.d.
"""
_UNKNOWN = frozenset(
    ["", "n / a", "k. a.", "not known", "not available", "no data", "to come", *_BLANKS.split()]
)
_ERROR = re.compile(r"#[a-zäöüàéñ][\wäöüàéñ/.]*[!?]?", re.IGNORECASE)  # #N/A, #DIV/0!, #BEZUG!
_SYMBOLS = {"£": "GBP", "€": "EUR", "$": "USD", "¥": "JPY", "₹": "INR", "₩": "KRW", "₪": "ILS", "₺": "TRY"}
_SYMBOLS |= {
    "₴": "UAH",
    "US$": "USD",
    "A$": "AUD",
    "C$": "CAD",
    "zł": "PLN",
    "Kč": "CZK",
    "kr": "",
    "Fr.": "CHF",
}
_ISO_CODES = """
GBP USD EUR CHF SEK NOK DKK PLN CZK HUF RON BGN JPY CNY INR KRW AUD CAD NZD SGD HKD ZAR BRL MXN CLP COP ARS
ILS TRY UAH AED SAR EGP NGN KES ISK THB IDR MYR PHP VND TWD
"""
_CODES = frozenset(_ISO_CODES.split())
_MONEY = "|".join(re.escape(word) for word in sorted([*_SYMBOLS, *_CODES], key=len, reverse=True))
_BEFORE = re.compile(rf"([+-]?)\s*({_MONEY})\s*(?=[-+(\d.,])")
_AFTER = re.compile(rf"(?<=[\d.,)kKmMnBod%-])\s*({_MONEY})$")
# A lower-case m alone is million only beside a currency (£1.2m); elsewhere it may be minutes or metres.
_SCALES = {"k": 1e3, "K": 1e3, "tsd": 1e3, "Tsd": 1e3, "Tsd.": 1e3, "M": 1e6, "mn": 1e6, "Mn": 1e6, "MM": 1e6}
_SCALES |= {"mio": 1e6, "Mio": 1e6, "Mio.": 1e6, "mln": 1e6, "bn": 1e9, "Bn": 1e9, "B": 1e9, "Mrd": 1e9}
_SCALES |= {"Mrd.": 1e9, "million": 1e6, "thousand": 1e3, "billion": 1e9}
_SCALE = re.compile(
    rf"(?<=[\d.,])\s*({'|'.join(re.escape(w) for w in sorted(_SCALES, key=len, reverse=True))}|m)$"
)
_PARTS = re.compile(
    r"(.*\d[.,]?)\s*(?:/|\bof\b|\bout of\b|\bvon\b|\bsur\b|\bde\b)\s*([.,]?\d.*)", re.IGNORECASE
)
_SPACED = re.compile(r"\d{1,3}(?:[ '’´`]\d{3})+(?:([.,])\d*)?", re.ASCII)
_SCIENTIFIC = re.compile(r"(?:\d+(?:([.,])\d*)?|([.,])\d+)[eE][+-]?\d{1,3}", re.ASCII)
_THREES = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*", re.ASCII)
_INDIAN = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}", re.ASCII)
LONGEST = 100  # characters of a number; patterns take long to say no to much longer ones
_SHOWN = 40  # characters of a cell that a message repeats


@dataclass(frozen=True)
class Reading:
    """What a cell was read as.

    value: the number (72 % is 0.72); None where it is unknown (a blank, "n/a", "#N/A") or where `problem`
    says what is wrong. numerator, denominator: of "18 of 25". percent: it had the sign. currency: an ISO
    code, as far as a sign says. mark: the decimal mark that this cell proves, "." or ",". other: what it
    would be with the other decimal mark, where it could be either; `doubt` says so in words.
    """

    text: str
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    percent: bool = False
    currency: str = ""
    mark: str = ""
    other: float | None = None
    doubt: str = ""
    problem: str = ""

    @property
    def is_unknown(self) -> bool:
        return self.value is None and not self.problem


def read_number(text: str, *, decimal: str = "", exact: bool = False) -> Reading:
    """Reads one cell. decimal: the decimal mark of the sheet, "." or ","; "" where nobody knows. exact: the
    cell is a program's own number (1.234 is no thousand). Never raises; see `Reading.problem`."""
    if len(text.strip()) > LONGEST:
        return Reading(text, problem=_not_a_number(text))
    clean = _clean(text)
    if clean.lower() in _UNKNOWN or _ERROR.fullmatch(clean):
        return Reading(text)
    if exact:
        percent = clean.endswith("%")
        try:
            value = float(clean.removesuffix("%"))
            return _checked(Reading(text, value / 100 if percent else value, percent=percent))
        except ValueError:
            pass  # a text cell of a workbook
    if (parts := _PARTS.fullmatch(clean)) and not _money(clean)[1]:
        return _quotient(text, parts[1], parts[2], decimal)
    return _single(text, clean, decimal)


def kind_of(cell: str) -> str:
    """number, unknown (a blank, "n/a") or text."""
    read = read_number(cell)
    return "number" if read.value is not None else "text" if read.problem else "unknown"


def decimal_mark(texts: Iterable[str]) -> str:
    """The decimal mark that these cells prove, "." or ","; "" where none does, or some prove each."""
    marks = {mark for text in texts if (mark := read_number(text).mark)}
    return marks.pop() if len(marks) == 1 else ""


def _clean(text: str) -> str:
    """Without invisible characters, with plain spaces, digits and signs."""
    said = "".join(
        " " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) not in ("Cf", "Cc")
    )
    return " ".join(said.translate(_MINUS).translate(_DIGITS).split())


def _money(clean: str) -> tuple[str, str]:
    """The text without its currency, and that currency: a code, "?" for a sign of several, or ""."""
    if match := _BEFORE.match(clean):
        rest = match[1] + clean[match.end() :]
        return rest, _SYMBOLS.get(match[2], match[2]) or "?"
    if clean.startswith("(") and (match := _BEFORE.match(clean[1:])):
        return "(" + match[1] + clean[1 + match.end() :], _SYMBOLS.get(match[2], match[2]) or "?"
    if match := _AFTER.search(clean):
        return clean[: match.start()], _SYMBOLS.get(match[1], match[1]) or "?"
    return clean, ""


def _single(text: str, clean: str, decimal: str) -> Reading:
    rest, currency = _money(clean)
    negative = False
    if rest.startswith("(") and rest.endswith(")"):
        negative, rest = True, rest[1:-1].strip()
    percent = rest.endswith("%") or rest.startswith("%")
    rest = rest.strip("%").strip()
    if rest.startswith("(") and rest.endswith(")"):
        negative, rest = True, rest[1:-1].strip()
    scale = 1.0
    if found := _SCALE.search(rest):
        if found[1] == "m" and not currency:
            return Reading(
                text, problem=f"“{text.strip()[:_SHOWN]}”: is m million? Write 1.2M or the whole number."
            )
        scale, rest = _SCALES.get(found[1], 1e6), rest[: found.start()]
    if rest[:1] in ("+", "-") and len(rest) > 1:
        negative ^= rest[0] == "-"
        rest = rest[1:].strip()
    elif rest.endswith("-") and len(rest) > 1:
        negative, rest = not negative, rest[:-1].strip()
    read = _digits(rest, decimal)
    if read and read.other is not None and currency:
        # No money is written with three decimals, so this mark parts thousands.
        read = Reading(text, read.value, mark="," if "." in rest else ".")
    if read is None:
        return Reading(text, problem=_not_a_number(text))
    factor = (-1 if negative else 1) * scale
    return _checked(
        replace(
            read,
            text=text,
            value=_scaled(read.value, factor, percent),
            other=_scaled(read.other, factor, percent),
            percent=percent,
            currency="" if currency == "?" else currency,
        )
    )


def _scaled(value: float | None, factor: float, percent: bool) -> float | None:
    return None if value is None else value * factor / (100 if percent else 1)


def _checked(read: Reading) -> Reading:
    if read.value is not None and not (math.isfinite(read.value) and abs(read.value) <= LARGEST):
        return Reading(read.text, problem=f"“{read.text.strip()[:_SHOWN]}” is too large to be right.")
    return read


def _not_a_number(text: str) -> str:
    return f"“{text.strip()[:_SHOWN]}” is not a number. Write the figure alone, or leave the cell empty."


def _quotient(text: str, above: str, below: str, decimal: str) -> Reading:
    numerator, denominator = _single(above, above, decimal), _single(below, below, decimal)
    if numerator.problem or denominator.problem or numerator.value is None or denominator.value is None:
        return Reading(text, problem=_not_a_number(text))
    if denominator.value <= 0:
        return Reading(text, problem="The second number of a share must be more than 0.")
    value = numerator.value / denominator.value
    doubt = numerator.doubt or denominator.doubt
    mark = numerator.mark or denominator.mark
    return Reading(text, value, numerator.value, denominator.value, mark=mark, doubt=doubt)


def _digits(text: str, decimal: str) -> Reading | None:
    """Digits with their marks; None for anything else."""
    if match := _SCIENTIFIC.fullmatch(text):
        return Reading(text, float(text.replace(",", ".")), mark=match[1] or match[2] or "")
    if match := _SPACED.fullmatch(text):
        plain = re.sub(r"[ '’´`]", "", text)
        return Reading(text, float(plain.replace(",", ".")), mark=match[1] or "")
    if not text or not re.fullmatch(r"[\d.,]*\d[\d.,]*", text, re.ASCII):
        return None
    marks = [c for c in text if c in ".,"]
    if not marks:
        return Reading(text, float(text))
    last, rest = marks[-1], marks[:-1]
    whole, _, after = text.rpartition(last)
    if last in rest:  # several of one kind part thousands, and nothing else may stand between
        if len(set(marks)) > 1 or not (_THREES.fullmatch(text) or _INDIAN.fullmatch(text)):
            return None
        return Reading(text, float(text.replace(last, "")), mark="." if last == "," else ",")
    if rest:  # two kinds: the last one is the decimal mark
        group = rest[0]
        if not (_THREES.fullmatch(whole) or (group == "," and _INDIAN.fullmatch(whole))):
            return None
        return Reading(text, float(f"{whole.replace(group, '')}.{after}"), mark=last)
    as_decimal = float(f"{whole or 0}.{after or 0}")
    if len(after) != 3 or not 1 <= len(whole) <= 3 or whole.startswith("0"):
        doubt = ""
        if decimal and decimal != last:
            doubt = f"The other numbers here write decimals with a {_NAMES[decimal]}."
        return Reading(text, as_decimal, mark=last, doubt=doubt)
    grouped = float(whole + after)
    if decimal:
        return Reading(text, as_decimal if decimal == last else grouped)
    doubt = f"Read as {whole}{after}; with a decimal {_NAMES[last]} it would be {whole}.{after}."
    return Reading(text, grouped, other=as_decimal, doubt=doubt)


_NAMES = {".": "point", ",": "comma"}
