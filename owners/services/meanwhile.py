"""What a writer is told whose page is older than what is stored."""

from django.core.exceptions import ValidationError


class ChangedMeanwhile(ValidationError):
    """Somebody else has changed the same since the writer read it. `code` is "conflict"."""

    def __init__(self, words: str) -> None:
        super().__init__(words, code="conflict")
