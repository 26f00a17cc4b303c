"""A ratio as typed: what is divided by what, each rows of a source or the figure of a metric."""

from collections.abc import Mapping
from typing import Any

from metrics.forms.computed import AGGREGATES
from metrics.forms.meaning import meaning_of
from metrics.forms.sides import SidesForm, side_initial
from warehouse.catalog import Column


class RatioForm(SidesForm):
    """Numerator over denominator of the same period."""

    SIDES = {"numerator": "What is divided", "denominator": "By what"}
    LINES = {"numerator": 3, "denominator": 3}
    WAYS = {"numerator": AGGREGATES, "denominator": AGGREGATES}
    OF_METRICS = True

    def spec(self) -> tuple[str, dict[str, Any]]:
        return "ratio", dict(self.measures)


def initial_of(
    stored: Mapping[str, Any], columns: Mapping[str, Mapping[str, Column]]
) -> dict[str, Any] | None:
    """What the form shows of a stored ratio; None for one that it has no fields for."""
    said = meaning_of(stored)
    for side in RatioForm.SIDES:
        found = side_initial(RatioForm, side, stored.get("spec", {}).get(side), columns)
        if found is None:
            return None
        said |= found
    return said
