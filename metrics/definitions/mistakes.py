"""Everything that is wrong with a definitions file, each with its line and path, all at once."""

import difflib
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass

SHOWN = 200  # mistakes that are listed; a file with more is broken in one way, not in a thousand


@dataclass(frozen=True, order=True)
class Mistake:
    """One mistake. `line` counts from 1; 0 says that it concerns something stored, not in the file. `path` is
    like `metrics.orders.measure.agg`."""

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        place = [f"line {self.line}"] if self.line else []
        return f"{', '.join([*place, *([self.path] if self.path else [])])}: {self.message}"


class DefinitionsError(Exception):
    """A file that is refused, with all its mistakes in the order of their lines."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        shown = [str(mistake) for mistake in self.mistakes[:SHOWN]]
        if len(self.mistakes) > SHOWN:
            shown.append(f"and {len(self.mistakes) - SHOWN} more")
        super().__init__("\n".join(shown))


class Report:
    """Collects mistakes while a file is read, and remembers on which line each path stands."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.lines: dict[str, int] = {}

    def add(self, line: int, path: str, message: str) -> None:
        self.mistakes.append(Mistake(line, path, message))

    def at(self, path: str, message: str) -> None:
        """A mistake at the line of `path`, or of the nearest thing around it that the file holds."""
        known = path
        while known and known not in self.lines:
            known = known.rpartition(".")[0]
        self.add(self.lines.get(known, 0) if known.count(".") else 0, path, message)

    def raise_any(self) -> None:
        """DefinitionsError if anything has been collected."""
        if self.mistakes:
            raise DefinitionsError(self.mistakes)


def nearest(word: str, words: Collection[str], *, most: int = 12) -> str:
    """`; did you mean 'source'?` where a word is close, else `; allowed are ...` (or "" for none)."""
    close = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    listed = list(words)
    if not listed or not most:
        return ""
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return f"; allowed are {', '.join(listed[:most])}{more}"


def strange_letter(word: str) -> str:
    """Names the first letter that is not of a-z, since another alphabet's may look the same; "" if there is
    none."""
    for letter in word:
        if ord(letter) > 127:
            name = unicodedata.name(letter, f"U+{ord(letter):04X}")
            return f"; {letter!r} is {name}, not a letter of a-z"
    return ""
