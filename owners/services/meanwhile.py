"""What a writer is told whose page is older than what is stored."""

from hashlib import sha256

from django.core.exceptions import ValidationError


class ChangedMeanwhile(ValidationError):
    """Somebody else has changed the same since the writer read it. `code` is "conflict"."""

    def __init__(self, words: str) -> None:
        super().__init__(words, code="conflict")


def state_token(*values: object) -> str:
    """Names what is stored, by values whose `repr` tells them apart: two who edit it see each other."""
    return sha256(repr(values).encode()).hexdigest()[:16]


def unchanged(expected: str | None, stored: str) -> None:
    """Raises ChangedMeanwhile if the token of what the writer saw is not that of what is stored; without one
    nothing is asked."""
    if expected and expected != stored:
        raise ChangedMeanwhile(
            "Somebody else changed this while you were writing. What is stored now is shown below; change it "
            "again where it is needed."
        )
