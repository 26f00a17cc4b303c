"""Names and keys of people and teams: what may stand in them, and which look alike."""

import re
import unicodedata
from collections.abc import Iterable

from django.core.exceptions import ValidationError

KEY = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
LONGEST_NAME = 200
LONGEST_KEY = 60  # as in the definitions file
RESERVED = ("new",)  # a page's address of its own
# Letters of other scripts and digits that are drawn like Latin ones; after case and accents are dropped.
_LIKE = str.maketrans(
    "аеорсхуіѕјԁһԛԝвкмнтοανεικρτυχωѡ01|ıɡ",
    "aeopcxyisjdhqwbkmhtoaveikptuxwwollig",
)


def skeleton(text: str) -> str:
    """What a hurried eye sees of a name: without case, accents, spaces and signs, look-alikes made one.

    `Ada Lovelace`, `ada  LOVELACE`, `Ada Lоvelace` (a Cyrillic о) and `ada_lovelace` are the same.
    """
    plain = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(c for c in plain if not unicodedata.combining(c)).translate(_LIKE)
    # I, l and 1 are one stroke in many typefaces: after casefold what is left of them is i and l.
    return "".join(c for c in letters if c.isalnum()).replace("l", "i")


def look_alikes(text: str, others: Iterable[str]) -> list[str]:
    """Those of `others` that can be taken for `text`, also with the words in another order."""
    wanted, words = skeleton(text), sorted(skeleton(word) for word in text.split())
    return [
        other
        for other in others
        if wanted and (skeleton(other) == wanted or sorted(skeleton(w) for w in other.split()) == words)
    ]


def key_of(name: str, taken: Iterable[str], other: str = "person") -> str:
    """A key that a name suggests and that is not taken: `maya_chen`, `maya_chen_2`; `other` opens one of a
    name that has no letter of a-z to begin with."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    key = "_".join(re.findall(r"[a-z0-9]+", plain))[: LONGEST_KEY - len(other) - 6].strip("_")
    if not KEY.match(key):
        key = f"{other}_{key}".strip("_")
    there = {*taken, *RESERVED}
    if key not in there:
        return key
    return next(f"{key}_{n}" for n in range(2, len(there) + 3) if f"{key}_{n}" not in there)


def clean_name(text: str, most: int = LONGEST_NAME) -> str:
    """A name in one line; ValidationError for what cannot be shown as one."""
    name = " ".join(text.split())
    if not name:
        raise ValidationError("Write a name.")
    return clean_text(name, most)


def clean_text(text: str, most: int) -> str:
    """Text as it is kept; ValidationError for control, direction and invisible characters, or too much."""
    text = text.strip()
    if len(text) > most:
        raise ValidationError(f"This is longer than {most} characters.")
    for letter in text:
        if unicodedata.category(letter) in ("Cc", "Cs", "Cf") and letter not in "\u200c\u200d":
            raise ValidationError(f"This holds the character U+{ord(letter):04X}, which cannot be shown.")
    return text


def clean_key(text: str) -> str:
    """A key as the definitions file knows it; ValidationError else."""
    key = text.strip()
    if len(key) > LONGEST_KEY or not KEY.match(key) or key in RESERVED:
        raise ValidationError("A key is lower-case words joined by _, like maya_chen.")
    return key
