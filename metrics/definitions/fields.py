"""Reads the keys of one mapping of the file. What is wrong goes to the report and reads as None; a key that
nobody has asked for is unknown."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from datetime import date
from typing import Any, TypeVar

from metrics.definitions.mistakes import Report, nearest, strange_letter
from metrics.definitions.quantities import parse_number
from metrics.definitions.reading import List, Map, Node, Text, kind_of

T = TypeVar("T")

RESERVED = ("new",)  # /metrics/new/ and its like are pages of their own
KEY = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
_YES, _NO = frozenset({"true", "yes", "on"}), frozenset({"false", "no", "off"})
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Fields:
    """One mapping at `path`. Every reading method records the key as known; `done` reports the others."""

    def __init__(self, node: Map, path: str, report: Report) -> None:
        self.node, self.path, self.report = node, path, report
        self.known: list[str] = []

    def __contains__(self, name: str) -> bool:
        return self._node(name) is not None

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def wrong(self, name: str, message: str) -> None:
        node = self.node.items.get(name)
        line = node.line if isinstance(node, Text) else self.node.lines.get(name, self.node.line)
        self.report.add(line, self.at(name), message)

    def _node(self, name: str) -> Node | None:
        if name not in self.known:
            self.known.append(name)
        node = self.node.items.get(name)
        if node is not None:
            self.report.lines[self.at(name)] = self.node.lines[name]
        return None if isinstance(node, Text) and node.is_null else node

    def require(self, name: str) -> None:
        if self._node(name) is None:
            self.report.add(self.node.line, self.path, f"{name!r} is missing")

    def written(self, name: str, *, most: int = 200) -> str | None:
        """The text of a key, without blanks around it; None if absent."""
        node = self._node(name)
        if node is None:
            return None
        if not isinstance(node, Text):
            self.wrong(name, f"a text is needed here, not {kind_of(node)}")
            return None
        text = unicodedata.normalize("NFC", node.text.strip())
        problem = text_problem(text, most)
        if problem:
            self.wrong(name, problem)
            return None
        return text

    def text(self, name: str, *, most: int = 200) -> str:
        return self.written(name, most=most) or ""

    def parsed(self, name: str, parse: Callable[[str], T], *, most: int = 200) -> T | None:
        """The key's text through `parse`, whose ValueError is the mistake."""
        text = self.written(name, most=most)
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError as error:
            self.wrong(name, str(error))
            return None

    def as_written(self, name: str, parse: Callable[[str], object]) -> str:
        """The key's text if `parse` accepts it, single-spaced; "" else."""
        text = self.parsed(name, lambda text: (parse(text), " ".join(text.split()))[1])
        return text or ""

    def number(self, name: str, *, low: float | None = None, high: float | None = None) -> float | None:
        number = self.parsed(name, parse_number)
        if number is not None and (
            (low is not None and number < low) or (high is not None and number > high)
        ):
            span = (
                f"between {low:g} and {high:g}"
                if low is not None and high is not None
                else (f"at least {low:g}" if low is not None else f"at most {high:g}")
            )
            self.wrong(name, f"a number {span} is needed here, not {number:g}")
            return None
        return number

    def whole(self, name: str, low: int, high: int) -> int | None:
        number = self.number(name, low=low, high=high)
        if number is not None and number != int(number):
            self.wrong(name, f"a whole number is needed here, not {number:g}")
            return None
        return None if number is None else int(number)

    def flag(self, name: str) -> bool:
        def parse(text: str) -> bool:
            if text.lower() not in _YES | _NO:
                raise ValueError(f"true or false is needed here, not {text!r}")
            return text.lower() in _YES

        return bool(self.parsed(name, parse))

    def day(self, name: str) -> date | None:
        return self.parsed(name, parse_day)

    def choice(self, name: str, words: Collection[str], default: str = "") -> str:
        def parse(text: str) -> str:
            if text not in words:
                raise ValueError(f"{text!r} is not allowed here{nearest(text, words)}")
            return text

        return self.parsed(name, parse) or default

    def key(self, name: str) -> str:
        """A reference: the key of something else."""
        return self.parsed(name, parse_key) or ""

    def mapping(self, name: str) -> "Fields | None":
        node = self._node(name)
        if node is None:
            return None
        if not isinstance(node, Map):
            self.wrong(name, f"a mapping is needed here, not {kind_of(node)}")
            return None
        return Fields(node, self.at(name), self.report)

    def listed(self, name: str) -> "list[tuple[str, Node]] | None":
        """The items of a list with their paths; None if absent or no list."""
        node = self._node(name)
        if node is None:
            return None
        if not isinstance(node, List):
            self.wrong(name, f"a list is needed here, not {kind_of(node)}")
            return None
        return [(f"{self.at(name)}[{n}]", item) for n, item in enumerate(node.items, 1)]

    def words(self, name: str) -> list[str]:
        """A list of keys, each once."""
        found: list[str] = []
        for path, item in self.listed(name) or []:
            if not isinstance(item, Text):
                self.report.add(item.line, path, f"a word is needed here, not {kind_of(item)}")
                continue
            try:
                word = parse_key(item.text.strip())
            except ValueError as error:
                self.report.add(item.line, path, str(error))
                continue
            if word in found:
                self.report.add(item.line, path, f"{word!r} stands here a second time")
            else:
                found.append(word)
        return found

    def entries(self, *, keyed: bool = True) -> Iterator[tuple[str, Node]]:
        """The keys and values of a mapping whose keys are names; with `keyed` they must be proper keys."""
        for name, node in self.node.items.items():
            self.known.append(name)
            self.report.lines[self.at(name)] = self.node.lines[name]
            if keyed:
                try:
                    parse_key(name)
                except ValueError as error:
                    self.report.add(self.node.lines[name], self.at(name), str(error))
                    continue
            yield name, node

    def objects(self) -> Iterator[tuple[str, "Fields"]]:
        """`entries` whose values are mappings themselves."""
        for name, node in self.entries():
            if name in RESERVED and "." not in self.path:
                words = f"{name!r} is the address of a page; choose another key"
                self.report.add(self.node.lines[name], self.at(name), words)
                continue
            if isinstance(node, Map):
                yield name, Fields(node, self.at(name), self.report)
            else:
                self.report.add(
                    self.node.lines[name], self.at(name), f"a mapping is needed here, not {kind_of(node)}"
                )

    def done(self) -> None:
        """Reports every key that no method has asked for."""
        for name, line in self.node.lines.items():
            if name not in self.known:
                left = [word for word in self.known if word not in self.node.items]
                hint = strange_letter(name) or nearest(name, left)
                self.report.add(line, self.at(name), f"the key {name!r} is unknown here{hint}")


def parse_key(text: str) -> str:
    """A key; ValueError says what one looks like."""
    if not KEY.match(text) or len(text) > 60:
        hint = strange_letter(text)
        raise ValueError(
            f"“{text[:80]}” is not a key; keys are lower-case words of a-z and 0-9 joined by _, "
            f"at most 60 characters{hint}"
        )
    return text


def parse_day(text: str) -> date:
    """`2011-07-31`; ValueError else."""
    if not re.match(r"^\d{4}-\d{2}-\d{2}$", text, re.ASCII):
        raise ValueError(f"{text!r} is not a date; write it like 2011-07-31")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no day {text}") from None


def text_problem(text: str, most: int) -> str:
    """Why a text cannot be kept, or ""."""
    if len(text) > most:
        return f"the text has {len(text):,} characters; at most {most:,} fit"
    for letter in text:
        category = unicodedata.category(letter)
        if (category == "Cc" and letter not in "\n\t") or category == "Cs" or letter in _BIDI:
            return f"the text contains the character U+{ord(letter):04X}, which cannot be shown"
    return ""


def compact(values: dict[str, Any]) -> dict[str, Any]:
    """Without what is not said: None, "", empty mappings and lists, and False."""
    return {
        name: value
        for name, value in values.items()
        if value not in (None, "", {}, [], ()) and value is not False
    }
