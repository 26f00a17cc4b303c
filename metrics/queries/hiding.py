"""What the machinery says of metrics (formulas, errors of updates), for readers who may not see them all."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from metrics.models import Metric
from metrics.queries.scope import visible_metrics
from owners.models import User
from owners.rules import SEES_ALL

HIDDEN = "(hidden)"
FAILED = "Metrics could not be computed, among them some that you may not see."


@dataclass(frozen=True)
class Veil:
    """Hides the keys and names of metrics; None: the reader sees all."""

    pattern: re.Pattern[str] | None = None

    def words(self, text: str) -> str:
        """The text with `HIDDEN` where it names a hidden metric."""
        return self.pattern.sub(HIDDEN, text) if self.pattern else text

    def error(self, text: str) -> str:
        """The text, unless it names a hidden metric: what went wrong there is for those who may see it."""
        return FAILED if self.pattern and self.pattern.search(text) else text


def veil(user: User | None, seen: Collection[str] | None = None) -> Veil:
    """For a reader; None is the system, which sees all. seen: keys of what they may see, if known.

    At most two SQL statements, none for who sees all."""
    if user is None or user.role in SEES_ALL:
        return Veil()
    known = set(visible_metrics(user).values_list("key", flat=True)) if seen is None else set(seen)
    rest = [
        (key, name)
        for key, name in Metric.objects.values_list("key", "name")
        if key.partition("__")[0] not in known  # a part is seen with its metric
    ]
    words = {word for pair in rest for word in pair if word.strip()}
    if not words:
        return Veil()
    longest_first = "|".join(re.escape(word) for word in sorted(words, key=lambda w: (-len(w), w)))
    return Veil(re.compile(rf"(?<!\w)(?:{longest_first})(?!\w)"))
