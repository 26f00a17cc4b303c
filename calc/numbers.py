"""How figures are said: unit, sensible digits, narrow spaces, a true minus, and never "-0".

Units are the definitions file's: `count`, `percent` (stored as a fraction: 0.934), `currency:GBP`,
`duration:hours` (the unit in which the figure is stored), `score`, `ratio`.
"""

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

THIN = "\u202f"  # narrow no-break space: thin, and a figure never breaks over two lines
SPACE = "\u00a0"  # between a figure and a word
MINUS = "\u2212"
UNKNOWN = "\u2013"
LARGEST = 1e15  # beyond, a figure is a slip of the keyboard

_SYMBOLS = {"GBP": "£", "USD": "$", "EUR": "€", "JPY": "¥", "INR": "₹", "KRW": "₩", "ILS": "₪", "UAH": "₴"}
_WHOLE_CURRENCIES = frozenset({"JPY", "KRW", "CLP", "ISK", "VND"})  # ISO 4217 with no minor unit
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
_TIME_SUFFIXES = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
_SUFFIXES = {"seconds": "s", "minutes": "min", "hours": "h", "days": "d"}
_SCALES = ((Decimal("1e3"), "k"), (Decimal("1e6"), "M"), (Decimal("1e9"), "bn"), (Decimal("1e12"), "tn"))
_ABSURD = Decimal("1e18")  # beyond, powers of ten are kinder than a row of zeros
_SHORTEN_FROM = 10_000  # 6 940 is said whole, 12 438 as 12.4k


@dataclass(frozen=True)
class Unit:
    """kind: count, percent, currency, duration, score or ratio; of: the currency's code or the time unit."""

    kind: str
    of: str = ""

    @property
    def is_share(self) -> bool:
        """Whether changes and gaps are said in points, not in percent of the figure."""
        return self.kind == "percent"


def parse_unit(text: str) -> Unit:
    """The unit written in a definitions file; ValueError says which ones there are."""
    kind, colon, of = text.partition(":")
    if kind in ("count", "percent", "score", "ratio") and not colon:
        return Unit(kind)
    if kind == "currency" and len(of) == 3 and of.isascii() and of.isupper():
        return Unit(kind, of)
    if kind == "duration" and of in _SECONDS:
        return Unit(kind, of)
    raise ValueError(
        f"{text!r} is not a unit; write count, percent, score, ratio, currency:GBP (three capital letters) "
        "or duration:hours (seconds, minutes, hours or days)"
    )


def is_share(unit: str) -> bool:
    """Whether figures of this unit are shares, whose changes are differences and said in points."""
    return parse_unit(unit).is_share


def short(value: float | None, unit: str = "count") -> str:
    """For boards and charts: `12.4k`, `£1.24M`, `93.4 %`, `3.2 d`; an unknown figure is a dash."""
    number = _decimal(value)
    if number is None:
        return UNKNOWN
    parsed = parse_unit(unit)
    sign, size = _split(number)
    if parsed.kind == "percent":
        return _signed(sign, _honest(size * 100, 1), f"{THIN}%")
    if parsed.kind == "duration":
        return _duration(sign, size * _SECONDS[parsed.of])
    before = _currency_mark(parsed)
    if _round(size, 0) >= _SHORTEN_FROM:
        digits, suffix = _scaled(size)
        return _signed(sign, digits, suffix, before)
    if parsed.kind == "currency":
        pennies = 0 if parsed.of in _WHOLE_CURRENCIES or size >= 1000 else 2
        return _signed(sign, _fixed(size, pennies), "", before)
    return _signed(sign, _significant(size))


def full(value: float | None, unit: str = "count") -> str:
    """The whole figure, thousands apart by narrow spaces: `1 240 331.50`; for hovers and tables."""
    number = _decimal(value)
    if number is None:
        return UNKNOWN
    parsed = parse_unit(unit)
    sign, size = _split(number)
    if parsed.kind == "percent":
        return _signed(sign, _trimmed(size * 100, 4), f"{THIN}%")
    if parsed.kind == "duration":
        return _signed(sign, _trimmed(size, 4), f"{THIN}{_SUFFIXES[parsed.of]}")
    if parsed.kind == "currency":
        return _signed(
            sign, _fixed(size, 0 if parsed.of in _WHOLE_CURRENCIES else 2), "", _currency_mark(parsed)
        )
    return _signed(sign, _trimmed(size, 4))


def change(value: float | None, unit: str = "count") -> str:
    """What `rollup.compare` returned, with its sign: `+4.2 %` for amounts, `−1.2 points` for shares."""
    if is_share(unit):
        return _points(value, always_sign=True)
    number = _decimal(value)
    if number is None:
        return UNKNOWN
    sign, size = _split(number)
    return _signed(sign or "+", _honest(size * 100, 1), f"{THIN}%")


def counted(value: float, unit: str) -> float:
    """What is counted, in whole ones from ten on: a plan to a day may hold half an order; people do not."""
    if math.isfinite(value) and parse_unit(unit).kind == "count" and abs(value) >= 10:
        return float(round(value))
    return value


def gap(value: float | None, unit: str = "count", *, sign: bool = True) -> str:
    """A difference in the metric's own unit: `−127`, `+£1.20`, `−1.2 points`; `sign=False` says its size."""
    if is_share(unit):
        return _points(value, always_sign=sign) if sign else _points(_size(value), always_sign=False)
    value = counted(value, unit) if value is not None else None
    if not sign:
        return short(_size(value), unit)
    text = short(value, unit)
    return f"+{text}" if value is not None and value > 0 and any(c in text for c in "123456789") else text


def _points(value: float | None, *, always_sign: bool) -> str:
    number = _decimal(value)
    if number is None:
        return UNKNOWN
    sign, size = _split(number)
    digits = _honest(size * 100, 1)
    word = "point" if digits == "1" else "points"
    return _signed((sign or "+") if always_sign else sign, digits, f"{SPACE}{word}")


def _size(value: float | None) -> float | None:
    return None if value is None else abs(value)


def _decimal(value: float | None) -> Decimal | None:
    """Through repr, so that 0.145 rounds as people read it and not as it is stored."""
    if value is None or not math.isfinite(value):
        return None
    return Decimal(repr(float(value)))


def _split(number: Decimal) -> tuple[str, Decimal]:
    return (MINUS if number < 0 else ""), abs(number)


def _signed(sign: str, digits: str, after: str = "", before: str = "") -> str:
    """A sign stands only before a figure that is not zero as said."""
    return f"{sign if digits.strip('0.') else ''}{before}{digits}{after}"


def _round(size: Decimal, places: int) -> Decimal:
    # quantize refuses results of more than 28 digits, and a float has 17 that mean something
    exponent = Decimal(1).scaleb(-places)
    return size if size.adjusted() > 24 else size.quantize(exponent, rounding=ROUND_HALF_UP)


def _fixed(size: Decimal, places: int) -> str:
    return f"{_round(size, places):,f}".replace(",", THIN)


def _trimmed(size: Decimal, places: int) -> str:
    text = _fixed(size, places)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _significant(size: Decimal) -> str:
    """About three digits, but never fewer than the whole number has."""
    places = 0 if size >= 100 else 1 if size >= 10 else 2
    text = _trimmed(size, places)
    return _trimmed(size, 4) if text == "0" else text


def _honest(size: Decimal, places: int) -> str:
    """Percent with more digits where rounding would claim 0 or 100 of something that is neither."""
    for more in range(places, 4):
        text = _trimmed(size, more)
        if text not in ("0", "100") or size in (0, 100):
            return text
    return text


def _scaled(size: Decimal) -> tuple[str, str]:
    """Three significant digits with k, M, bn or tn; 999 950 is 1M, not 1000k."""
    if size >= _ABSURD:
        return f"{float(size):.2e}", ""
    for scale, suffix in _SCALES:
        scaled = size / scale
        places = 0 if scaled >= 100 else 1 if scaled >= 10 else 2
        if _round(scaled, places) < 1000 or suffix == "tn":
            break
    return _trimmed(scaled, places), suffix


def _duration(sign: str, seconds: Decimal) -> str:
    """In the largest of days, hours, minutes and seconds of which there is at least one."""
    suffix, length = next((pair for pair in _TIME_SUFFIXES if seconds >= pair[1]), _TIME_SUFFIXES[-1])
    size = seconds / length
    return _signed(sign, _trimmed(size, 0 if size >= 100 else 1), f"{THIN}{suffix}")


def _currency_mark(unit: Unit) -> str:
    if unit.kind != "currency":
        return ""
    return _SYMBOLS.get(unit.of, f"{unit.of}{THIN}")
